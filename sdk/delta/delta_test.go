package delta

import (
	"bytes"
	"errors"
	"testing"
)

func TestRoundTrip(t *testing.T) {
	base := bytes.Repeat([]byte("what both have in common, and more of it. "), 40)
	for name, file := range map[string][]byte{
		"nothing": nil, "short": []byte("short"), "the same": base,
		"repeats itself": bytes.Repeat([]byte("x"), 500),
		"mixed":          append(append([]byte("new"), base[30:700]...), "newer"...),
	} {
		diff := Append(nil, base, file)
		got, err := Apply(base, diff, len(file))
		if err != nil || !bytes.Equal(got, file) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if len(diff) > len(file)/2+10 {
			t.Errorf("%s: %d bytes for %d", name, len(diff), len(file))
		}
		if len(file) > 0 {
			if _, err := Apply(base, diff, len(file)-1); !errors.Is(err, ErrDamaged) {
				t.Errorf("%s: larger than allowed: %v", name, err)
			}
		}
	}
}

func FuzzApply(f *testing.F) {
	base := []byte("0123456789abcdef0123456789abcdef")
	f.Add(Append(nil, base, []byte("xx0123456789abcdefyy")))
	f.Add([]byte{0, 200, 1, 1, 0})
	f.Fuzz(func(t *testing.T, diff []byte) {
		got, err := Apply(base, diff, 1000)
		if err != nil {
			return
		}
		again, err := Apply(base, Append(nil, base, got), 1000)
		if err != nil || !bytes.Equal(again, got) {
			t.Errorf("%q becomes %q, %v", got, again, err)
		}
	})
}
