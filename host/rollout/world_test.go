package rollout

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"
)

// world is all that a machine needs. Its clock goes on by itself whenever somebody waits, so that
// every test is over at once and comes to the same each time.
type world struct {
	t   *testing.T
	mu  sync.Mutex
	now time.Time
	// stuck makes the clock stand still: who waits then waits until its context ends.
	stuck func() bool
	// ticked runs before each time the clock goes on.
	ticked func(now time.Time)

	// The ledger: what is safe, and how the world ends.
	kept   [][]byte
	writes int
	die    crash
	dead   bool
	state  State // of the last record
	// refuse fails this write, once; down all of them.
	refuse int
	down   bool
	spare  int // records that Insist has room for then
	wrote  func(State)

	// The links.
	bases  map[string]Base
	serves map[string]Component // by place
	plans  []*plan
	health func(p *plan) Health
	// stirred is that of all plans; nil for one that never is.
	stirred chan struct{}
	// at runs inside of a port in a state.
	at       func(ctx context.Context, s State) error
	reaches  bool   // Prepare says how far it is
	version  string // that components say of themselves, "" for that of their bundle
	configs  map[string]json.RawMessage
	compared Comparison
	// comparing is what compared is then, if it is set; noShadow is why none can be.
	comparing func() Comparison
	noShadow  error
	handsOver time.Duration // how long each part of a canary takes
	commitErr error
	revertErr error
}

// crash is where a world ends: at a write, before that is safe or after.
type crash struct {
	at   int
	safe bool
}

var (
	errDead = errors.New("the world has ended")
	errDisk = errors.New("no space")
)

func newWorld(t *testing.T) *world {
	return &world{t: t, now: time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC),
		bases: map[string]Base{
			"a": {Hash: "hash-a", Chains: map[string]int{"router": 1, "transformer": 2}},
			"b": {Hash: "hash-b", Chains: map[string]int{"router": 1}},
		},
		serves:  map[string]Component{},
		configs: map[string]json.RawMessage{},
	}
}

func (w *world) ports() Ports {
	return Ports{Source: w, Links: w, Tests: w, Ledger: w, Clock: w}
}

func (w *world) open(cfg Config) (*Machine, Report) {
	w.t.Helper()
	m, rep, err := Open(cfg, w.ports())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(m.Close)
	settled(w.t, m, &rep)
	return m, rep
}

// settled ends what was committed: what it linked is linked.
func settled(t *testing.T, m *Machine, rep *Report) {
	t.Helper()
	for i := range rep.Committed {
		c, err := m.Settle(rep.Committed[i].ID, Settled{})
		if err != nil {
			t.Fatal(err)
		}
		rep.Resumed = append(rep.Resumed, c)
	}
	rep.Committed = nil
}

// next is the world after a restart: the disk is as it was, nothing else is.
func (w *world) next() *world {
	n := newWorld(w.t)
	n.now, n.kept = w.now, append([][]byte(nil), w.kept...)
	return n
}

// The clock.

func (w *world) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) After(d time.Duration) <-chan time.Time {
	w.mu.Lock()
	stuck, ticked := w.stuck, w.ticked
	w.now = w.now.Add(d)
	now := w.now
	w.mu.Unlock()
	c := make(chan time.Time, 1)
	if ticked != nil {
		ticked(now)
	}
	if stuck == nil || !stuck() {
		c <- now
	}
	return c
}

// The ledger.

func (w *world) Load(each func([]byte) error) error {
	for _, r := range w.kept {
		if err := each(r); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) Append(r []byte) error {
	return w.write(r, func() { w.kept = append(w.kept, append([]byte(nil), r...)) })
}

// Insist has room for so many records more than Append.
func (w *world) Insist(r []byte) error {
	w.mu.Lock()
	down := w.down
	if w.down && w.spare > 0 {
		w.down, w.spare = false, w.spare-1
	}
	w.mu.Unlock()
	err := w.Append(r)
	w.mu.Lock()
	w.down = down
	w.mu.Unlock()
	return err
}

func (w *world) Compact(r []byte) error {
	return w.write(r, func() { w.kept = [][]byte{append([]byte(nil), r...)} })
}

func (w *world) write(b []byte, keep func()) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writes++
	r, err := decode(b)
	if err != nil {
		w.t.Errorf("the machine wrote %s: %v", b, err)
	}
	switch {
	case w.dead:
		return errDead
	case w.die.at == w.writes:
		w.dead = true
		if w.die.safe {
			keep()
		}
		w.state = r.State
		return errDead
	case w.down || w.refuse == w.writes:
		return errDisk
	}
	keep()
	if w.wrote != nil {
		w.wrote(r.State)
	}
	return nil
}

func (w *world) alive() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead {
		return errDead
	}
	return nil
}

func (w *world) visit(ctx context.Context, s State) error {
	if w.at != nil {
		if err := w.at(ctx, s); err != nil {
			return err
		}
	}
	return w.alive()
}

// The source: "name@version", and the golden cases of it.

func (w *world) Fetch(ctx context.Context, items []Item) ([]*Artifact, error) {
	all := make([]*Artifact, len(items))
	for i, it := range items {
		if it.Remove {
			continue
		}
		if err := w.visit(ctx, Requested); err != nil {
			return nil, err
		}
		name, version, _ := strings.Cut(it.Source, "@")
		all[i] = &Artifact{Pin: Pin{Name: name, Version: version, Digest: "sha256:" + it.Source},
			Config: w.configs[it.Source]}
	}
	return all, nil
}

func (w *world) Verify(ctx context.Context, _ Item, _ *Artifact) error {
	return w.visit(ctx, Fetched)
}

func (w *world) Test(ctx context.Context, _ Item, _ *Artifact) error {
	return w.visit(ctx, Warmed)
}

// The links.

func (w *world) Base(listener string) (Base, error) {
	b, ok := w.bases[listener]
	if !ok {
		return b, fmt.Errorf("no listener %s", listener)
	}
	return b, nil
}

func (w *world) Serving(listener, role string, position int) *Component {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, ok := w.serves[place(Item{Listener: listener, Role: role, Position: position})]
	if !ok {
		return nil
	}
	return &c
}

func place(it Item) string { return fmt.Sprintf("%s/%s/%d", it.Listener, it.Role, it.Position) }

func (w *world) Prepare(ctx context.Context, p Preparation) (Plan, error) {
	if err := w.visit(ctx, Verified); err != nil {
		return nil, err
	}
	if w.reaches {
		for _, s := range []State{Compiled, Checked} {
			p.Reached(s)
			if err := w.visit(ctx, s); err != nil {
				return nil, err
			}
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	pl := &plan{w: w, prep: p, gone: make(chan struct{}), old: maps.Clone(w.serves)}
	w.plans = append(w.plans, pl)
	return pl, nil
}

// plan is a Plan and a Shadow that notes what is done with it.
type plan struct {
	w    *world
	prep Preparation
	gone chan struct{}
	old  map[string]Component

	// Under the world's mu.
	selected []Selector
	shadows  []float64
	did      []string
}

func (p *plan) note(what string) error {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	if p.w.dead {
		return errDead
	}
	p.did = append(p.did, what)
	return nil
}

// done answers what was done with the plan, in order.
func (p *plan) done() string {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	return strings.Join(p.did, " ")
}

func (p *plan) Views() []View {
	var list []View
	for _, c := range p.prep.Changes {
		v := View{Listener: c.Listener, Role: c.Role, Position: c.Position}
		if old, ok := p.old[place(c.Item)]; ok {
			v.Old = &old
		}
		if c.Artifact != nil {
			v.New = &Component{Name: c.Artifact.Name,
				Version: cmp.Or(p.w.version, c.Artifact.Version),
				Digest:  c.Artifact.Digest, Grants: []string{"kv"}}
		}
		list = append(list, v)
	}
	return list
}

func (p *plan) Gone() <-chan struct{} { return p.gone }

func (p *plan) Canary(s Selector) error {
	p.w.mu.Lock()
	p.selected = append(p.selected, s)
	p.w.now = p.w.now.Add(p.w.handsOver)
	p.w.mu.Unlock()
	return p.note("canary")
}

func (p *plan) Health() Health {
	if p.w.health == nil {
		return Health{}
	}
	return p.w.health(p)
}

func (p *plan) Stirred() <-chan struct{} { return p.w.stirred }

func (p *plan) Shadow(sample float64) error {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	if p.w.noShadow != nil {
		return p.w.noShadow
	}
	p.shadows = append(p.shadows, sample)
	return nil
}

func (p *plan) Compared() Comparison {
	if p.w.comparing != nil {
		return p.w.comparing()
	}
	return p.w.compared
}

func (p *plan) Commit() (time.Duration, error) {
	if p.w.commitErr != nil {
		return 0, p.w.commitErr
	}
	if err := p.note("commit"); err != nil {
		return 0, err
	}
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	for i, v := range p.Views() {
		at := place(p.prep.Changes[i].Item)
		delete(p.w.serves, at)
		if v.New != nil {
			p.w.serves[at] = *v.New
		}
	}
	return time.Millisecond, nil
}

func (p *plan) Abort() { _ = p.note("abort") }

func (p *plan) Revert() error {
	if p.w.revertErr != nil {
		return p.w.revertErr
	}
	if err := p.note("revert"); err != nil {
		return err
	}
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.w.serves = maps.Clone(p.old)
	return nil
}

func (p *plan) Release() { _ = p.note("release") }

// What tests ask for.

func swap(id, source string) Request {
	return Request{ID: id, By: "ann", Items: []Item{
		{Listener: "a", Role: "router", Source: source},
	}}
}

// full goes through every state.
func full(id, source string) Request {
	q := swap(id, source)
	q.Shadow = ShadowPlan{For: time.Second}
	q.Canary = CanaryPlan{Steps: []CanaryStep{{5, time.Second}, {50, time.Second}}}
	q.Watch = time.Second
	return q
}

func submit(t *testing.T, m *Machine, q Request) Change {
	t.Helper()
	if _, err := m.Submit(q); err != nil {
		t.Fatal(err)
	}
	c, err := m.Wait(t.Context(), q.ID)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func states(c Change) string {
	var list []string
	for _, k := range c.Marks {
		list = append(list, string(k.State))
	}
	return strings.Join(list, " → ")
}

// routerOf answers what the ledger says is the router of listener a: "config", or a source.
func routerOf(m *Machine) string {
	for _, l := range m.Linked() {
		if chain := l.Chains["router"]; l.Listener == "a" && len(chain) == 1 {
			return chain[0].Pinned.Source
		}
	}
	return "config"
}
