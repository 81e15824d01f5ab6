// Package kv serves hpmq:broker/kv: keys and values that the host holds for a component's name, so
// that they outlive its instances, swaps and versions. It has them in memory, bounded per component
// and in total, and brings each change to a Keeper, if it is given one, that makes them outlive the
// process. It does not know who links what, nor how what is kept is kept.
//
// What is in memory is what guests see, at once and on all loops. A change that was made while a
// message was judged is taken back if the Keeper does not keep the message; any other change that
// it cannot keep yet is owed by the Keeper. While too much is owed new keys are refused as too
// large; keys that are there can be changed, for that does not make it more.
//
// What a component holds is of a schema version. A Migration brings it to another, key by key and
// beside what is there, and makes it valid in one write of the Keeper.
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
	// TotalEntriesMax and TotalBytesMax bound all components together.
	TotalEntriesMax int64
	TotalBytesMax   int64
}

// Default holds a window of a few thousand devices and stays far below an edge box's memory.
func Default() Config {
	return Config{
		KeyBytesMax: 1024, ValueBytesMax: 64 << 10, EntriesMax: 100_000, BytesMax: 16 << 20,
		TotalEntriesMax: 1_000_000, TotalBytesMax: 64 << 20,
	}
}

// Validate says what is wrong with c.
func (c Config) Validate() error {
	if c.KeyBytesMax < 1 || c.ValueBytesMax < 1 || c.EntriesMax < 1 || c.BytesMax < 1 ||
		c.TotalEntriesMax < 1 || c.TotalBytesMax < 1 {
		return errors.New("kv: every bound must be at least 1")
	}
	return nil
}

// entryBytes is what an entry costs beyond its key and value.
const entryBytes = 128

// shards is a power of two; enough that the loops of a big box seldom meet.
const shards = 32

// NoLoop is where a guest is that runs beside the event loops.
const NoLoop = -1

// Keeper makes changes outlive the process.
type Keeper interface {
	// Note keeps n, a change that was made on that loop, or NoLoop. It is called under the lock of
	// the key, so changes of one key come one after the other; it must not wait. The answer is nil
	// if the change stays, and otherwise what Saw is told until Store.Settle brings its fate.
	Note(loop int, n Note) (fate any)
	// Saw says that a guest on that loop saw the change of that fate.
	Saw(loop int, fate any)
	// Room is false while there is none for new keys.
	Room() bool
	// Keep keeps all notes in one write, or none: then it answers an error. When it returns, all
	// that was noted before is kept too, and settled. ErrBusy says that something of that waits for
	// a loop. It waits for the device.
	Keep(notes []Note) error
}

// Note is what became of a key. Value never changes after.
type Note struct {
	Space, Key string
	Gone       bool
	// Schema says that N is the schema version of the space; there is no key.
	Schema bool
	// Counter says that N is the value.
	Counter bool
	N       int64
	Value   []byte
	// Expire is when it ends, milliseconds on the clock of the calls, 0 for never; TTL is how long
	// it was to live.
	Expire int64
	TTL    uint64
	// Change tells it from other changes of the key in this run.
	Change uint64
}

// Store holds the spaces of all components. Safe for concurrent use.
type Store struct {
	cfg  Config
	seed maphash.Seed
	// spaces is replaced as a whole when a component comes up for the first time, so that a look-up
	// takes no lock.
	spaces atomic.Pointer[map[string]*area]
	mu     sync.Mutex
	// note, saw and room are the Keeper's, nil for none. They are functions, so that a program
	// without one, which has little room, does not link what they need.
	note  func(a *area, loop int, it *item, how uint8)
	saw   func(a *area, loop int, key []byte)
	room  func() bool
	keep  func([]Note) error
	total usage
}

// usage counts entries and bytes.
type usage struct{ count, bytes atomic.Int64 }

// take counts entries and bytes in if they fit.
func (u *usage) take(entries, bytes, entriesMax, bytesMax int64) bool {
	n, b := u.count.Add(entries), u.bytes.Add(bytes)
	if (entries <= 0 || n <= entriesMax) && (bytes <= 0 || b <= bytesMax) {
		return true
	}
	u.give(entries, bytes)
	return false
}

func (u *usage) give(entries, bytes int64) {
	u.count.Add(-entries)
	u.bytes.Add(-bytes)
}

// New is an empty store.
func New(cfg Config) *Store {
	s := &Store{cfg: cfg, seed: maphash.MakeSeed()}
	s.spaces.Store(&map[string]*area{})
	return s
}

// Keep gives s the Keeper of its changes. It must come before the first guest.
func (s *Store) Keep(k Keeper) {
	s.room, s.keep = k.Room, k.Keep
	s.note = func(a *area, loop int, it *item, how uint8) {
		sh := a.shard([]byte(it.key))
		o := sh.opened()
		o.changes++
		c := change{number: o.changes, how: how, was: o.was}
		n := Note{Space: a.name, Key: it.key, Change: c.number}
		n.Gone = how == gone || sh.items[it.key] != it
		if !n.Gone {
			n.Counter, n.N, n.Value, n.Expire, n.TTL = it.counter, it.n, it.value, it.expire, it.ttl
		}
		switch how {
		case gone:
			c.was = it.state() // it may make room for the key at work
		case counted:
			c.by = it.n - c.was.n
			fallthrough
		default:
			o.was = state{} // a value that went is not held
		}
		c.fate = k.Note(loop, n)
		o.remember(it.key, c)
	}
	s.saw = func(a *area, loop int, key []byte) {
		sh := a.shard(key)
		o := sh.opened()
		o.was = sh.items[string(key)].state()
		if fate := o.past[string(key)].last(); fate != nil {
			k.Saw(loop, fate)
		}
	}
}

// Load takes in what a Keeper kept before this run, whatever the limits say now; Value is borrowed.
// What has expired meanwhile goes. A clock that went back makes nothing live longer than its TTL
// from now.
func (s *Store) Load(now int64, n Note) {
	sp := s.area(n.Space)
	if n.Expire != 0 && n.Expire <= now {
		if s.note != nil {
			sh := sp.shard([]byte(n.Key))
			sh.mu.Lock()
			s.note(sp, NoLoop, &item{key: n.Key}, gone)
			sh.mu.Unlock()
		}
		return
	}
	sp.load(now, &n)
}

// Space is the keys of the component of that name; it is made when it is not there. What changes
// by it is noted as made beside the loops.
func (s *Store) Space(component string) Space { return s.area(component).on(NoLoop) }

// On is Space for a guest on that loop, or NoLoop.
func (s *Store) On(loop int, component string) Space { return s.area(component).on(loop) }

// Usage answers how many entries and bytes all components hold, expired ones among them.
func (s *Store) Usage() (entries, bytes int64) {
	return s.total.count.Load(), s.total.bytes.Load()
}

func (s *Store) area(component string) *area {
	if sp := (*s.spaces.Load())[component]; sp != nil {
		return sp
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := *s.spaces.Load()
	if sp := old[component]; sp != nil {
		return sp
	}
	next := make(map[string]*area, len(old)+1)
	for k, v := range old {
		next[k] = v
	}
	sp := &area{store: s, name: component}
	for i := range sp.shards {
		sp.shards[i].items = map[string]*item{}
	}
	next[component] = sp
	s.spaces.Store(&next)
	return sp
}
