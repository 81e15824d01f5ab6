package configs

import (
	"strings"
	"testing"
)

func TestJSON(t *testing.T) {
	got, err := JSON("f", []byte("a: {b.c: [1, 2.5, \"x\"]}\n"))
	if want := `{"a":{"b.c":[1,2.5,"x"]}}`; err != nil || string(got) != want {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
	for text, says := range map[string]string{
		"[1]": "mapping", "a: {1: 2}": "only texts", "a: [": "f",
		"a: 1\n---\nb: 1\n": "one document",
	} {
		if got, err := JSON("f", []byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %s, %v; want %s", text, got, err, says)
		}
	}
}
