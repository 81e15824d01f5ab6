package flash

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/hpmq/hpmq/lite/broker"
)

// Errors of a write.
var (
	ErrBusy   = errors.New("flash: too much waits for the device")
	ErrClosed = errors.New("flash: closed")
)

// Kernel is what gets the answers that come by event.
type Kernel interface {
	Written(now broker.Time, t broker.Token, err error)
	Read(now broker.Time, t broker.Token, recs []broker.Record, err error)
}

// Post brings f to the kernel, later, on its goroutine. What is posted runs in order.
type Post func(f func(k Kernel, now broker.Time))

// Store keeps retained messages; it is broker.Store of one kernel, to whose goroutine Write and
// Read belong.
type Store struct {
	cfg  Config
	post Post
	lock io.Closer

	// Of the kernel's goroutine.
	ahead int // questions that are not answered yet
	recs  []broker.Record

	// Of the store's goroutine.
	seg   segment
	buf   []byte
	undo  []change
	tried time.Time // when the file was last written anew after a failure
	done  chan struct{}

	mu      sync.Mutex
	more    sync.Cond
	items   []item
	pending int64
	closed  bool

	// kept guards index and stats. A write applies in memory on the store's goroutine, or with
	// SyncNone on the kernel's.
	kept  sync.RWMutex
	index index
	stats Stats
}

// Stats counts what is kept and what was done.
type Stats struct {
	Entries   int
	Bytes     int64
	FileBytes int64
	Writes    uint64 // records written
	Commits   uint64 // groups of them
	Rewrites  uint64
	Failures  uint64 // errors of the device
}

// item is one question on its way through the store's goroutine, so that answers come in order.
type item struct {
	token  broker.Token
	ops    []broker.Op // of a write; the store's own
	filter string      // of a read
	read   bool
	// behind: the write is answered and applied, only the file does not have it.
	behind bool
	bytes  int64
	err    error
	recs   []broker.Record
}

func newStore(cfg Config, post Post, lock io.Closer) *Store {
	s := &Store{cfg: cfg, post: post, lock: lock, done: make(chan struct{})}
	s.seg = segment{dir: cfg.Dir, create: cfg.create}
	s.index.all = make(map[string]*entry)
	s.more.L = &s.mu
	return s
}

// Write is broker.Store.
func (s *Store) Write(t broker.Token, b *broker.Batch) bool {
	ops := b.Ops
	it := item{token: t, ops: own(ops)}
	for i := range ops {
		it.bytes += int64(len(ops[i].Key)+len(ops[i].Value)) + prefixBytes
	}
	if s.cfg.Sync == SyncNone {
		it.err = s.applyNow(&it)
		it.behind = it.err == nil && s.ahead == 0
		if s.cfg.Dir == Memory {
			it.ops, it.bytes = nil, 0
			if it.behind {
				return true
			}
		}
	}
	s.enqueue(it)
	if !it.behind {
		s.ahead++
	}
	return it.behind || t == 0
}

// applyNow keeps what need not be on the device yet.
func (s *Store) applyNow(it *item) error {
	s.mu.Lock()
	full := s.fullLocked(it)
	s.mu.Unlock()
	if full {
		return ErrBusy
	}
	s.kept.Lock()
	defer s.kept.Unlock()
	if err := s.index.check(it.ops, &s.cfg); err != nil {
		return err
	}
	s.index.apply(it.ops, nil)
	return nil
}

// own is a copy of ops with bytes of its own.
func own(ops []broker.Op) []broker.Op {
	ops = slices.Clone(ops)
	for i := range ops {
		ops[i].Value = slices.Clone(ops[i].Value)
	}
	return ops
}

// Read is broker.Store. Of sessions it finds nothing.
func (s *Store) Read(t broker.Token, q broker.Query, visit func(broker.Record)) bool {
	if s.ahead > 0 {
		s.ahead++
		s.enqueue(item{token: t, read: true, filter: q.Filter})
		return false
	}
	// visit may lead to a Write or another Read: it runs without the lock, and recs is taken.
	recs := s.find(s.recs[:0], q.Filter)
	s.recs = nil
	for i := range recs {
		visit(recs[i])
	}
	clear(recs)
	s.recs = recs[:0]
	return true
}

func (s *Store) find(dst []broker.Record, filter string) []broker.Record {
	s.kept.RLock()
	defer s.kept.RUnlock()
	return s.index.match(dst, filter)
}

// enqueue gives it to the store's goroutine. What is too much is refused there, in its turn.
func (s *Store) enqueue(it item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		it.err = ErrClosed
		s.answer([]item{it})
		return
	case it.err == nil && !it.read && s.cfg.Sync == SyncCommit && s.fullLocked(&it):
		it.err = ErrBusy
	}
	if it.err != nil {
		it.ops, it.bytes = nil, 0
	}
	s.pending += it.bytes
	s.items = append(s.items, it)
	s.more.Signal()
}

func (s *Store) fullLocked(it *item) bool {
	return s.pending > 0 && s.pending+it.bytes > s.cfg.PendingBytesMax
}

// answer brings the answers of items to the kernel, by one event.
func (s *Store) answer(items []item) {
	s.post(func(k Kernel, now broker.Time) {
		for i := range items {
			it := &items[i]
			if it.behind {
				continue
			}
			s.ahead--
			switch {
			case it.read:
				k.Read(now, it.token, it.recs, it.err)
			case it.token != 0:
				k.Written(now, it.token, it.err)
			}
		}
	})
}

// Stats answers the counts of now.
func (s *Store) Stats() Stats {
	s.kept.RLock()
	defer s.kept.RUnlock()
	st := s.stats
	st.Entries, st.Bytes = len(s.index.all), s.index.bytes
	return st
}

// Close writes what waits, syncs, and closes the file. It blocks for as long as that takes.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.more.Signal()
	s.mu.Unlock()
	<-s.done
	var err error
	if s.seg.doubt {
		err = s.seg.rewrite(s.entries())
	}
	err = errors.Join(err, s.seg.file.Sync(), s.seg.file.Close(), s.lock.Close())
	if err != nil {
		return fmt.Errorf("flash: close: %w", err)
	}
	return nil
}
