package kv

// Apart is for the environment of guests whose changes are to have no effect.
type Apart interface {
	// Scratch is what they change instead, nil for a guest like any other.
	Scratch() *Store
}

// Copy is a store of its own with what the components of those names hold. No Keeper hears of it.
// It blocks for as long as copying takes, and a part of the keys is locked meanwhile.
func (s *Store) Copy(components ...string) *Store {
	c := New(s.cfg)
	for _, name := range components {
		s.area(name).copyTo(c.area(name))
	}
	return c
}

// copyTo brings the items of s to other, which nobody uses yet.
func (s *area) copyTo(other *area) {
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		for key, it := range sh.items { // values never change in place
			other.bring(other.shard([]byte(key)), key, it.state())
		}
		sh.mu.Unlock()
	}
}
