package history

import (
	"fmt"
	"testing"
)

// ledger is a Keeper that has what was noted last of each topic.
type ledger struct {
	notes map[string]string
	count int
	full  bool
}

func (l *ledger) Room() bool { return !l.full }

func (l *ledger) Note(loop int, n Note) {
	l.count++
	name := n.Listener + " " + n.Topic
	if n.Gone {
		delete(l.notes, name)
		return
	}
	l.notes[name] = fmt.Sprint(string(n.Payload), " ", loop)
}

func kept(cfg Config) (*Store, *ledger) {
	s, l := New(cfg), &ledger{notes: map[string]string{}}
	s.Keep(l)
	return s, l
}

func TestWhatIsRecordedIsNoted(t *testing.T) {
	cfg := Default()
	cfg.PayloadBytesMax = 5
	s, l := kept(cfg)
	payload := []byte("1")
	s.Record(Place{"main", 2}, []byte("a"), payload, true)
	payload[0] = 'x'
	record(s, "b", "1", false)
	if got := fmt.Sprint(l.notes); got != "map[main a:1 2]" {
		t.Error(got)
	}
	record(s, "a", "", true)
	if got := fmt.Sprint(l.notes); got != "map[main a: 0]" {
		t.Error(got)
	}
	record(s, "a", "too long", true)
	if got := fmt.Sprint(l.notes); got != "map[]" {
		t.Error(got)
	}
	last(s, "main", "asked only")
	if l.count != 3 {
		t.Errorf("%d notes", l.count)
	}
	record(s, "a", "2", true)
	s.Forget("main")
	if got := fmt.Sprint(l.notes); got != "map[]" {
		t.Error(got)
	}
}

func TestLoad(t *testing.T) {
	s, l := kept(Default())
	s.Load(Note{Listener: "main", Topic: "a", Payload: []byte("old")})
	if got := last(s, "main", "a"); got != "old" || l.count != 0 {
		t.Error(got, l.count)
	}
	record(s, "a", "new", false) // a topic that is known stays of interest
	if got := fmt.Sprint(l.notes); got != "map[main a:new 0]" {
		t.Error(got)
	}
}

// What goes for want of room goes from the Keeper too.
func TestWhatIsEvictedIsNoted(t *testing.T) {
	cfg := Default()
	cfg.EntriesMax = shards
	s, l := kept(cfg)
	for i := range 500 {
		record(s, fmt.Sprint(i), "x", true)
	}
	for i := range (*s.books.Load())["main"] {
		for topic := range (*s.books.Load())["main"][i].items {
			delete(l.notes, "main "+topic)
		}
	}
	if len(l.notes) != 0 {
		t.Errorf("kept, and not in memory: %v", l.notes)
	}
}

func TestWithoutRoomNewTopicsAreNotNoted(t *testing.T) {
	s, l := kept(Default())
	record(s, "a", "1", true)
	l.full = true
	record(s, "a", "2", true)
	record(s, "b", "1", true)
	if got := fmt.Sprint(l.notes, last(s, "main", "b")); got != "map[main a:2 0]1" {
		t.Error(got)
	}
	l.full = false
	record(s, "b", "2", true)
	if got := l.notes["main b"]; got != "2 0" {
		t.Error(got)
	}
}

func TestTheTotalBoundsAllListeners(t *testing.T) {
	cfg := Default()
	cfg.TotalBytesMax = 100_000
	s, _ := kept(cfg)
	for l := range 100 {
		for i := range 100 {
			at := Place{Listener: fmt.Sprint(l), Loop: 0}
			s.Record(at, []byte(fmt.Sprint(i)), make([]byte, 100), true)
		}
	}
	if b := s.Bytes(); b < 90_000 || b > 101_000 {
		t.Errorf("%d bytes", b)
	}
	for l := range 100 {
		s.Forget(fmt.Sprint(l))
	}
	if b := s.Bytes(); b != 0 {
		t.Errorf("%d bytes of nothing", b)
	}
}
