package cases

import (
	"strings"
	"testing"
)

// A few words that stand for much weigh as what they stand for, and are not written out.
func TestWeight(t *testing.T) {
	const million = `{"repeat":"a","times":1000000}`
	for text, want := range map[string][2]int64{
		`"abc"`: {3, 100},
		million: {1_000_000, 1_001_000},
		`{"calls":[{"payload":` + million + `},{"topic":[` + million + `,"b"]}]}`: {2e6, 2_010_000},
		`{"repeat":{"repeat":"ab","times":1000},"times":1000}`:                    {2e6, 2_010_000},
		`{"repeat":[{"hex":"00"}, "a"],"times":1000}`:                             {2000, 10_000},
		// A decoder takes the last of several, and does not look at capitals.
		`{"Times":1000000,"times":1,"REPEAT":"a","repeat":""}`: {1_000_000, 1_001_000},
		`{"repeat":"a","times":1e3}`:                           {1, 2000}, // not read
		`{"repeat":"a","times":-9223372036854775808}`:          {1, 2000}, // not read
		strings.Repeat(`{"times":9999999,"repeat":`, 8) + `"a"` + strings.Repeat("}", 8): {
			weightMax, 2 * weightMax},
		`[` + strings.Repeat(`{"call":"on-stop"},`, 999) + `{}]`: {500_000, 1_000_000},
	} {
		got, err := Weight([]byte(text))
		if err != nil || got < want[0] || got > want[1] {
			t.Errorf("%.80s: %d, %v; want %d", text, got, err, want)
		}
	}
	for _, bad := range []string{``, `{`, `[1`, `{"times":`, `{"times":}`, `{"a":1`, `{"repeat"}`} {
		if _, err := Weight([]byte(bad)); err == nil {
			t.Errorf("%s weighs something", bad)
		}
	}
}

// What is read is never more than was said before it was.
func FuzzWeight(f *testing.F) {
	f.Add(`{"repeat":[{"hex":"00"},"a"],"times":3}`)
	f.Add(`{"Times":7,"times":1,"repeat":{"repeat":"ab","times":2}}`)
	f.Fuzz(func(t *testing.T, text string) {
		weight, err := Weight([]byte(text))
		if err != nil || weight > 1<<20 {
			return
		}
		var b Bytes
		if b.UnmarshalJSON([]byte(text)) == nil && int64(len(b)) > weight {
			t.Errorf("%d bytes, said to be %d", len(b), weight)
		}
	})
}
