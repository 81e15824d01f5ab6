package mqtt

import (
	"bytes"
	"testing"
)

// TestTextIsScannedWhole puts each byte that matters at each place of texts of each length around
// the words the scan goes by.
func TestTextIsScannedWhole(t *testing.T) {
	for _, c := range []struct {
		odd        byte
		text, name *Error
	}{
		{0, errTextNull, errTextNull}, {0x80, errTextUTF8, errTextUTF8}, {0xFF, errTextUTF8,
			errTextUTF8},
		{'+', nil, errWildcard}, {'#', nil, errWildcard}, {1, nil, nil}, {0x7F, nil, nil},
		{'*', nil, nil}, {',', nil, nil}, {'"', nil, nil}, {'$', nil, nil},
	} {
		for place := range 40 * 40 {
			n, at := place/40, place%40
			if at >= n {
				continue
			}
			text := bytes.Repeat([]byte{'a'}, n)
			text[at] = c.odd
			if got := checkText(text); got != c.text {
				t.Errorf("text %q: %v", text, got)
			}
			if got := checkName(text); got != c.name {
				t.Errorf("name %q: %v", text, got)
			}
		}
	}
}
