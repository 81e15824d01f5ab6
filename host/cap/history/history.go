// Package history serves hpmq:broker/history: the last payload that was delivered under a topic of
// a listener. It keeps payloads of topics it was told to want, and of topics a guest has asked
// about before; the others cost a look-up and are not kept. They are in memory, the least used go
// first; each change is brought to a Keeper, if there is one, that makes it outlive the process.
// It does not know why a topic is wanted, nor how what is kept is kept.
package history

import (
	"errors"
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// Config bounds what is kept per listener.
type Config struct {
	EntriesMax      int
	BytesMax        int
	PayloadBytesMax int
	// TotalBytesMax bounds all listeners together: above it new topics are not kept.
	TotalBytesMax int64
}

// Default is one small payload of each topic of a busy edge box.
func Default() Config {
	return Config{EntriesMax: 65_536, BytesMax: 16 << 20, PayloadBytesMax: 64 << 10,
		TotalBytesMax: 64 << 20}
}

// Validate says what is wrong with c.
func (c Config) Validate() error {
	if c.EntriesMax < shards || c.BytesMax < 1 || c.PayloadBytesMax < 1 ||
		c.TotalBytesMax < 1 {
		return errors.New("history: entries must be at least 16, the other bounds at least 1")
	}
	return nil
}

// shards is how many locks a listener's topics are spread over; each has its part of the limits.
const shards = 16

// entryBytes is what an entry costs beyond its topic and payload.
const entryBytes = 128

// Place is where something was delivered.
type Place struct {
	Listener string
	// Loop is the event loop that delivered it, below 0 for none.
	Loop int
}

// Keeper makes changes outlive the process.
type Keeper interface {
	// Note keeps n, a change that was made on that loop, or below 0 on none. It is called under the
	// lock of the topic, so changes of one topic come one after the other; it must not wait. True:
	// the change stays. False: Store.Settle brings its fate.
	Note(loop int, n Note) (stays bool)
	// Room is false while there is none for new topics.
	Room() bool
}

// Note is what became of a topic. Payload never changes after.
type Note struct {
	Listener, Topic string
	Gone            bool
	Payload         []byte
	// Change tells it from other changes of the topic in this run.
	Change uint64
}

// Store holds the books of all listeners. Safe for concurrent use.
type Store struct {
	cfg  Config
	seed maphash.Seed
	// note is the Keeper's, nil for none: a program without one does not link what it needs. Gone
	// says that nothing is known of it any more.
	// Before is called before a payload is replaced.
	note   func(at Place, it *item, gone bool)
	before func(it *item)
	bytes  atomic.Int64
	// changes counts those that a Keeper was told of.
	changes atomic.Uint64
	mu      sync.Mutex
	books   atomic.Pointer[map[string]*book] // replaced as a whole, so that a look-up takes no lock
}

// New is an empty store.
func New(cfg Config) *Store {
	s := &Store{cfg: cfg, seed: maphash.MakeSeed()}
	s.books.Store(&map[string]*book{})
	return s
}

// Keep gives s the Keeper of its changes. It must come before the first Record.
func (s *Store) Keep(k Keeper) {
	s.before = func(it *item) {
		it.opened().was = it.latest()
		it.payload = nil // a note may have it
	}
	s.note = func(at Place, it *item, gone bool) {
		n := Note{Listener: at.Listener, Topic: it.topic, Change: s.changes.Add(1)}
		stays := true
		switch {
		case gone:
			if it.noted {
				n.Gone = true
				k.Note(-1, n) // what makes room belongs to no message
			}
			return
		case it.known && (it.noted || k.Room()):
			n.Payload = it.payload
			stays = k.Note(at.Loop, n)
		case it.noted && !it.known:
			n.Gone = true
			stays = k.Note(at.Loop, n)
		default:
			it.opened().changed(n.Change, stays)
			return
		}
		it.noted = it.known
		it.opened().changed(n.Change, stays)
	}
}

// Load takes in a payload that a Keeper kept before this run; n is borrowed. What no limit has room
// for goes.
func (s *Store) Load(n Note) {
	sh := s.shard(s.open(n.Listener), []byte(n.Topic))
	sh.load(s, &n)
}

// Bytes is how much is kept of all listeners.
func (s *Store) Bytes() int64 { return s.bytes.Load() }

// Record notes that payload was delivered under topic; both are borrowed until return. It is kept
// if wanted, or if a guest asked for this topic before.
func (s *Store) Record(at Place, topic, payload []byte, wanted bool) {
	b := (*s.books.Load())[at.Listener]
	if b == nil {
		if !wanted {
			return
		}
		b = s.open(at.Listener)
	}
	s.shard(b, topic).record(s, news{at, topic, payload, wanted})
}

func (s *Store) shard(b *book, topic []byte) *shard {
	return &b[maphash.Bytes(s.seed, topic)%shards]
}

// AppendLast appends the last payload under topic to dst. A topic that is not kept yet is from now
// on.
func (s *Store) AppendLast(dst []byte, listener string, topic []byte) ([]byte, bool) {
	b := (*s.books.Load())[listener]
	if b == nil {
		b = s.open(listener)
	}
	return s.shard(b, topic).appendLast(s, dst, Place{listener, -1}, topic)
}

// Forget drops what was kept of a listener.
func (s *Store) Forget(listener string) {
	var old *book
	s.replace(func(books map[string]*book) {
		old = books[listener]
		delete(books, listener)
	})
	if old == nil {
		return
	}
	for i := range old {
		old[i].close(s, listener)
	}
}

// open makes the book of a listener if it is not there.
func (s *Store) open(listener string) *book {
	s.replace(func(books map[string]*book) {
		if books[listener] == nil {
			books[listener] = new(book)
		}
	})
	if b := (*s.books.Load())[listener]; b != nil {
		return b
	}
	return new(book) // forgotten meanwhile
}

func (s *Store) replace(change func(map[string]*book)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := map[string]*book{}
	for k, v := range *s.books.Load() {
		next[k] = v
	}
	change(next)
	s.books.Store(&next)
}
