package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/admin"
	"github.com/hpmq/hpmq/host/rollout"
	"github.com/hpmq/hpmq/sdk/client"
)

// handClock is a clock of changes that goes on by hand.
type handClock struct {
	mu      sync.Mutex
	now     time.Time
	waiting []alarmed
}

type alarmed struct {
	at time.Time
	c  chan time.Time
}

func newHandClock() *handClock { return &handClock{now: time.Now()} }

func (h *handClock) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *handClock) After(d time.Duration) <-chan time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	w := alarmed{h.now.Add(d), make(chan time.Time, 1)}
	h.waiting = append(h.waiting, w)
	h.ringLocked()
	return w.c
}

func (h *handClock) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
	h.ringLocked()
}

func (h *handClock) ringLocked() {
	h.waiting = slices.DeleteFunc(h.waiting, func(w alarmed) bool {
		due := !w.at.After(h.now)
		if due {
			w.c <- h.now
		}
		return due
	})
}

// stage is a node with a component that can be changed, clients and a clock.
type stage struct {
	*App
	t      *testing.T
	cfg    configs.Config
	clock  *handClock
	client *client.Client
	peers  []*peer
	sub    *peer
	sent   int
}

// newStage links transformer-json, which a candidate is to replace.
func newStage(t *testing.T, dir string, o Options) *stage {
	return newStageWith(t, dir, o, func(*configs.Config) {})
}

func newStageWith(t *testing.T, dir string, o Options, set func(*configs.Config)) *stage {
	s := &stage{t: t, clock: newHandClock(), cfg: keeping(t, dir, "l", "other")}
	for i := range s.cfg.Listeners {
		s.cfg.Listeners[i].Link.Transformer = []configs.Component{{Use: "transformer-json"}}
	}
	set(&s.cfg)
	o.clock = s.clock
	s.App = start(t, s.cfg, o)
	s.client = ask(t, s.App)
	return s
}

// connect has clients that publish, and one that gets it all.
func (s *stage) connect(n int) {
	at := address(s.t, s.App, "l")
	s.sub = dial(s.t, at, "all")
	s.sub.subscribe("#")
	for i := range n {
		s.peers = append(s.peers, dial(s.t, at, fmt.Sprintf("p-%d", i)))
	}
}

// round has each client publish ten messages, so many of them on a topic that the guest of
// candidate traps at, and waits until all went by.
func (s *stage) round(poisonous int) {
	n := 0
	for _, p := range s.peers {
		for i := range 10 {
			topic := "a/b"
			if i < poisonous {
				topic = "trap/x"
			}
			p.publish(topic, "m")
			n++
		}
	}
	for range n {
		s.sub.receive()
	}
	s.sent += n
}

// condemns has a change go back by what it does to one client: all that publishes is poisonous.
func (s *stage) condemns(n client.NewChange) {
	s.t.Helper()
	s.connect(1)
	n.Canary = canaryOf(0)
	n.Canary.Clients = []string{"p-0"}
	s.submit(n)
	s.reaches(n.ID, "canary")
	for !s.get(n.ID).Ended {
		s.round(10)
		s.clock.pass(100 * time.Millisecond)
	}
	s.reaches(n.ID, "rolled back")
}

// widens lets the time go by in which the first step of a canary begins unheard, and with few
// clients, until the candidate is asked.
func (s *stage) widens(id string) {
	s.t.Helper()
	until(s.t, "the candidate of "+id+" is asked", func() bool {
		s.clock.pass(100 * time.Millisecond)
		s.round(0)
		h := s.get(id).Health
		return h != nil && h.Candidate.Calls > 0
	})
}

// candidate is a guest of another name, sent to the broker.
func (s *stage) candidate() string {
	code, err := os.ReadFile("../link/testdata/components/transformer.wasm")
	if err != nil {
		s.t.Fatal(err)
	}
	up, err := s.client.Upload(s.t.Context(), "candidate.wasm", code)
	if err != nil {
		s.t.Fatal(err)
	}
	return up.Source
}

// change asks for the candidate at a listener.
func (s *stage) change(id, listener string) client.NewChange {
	return client.NewChange{ID: id, By: "ann", Items: []client.ChangeItem{
		{Listener: listener, Role: "transformer", Source: s.candidate(), Grants: []string{}},
	}}
}

func canaryOf(percents ...float64) *client.CanaryPlan {
	c := &client.CanaryPlan{}
	for _, p := range percents {
		c.Steps = append(c.Steps, client.CanaryStep{Percent: p, Dwell: "10s"})
	}
	return c
}

func (s *stage) submit(n client.NewChange) {
	s.t.Helper()
	if _, err := s.client.Submit(s.t.Context(), n); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) get(id string) client.Change {
	s.t.Helper()
	c, err := s.client.Change(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// reaches waits for a state, and fails if the change ends in another.
func (s *stage) reaches(id, state string) (c client.Change) {
	s.t.Helper()
	until(s.t, id+" is "+state, func() bool {
		c = s.get(id)
		if c.Ended && c.State != state {
			s.t.Fatalf("%s is %s: %s", id, c.State, c.Why)
		}
		return c.State == state
	})
	return c
}

func statesOf(c client.Change) string {
	var all []string
	for _, m := range c.Marks {
		all = append(all, m.State)
	}
	return strings.Join(all, " ")
}

// TestAGoodCanaryIsPromotedWithoutHands: from submit on nobody does anything but time.
func TestAGoodCanaryIsPromotedWithoutHands(t *testing.T) {
	s := newStage(t, t.TempDir(), Options{})
	s.connect(20)
	n := s.change("good", "l")
	n.Canary, n.Watch = canaryOf(25, 100), "5s"
	n.Shadow = &client.ShadowPlan{For: "1s"}
	s.submit(n)
	for _, state := range []string{"shadow", "canary", "draining"} {
		s.reaches("good", state)
		if state == "canary" {
			s.widens("good")
		}
		s.round(0)
		if h := s.get("good").Health; h == nil || state != "shadow" && h.Candidate.Calls == 0 {
			t.Errorf("%s: health %+v", state, h)
		}
		for s.get("good").State == state {
			s.clock.pass(100 * time.Millisecond)
		}
	}
	c := s.reaches("good", "done")
	if got, want := statesOf(c), "requested fetched verified compiled checked warmed tested "+
		"shadow canary canary committed draining done"; got != want {
		t.Errorf("states %s, want %s", got, want)
	}
	if got := linkedIn(t, s.App, "l", "transformer"); got != "candidate" {
		t.Errorf("%s is linked", got)
	}
	if p := c.Places[0]; p.Old == nil || p.Old.Name != "transformer-json" ||
		p.New == nil || p.New.Name != "candidate" || c.By != "ann" {
		t.Errorf("%+v", c)
	}
	var events []string
	err := s.client.FollowChanges(t.Context(), 0, func(e *client.ChangeEvent) bool {
		events = append(events, e.State)
		return e.State != "done"
	})
	if err != nil || strings.Join(events, " ") != statesOf(c) {
		t.Errorf("events %v, %v", events, err)
	}
	var again []string
	err = s.client.FollowChange(t.Context(), c.ID, func(e *client.ChangeEvent) bool {
		again = append(again, e.State)
		return true
	})
	if err != nil || strings.Join(again, " ") != statesOf(c) {
		t.Errorf("events of it %v, %v", again, err)
	}
	err = s.client.FollowChange(t.Context(), "never", nil)
	if err == nil || !strings.Contains(err.Error(), "hpmq-cli change list") {
		t.Errorf("events of another: %v", err)
	}
}

// TestEventsThatAreGone are another answer than none: who asks can begin anew.
func TestEventsThatAreGone(t *testing.T) {
	err := refusal(fmt.Errorf("as it is: %w", rollout.ErrBehind))
	if !errors.Is(err, admin.ErrGone) {
		t.Error(err)
	}
}

// TestAFullDeviceIsNoBadRequest: who asks can ask again.
func TestAFullDeviceIsNoBadRequest(t *testing.T) {
	err := refusal(fmt.Errorf("put: %w", &fs.PathError{Op: "write", Err: syscall.ENOSPC}))
	if !errors.Is(err, admin.ErrBusy) || !strings.Contains(err.Error(), "; look at the device") {
		t.Error(err)
	}
}

// TestACanaryThatTrapsRollsBack: one message in ten ends its guest.
func TestACanaryThatTrapsRollsBack(t *testing.T) {
	s := newStage(t, t.TempDir(), Options{})
	s.connect(20)
	n := s.change("bad", "l")
	n.Canary = canaryOf(50, 100)
	s.submit(n)
	s.reaches("bad", "canary")
	s.widens("bad")
	began := s.clock.Now()
	for !s.get("bad").Ended {
		s.round(1) // by now few clients are the candidate's
		s.clock.pass(100 * time.Millisecond)
	}
	c := s.reaches("bad", "rolled back")
	if !strings.Contains(c.Why, "trap") || !strings.Contains(c.Why, "old version is linked") {
		t.Errorf("why: %s", c.Why)
	}
	if took := c.Marks[len(c.Marks)-1].At.Sub(began); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
	if got := linkedIn(t, s.App, "l", "transformer"); got != "transformer-json" {
		t.Errorf("%s is linked", got)
	}
	s.round(1) // all of it goes by
	n.ID = "again"
	s.submit(n)
	if c := s.reaches("again", "refused"); c.Of != "quarantine" ||
		!strings.Contains(c.Why, "force") {
		t.Errorf("%+v", c)
	}
}

// TestACanaryWithoutStepsHasThoseOfTheDocs: 1, 10 and 50 percent.
func TestACanaryWithoutStepsHasThoseOfTheDocs(t *testing.T) {
	s := newStage(t, t.TempDir(), Options{})
	n := s.change("empty", "l")
	n.Canary = &client.CanaryPlan{}
	s.submit(n)
	for !s.get("empty").Ended {
		s.clock.pass(time.Second)
	}
	var whys []string
	for _, m := range s.reaches("empty", "done").Marks {
		if m.State == "canary" {
			why, _, _ := strings.Cut(m.Why, ";")
			whys = append(whys, why)
		}
	}
	if got := strings.Join(whys, " "); got != "1 % 10 % 50 %" {
		t.Errorf("its steps are %q", got)
	}
}

func TestOneChangeOfAListenerAtATime(t *testing.T) {
	s := newStage(t, t.TempDir(), Options{})
	ctx := t.Context()
	n := s.change("one", "l")
	n.Canary = canaryOf(1)
	s.submit(n)
	s.reaches("one", "canary")
	again, err := s.client.Submit(ctx, n)
	if err != nil || again.State != "canary" {
		t.Errorf("the same again: %+v, %v", again, err)
	}
	other := n
	other.Canary = nil
	_, err = s.client.Submit(ctx, other)
	refused(t, err, 409)
	other.ID = "two"
	_, err = s.client.Submit(ctx, other)
	refused(t, err, 409)
	if err == nil || !strings.Contains(err.Error(), "change one") {
		t.Errorf("it does not say who is at work: %v", err)
	}
	_, err = s.client.Swap(ctx, client.Swap{Listener: "l", Role: "router", Use: "router-rules"})
	refused(t, err, 409)
	if err := s.Reload(ctx, s.cfg); err == nil || !strings.Contains(err.Error(), "change one") {
		t.Errorf("a reload: %v", err)
	}
	refused(t, s.client.RemoveListener(ctx, "l", client.Removal{}), 409)
	elsewhere := s.change("elsewhere", "other")
	s.submit(elsewhere)
	s.reaches("elsewhere", "done")

	if c, err := s.client.Cancel(ctx, "one", "joe"); err != nil || c.State != "cancelled" ||
		c.EndedBy != "joe" {
		t.Errorf("%+v, %v", c, err)
	}
	if err := s.Reload(ctx, s.cfg); err != nil {
		t.Error(err)
	}
	if got := linkedIn(t, s.App, "other", "transformer"); got != "candidate" {
		t.Errorf("after the reload %s is linked", got)
	}
	s.submit(other)
	s.reaches("two", "done")
	_, err = s.client.Cancel(ctx, "two", "")
	refused(t, err, 409)
	_, err = s.client.Change(ctx, "three")
	refused(t, err, 404)
}

// TestAKillInTheMiddle opens another node over what the first had written: it links the old version
// or the new, and says which.
func TestAKillInTheMiddle(t *testing.T) {
	s := newStage(t, t.TempDir(), Options{})
	n := s.change("mid", "l")
	n.Canary, n.Watch = canaryOf(50), "1h"
	s.submit(n)
	s.reaches("mid", "canary")
	before := copyOf(t, s.cfg.DataDir)
	if _, err := s.client.Promote(t.Context(), "mid", "canary", ""); err != nil {
		t.Fatal(err)
	}
	s.reaches("mid", "draining")
	if c, err := s.client.Promote(t.Context(), "mid", "canary", ""); err != nil ||
		c.State != "draining" {
		t.Errorf("promoted again: %+v, %v", c, err)
	}
	_, err := s.client.Promote(t.Context(), "mid", "shadow", "")
	refused(t, err, 409)
	behind := copyOf(t, s.cfg.DataDir)

	for dir, want := range map[string][3]string{
		before: {"rolled back", "transformer-json", "in state canary: the old version is linked"},
		behind: {"done", "candidate", "in state draining: the new version is linked"},
	} {
		next := newStage(t, dir, Options{})
		c := next.get("mid")
		linked := linkedIn(t, next.App, "l", "transformer")
		if c.State != want[0] || linked != want[1] || !strings.Contains(c.Why, want[2]) {
			t.Errorf("%s, %s is linked, %s; want %v", c.State, linked, c.Why, want)
		}
		stopped(t, next.App)
	}
	if _, err := s.client.RollbackChange(t.Context(), "mid", "joe"); err != nil {
		t.Fatal(err)
	}
	if got := linkedIn(t, s.App, "l", "transformer"); got != "transformer-json" {
		t.Errorf("%s is linked", got)
	}
}
