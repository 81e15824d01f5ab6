package kv

import (
	"errors"
	"fmt"
	"sync"
	"testing"
)

// ledger is a Keeper that has the last note of each key.
type ledger struct {
	mu    sync.Mutex
	notes map[string]Note
	last  string
	full  bool
	// open makes changes wait for their fate.
	open bool
	made []Note
	seen []any
	// broken is what Keep answers; writes counts the others, schema is that kept last.
	broken error
	writes int
	schema uint32
}

func newLedger() *ledger { return &ledger{notes: map[string]Note{}} }

func (l *ledger) Room() bool { l.mu.Lock(); defer l.mu.Unlock(); return !l.full }

// Keep is all or nothing.
func (l *ledger) Keep(notes []Note) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return l.broken
	}
	l.writes++
	for _, n := range notes {
		switch {
		case n.Schema:
			l.schema = uint32(n.N)
		case n.Gone:
			delete(l.notes, n.Space+"/"+n.Key)
		default:
			l.notes[n.Space+"/"+n.Key] = n
		}
	}
	return nil
}

func (l *ledger) Saw(_ int, fate any) { l.seen = append(l.seen, fate) }

func (l *ledger) Note(loop int, n Note) any {
	l.mu.Lock()
	defer l.mu.Unlock()
	value := string(n.Value)
	if n.Counter {
		value = fmt.Sprint("#", n.N)
	}
	if n.Gone {
		value = "gone"
		delete(l.notes, n.Space+"/"+n.Key)
	} else {
		l.notes[n.Space+"/"+n.Key] = n
	}
	l.last = fmt.Sprintf("%d %s/%s %s %d %d", loop, n.Space, n.Key, value, n.Expire, n.TTL)
	if !l.open {
		return nil
	}
	l.made = append(l.made, n)
	return n.Change
}

func kept(change func(*Config)) (*Store, *ledger) {
	cfg := Default()
	if change != nil {
		change(&cfg)
	}
	s, l := New(cfg), newLedger()
	s.Keep(l)
	return s, l
}

func TestEveryChangeIsNoted(t *testing.T) {
	s, l := kept(nil)
	sp := s.On(3, "c")
	for _, x := range []struct {
		do   func()
		want string
	}{
		{func() { _ = sp.Set(100, key("a"), []byte("v"), 50) }, "3 c/a v 150 50"},
		{func() { _ = sp.Set(100, key("a"), []byte("w"), 0) }, "3 c/a w 0 0"},
		{func() { _, _ = sp.SetIfAbsent(100, key("b"), nil, 7) }, "3 c/b  107 7"},
		{func() { _, _ = sp.SetIfAbsent(100, key("a"), nil, 7) }, "3 c/b  107 7"},
		{func() { _, _ = sp.Increment(100, key("n"), 5) }, "3 c/n #5 0 0"},
		{func() { _, _ = sp.Increment(100, key("n"), -7) }, "3 c/n #-2 0 0"},
		{func() { _, _ = sp.Increment(100, key("a"), 1) }, "3 c/n #-2 0 0"},
		{func() { s.Space("c").Delete(100, key("n")) }, "-1 c/n gone 0 0"},
		{func() { sp.Get(107, key("b")) }, "3 c/b gone 0 0"},
		{func() { sp.Delete(100, key("b")) }, "3 c/b gone 0 0"},
	} {
		if x.do(); l.last != x.want {
			t.Errorf("noted %q, want %q", l.last, x.want)
		}
	}
}

// What a Keeper has is what the next run begins with.
func TestLoad(t *testing.T) {
	s, l := kept(nil)
	sp := s.Space("c")
	_ = sp.Set(1000, key("for ever"), []byte("v"), 0)
	_ = sp.Set(1000, key("short"), []byte("v"), 10)
	_ = sp.Set(1000, key("long"), []byte("v"), 500)
	_, _ = sp.Increment(1000, key("n"), 41)
	next, m := kept(nil)
	for _, n := range l.notes {
		next.Load(1200, n)
	}
	sp = next.Space("c")
	if n, err := sp.Increment(1200, key("n"), 1); n != 42 || err != nil {
		t.Error(n, err)
	}
	for k, want := range map[string]bool{"for ever": true, "short": false, "long": true} {
		if _, ok := sp.Get(1499, key(k)); ok != want {
			t.Errorf("%s is there: %v", k, ok)
		}
	}
	if _, ok := sp.Get(1500, key("long")); ok {
		t.Error("it outlives its end")
	}
	entries, bytes := next.Usage()
	if e, b := sp.Usage(); e != entries || b != bytes || e != 2 {
		t.Errorf("%d entries, %d bytes; in total %d, %d", e, b, entries, bytes)
	}
	if m.last != "-1 c/long gone 0 0" {
		t.Error(m.last)
	}
}

// A clock that went back, over a restart, makes nothing live longer than it was to live.
func TestAClockThatGoesBack(t *testing.T) {
	s, _ := kept(nil)
	s.Load(1000, Note{Space: "c", Key: "a", Value: []byte("v"), Expire: 9_000_000, TTL: 50})
	if _, ok := s.Space("c").Get(1049, key("a")); !ok {
		t.Error("gone too early")
	}
	if _, ok := s.Space("c").Get(1050, key("a")); ok {
		t.Error("it lives on")
	}
}

func TestNoRoomRefusesNewKeysAlone(t *testing.T) {
	s, l := kept(nil)
	sp := s.Space("c")
	_ = sp.Set(1, key("a"), []byte("v"), 0)
	_, _ = sp.Increment(1, key("n"), 1)
	l.full = true
	_, absent := sp.SetIfAbsent(1, key("b"), nil, 0)
	_, count := sp.Increment(1, key("m"), 1)
	for _, err := range []error{sp.Set(1, key("b"), nil, 0), absent, count} {
		if !errors.Is(err, ErrTooLarge) {
			t.Errorf("err %v", err)
		}
	}
	_, err := sp.Increment(1, key("n"), 1)
	if err := errors.Join(err, sp.Set(1, key("a"), []byte("larger"), 0)); err != nil {
		t.Error(err)
	}
}

func TestTotals(t *testing.T) {
	s, _ := kept(func(c *Config) { c.TotalEntriesMax, c.TotalBytesMax = 3, 1000 })
	a, b := s.Space("a"), s.Space("b")
	for i := range 2 {
		_ = a.Set(1, key(fmt.Sprint(i)), nil, 0)
	}
	if err := b.Set(1, key("0"), make([]byte, 700), 0); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too many bytes: %v", err)
	}
	if err := b.Set(1, key("0"), nil, 0); err != nil {
		t.Error(err)
	}
	if err := b.Set(1, key("1"), nil, 0); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too many entries: %v", err)
	}
	a.Delete(1, key("0"))
	if err := b.Set(1, key("1"), nil, 0); err != nil {
		t.Error(err)
	}
	if n, _ := b.Usage(); n != 2 {
		t.Errorf("%d entries", n)
	}
}

// Loops that add to one counter and take one key lose nothing, and the last note is the sum.
func TestLoopsCountTogether(t *testing.T) {
	s, l := kept(nil)
	const loops, times = 4, 500
	var all sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for loop := range loops {
		all.Add(1)
		go func() {
			defer all.Done()
			sp := s.On(loop, "c")
			for i := range times {
				_, _ = sp.Increment(1, key("n"), 1)
				if ok, _ := sp.SetIfAbsent(1, key(fmt.Sprint("k", i)), nil, 0); ok {
					mu.Lock()
					won++
					mu.Unlock()
				}
			}
		}()
	}
	all.Wait()
	if n := l.notes["c/n"].N; n != loops*times || won != times {
		t.Errorf("counted %d, won %d", n, won)
	}
}

func TestIncrementDoesNotAllocateForItsNote(t *testing.T) {
	s := New(Default())
	s.Keep(nothing{})
	sp, k := s.On(0, "c"), key("n")
	if n := testing.AllocsPerRun(100, func() { _, _ = sp.Increment(1, k, 1) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// nothing is a Keeper that keeps nothing.
type nothing struct{}

func (nothing) Note(int, Note) any { return nil }
func (nothing) Saw(int, any)       {}
func (nothing) Room() bool         { return true }
func (nothing) Keep([]Note) error  { return nil }
