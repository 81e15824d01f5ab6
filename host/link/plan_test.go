package link

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hpmq/hpmq/lite/broker"
)

// prepare is a plan that must be possible.
func (h *house) prepare(id string, changes ...Change) *Plan {
	h.t.Helper()
	p, err := h.linker.Prepare(h.t.Context(), id, "test", changes)
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

func (h *house) commit(p *Plan) []Result {
	h.t.Helper()
	all, err := p.Commit()
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}

// tagging is a transformer that writes a tag before the payload, as a change of main.
func tagging(listener string, position int, tag string) Change {
	return Change{
		Listener: listener, Role: RoleTransformer, Position: position,
		Ref: ref("transformer", "tag="+tag+":;"),
	}
}

// tagged is what the transformers of a listener make of a message.
func (h *house) tagged(p broker.Policy, who *broker.Identity) string {
	var out []broker.Message
	p.Transform(h.clock.now(), broker.Upstream, who, message("a", "x"), &out)
	return texts(out)
}

// twoListeners links main to a transformer and a deduplicator, and other to two transformers.
func twoListeners(t *testing.T) (h *house, main, other broker.Policy) {
	h = newHouse(t, nil)
	h.link(Spec{
		RoleTransformer:  {ref("transformer", "tag=v1:;")},
		RoleDeduplicator: {ref("deduplicator", "")},
	})
	other = h.other("other", Spec{
		RoleTransformer: {ref("transformer", "tag=a1:;"), ref("transformer", "tag=b1:;")},
	})
	return h, h.linker.Policy("main", 0), other
}

// everywhere changes each of them: a replacement, a removal, and an addition.
func everywhere() []Change {
	return []Change{
		tagging("other", 2, "c2"),
		tagging("main", 0, "v2"),
		{Listener: "other", Role: RoleTransformer, Position: 0, Remove: true},
		{Listener: "main", Role: RoleDeduplicator, Ref: ref("deduplicator", "answer=1")},
	}
}

// state is what two listeners answer.
func (h *house) state(main, other broker.Policy) string {
	fresh := main.Fresh(h.clock.now(), &device, message("a", "x"))
	return fmt.Sprintf("%s %s %v", h.tagged(main, &device), h.tagged(other, &device), fresh)
}

const stateBefore, stateAfter = "a=v1:x a=b1:a1:x true", "a=v2:x a=c2:b1:x false"

func TestAPlanChangesAllOrNothing(t *testing.T) {
	h, main, other := twoListeners(t)
	guests := h.engine.Guests()
	p := h.prepare("p1", everywhere()...)
	if got := h.state(main, other); got != stateBefore {
		t.Errorf("prepared: %s", got)
	}
	views := p.Views()
	if len(views) != 4 || views[0].Old != nil || views[0].New.Position != 1 ||
		views[1].Old.Digest == "" || views[2].New != nil || views[2].Old == nil {
		t.Errorf("views: %+v", views)
	}
	p.Abort()
	if got := h.state(main, other); got != stateBefore || h.engine.Guests() != guests {
		t.Errorf("aborted: %s, %d guests, before %d", got, h.engine.Guests(), guests)
	}
	if _, err := p.Commit(); !errors.Is(err, ErrPlanOver) {
		t.Errorf("commit of an aborted plan: %v", err)
	}
	p = h.prepare("p2", everywhere()...)
	if all := h.commit(p); len(all) != 4 || all[1].New == nil || all[1].Prepare <= 0 {
		t.Errorf("results %+v", all)
	}
	if got := h.state(main, other); got != stateAfter {
		t.Errorf("committed: %s", got)
	}
	if _, err := p.Revert(); err != nil {
		t.Fatal(err)
	}
	if got := h.state(main, other); got != stateBefore {
		t.Errorf("reverted: %s", got)
	}
	h.eventually("the plan's guests are closed", func() bool {
		return h.engine.Guests() == guests
	})
	for _, words := range []string{"plan=p2", "by=test", "use=revert", "link plan aborted"} {
		if !h.logged(words) {
			t.Errorf("no %q in the audit", words)
		}
	}
}

// What is linked before a plan was linked by Link: its rollbacks are as they were before.
func TestARevertedPlanLeavesTheRollbackAsItWas(t *testing.T) {
	h := newHouse(t, nil)
	p := h.one(RoleTransformer, ref("transformer", "tag=v0:;"))
	h.swap(RoleTransformer, ref("transformer", "tag=v1:;"))
	plan := h.prepare("p1", tagging("main", 0, "v2"))
	h.commit(plan)
	if _, err := plan.Revert(); err != nil {
		t.Fatal(err)
	}
	if _, err := h.linker.Rollback(t.Context(), "main", RoleTransformer); err != nil {
		t.Fatal(err)
	}
	if got := h.tagged(p, &device); got != "a=v0:x" {
		t.Errorf("rolled back to %s", got)
	}
}

func TestARefusedPlanLeavesNothing(t *testing.T) {
	h, main, other := twoListeners(t)
	before, guests := h.shown(), h.engine.Guests()
	trap := tagging("other", 0, "")
	trap.Ref = ref("transformer", "configure:trap")
	good := tagging("main", 0, "v2")
	free := Change{Listener: "main", Role: RoleRouter, Remove: true}
	none := Change{Listener: "main", Role: 99}
	for name, c := range map[string]struct {
		changes []Change
		step    Step
		says    string
	}{
		"traps":          {[]Change{good, trap}, StepConfigure, "trap"},
		"twice":          {[]Change{good, good}, StepRequest, "place 0 is changed twice"},
		"a hole":         {[]Change{tagging("main", 2, "")}, StepRequest, "no place 2"},
		"no role":        {[]Change{good, none}, StepRequest, "no such role"},
		"removes a void": {[]Change{good, free}, StepRequest, "nothing is in place 0"},
	} {
		_, err := h.linker.Prepare(t.Context(), "p", "test", c.changes)
		var step *StepError
		if !errors.As(err, &step) || step.Step != c.step || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		if after := h.shown(); after != before || h.engine.Guests() != guests {
			t.Fatalf("%s: changed\n%s\nto\n%s", name, before, after)
		}
	}
	for _, changes := range [][]Change{nil, {good, tagging("nowhere", 0, "")}} {
		if _, err := h.linker.Prepare(t.Context(), "p", "test", changes); err == nil {
			t.Error("a plan without places, or of a listener that is not there")
		}
	}
	if got := h.state(main, other); got != stateBefore {
		t.Errorf("after refusals: %s", got)
	}
	h.prepare("p", everywhere()...).Abort() // nothing is held any more
}

func TestOnePlanAtATimeForAListener(t *testing.T) {
	h, _, _ := twoListeners(t)
	p := h.prepare("first", tagging("main", 0, "v2"))
	ctx := t.Context()
	_, swap := h.linker.Swap(ctx, Request{
		Listener: "main", Role: RoleTransformer, Ref: ref("transformer", ""),
	})
	_, roll := h.linker.Rollback(ctx, "main", RoleTransformer)
	_, plan := h.linker.Prepare(ctx, "second", "", everywhere())
	link := h.linker.Link(ctx, "main", Spec{})
	for _, err := range []error{swap, roll, plan, link} {
		var busy *BusyError
		if !errors.As(err, &busy) || busy.Plan != "first" || !errors.Is(err, ErrBusy) {
			t.Errorf("beside a plan: %v", err)
		}
	}
	h.prepare("second", tagging("other", 0, "a2")).Abort()
	h.commit(p)
	h.swap(RoleDeduplicator, ref("deduplicator", "")) // committed: in nobody's way
	if _, err := p.Revert(); !errors.Is(err, ErrChanged) {
		t.Errorf("reverted after a swap: %v", err)
	}
	p.Release()
	if _, err := p.Revert(); !errors.Is(err, ErrPlanOver) {
		t.Errorf("reverted after the release: %v", err)
	}
	h.eventually("what is not needed is closed", func() bool {
		return h.engine.Guests() == h.wantedGuests()
	})
}

func TestUnlinkAbortsAPlan(t *testing.T) {
	h, _, other := twoListeners(t)
	p := h.prepare("p", everywhere()...)
	if err := h.linker.Unlink("main"); err != nil {
		t.Fatal(err)
	}
	<-p.Gone()
	if _, err := p.Commit(); !errors.Is(err, ErrPlanOver) {
		t.Errorf("committed: %v", err)
	}
	if got := h.tagged(other, &device); got != "a=b1:a1:x" {
		t.Errorf("the other listener: %s", got)
	}
	h.prepare("next", tagging("other", 0, "a2")).Abort()
	q := h.prepare("committed", tagging("other", 0, "a2"))
	h.commit(q)
	if err := h.linker.Unlink("other"); err != nil {
		t.Fatal(err)
	}
	if _, err := q.Revert(); !errors.Is(err, ErrChanged) {
		t.Errorf("reverted what is not linked: %v", err)
	}
	h.eventually("all is closed", func() bool { return h.engine.Guests() == 0 })
}

// A plan that is being made when its listener goes is refused, and leaves nothing.
func TestUnlinkStopsTheMakingOfAPlan(t *testing.T) {
	h, _, _ := twoListeners(t)
	read := h.linker.ports.Read
	h.linker.ports.Read = func(ctx context.Context, use string) (Artifact, error) {
		if use == "wait" {
			if err := h.linker.Unlink("main"); err != nil {
				t.Error(err)
			}
			<-ctx.Done()
			return Artifact{}, ctx.Err()
		}
		return read(ctx, use)
	}
	_, err := h.linker.Prepare(t.Context(), "p", "", []Change{
		tagging("main", 0, "v2"), {Listener: "other", Role: RoleRouter, Ref: Ref{Use: "wait"}},
	})
	if !errors.Is(err, ErrUnknownListener) {
		t.Errorf("%v", err)
	}
	h.prepare("q", tagging("other", 0, "a2")).Abort()
}

// lifetime is the versions in the order they were put in place.
type lifetime struct {
	mu   sync.Mutex
	tags []string
}

func (l *lifetime) add(tag string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tags = append(l.tags, tag)
}

// after is where the tag stands at or behind from, below 0 if it does not.
func (l *lifetime) after(from int, tag string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.tags[from:], tag); i >= 0 {
		return from + i
	}
	return -1
}

// Loops that never stop asking, while plans over two listeners are shadows, commit, are aborted and
// reverted, see the versions in the order they were put in place; nothing is closed under them, and
// all of it in the end.
func TestPlansUnderCalls(t *testing.T) {
	const count, plans = 3, 40
	h := newHouse(t, func(c *Config) { c.Loops = count })
	h.loops.count = count
	h.link(Spec{RoleTransformer: {ref("transformer", "tag=000:;")}})
	h.other("other", Spec{RoleTransformer: {ref("transformer", "tag=000:;")}})
	versions := &lifetime{tags: []string{"a=000:x"}}
	var stop atomic.Bool
	var running sync.WaitGroup
	for i := range count {
		running.Go(func() { h.watching(i, versions, &stop) })
	}
	now := "000"
	for i := 1; i <= plans; i++ {
		tag := number(i)
		p := h.prepare(tag, tagging("main", 0, tag), tagging("other", 0, tag))
		if i%2 == 0 {
			if err := p.Shadow(t.Context(), 1); err != nil {
				t.Error(err)
			}
		}
		if i%4 == 0 {
			p.Abort()
			continue
		}
		versions.add("a=" + tag + ":x")
		h.commit(p)
		if i%4 == 1 {
			versions.add("a=" + now + ":x")
			if _, err := p.Revert(); err != nil {
				t.Error(err)
			}
			continue
		}
		now = tag
		p.Release()
	}
	stop.Store(true)
	running.Wait()
	if v := h.seen(RoleTransformer, 0); v.Faults != 0 {
		t.Errorf("%d faults: %s", v.Faults, v.LastFault)
	}
	h.eventually("only what is linked and its rollback are left", func() bool {
		for i := range count {
			h.loops.turn(i)
		}
		return h.engine.Guests() == h.wantedGuests()
	})
}

// watching is a loop that asks both listeners until told to stop.
func (h *house) watching(i int, versions *lifetime, stop *atomic.Bool) {
	asked := []broker.Policy{h.linker.Policy("main", i), h.linker.Policy("other", i)}
	at := make([]int, len(asked))
	for !stop.Load() {
		for k, p := range asked {
			got := h.tagged(p, &device)
			next := versions.after(at[k], got)
			if next < 0 {
				h.t.Errorf("loop %d: %q comes after version %d", i, got, at[k])
				return
			}
			at[k] = next
		}
		h.loops.turn(i)
	}
	h.loops.turn(i)
}
