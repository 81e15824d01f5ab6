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
	// open makes changes wait for their fate.
	open bool
	made []Note
}

func (l *ledger) Room() bool { return !l.full }

func (l *ledger) Note(loop int, n Note) bool {
	l.count++
	l.made = append(l.made, n)
	name := n.Listener + " " + n.Topic
	if n.Gone {
		delete(l.notes, name)
		return !l.open
	}
	l.notes[name] = fmt.Sprint(string(n.Payload), " ", loop)
	return !l.open
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

// What was recorded for a message that is refused is taken back, in whatever order that is known.
func TestWhatIsRefusedIsTakenBack(t *testing.T) {
	for _, x := range []struct {
		kept, refused []int
		want          string
	}{
		{nil, []int{0, 1, 2}, "old"}, {nil, []int{2, 1, 0}, "old"},
		{[]int{1}, []int{2, 0}, "b"},
		{[]int{0}, []int{1, 2}, "a"}, {[]int{2}, []int{0, 1}, "none"},
		{[]int{0, 1, 2}, nil, "none"},
	} {
		cfg := Default()
		cfg.PayloadBytesMax = 5
		s, l := kept(cfg)
		record(s, "t", "old", true)
		l.open, l.made = true, nil
		for _, p := range []string{"a", "b", "too long"} {
			record(s, "t", p, true)
		}
		for _, i := range x.kept {
			s.Settle(l.made[i], true)
		}
		for _, i := range x.refused {
			s.Settle(l.made[i], false)
		}
		if got := last(s, "main", "t"); got != x.want {
			t.Errorf("%+v: %q", x, got)
		}
		record(s, "u", "new", true)
		s.Settle(l.made[3], false)
		if got := last(s, "main", "u"); got != "none" {
			t.Error(got)
		}
		s.Forget("main")
		if b := s.Bytes(); b != 0 {
			t.Errorf("%d bytes of nothing", b)
		}
	}
}
