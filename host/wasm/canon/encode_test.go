package canon_test

import (
	"testing"

	"github.com/hpmq/hpmq/host/wasm/canon"
	"github.com/hpmq/hpmq/host/wasm/component"
)

// TestTextsAreEncodedInPlace writes and reads strings in each encoding, with no allocation.
func TestTextsAreEncodedInPlace(t *testing.T) {
	encodings := []component.Encoding{component.UTF8, component.UTF16, component.Latin1UTF16}
	for _, s := range []string{"", "a", "grün", "€", "a😀b", "\xff"} {
		for _, e := range encodings {
			memory, back := make([]byte, 64), make([]byte, 0, 64)
			var err error
			n := testing.AllocsPerRun(10, func() {
				bytes, units := canon.TextSize(e, s)
				if canon.TextBytes(e, units) != bytes {
					t.Fatalf("%q: %d bytes are read as %d", s, bytes, canon.TextBytes(e, units))
				}
				canon.PutText(memory[:bytes], e, units, []byte(s))
				back, err = canon.AppendText(back[:0], memory[:bytes], e, units)
			})
			want := s
			if s == "\xff" && e != component.UTF8 {
				want = "\uFFFD"
			}
			if broken := s == "\xff" && e == component.UTF8; broken != (err != nil) {
				t.Errorf("%q in encoding %d: %v", s, e, err)
			} else if !broken && string(back) != want || n != 0 && err == nil {
				t.Errorf("%q in encoding %d: %q, %v allocations", s, e, back, n)
			}
		}
	}
	for _, lone := range []string{"\x00\xd8", "\x00\xdc\x00\xdc", "\x00\xd8a\x00"} {
		if _, err := canon.AppendText(nil, []byte(lone), component.UTF16, 1); err == nil {
			t.Errorf("%x is taken", lone)
		}
	}
}
