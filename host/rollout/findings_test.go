package rollout

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// finds has a machine note so many findings.
func finds(t *testing.T, m *Machine, n int) {
	t.Helper()
	for i := range n {
		err := m.Refuse(Finding{ID: fmt.Sprint("f", i), By: "watch", Of: "read",
			Why: errors.New("junk")})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// ids are those of the changes that are kept, in the order they were asked for.
func ids(m *Machine) string {
	var list []string
	for _, c := range slices.Backward(m.Changes()) {
		list = append(list, c.ID)
	}
	return strings.Join(list, " ")
}

// TestFindingsPushNoChangeOut, nor changes a finding: each have a bound of their own, now and after
// a restart.
func TestFindingsPushNoChangeOut(t *testing.T) {
	w := newWorld(t)
	cfg := Default()
	cfg.HistoryMax, cfg.FindingsMax = 3, 2
	m, _ := w.open(cfg)
	swaps := func(from, to int) {
		for i := from; i < to; i++ {
			submit(t, m, swap(fmt.Sprint(i), fmt.Sprintf("rules@2.0.%d", i)))
		}
	}
	kept := func(want string) {
		t.Helper()
		for range 2 {
			if got := ids(m); got != want {
				t.Errorf("kept: %s; want %s", got, want)
			}
			w = w.next()
			m, _ = w.open(cfg)
		}
	}
	swaps(0, 3)
	finds(t, m, 10)
	kept("0 1 2 f8 f9")
	swaps(3, 7)
	kept("f8 f9 4 5 6")
}

// TestEventsOfForgottenFindingsAreGone: who asks from before their end is told, who asks from
// behind it misses nothing.
func TestEventsOfForgottenFindingsAreGone(t *testing.T) {
	w := newWorld(t)
	cfg := Default()
	cfg.FindingsMax = 2
	m, _ := w.open(cfg)
	submit(t, m, swap("1", "rules@2.0.0"))
	finds(t, m, 3)
	forgotten := m.book.floor
	submit(t, m, swap("2", "rules@2.0.1"))
	m, _ = w.next().open(cfg)
	if err := m.Subscribe(forgotten).Behind(); !errors.Is(err, ErrBehind) {
		t.Errorf("from the end of what is gone: %v", err)
	}
	for _, from := range []uint64{0, forgotten + 1} {
		got := strings.Join(readUntil(t, m.Subscribe(from), Fetched), ", ")
		if got != "f1 requested, f1 refused, f2 requested, f2 refused, 2 requested, 2 fetched" {
			t.Errorf("from %d: %s", from, got)
		}
	}
	one, err := m.SubscribeTo("1")
	if err != nil {
		t.Fatal(err)
	}
	if got := readUntil(t, one, Done); got[0] != "1 requested" {
		t.Errorf("of one change from before: %s", got)
	}
}

// TestAnOlderLedgerHasMoreFindings than are kept.
func TestAnOlderLedgerHasMoreFindings(t *testing.T) {
	w := newWorld(t)
	cfg := Default()
	cfg.FindingsMax = 20
	m, _ := w.open(cfg)
	finds(t, m, 20)
	m, _ = w.next().open(Default())
	if got := len(m.Changes()); got != 16 {
		t.Errorf("%d are kept", got)
	}
	if cfg.FindingsMax = 0; cfg.Validate() == nil {
		t.Error("none can be kept")
	}
}
