package jsonsize

import "testing"

func TestValues(t *testing.T) {
	for text, want := range map[string]int{
		``: 0, `1`: 0, `{}`: 1, `[{},{}]`: 4, `{"a":1,"b":[2,3]}`: 4, `"{[,"`: 0, `["\"",","]`: 2,
		`"\\",`: 1,
	} {
		if got := Values([]byte(text)); got != want {
			t.Errorf("%s: %d, not %d", text, got, want)
		}
	}
}
