package history

import (
	"strconv"
	"strings"
	"sync"
	"testing"
)

// main is where most of it happens.
var main = Place{Listener: "main"}

func last(s *Store, listener, topic string) string {
	b, ok := s.AppendLast(nil, listener, []byte(topic))
	if !ok {
		return "none"
	}
	return string(b)
}

func record(s *Store, topic, payload string, wanted bool) {
	s.Record(main, []byte(topic), []byte(payload), wanted)
}

func TestWhatIsWantedIsKept(t *testing.T) {
	s := New(Default())
	record(s, "a", "1", true)
	record(s, "b", "1", false)
	if got := last(s, "main", "a") + last(s, "main", "b"); got != "1none" {
		t.Error(got)
	}
	record(s, "b", "2", false) // a guest has asked for b
	record(s, "a", "", true)
	if got := last(s, "main", "a") + last(s, "main", "b"); got != "2" {
		t.Error(got)
	}
}

func TestListenersDoNotMeet(t *testing.T) {
	s := New(Default())
	record(s, "a", "1", true)
	if got := last(s, "other", "a"); got != "none" {
		t.Error(got)
	}
	s.Forget("main")
	if got := last(s, "main", "a"); got != "none" {
		t.Errorf("after Forget: %s", got)
	}
}

func TestAHugePayloadIsNotKeptAndHidesTheOld(t *testing.T) {
	s := New(Config{EntriesMax: 100, BytesMax: 1 << 20, PayloadBytesMax: 4, TotalBytesMax: 1 << 40})
	record(s, "a", "1", true)
	record(s, "a", "12345", true)
	if got := last(s, "main", "a"); got != "none" {
		t.Error(got)
	}
}

func TestTheOldestGoes(t *testing.T) {
	for name, cfg := range map[string]Config{
		"entries": {
			EntriesMax: 10 * shards, BytesMax: 1 << 30, PayloadBytesMax: 1000,
			TotalBytesMax: 1 << 40,
		},
		"bytes": {
			EntriesMax: 1 << 20, BytesMax: shards * 10 * 300, PayloadBytesMax: 1000,
			TotalBytesMax: 1 << 40,
		},
	} {
		s := New(cfg)
		for i := range 5000 {
			record(s, strconv.Itoa(i), strings.Repeat("x", 100), true)
			record(s, "in use", "x", true)
		}
		if got := last(s, "main", "in use"); got != "x" {
			t.Errorf("%s: what is in use went", name)
		}
		if got := last(s, "main", "4999"); got == "none" {
			t.Errorf("%s: the newest went", name)
		}
		entries, bytes := measure(s)
		if entries > cfg.EntriesMax || bytes > cfg.BytesMax {
			t.Errorf("%s: %d entries, %d bytes", name, entries, bytes)
		}
	}
}

// measure counts what is there and compares it with what the shards believe.
func measure(s *Store) (entries, bytes int) {
	for i := range (*s.books.Load())["main"] {
		sh := &(*s.books.Load())["main"][i]
		sum := 0
		for _, it := range sh.items {
			sum += it.size()
		}
		if sum != sh.bytes {
			panic("the shard has lost count")
		}
		entries, bytes = entries+len(sh.items), bytes+sum
	}
	return entries, bytes
}

func TestManyLoops(t *testing.T) {
	s := New(Config{
		EntriesMax: 64, BytesMax: 1 << 16, PayloadBytesMax: 100, TotalBytesMax: 1 << 40,
	})
	var all sync.WaitGroup
	for range 4 {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := range 2000 {
				topic := strconv.Itoa(i % 100)
				record(s, topic, topic, i%2 == 0)
				if got := last(s, "main", topic); got != topic && got != "none" {
					t.Errorf("%s is %s", topic, got)
				}
			}
		}()
	}
	all.Wait()
	measure(s)
}

func TestRecordDoesNotAllocate(t *testing.T) {
	s := New(Default())
	topic, payload := []byte("a/b/c"), []byte("21.5")
	n := testing.AllocsPerRun(100, func() { s.Record(main, topic, payload, true) })
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkRecord(b *testing.B) {
	s := New(Default())
	topic, payload := []byte("sensors/kitchen/temperature"), make([]byte, 256)
	b.ReportAllocs()
	b.SetBytes(256)
	for b.Loop() {
		s.Record(main, topic, payload, true)
	}
}
