package link

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/cap/kv"
	"github.com/hpmq/hpmq/lite/broker"
)

// keeper is a version of a component that has something in kv, of that schema.
func keeper(t *testing.T, schema int, words string) Ref {
	t.Helper()
	code := stamped(t, "deduplicator-migration", fmt.Sprintf(`{"name":"keeper","version":"%d.0.0",`+
		`"role":"deduplicator","state":{"schema":%d}}`, schema, schema))
	r := ref("deduplicator-migration", words)
	r.Code, r.Grants = code, []string{"kv"}
	return r
}

// without is keeper as one that has no migration.
func withoutMigration(t *testing.T, schema int) Ref {
	t.Helper()
	r := keeper(t, schema, "")
	r.Code = stamped(t, "deduplicator-kv", fmt.Sprintf(`{"name":"keeper","version":"%d.0.0",`+
		`"role":"deduplicator","state":{"schema":%d}}`, schema, schema))
	return r
}

// chest is what the keeper has: keys that stay, one that ends, and a counter.
func (h *house) chest() kv.Space {
	h.t.Helper()
	sp, now := h.kv.Space("keeper"), h.clock.millis()
	err := errors.Join(sp.Set(now, []byte("a"), []byte("1"), 0),
		sp.Set(now, []byte("m"), []byte("2"), 5000), sp.Set(now, []byte("z"), []byte("3"), 0))
	if err != nil {
		h.t.Fatal(err)
	}
	return sp
}

// chestShown is all that the keeper has.
func (h *house) chestShown() string {
	var all []string
	h.kv.Each("keeper", func(key string, value []byte, expire int64) {
		all = append(all, fmt.Sprintf("%s=%s %d", key, value, max(expire-h.clock.millis(), 0)))
	})
	slices.Sort(all)
	schema, _ := h.kv.Schema("keeper")
	return fmt.Sprintf("%d: %s", schema, strings.Join(all, ", "))
}

const chestBefore = "1: a=1 0, m=2 5000, z=3 0"

// keeps is a house with the keeper of schema 1 and its chest.
func keeps(t *testing.T) (*house, broker.Policy) {
	h := newHouse(t, func(c *Config) { c.HandOverTimeout = time.Hour })
	p := h.one(RoleDeduplicator, keeper(t, 1, ""))
	h.chest()
	if got := h.chestShown(); got != chestBefore {
		t.Fatal(got)
	}
	return h, p
}

func (h *house) swapped(r Ref) error {
	_, err := h.linker.Swap(h.t.Context(), Request{
		Listener: "main", Role: RoleDeduplicator, Ref: r,
	})
	return err
}

func TestKeysAreMigratedWithTheSwap(t *testing.T) {
	for words, want := range map[string]string{
		"":               "2: a=12 0, m=22 5000, z=32 0",
		"migrate:rename": "2: new/a=1 0, new/m=2 5000, new/z=3 0",
		"migrate:keep":   "2: a=1 0, m=2 5000, z=3 0",
	} {
		h, _ := keeps(t)
		if err := h.swapped(keeper(t, 2, words)); err != nil {
			t.Fatal(err)
		}
		if got := h.chestShown(); got != want {
			t.Errorf("%s: %s", words, got)
		}
		if n, _ := h.kv.Usage(); n != 3 {
			t.Errorf("%s: %d entries in all", words, n)
		}
	}
}

// TestAMigrationThatFails leaves all keys as they were, and the old version linked.
func TestAMigrationThatFails(t *testing.T) {
	const author = "nothing has changed; to do: ask its author"
	for words, says := range map[string][2]string{
		"migrate:trap":  {"unreachable", author},
		"migrate:loop":  {"out of fuel", author},
		"bad=trap":      {`key "z"`, author},
		"migrate:error": {"not that one", author},
		"migrate:one":   {"comes of it, and of", author},
		"migrate:much":  {"too large", "raise the limits of remember in the configuration"},
	} {
		h, _ := keeps(t)
		h.linker.cfg.MigrationFuel = 50_000_000
		before := h.shown()
		err := h.swapped(keeper(t, 2, words))
		r := refusedAt(t, err, StepMigrate)
		for _, say := range says {
			if r != nil && !strings.Contains(r.Error(), say) {
				t.Errorf("%s: %v", words, err)
			}
		}
		if got := h.chestShown(); got != chestBefore || h.shown() != before {
			t.Errorf("%s: %s\n%s", words, got, h.shown())
		}
		if n, _ := h.kv.Usage(); n != 3 {
			t.Errorf("%s: %d entries in all", words, n)
		}
		if err := h.swapped(keeper(t, 1, "still")); err != nil {
			t.Errorf("%s: the old schema: %v", words, err)
		}
	}
}

// TestAMigrationIsOfTheCommit: a plan that is aborted, or not let through, has changed nothing.
func TestAMigrationIsOfTheCommit(t *testing.T) {
	h, _ := keeps(t)
	change := Change{Listener: "main", Role: RoleDeduplicator, Ref: keeper(t, 2, "")}
	p := h.prepare("p", change)
	if err := p.Canary(Selector{Percent: 10}); !errors.Is(err, ErrNoCanary) ||
		!strings.Contains(err.Error(), "leave the canary out") {
		t.Errorf("canary: %v", err)
	}
	p.Abort()
	if got := h.chestShown(); got != chestBefore {
		t.Error("aborted:", got)
	}
	p = h.prepare("q", change)
	h.loops.busy = true
	_, err := p.Commit()
	if refusedAt(t, err, StepMigrate); h.chestShown() != chestBefore {
		t.Error("not committed:", h.chestShown())
	}
	h.loops.busy = false
	h.commit(p)
	const after = "2: a=12 0, m=22 5000, z=32 0"
	if got := h.chestShown(); got != after {
		t.Error("committed:", got)
	}
	if _, err = p.Revert(); err != nil { // it can migrate down as well
		t.Error(err)
	}
	if got, want := h.chestShown(), "1: a=121 0, m=221 5000, z=321 0"; got != want {
		t.Error("reverted:", got)
	}
}

func TestADowngradeIsRefused(t *testing.T) {
	h, _ := keeps(t)
	if err := h.swapped(keeper(t, 3, "")); err != nil {
		t.Fatal(err)
	}
	after := h.chestShown()
	for _, schema := range []int{2, 0, 4} {
		refused := refusedAt(t, h.swapped(withoutMigration(t, schema)), StepMigrate)
		if refused == nil {
			continue
		}
		text := refused.Error()
		if !strings.Contains(text, "what keeper has in kv is of schema 3, and this version is "+
			"made for schema ") || !strings.Contains(text, "hpmq-cli store kv drop keeper") {
			t.Error(text)
		}
	}
	if got := h.chestShown(); got != after {
		t.Error(got)
	}
	if err := h.swapped(keeper(t, 2, "")); err != nil {
		t.Errorf("one that can migrate down: %v", err)
	}
}

// TestOneComponentHasOneSchema on all listeners: only a change of all of them can change it.
func TestOneComponentHasOneSchema(t *testing.T) {
	h, _ := keeps(t)
	h.other("other", Spec{RoleDeduplicator: {keeper(t, 1, "")}})
	refused := refusedAt(t, h.swapped(keeper(t, 2, "")), StepMigrate)
	const say = "listener other has keeper 1.0.0, which is made for schema 1 of its keys in kv, " +
		"not 2; nothing has changed; to do: change all places that have it in one plan"
	if refused != nil && !strings.Contains(refused.Error(), say) {
		t.Error(refused)
	}
	h.commit(h.prepare("p",
		Change{Listener: "main", Role: RoleDeduplicator, Ref: keeper(t, 2, "")},
		Change{Listener: "other", Role: RoleDeduplicator, Ref: keeper(t, 2, "")}))
	if got := h.chestShown(); got != "2: a=12 0, m=22 5000, z=32 0" {
		t.Error(got)
	}
	err := h.linker.Link(t.Context(), "third", Spec{RoleDeduplicator: {keeper(t, 1, "")}})
	if refusedAt(t, err, StepMigrate); len(h.linker.Show()) != 2 {
		t.Error("it is linked")
	}
}

// TestASchemaOfNothing needs no migration; what was never said is 0.
func TestASchemaOfNothing(t *testing.T) {
	h := newHouse(t, nil)
	h.one(RoleDeduplicator, withoutMigration(t, 2))
	if got := h.chestShown(); got != "2: " {
		t.Error(got)
	}
	if err := h.swapped(withoutMigration(t, 0)); err != nil {
		t.Error(err)
	}
	h.chest()
	if refusedAt(t, h.swapped(withoutMigration(t, 1)), StepMigrate); h.chestShown()[0] != '0' {
		t.Error(h.chestShown())
	}
	if err := h.swapped(keeper(t, 1, "")); err != nil || h.chestShown()[0] != '1' {
		t.Error(err, h.chestShown())
	}
}

// TestManyKeysAreMigratedAtTheStart, when nobody waits for it.
func TestManyKeysAreMigratedAtTheStart(t *testing.T) {
	for _, bound := range []func(*Config){
		func(c *Config) { c.MigrationKeysMax = 5 }, func(c *Config) { c.MigrationBytesMax = 300 },
	} {
		h, _ := keeps(t)
		bound(&h.linker.cfg)
		if r := refusedAt(t, h.swapped(keeper(t, 2, "")), StepMigrate); r != nil &&
			!strings.Contains(r.Error(), "start the broker anew") {
			t.Error(r)
		}
		if err := h.linker.Unlink("main"); err != nil || h.chestShown() != chestBefore {
			t.Fatal(err, h.chestShown())
		}
		h.link(Spec{RoleDeduplicator: {keeper(t, 2, "")}})
		if got := h.chestShown(); got != "2: a=12 0, m=22 5000, z=32 0" {
			t.Error(got)
		}
	}
}

// TestKeysThatChangeMeanwhile are migrated again: what loops set up to the commit is not lost.
func TestKeysThatChangeMeanwhile(t *testing.T) {
	const most = 3000
	h := newHouse(t, func(c *Config) { c.HandOverTimeout = time.Hour })
	p := h.one(RoleDeduplicator, keeper(t, 1, "window=0"))
	var stop atomic.Bool
	began, done := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for ; !stop.Load() || n < 100; n++ {
			payload := fmt.Sprintf("key%06d", n%most)
			h.loops.calls.RLock()
			fresh := h.fresh(p, payload)
			h.loops.calls.RUnlock()
			if fresh != (n < most) {
				t.Errorf("message %d: news %v", n, fresh)
				break
			}
			if n == 10 {
				close(began)
			}
		}
		done <- min(n, most)
	}()
	<-began
	next, err := h.linker.Prepare(t.Context(), "p", "", []Change{{
		Listener: "main", Role: RoleDeduplicator, Ref: keeper(t, 2, "window=0"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = next.Commit()
	stop.Store(true)
	n := <-done
	if err != nil {
		t.Fatal(err)
	}
	keys, migrated := 0, 0
	h.kv.Each("keeper", func(_ string, value []byte, _ int64) {
		keys++
		if string(value) == "2" {
			migrated++
		}
	})
	if keys != n || migrated == 0 && n > 200 {
		t.Errorf("%d messages, %d keys, %d of them migrated", n, keys, migrated)
	}
	for i := range n {
		if payload := fmt.Sprintf("key%06d", i); h.fresh(p, payload) {
			t.Fatalf("%s of %d is forgotten", payload, n)
		}
	}
}

// TestACanaryHasItsKeys: no other listener may change the schema of what a canary uses.
func TestACanaryHasItsKeys(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.HandOverTimeout = time.Hour })
	h.one(RoleDeduplicator, ref("deduplicator", ""))
	p := h.prepare("p", Change{Listener: "main", Role: RoleDeduplicator, Ref: keeper(t, 0, "")})
	if err := p.Canary(Selector{Percent: 50}); err != nil {
		t.Fatal(err)
	}
	h.chest()
	err := h.linker.Link(t.Context(), "other", Spec{RoleDeduplicator: {keeper(t, 1, "")}})
	if refusedAt(t, err, StepMigrate); h.chestShown()[0] != '0' {
		t.Error(h.chestShown())
	}
	p.Abort()
	if err := h.linker.Link(t.Context(), "other", Spec{
		RoleDeduplicator: {keeper(t, 1, "")},
	}); err != nil {
		t.Error(err)
	}
}

// TestWhoIsNotClosedIsHeld: a worker that is swapped out and still has something to do is kept out
// of its guest while its keys are migrated, and after.
func TestWhoIsNotClosedIsHeld(t *testing.T) {
	h, _, out := workerHouse(t, nil)
	h.link(Spec{RoleWorker: {worker("")}})
	h.hears(out, "timer ")
	ls := h.linker.listener("main")
	e := ls.table.Load().chains[RoleWorker].entries[0]
	e.usesKV = true
	h.linker.keep(ls.table.Load())
	h.swap(RoleWorker, worker("every=9"))
	if got := h.linker.besideOf(e, nil); len(got) != 1 || got[0] != e {
		t.Errorf("held: %v", got)
	}
	if err := h.linker.Unlink("main"); err != nil {
		t.Fatal(err)
	}
	h.eventually("it is closed", func() bool { return len(h.linker.besideOf(e, nil)) == 0 })
}
