package kv

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// chest is a kept store with keys of c, and a migration of it to schema 7.
func chest(t *testing.T, change func(*Config), keys ...string) (*Store, *ledger, *Migration) {
	t.Helper()
	s, l := kept(change)
	for _, k := range keys {
		if err := s.Space("c").Set(1, key(k), key("of "+k), 0); err != nil {
			t.Fatal(err)
		}
	}
	m := s.Migrate("c", 7)
	t.Cleanup(m.Drop)
	return s, l, m
}

func shown(s *Store) string {
	var all []string
	s.Each("c", func(key string, value []byte, expire int64) {
		all = append(all, fmt.Sprintf("%s=%s %d", key, value, expire))
	})
	slices.Sort(all)
	schema, keys := s.Schema("c")
	return fmt.Sprintf("%d, %d: %s", schema, keys, strings.Join(all, ", "))
}

// ledgerShown is what the next run would begin with.
func ledgerShown(l *ledger) string {
	next := New(Default())
	for _, n := range l.notes {
		next.Load(1, n)
	}
	next.LoadSchema("c", l.schema)
	return shown(next)
}

// apply does what is left to do.
func apply(s *Store, m *Migration, migrate func(string) error) error {
	if err := errors.Join(m.Settle(), m.Run(1, migrate)); err != nil {
		return err
	}
	return s.Apply([]*Migration{m})
}

func TestKeysChangeTheirNames(t *testing.T) {
	s, l, m := chest(t, nil, "a", "b", "c")
	scratch := m.Scratch.Space("c")
	err := apply(s, m, func(k string) error {
		v, ok := scratch.Get(1, key(k))
		if _, other := scratch.Get(1, key("b")); !ok || other != (k == "b") {
			t.Errorf("%s: it sees more or less than its key", k)
		}
		if other := map[string]string{"a": "b", "b": "a"}[k]; other != "" {
			scratch.Delete(1, key(k))
			return scratch.Set(1, key(other), v, 0)
		}
		return nil
	})
	const want = "7, 3: a=of b 0, b=of a 0, c=of c 0"
	if err != nil || shown(s) != want || ledgerShown(l) != want || l.writes != 2 {
		t.Errorf("%v, %s; kept %s in %d writes", err, shown(s), ledgerShown(l), l.writes)
	}
	if n, _ := s.Usage(); n != 3 {
		t.Errorf("%d entries", n)
	}
}

// TestWhatIsChangedMeanwhile comes again, what is gone leaves nothing behind.
func TestWhatIsChangedMeanwhile(t *testing.T) {
	s, l, m := chest(t, nil, "gone", "changed", "counted")
	sp, scratch, calls := s.Space("c"), m.Scratch.Space("c"), 0
	migrate := func(k string) error {
		calls++
		v, _ := scratch.Get(1, key(k))
		scratch.Delete(1, key(k))
		return scratch.Set(1, key("new "+k), v, 0)
	}
	if err := m.Run(1, migrate); err != nil || m.Left() != 0 {
		t.Fatal(err)
	}
	sp.Delete(1, key("gone"))
	_ = sp.Set(1, key("changed"), key("later"), 50)
	_, _ = sp.Increment(1, key("n"), 5)
	if err := apply(s, m, migrate); err != nil || calls != 5 {
		t.Errorf("%v, %d calls", err, calls)
	}
	const want = "7, 3: new changed=later 51, new counted=of counted 0, new n=5 0"
	if shown(s) != want || ledgerShown(l) != want {
		t.Errorf("%s; kept %s", shown(s), ledgerShown(l))
	}
	_ = sp.Set(1, key("after"), nil, 0)
	if m.Left() != 0 {
		t.Error("it still follows")
	}
}

// TestNothingOfAMigrationThatFails, whether the guest, the limits or the device refuse it.
func TestNothingOfAMigrationThatFails(t *testing.T) {
	broken := errors.New("broken")
	small := func(c *Config) { c.EntriesMax = 4 }
	for name, c := range map[string]struct {
		change  func(*Config)
		migrate func(scratch Space, key []byte) error
		device  error
		want    error
	}{
		"guest": {nil, func(Space, []byte) error { return broken }, nil, broken},
		"device": {nil, func(sp Space, k []byte) error {
			return sp.Set(1, k, k, 0)
		}, broken, broken},
		"limit": {small, func(sp Space, k []byte) error {
			return errors.Join(sp.Set(1, append(k, '1'), nil, 0), sp.Set(1, append(k, '2'), nil, 0))
		}, nil, ErrTooLarge},
		"total": {func(c *Config) { c.TotalEntriesMax = 3 }, func(sp Space, k []byte) error {
			return sp.Set(1, append(k, '1'), nil, 0)
		}, nil, ErrTooLarge},
	} {
		s, l, m := chest(t, c.change, "a", "b")
		before, keptBefore := shown(s), ledgerShown(l)
		entries, bytes := s.Usage()
		l.broken = c.device
		err := m.Run(1, func(k string) error { return c.migrate(m.Scratch.Space("c"), key(k)) })
		if err == nil {
			err = s.Apply([]*Migration{m})
		}
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		m.Drop()
		n, b := s.Usage()
		if shown(s) != before || ledgerShown(l) != keptBefore || n != entries || b != bytes {
			t.Errorf("%s: %s, kept %s", name, shown(s), ledgerShown(l))
		}
	}
}

// TestWhatComesOfTwoKeysIsNotOne: which of the two would it be?
func TestWhatComesOfTwoKeysIsNotOne(t *testing.T) {
	_, _, m := chest(t, nil, "a", "b")
	err := m.Run(1, func(string) error { return m.Scratch.Space("c").Set(1, key("one"), nil, 0) })
	if err == nil || !strings.Contains(err.Error(), `"one" comes of it, and of "a" as well`) {
		t.Error(err)
	}
}

// TestAChangeThatMayBeTakenBack is waited for; when it is, the key is as it was before.
func TestAChangeThatMayBeTakenBack(t *testing.T) {
	s, l, m := chest(t, nil, "a")
	stay := func(string) error { return nil }
	if err := m.Run(1, stay); err != nil {
		t.Fatal(err)
	}
	l.open = true
	_ = s.On(2, "c").Set(1, key("a"), key("seen"), 0)
	if err := m.Settle(); !errors.Is(err, ErrBusy) {
		t.Errorf("%v", err)
	}
	_ = m.Run(1, stay)
	s.Settle(l.made[0], false)
	if m.Left() != 1 {
		t.Error("what is taken back is no change")
	}
	if err := apply(s, m, stay); err != nil || shown(s) != "7, 1: a=of a 0" {
		t.Errorf("%v: %s", err, shown(s))
	}
}

// TestTwoInOneWrite are both valid, or neither.
func TestTwoInOneWrite(t *testing.T) {
	s, l := kept(nil)
	both := []*Migration{s.Migrate("c", 7), s.Migrate("d", 8)}
	l.broken = errors.New("broken")
	if err := s.Apply(both); err == nil {
		t.Error("kept")
	}
	l.broken = nil
	if c, _ := s.Schema("c"); c != 0 || s.Apply(both) != nil || l.writes != 1 {
		t.Error(c, l.writes)
	}
	if d, _ := s.Schema("d"); d != 8 {
		t.Error(d)
	}
}
