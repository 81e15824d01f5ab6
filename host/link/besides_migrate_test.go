package link

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// teller is a version of a worker that appends what it is told of to what kv has under the topic.
func teller(t *testing.T, schema int, words string) Ref {
	t.Helper()
	r := ref("worker-migration", "tally;"+words)
	r.Code = stamped(t, "worker-migration", fmt.Sprintf(`{"name":"teller","version":"%d.0.0",`+
		`"role":"worker","state":{"schema":%d}}`, schema, schema))
	r.Grants = []string{"kv", "publish"}
	return r
}

// tellerHouse has a teller of schema 1, and a key that nobody changes.
func tellerHouse(t *testing.T) *house {
	h, _, _ := workerHouse(t, func(c *Config) { c.HandOverTimeout = time.Hour })
	h.loops.count = 1
	h.link(Spec{RoleWorker: {teller(t, 1, "")}})
	err := h.kv.Space("teller").Set(h.clock.millis(), []byte("still"), []byte("-"), 0)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// kept is what the teller has under key.
func (h *house) kept(key string) (value string) {
	h.kv.Each("teller", func(k string, v []byte, _ int64) {
		if k == key {
			value = string(v)
		}
	})
	return value
}

// tallied waits until the teller was told all of letters, and answers what it made of them.
func (h *house) tallied(letters int) (value string) {
	h.t.Helper()
	h.eventually(fmt.Sprint(letters, " letters are told"), func() bool {
		h.loops.turn(0)
		value = h.kept("a")
		return len(strings.Map(letter, value)) >= letters
	})
	return value
}

// letter leaves letters out of what strings.Map makes of digits.
func letter(r rune) rune {
	if r < 'a' || r > 'z' {
		return -1
	}
	return r
}

// letters are n of them, one after the other.
func letters(n int) string {
	return strings.Repeat("abcdefghijklmnopqrstuvwxyz", n/26+1)[:n]
}

// swapTeller swaps while the loop goes on with messages, and answers how many those were.
func (h *house) swapTeller(r Ref, from int) (to int, err error) {
	swapped := make(chan error, 1)
	go func() {
		_, err := h.linker.Swap(h.t.Context(), Request{
			Listener: "main", Role: RoleWorker, Ref: r,
		})
		swapped <- err
	}()
	for {
		if from < 2000 {
			h.loops.calls.RLock()
			h.accept("a", letters(from + 1)[from:])
			h.loops.calls.RUnlock()
			from++
		}
		h.loops.turn(0)
		select {
		case err := <-swapped:
			return from, err
		default:
		}
	}
}

// TestAWorkersKeysAreMigrated with the swap, each once, while it is told: no task is lost, told
// twice, or told a version that does not know the keys.
func TestAWorkersKeysAreMigrated(t *testing.T) {
	for range 5 {
		h := tellerHouse(t)
		h.accept("a", "a")
		h.tallied(1)
		n := 1
		for schema := 2; schema <= 5; schema++ {
			var err error
			if n, err = h.swapTeller(teller(t, schema, ""), n); err != nil {
				t.Fatal(err)
			}
		}
		value := h.tallied(n)
		if got := strings.Map(letter, value); got != letters(n) {
			t.Errorf("of %d letters: %s", n, got)
		}
		digits := strings.Map(func(r rune) rune {
			if letter(r) < 0 {
				return r
			}
			return -1
		}, value)
		if digits != "2345" || h.kept("still") != "-2345" {
			t.Errorf("migrated %s, and what nobody changes %s", digits, h.kept("still"))
		}
	}
}

// TestAWorkersKeysThatAreNotMigrated are as they were, and so is the worker, with all its tasks.
func TestAWorkersKeysThatAreNotMigrated(t *testing.T) {
	for _, how := range []string{"trap", "error", "loop", "deep"} {
		words := "migrate:" + how
		h := tellerHouse(t)
		h.linker.cfg.MigrationFuel = 50_000_000
		before := h.linker.Show()[0].Generation
		n, err := h.swapTeller(teller(t, 2, words), 0)
		refusedAt(t, err, StepMigrate)
		h.accept("a", letters(n + 1)[n:])
		if got := h.tallied(n + 1); got != letters(n+1) {
			t.Errorf("%s: of %d letters: %s", words, n+1, got)
		}
		schema, _ := h.kv.Schema("teller")
		now := h.linker.Show()[0].Generation
		if h.kept("still") != "-" || schema != 1 || now != before {
			t.Errorf("%s: %s, schema %d, generation %d", words, h.kept("still"), schema, now)
		}
	}
}

// TestAMigrationIsBriefWhileLoopsStandStill: a key that changes last may not spend all the fuel
// that a migration has, which is seconds.
func TestAMigrationIsBriefWhileLoopsStandStill(t *testing.T) {
	h, _ := keeps(t)
	h.linker.cfg.MigrationFuel, h.linker.cfg.StateFuel = 50_000_000, 1_000_000
	sp := h.kv.Space("keeper")
	sp.Delete(h.clock.millis(), []byte("z"))
	h.loops.around = func(f func()) {
		if err := sp.Set(h.clock.millis(), []byte("z"), []byte("3"), 0); err != nil {
			t.Error(err)
		}
		f()
	}
	r := refusedAt(t, h.swapped(keeper(t, 2, "bad=loop")), StepMigrate)
	if r != nil && !strings.Contains(r.Error(), "it may spend 1000000 units") {
		t.Error(r)
	}
	if got := h.chestShown(); got != chestBefore {
		t.Error(got)
	}
}

// TestAMigrationWaitsForACall of the worker at hand, whose last change is migrated too; what waits
// is told the new version.
func TestAMigrationWaitsForACall(t *testing.T) {
	h := tellerHouse(t)
	e := h.workerOf()
	h.eventually("it has begun", func() bool { return e.seats[0].calls.Load() == 1 })
	e.use.RLock()
	swapped := make(chan error, 1)
	go func() {
		_, err := h.linker.Swap(t.Context(), Request{
			Listener: "main", Role: RoleWorker, Ref: teller(t, 2, ""),
		})
		swapped <- err
	}()
	h.eventually("the swap waits", func() bool {
		if e.use.TryRLock() {
			e.use.RUnlock()
			return false
		}
		return true
	})
	h.accept("a", "b")
	err := h.kv.Space("teller").Set(h.clock.millis(), []byte("a"), []byte("a"), 0)
	if err != nil {
		t.Error(err)
	}
	e.use.RUnlock()
	if err := <-swapped; err != nil {
		t.Fatal(err)
	}
	if got, n := h.tallied(2), e.seats[0].calls.Load(); got != "a2b" || n != 1 {
		t.Errorf("%s, and the old version was called %d times", got, n)
	}
}
