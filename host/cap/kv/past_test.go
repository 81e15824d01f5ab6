package kv

import (
	"fmt"
	"math"
	"testing"
)

// opened is a store whose changes wait for their fate.
func opened() (*Store, *ledger, Space) {
	s, l := kept(nil)
	l.open = true
	return s, l, s.On(0, "c")
}

// refuse takes back what was made as the i-th, keep keeps it.
func (l *ledger) refuse(s *Store, list ...int) {
	for _, i := range list {
		s.Settle(l.made[i], false)
	}
}

func (l *ledger) keep(s *Store, list ...int) {
	for _, i := range list {
		s.Settle(l.made[i], true)
	}
}

func (s Space) want(t *testing.T, want string) {
	t.Helper()
	got := "nothing"
	if v, ok := s.Get(100, key("k")); ok {
		got = string(v)
	}
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}
	n, b := int64(0), int64(0)
	for i := range s.shards {
		for k, it := range s.shards[i].items {
			n, b = n+1, b+int64(len(k)+len(it.value)+entryBytes)
		}
	}
	if gotN, gotB := s.Usage(); gotN != n || gotB != b {
		t.Errorf("usage %d entries, %d bytes; there are %d, %d", gotN, gotB, n, b)
	}
}

func (s Space) settled(t *testing.T) {
	t.Helper()
	for i := range s.shards {
		if n := len(s.shards[i].opened().past); n != 0 {
			t.Errorf("%d pasts", n)
		}
	}
}

func TestWhatIsRefusedIsTakenBack(t *testing.T) {
	set := func(v string) func(Space) {
		return func(s Space) { _ = s.Set(100, key("k"), key(v), 0) }
	}
	free := func(s Space) { _, _ = s.SetIfAbsent(100, key("k"), key("free"), 50) }
	gone := func(s Space) { s.Delete(100, key("k")) }
	by := func(n int64) func(Space) {
		return func(s Space) { _, _ = s.Increment(100, key("k"), n) }
	}
	type acts []func(Space)
	for i, x := range []struct {
		before, acts   acts
		refused, keeps []int
		want           string
	}{
		{nil, acts{free}, []int{0}, nil, "nothing"},
		{acts{set("a")}, acts{set("longer")}, []int{0}, nil, "a"},
		{acts{set("a")}, acts{gone}, []int{0}, nil, "a"},
		{acts{by(7)}, acts{gone}, []int{0}, nil, "7"},
		{acts{by(7)}, acts{set("a")}, []int{0}, nil, "7"},
		{acts{set("a")}, acts{set("b"), set("c")}, []int{0}, []int{1}, "c"},
		{acts{set("a")}, acts{set("b"), set("c")}, []int{0, 1}, nil, "a"},
		{acts{set("a")}, acts{set("b"), set("c")}, []int{1, 0}, nil, "a"},
		{acts{set("a")}, acts{set("b"), set("c"), set("d")}, []int{0, 2}, []int{1}, "c"},
		{acts{set("a")}, acts{set("b"), gone, free}, []int{1, 0, 2}, nil, "a"},
		{acts{set("a")}, acts{gone, free}, []int{0}, []int{1}, "free"},
		{nil, acts{by(1), by(2), by(4)}, []int{0}, []int{1, 2}, "6"},
		{nil, acts{by(1), by(2), by(4)}, []int{1}, []int{0, 2}, "5"},
		{nil, acts{by(1), by(2), by(4)}, []int{0, 2}, []int{1}, "2"},
		{nil, acts{by(1), by(2), by(4)}, []int{0, 1, 2}, nil, "nothing"},
		{nil, acts{by(1), by(2), by(4)}, []int{1, 0, 2}, nil, "nothing"},
		{acts{by(10)}, acts{by(1), gone, by(4)}, []int{0, 1, 2}, nil, "10"},
		{acts{by(10)}, acts{by(1), gone, by(4)}, []int{0}, []int{1, 2}, "4"},
		{acts{by(10)}, acts{by(1), set("a"), gone, by(4)}, []int{0, 1, 2}, []int{3}, "4"},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			s, l, sp := opened()
			l.open = false
			for _, act := range x.before {
				act(sp)
			}
			l.open = true
			for _, act := range x.acts {
				act(sp)
			}
			l.keep(s, x.keeps...)
			l.refuse(s, x.refused...)
			sp.want(t, x.want)
			sp.settled(t)
		})
	}
}

// A time to live comes back with its value.
func TestATimeToLiveComesBack(t *testing.T) {
	s, l, sp := opened()
	_ = sp.Set(100, key("k"), key("a"), 50)
	_ = sp.Set(100, key("k"), key("b"), 0)
	l.keep(s, 0)
	l.refuse(s, 1)
	sp.want(t, "a")
	if _, ok := sp.Get(150, key("k")); ok {
		t.Error("it lives on")
	}
	l.refuse(s, 2) // that it expired
	if _, ok := sp.Get(150, key("k")); ok {
		t.Error("it came back to live on")
	}
}

// The Keeper has a later sum, which must be mended; else it is told nothing of what is taken back.
func TestTheKeeperIsToldOfASumThatWasTooHigh(t *testing.T) {
	s, l, sp := opened()
	_, _ = sp.Increment(1, key("k"), 5)
	_, _ = sp.Increment(1, key("k"), 7)
	l.keep(s, 1)
	l.refuse(s, 0)
	if l.last != "-1 c/k #7 0 0" {
		t.Error(l.last)
	}
	n := len(l.made)
	_ = sp.Set(1, key("x"), nil, 0)
	l.refuse(s, n)
	if l.last != "0 c/x  0 0" {
		t.Error(l.last)
	}
}

// Who is told of what is not settled is told of by whom; who is not is left alone.
func TestWhoSeesAnOpenChange(t *testing.T) {
	s, l, sp := opened()
	other := s.On(1, "c")
	_, _ = sp.SetIfAbsent(1, key("k"), nil, 0)
	_, _ = other.SetIfAbsent(1, key("k"), nil, 0)
	_, _ = other.Get(1, key("k"))
	_, _ = other.Get(1, key("other"))
	_ = other.Set(1, key("other"), nil, 0)
	if got := fmt.Sprint(l.seen); got != fmt.Sprint([]any{l.made[0].Change, l.made[0].Change}) {
		t.Error(got)
	}
	l.keep(s, 0)
	l.seen = nil
	if _, _ = other.Get(1, key("k")); l.seen != nil {
		t.Error("it is settled")
	}
}

func TestLess(t *testing.T) {
	const lo, hi = math.MinInt64, math.MaxInt64
	for _, x := range [][3]int64{
		{5, 3, 2}, {5, -3, 8}, {lo, 1, lo}, {hi, -1, hi}, {hi, lo, hi}, {0, lo, hi}, {-1, lo, hi},
	} {
		if got := less(x[0], x[1]); got != x[2] {
			t.Errorf("%d - %d = %d, want %d", x[0], x[1], got, x[2])
		}
	}
}
