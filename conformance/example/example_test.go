package example

import (
	"fmt"
	"testing"
)

func TestLines(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "[]",
		"  prog":                        "[[]]",
		"  prog a b   # and so on":      "[[a b]]",
		"  prog 'a b' \"c'd\" e#f ''":   "[[a b c'd e#f ]]",
		"  prog a \\\n    b\n  other c": "[[a b]]",
		"  prog a > file b | tee; prog c && prog d": "[[a b] [c] [d]]",
		"  programme a\n  prog-cli b\nprog says":    "[]",
		"text\n\n  prog --x=1\n":                    "[[--x=1]]",
	} {
		got, err := Lines(text, "prog")
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("%q: %v, %v; want %s", text, got, err, want)
		}
	}
	if _, err := Lines("  prog 'a", "prog"); err == nil {
		t.Error("a quote that is not closed is taken")
	}
}
