// Package history serves hpmq:broker/history: the last payload that was delivered under a topic of
// a listener. It keeps payloads of topics it was told to want, and of topics a guest has asked
// about before; the others cost a look-up and are not kept. It does not know why a topic is wanted.
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
}

// Default is one small payload of each topic of a busy edge box.
func Default() Config {
	return Config{EntriesMax: 65_536, BytesMax: 16 << 20, PayloadBytesMax: 64 << 10}
}

// Validate says what is wrong with c.
func (c Config) Validate() error {
	if c.EntriesMax < shards || c.BytesMax < 1 || c.PayloadBytesMax < 1 {
		return errors.New("history: entries must be at least 16, the other bounds at least 1")
	}
	return nil
}

// shards is how many locks a listener's topics are spread over; each has its part of the limits.
const shards = 16

// entryBytes is what an entry costs beyond its topic and payload.
const entryBytes = 128

// Store holds the books of all listeners. Safe for concurrent use.
type Store struct {
	cfg   Config
	seed  maphash.Seed
	mu    sync.Mutex
	books atomic.Pointer[map[string]*book] // replaced as a whole, so that a look-up takes no lock
}

// New is an empty store.
func New(cfg Config) *Store {
	s := &Store{cfg: cfg, seed: maphash.MakeSeed()}
	s.books.Store(&map[string]*book{})
	return s
}

// Record notes that payload was delivered under topic; both are borrowed until return. It is kept
// if wanted, or if a guest asked for this topic before.
func (s *Store) Record(listener string, topic, payload []byte, wanted bool) {
	b := (*s.books.Load())[listener]
	if b == nil {
		if !wanted {
			return
		}
		b = s.open(listener)
	}
	sh := &b[maphash.Bytes(s.seed, topic)%shards]
	sh.record(s.cfg, topic, payload, wanted)
}

// AppendLast appends the last payload under topic to dst. A topic that is not kept yet is from now
// on.
func (s *Store) AppendLast(dst []byte, listener string, topic []byte) ([]byte, bool) {
	b := (*s.books.Load())[listener]
	if b == nil {
		b = s.open(listener)
	}
	sh := &b[maphash.Bytes(s.seed, topic)%shards]
	return sh.appendLast(s.cfg, dst, topic)
}

// Forget drops what was kept of a listener.
func (s *Store) Forget(listener string) {
	s.replace(func(books map[string]*book) { delete(books, listener) })
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
