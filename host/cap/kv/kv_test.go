package kv

import (
	"errors"
	"math"
	"strconv"
	"sync"
	"testing"
)

func space(change func(*Config)) Space {
	cfg := Default()
	if change != nil {
		change(&cfg)
	}
	return New(cfg).Space("c")
}

func key(s string) []byte { return []byte(s) }

func TestSetGetDelete(t *testing.T) {
	s := space(nil)
	if _, ok := s.Get(1, key("a")); ok {
		t.Error("there before Set")
	}
	value := []byte("one")
	if err := s.Set(1, key("a"), value, 0); err != nil {
		t.Fatal(err)
	}
	value[0] = 'x' // it is the caller's again
	if v, ok := s.Get(1, key("a")); !ok || string(v) != "one" {
		t.Errorf("%q, %v", v, ok)
	}
	s.Delete(1, key("a"))
	if _, ok := s.Get(1, key("a")); ok {
		t.Error("there after Delete")
	}
	if n, b := s.Usage(); n != 0 || b != 0 {
		t.Errorf("%d entries, %d bytes are left", n, b)
	}
}

func TestComponentsDoNotMeet(t *testing.T) {
	store := New(Default())
	if store.Space("a") != store.Space("a") {
		t.Error("one component has two spaces")
	}
	_ = store.Space("a").Set(1, key("k"), key("v"), 0)
	if _, ok := store.Space("b").Get(1, key("k")); ok {
		t.Error("b sees the key of a")
	}
}

func TestTimeToLive(t *testing.T) {
	s := space(nil)
	_ = s.Set(100, key("a"), key("v"), 50)
	if _, ok := s.Get(149, key("a")); !ok {
		t.Error("gone too early")
	}
	if _, ok := s.Get(150, key("a")); ok {
		t.Error("there too long")
	}
	_ = s.Set(200, key("b"), key("v"), 50)
	_ = s.Set(210, key("b"), key("w"), 0)
	if v, ok := s.Get(math.MaxInt64, key("b")); !ok || string(v) != "w" {
		t.Error("the old time holds for the new value")
	}
	_ = s.Set(200, key("c"), key("v"), math.MaxUint64)
	if _, ok := s.Get(math.MaxInt64-1, key("c")); !ok {
		t.Error("a huge time overflowed")
	}
}

func TestSetIfAbsent(t *testing.T) {
	s := space(nil)
	for i, c := range []struct {
		now  int64
		want bool
	}{{1, true}, {2, false}, {100, false}, {101, true}} {
		if got, err := s.SetIfAbsent(c.now, key("a"), key("v"), 100); got != c.want || err != nil {
			t.Errorf("%d: %v, %v", i, got, err)
		}
	}
}

func TestCounters(t *testing.T) {
	s := space(nil)
	for _, by := range []int64{5, -7, 0, math.MaxInt64} {
		if _, err := s.Increment(1, key("n"), by); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := s.Increment(1, key("n"), 1); err != nil || n != math.MaxInt64-1 {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := s.Increment(1, key("n"), 2); !errors.Is(err, ErrNotACounter) {
		t.Errorf("overflow: %v", err)
	}
	if v, _ := s.Get(1, key("n")); string(v) != strconv.FormatInt(math.MaxInt64-1, 10) {
		t.Errorf("as text: %s", v)
	}
	_ = s.Set(1, key("v"), key("7"), 0)
	if _, err := s.Increment(1, key("v"), 1); !errors.Is(err, ErrNotACounter) {
		t.Errorf("a value: %v", err)
	}
}

func TestLimits(t *testing.T) {
	s := space(func(c *Config) {
		c.KeyBytesMax, c.ValueBytesMax, c.EntriesMax, c.BytesMax = 2, 10, 3, 2*(entryBytes+2)+20
	})
	refused := func(name string, err error) {
		t.Helper()
		if !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	refused("key", s.Set(1, key("abc"), nil, 0))
	refused("value", s.Set(1, key("a"), make([]byte, 11), 0))
	_ = s.Set(1, key("a"), make([]byte, 10), 100)
	_ = s.Set(1, key("b"), make([]byte, 10), 0)
	refused("bytes", s.Set(1, key("c"), nil, 0))
	if _, err := s.Increment(1, key("c"), 1); !errors.Is(err, ErrTooLarge) {
		t.Errorf("counter: %v", err)
	}
	if err := s.Set(1, key("b"), make([]byte, 3), 0); err != nil {
		t.Errorf("a smaller value: %v", err)
	}
	// What has expired makes room, in whatever shard it is.
	for i := range 20 {
		name := key(strconv.Itoa(i))
		if err := s.Set(int64(200+i), name, make([]byte, 10), 1); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestManyWriters(t *testing.T) {
	s := space(func(c *Config) { c.EntriesMax = 50 })
	var all sync.WaitGroup
	for i := range 4 {
		all.Add(1)
		go func() {
			defer all.Done()
			for j := range 2000 {
				k := key(strconv.Itoa((i*7 + j) % 200))
				_ = s.Set(int64(j), k, k, uint64(j%50))
				s.Get(int64(j), k)
				_, _ = s.Increment(int64(j), key("n"), 1)
				if j%3 == 0 {
					s.Delete(int64(j), k)
				}
			}
		}()
	}
	all.Wait()
	if n, err := s.Increment(1, key("n"), 0); err == nil && n > 8000 {
		t.Errorf("counted %d", n)
	}
	n, b := int64(0), int64(0)
	for i := range s.shards {
		for k, it := range s.shards[i].items {
			n++
			b += int64(len(k) + len(it.value) + entryBytes)
		}
	}
	if gotN, gotB := s.Usage(); gotN != n || gotB != b || n > 50 {
		t.Errorf("usage %d entries, %d bytes; there are %d, %d", gotN, gotB, n, b)
	}
}

func BenchmarkSetIfAbsent(b *testing.B) {
	s := space(nil)
	k := key("device/0001/temperature")
	b.ReportAllocs()
	b.SetBytes(int64(len(k)))
	for b.Loop() {
		_, _ = s.SetIfAbsent(1, k, nil, 10_000)
	}
}
