// Package kv serves hpmq:broker/kv: keys and values that the host holds for a component's name, so
// that they outlive its instances, swaps and versions. It keeps them in memory, bounded per
// component. It does not know who links what.
package kv

import (
	"errors"
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// ErrTooLarge says that a key, a value or the whole would be larger than its limit.
var ErrTooLarge = errors.New("kv: too large")

// ErrNotACounter says that the value under the key was set, not counted, or that it would overflow.
var ErrNotACounter = errors.New("kv: not a counter")

// Config bounds what one component may hold.
type Config struct {
	KeyBytesMax   int
	ValueBytesMax int
	// EntriesMax and BytesMax bound the whole of a component. Bytes count keys, values and
	// a fixed cost per entry.
	EntriesMax int64
	BytesMax   int64
}

// Default holds a window of a few thousand devices and stays far below an edge box's memory.
func Default() Config {
	return Config{
		KeyBytesMax: 1024, ValueBytesMax: 64 << 10, EntriesMax: 100_000, BytesMax: 16 << 20,
	}
}

// Validate says what is wrong with c.
func (c Config) Validate() error {
	if c.KeyBytesMax < 1 || c.ValueBytesMax < 1 || c.EntriesMax < 1 || c.BytesMax < 1 {
		return errors.New("kv: every bound must be at least 1")
	}
	return nil
}

// entryBytes is what an entry costs beyond its key and value.
const entryBytes = 128

// shards is a power of two; enough that the loops of a big box seldom meet.
const shards = 32

// Store holds the spaces of all components. Safe for concurrent use.
type Store struct {
	cfg  Config
	seed maphash.Seed
	// spaces is replaced as a whole when a component comes up for the first time, so that a look-up
	// takes no lock.
	spaces atomic.Pointer[map[string]*Space]
	mu     sync.Mutex
}

// New is an empty store.
func New(cfg Config) *Store {
	s := &Store{cfg: cfg, seed: maphash.MakeSeed()}
	s.spaces.Store(&map[string]*Space{})
	return s
}

// Space is the keys of the component of that name; it is made when it is not there.
func (s *Store) Space(component string) *Space {
	if sp := (*s.spaces.Load())[component]; sp != nil {
		return sp
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := *s.spaces.Load()
	if sp := old[component]; sp != nil {
		return sp
	}
	next := make(map[string]*Space, len(old)+1)
	for k, v := range old {
		next[k] = v
	}
	sp := &Space{cfg: s.cfg, seed: s.seed}
	for i := range sp.shards {
		sp.shards[i].items = map[string]*item{}
	}
	next[component] = sp
	s.spaces.Store(&next)
	return sp
}
