package component

import "testing"

// FuzzDecode checks that nothing that is fed to Decode makes it panic or run away.
func FuzzDecode(f *testing.F) {
	for _, c := range cases(f) {
		f.Add(c.code)
	}
	l := DefaultLimits()
	l.BytesMax, l.WorkMax = 1<<20, 100_000
	f.Fuzz(func(t *testing.T, code []byte) {
		c, err := Decode(code, l)
		if (c == nil) == (err == nil) {
			t.Fatalf("%v, %v", c, err)
		}
	})
}
