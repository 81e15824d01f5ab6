package kv

import "testing"

// A copy has what there was, and goes its own way; no Keeper hears of it.
func TestCopy(t *testing.T) {
	s := New(Default())
	notes := 0
	s.note = func(*area, int, *item, uint8) { notes++ }
	sp := s.Space("c")
	if err := sp.Set(0, []byte("k"), []byte("v"), 100); err != nil {
		t.Fatal(err)
	}
	if _, err := sp.Increment(0, []byte("n"), 3); err != nil {
		t.Fatal(err)
	}
	noted := notes
	c := s.Copy("c", "nobody").Space("c")
	if v, ok := c.Get(99, []byte("k")); !ok || string(v) != "v" {
		t.Errorf("the copy has %q, %v", v, ok)
	}
	if _, ok := c.Get(100, []byte("k")); ok {
		t.Error("what has expired is there in the copy")
	}
	if n, err := c.Increment(0, []byte("n"), 1); n != 4 || err != nil {
		t.Errorf("the copy counts to %d, %v", n, err)
	}
	c.Delete(0, []byte("k"))
	if v, ok := sp.Get(99, []byte("k")); !ok || string(v) != "v" {
		t.Errorf("the original has %q, %v", v, ok)
	}
	if n, err := sp.Increment(0, []byte("n"), 1); n != 4 || err != nil {
		t.Errorf("the original counts to %d, %v", n, err)
	}
	if notes != noted+1 { // the original's own
		t.Errorf("%d notes, %d before", notes, noted)
	}
}
