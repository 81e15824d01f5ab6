package fields

import (
	"encoding/json"
	"math"
	"strconv"
	"testing"
)

func TestAppendNumber(t *testing.T) {
	for n, want := range map[float64]string{
		0: "0", 21.5: "21.5", 3 * 0.1: "0.3", -0.5: "-0.5", 100: "100", 1e9: "1000000000",
		1e20:         "1e+20",
		0.1234567891: "0.1234567891", 1e-7: "1e-07", 999999999.999999: "999999999.999999",
		math.Inf(1): "null", math.NaN(): "null", -273.15 + 300: "26.85",
		1.0 / 3: "0.333333333333333",
	} {
		if got := string(AppendNumber(nil, n)); got != want {
			t.Errorf("%v: got %s, want %s", n, got, want)
		}
	}
}

func TestAppendFixed(t *testing.T) {
	for _, c := range []struct {
		n      float64
		digits int
		want   string
	}{
		{70.66, 1, "70.7"}, {2.5, 0, "3"}, {-2.5, 0, "-3"}, {0, 2, "0.00"}, {1e18, 2,
			"1000000000000000000.00"},
		{-0.004, 2, "0.00"}, {0.05, 15, "0.050000000000000"}, {math.Inf(-1), 1, "null"}, {12, 3,
			"12.000"},
	} {
		if got := string(AppendFixed(nil, c.n, c.digits)); got != c.want {
			t.Errorf("%v to %d: got %s, want %s", c.n, c.digits, got, c.want)
		}
	}
}

func TestNumberRefuses(t *testing.T) {
	for _, text := range []string{`"1"`, "null", "true", "[1]", "{}", "-", "1e999"} {
		if n, ok := Number(text); ok {
			t.Errorf("%s: taken as %v", text, n)
		}
	}
}

// FuzzNumber holds the short ways to strconv.
func FuzzNumber(f *testing.F) {
	for _, s := range []string{"0", "-1.5e9", "123456789012345.6", "0.000001", "21.50", "1e-9",
		"-0"} {
		f.Add(s, 0.1)
	}
	f.Fuzz(func(t *testing.T, text string, n float64) {
		if want := strconv.FormatFloat(n, 'g', 15, 64); n-n == 0 {
			got, err := strconv.ParseFloat(string(AppendNumber(nil, n)), 64)
			exp, _ := strconv.ParseFloat(want, 64)
			if err != nil || got != exp {
				t.Errorf("%v: wrote %s, want %s", n, AppendNumber(nil, n), want)
			}
		}
		if !json.Valid([]byte(text)) || text != string(compactNumber(text)) {
			return
		}
		got, ok := Number(text)
		want, err := strconv.ParseFloat(text, 64)
		if ok != (err == nil) || ok && got != want {
			t.Errorf("%s: read %v, %v, want %v, %v", text, got, ok, want, err)
		}
	})
}

// compactNumber is text if it starts as a number does, else nothing.
func compactNumber(text string) string {
	if text[0] == '-' || text[0] >= '0' && text[0] <= '9' {
		if end := number(text, 0); end == len(text) {
			return text
		}
	}
	return ""
}

func BenchmarkNumber(b *testing.B) {
	var text []byte
	b.ReportAllocs()
	b.SetBytes(4)
	for b.Loop() {
		n, _ := Number("21.5")
		text = AppendNumber(text[:0], n*0.1)
	}
}
