package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/host/rollout"
	"github.com/hpmq/hpmq/host/rollout/ledger"
	"github.com/hpmq/hpmq/host/shelf"
)

// changes are the changes of links with what they need.
type changes struct {
	machine *rollout.Machine
	shelf   *shelf.Shelf
	// committed are those that a crash left so, until all is linked again.
	committed []rollout.Change
	mu        sync.Mutex
	swaps     map[string]*swapping
}

// swapping is what the machine does not tell of a change, for who waits for a swap.
type swapping struct {
	err     error // why it could not be prepared
	results []link.Result
}

// expect has the links keep what becomes of a change; the answer ends that.
func (c *changes) expect(id string) (s *swapping, end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s = &swapping{}
	c.swaps[id] = s
	return s, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.swaps, id)
	}
}

// note calls f with what is kept of a change, if anybody waits for it.
func (c *changes) note(id string, f func(*swapping)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.swaps[id]; s != nil {
		f(s)
	}
}

// forgetful is the ledger of a node in memory: nothing outlives it.
type forgetful struct{}

func (forgetful) Load(func([]byte) error) error { return nil }
func (forgetful) Append([]byte) error           { return nil }
func (forgetful) Insist([]byte) error           { return nil }
func (forgetful) Compact([]byte) error          { return nil }

// wall is rollout.Clock.
type wall struct{}

func (wall) Now() time.Time                         { return time.Now() }
func (wall) After(d time.Duration) <-chan time.Time { return time.After(d) }

// openChanges says how the changes ended that were at work, before anything is linked.
func (a *App) openChanges(context.Context) error {
	cfg := shelf.Default()
	cfg.Dir = a.dataPath("bundles")
	if cfg.Dir == "" {
		cfg.BytesMax = shelfMemoryMax
	}
	s, err := shelf.Open(cfg)
	if err != nil {
		return fmt.Errorf("app: changes: %w", err)
	}
	trust, err := trustOf(&a.cfg.Trust)
	if err != nil {
		return err
	}
	a.trust.Store(trust)
	a.changes = &changes{shelf: s, swaps: make(map[string]*swapping)}
	records, err := a.openLedger()
	if err != nil {
		return fmt.Errorf("app: changes: %w", err)
	}
	if a.records != nil {
		records = a.records(records)
	}
	ports := rollout.Ports{
		Source: source{a}, Links: tables{a}, Tests: golden{a}, Ledger: records, Clock: a.clock,
	}
	m, report, err := rollout.Open(rollout.Default(), ports)
	if err != nil {
		return fmt.Errorf("app: changes: %w", err)
	}
	a.changes.machine = m
	var beside sync.WaitGroup
	mending, stop := context.WithCancel(context.Background())
	a.later("changes", func(context.Context) error {
		stop()
		m.Close()
		beside.Wait()
		return nil
	})
	for _, err := range report.Strange {
		a.log.Error("app: the records of changes do not fit together", "error", err)
	}
	for i := range report.Resumed {
		a.ended(&report.Resumed[i])
	}
	a.changes.committed = report.Committed
	beside.Go(func() { a.tellChanges(m.Subscribe(0)) })
	beside.Go(func() { mend(mending, m) })
	a.sweepShelf()
	return nil
}

func (a *App) openLedger() (rollout.Ledger, error) {
	dir := a.dataPath("rollout")
	if dir == "" {
		return forgetful{}, nil
	}
	cfg := ledger.Default()
	cfg.Dir = dir
	cfg.Damaged = func(err error) {
		a.log.Error("app: the records of changes are damaged; what was committed may be lost",
			"folder", dir, "error", err)
	}
	l, err := ledger.Open(cfg)
	if err != nil {
		return nil, err
	}
	a.later("records of changes", func(context.Context) error { return l.Close() })
	return l, nil
}

// mend tries the ledger again while it fails, until ctx ends. Nobody else may ask for a change.
func mend(ctx context.Context, m *rollout.Machine) {
	ticker := time.NewTicker(alarmEvery)
	defer ticker.Stop()
	for ctx.Err() == nil {
		select {
		case <-ticker.C:
			_ = m.Mend() // the alarm tells
		case <-ctx.Done():
		}
	}
}

// tellChanges logs what happens to changes from now on, until there is no more of it.
func (a *App) tellChanges(r *rollout.Reader) {
	for {
		e, err := r.Next(context.Background())
		if errors.Is(err, rollout.ErrBehind) {
			r = a.changes.machine.Subscribe(0)
			continue
		}
		if err != nil {
			return
		}
		if e.At.Before(a.started) {
			continue
		}
		what, attrs := "change "+e.Change, []any{"state", string(e.State)}
		if e.Change == "" { // of none
			what, e.Why, attrs = e.Why, "", nil
		}
		for key, value := range map[string]string{"of": e.Of, "why": e.Why, "by": e.By,
			"unrecorded": e.Unrecorded} {
			if value != "" {
				attrs = append(attrs, key, value)
			}
		}
		a.log.Info("app: "+what, attrs...)
		if e.State.Ended() {
			a.sweepShelf()
		}
	}
}

// shelfMemoryMax bounds, in bytes, what a broker without a data folder keeps of bundles.
const shelfMemoryMax = 256 << 20

// youth is for how long what was uploaded waits for a change that refers to it.
const youth = time.Hour

// sweepShelf drops what no change refers to.
func (a *App) sweepShelf() {
	known := refers(a.changes.machine.Needs().Known)
	a.changes.shelf.Sweep(time.Now().Add(-youth), known)
}

// receive puts what was sent on the shelf. What waited too long for a change goes before it.
func (a *App) receive(b []byte) (digest string, err error) {
	a.sweepShelf()
	return a.keep(b)
}

// keep puts b on the shelf. Who needs what is there is asked only if there is no room.
func (a *App) keep(b []byte) (digest string, err error) {
	held := sync.OnceValue(func() func(string) bool {
		return refers(a.changes.machine.Needs().Held)
	})
	return a.changes.shelf.Put(b, func(digest string) bool { return held()(digest) })
}

// refers answers whether a digest is among names, or the end of one.
func refers(names map[string]bool) func(digest string) bool {
	digests := make(map[string]bool, len(names))
	for name := range names {
		digests[name[strings.LastIndex(name, "@")+1:]] = true
	}
	return func(digest string) bool { return digests[digest] }
}
