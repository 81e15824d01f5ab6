package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hpmq/hpmq/host/cap/history"
	"github.com/hpmq/hpmq/host/cap/kv"
	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/lite/broker"
)

// Quiescer knows when the loops are between two calls.
type Quiescer interface {
	// Quiesce calls done, on any goroutine, once every loop has been in no call of a Policy at some
	// moment after Quiesce was called. It does not block.
	Quiesce(done func())
}

// History is told what is delivered, and asked for the last of it, see host/cap/history.
type History interface {
	Record(at history.Place, topic, payload []byte, wanted bool)
	AppendLast(dst []byte, listener string, topic []byte) ([]byte, bool)
	Forget(listener string)
}

// Ports are what a Linker needs of the rest of the house.
type Ports struct {
	// Read brings the component that a link names. It may block.
	Read func(ctx context.Context, use string) (Artifact, error)
	// Ships says whether a component of that name comes with the broker: a file that calls itself
	// so is named otherwise. Nil says none does.
	Ships func(name string) bool
	// Quiescer is the shards.
	Quiescer Quiescer
	// Halter is the shards as well; nil where no loop runs.
	Halter Halter
	// History may be nil: then nothing is recorded.
	History History
	// KV is what guests with that capability hold, for the shadows of a Plan: nil, and what they
	// find is empty.
	KV *kv.Store
	// Keys is Migrations(KV); nil, and nobody looks at the schemas of keys.
	Keys Migrator
	// Line takes what a guest writes to its standard output, see host/cap/log. May be nil.
	Line func(component, listener string, level slog.Level, text []byte)
	// Log takes faults and the audit of swaps.
	Log *slog.Logger
	// Now is the clock of the kernels.
	Now func() broker.Time
	// After is time.After on that clock, for the timers of workers; nil for the system's.
	After func(d time.Duration) <-chan time.Time
}

// Errors of a Linker beside *StepError.
var (
	ErrUnknownListener = errors.New("no such listener is linked")
	ErrNoPrevious      = errors.New("nothing to roll back to")
	ErrClosed          = errors.New("the linker is closed")
)

// Linker owns the tables of all listeners. Safe for concurrent use.
type Linker struct {
	engine *wasm.Engine
	cfg    Config
	ports  Ports
	// contracts never change once something is linked.
	contracts contracts

	// entries is how many were begun.
	entries atomic.Uint64

	mu        sync.Mutex
	listeners map[string]*listener
	closed    bool
	modules   modules
	// keepers are the entries that use kv beside the loops, see keep.
	keepers map[*entry]struct{}
	// moving is held by who stores tables, from before anybody hands over on. claims come first.
	moving sync.Mutex
	claims claims
	// drains are the goroutines that Close waits for: those that close entries, and workers.
	drains sync.WaitGroup
}

// New builds a linker on engine, which must outlive it. The host modules of all capabilities must
// have been provided to the engine.
func New(engine *wasm.Engine, cfg Config, ports Ports) (*Linker, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if ports.Read == nil || ports.Quiescer == nil || ports.Log == nil || ports.Now == nil {
		return nil, errors.New("link: new: Read, Quiescer, Log and Now are needed")
	}
	l := &Linker{engine: engine, cfg: cfg, ports: ports, contracts: served(),
		listeners: map[string]*listener{}, keepers: map[*entry]struct{}{}}
	l.modules.engine = engine
	return l, nil
}

// time is that of the kernels.
func (l *Linker) time() time.Time { return time.UnixMilli(int64(l.ports.Now())) }

// listener is what the Linker keeps of one listener.
type listener struct {
	name   string
	linker *Linker
	ward   ward
	// change is held by the one swap that is at work, and by a plan for moments; a channel so that
	// waiting ends with a context.
	change chan struct{}
	// part is of the plan that is at work, or of the last that can still be reverted; else nil.
	// Under change.
	part *part
	// table is loaded by every ask; only the holder of change stores it. It is never nil.
	table atomicTable
	// gone is set by Unlink, under change.
	gone bool

	authOnce sync.Once
	auth     atomic.Pointer[authPool] // nil until the first question
}

// listener answers the listener of that name, made if it is not there.
func (l *Linker) listener(name string) *listener {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.listenerLocked(name)
}

func (l *Linker) listenerLocked(name string) *listener {
	ls := l.listeners[name]
	if ls == nil {
		ls = &listener{name: name, linker: l, change: make(chan struct{}, 1)}
		ls.table.Store(&table{listener: name})
		if !l.closed { // Close waits for those it can see
			l.listeners[name] = ls
		}
	}
	return ls
}

// lock waits for the swaps of ls before this one, but not for a plan.
func (ls *listener) lock(ctx context.Context) error {
	select {
	case ls.change <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("link: waiting for a swap of listener %s to end: %w", ls.name, ctx.Err())
	}
	if ls.gone {
		ls.unlock()
		return fmt.Errorf("link: %s: %w", ls.name, ErrUnknownListener)
	}
	if ls.part.atWork() {
		busy := &BusyError{Listener: ls.name, Plan: ls.part.plan.id}
		ls.unlock()
		return busy
	}
	return nil
}

func (ls *listener) unlock() { <-ls.change }

// Policy is what the kernel of a loop asks about the clients of a listener. It may be taken before
// the listener is linked; until then, and after Unlink, it refuses. One loop uses it.
func (l *Linker) Policy(listener string, loop int) broker.Policy {
	return newPolicy(l.listener(listener), loop)
}

// Authenticator is what the kernel of a loop asks who may connect. Later answers come through
// answer, on a goroutine of the linker.
func (l *Linker) Authenticator(
	listener string, loop int, answer func(broker.Token, broker.Grant),
) broker.Authenticator {
	_ = loop // guests of authenticators sit with the workers, not with the loops
	return &authenticator{ls: l.listener(listener), answer: answer}
}

// Unlink ends the service of a listener: its guests are closed once nobody is in them. Its objects
// refuse from now on. A plan that is at work at it is aborted.
func (l *Linker) Unlink(listener string) error {
	l.mu.Lock()
	ls := l.listeners[listener]
	delete(l.listeners, listener)
	closed := l.closed
	if ls != nil {
		l.drains.Add(1) // a Close that does not see ls any more waits for it here
		defer l.drains.Done()
	}
	l.mu.Unlock()
	if ls == nil {
		return fmt.Errorf("link: unlink %s: %w", listener, ErrUnknownListener)
	}
	if p := ls.leave(); p != nil {
		p.lose()
	}
	if l.ports.History != nil && !closed { // what is linked at the end is linked again
		l.ports.History.Forget(listener)
	}
	return nil
}

// leave shuts the door of the listener. It answers the plan that is at work at it, nil for none.
func (ls *listener) leave() (p *Plan) {
	ls.hold()
	defer ls.unlock()
	ls.gone = true
	old := ls.table.Load()
	ls.commit(&table{listener: ls.name, generation: old.generation + 1})
	ls.authStop()
	ls.linker.drain(old.entries(nil))
	if ls.part != nil { // of a plan at work: commit has settled another
		p, ls.part = ls.part.plan, nil
	}
	return p
}

// Show answers what is linked, sorted by listener.
func (l *Linker) Show() []ListenerView {
	l.mu.Lock()
	all := make([]*listener, 0, len(l.listeners))
	for _, ls := range l.listeners {
		all = append(all, ls)
	}
	l.mu.Unlock()
	sort.Slice(all, func(i, j int) bool { return all[i].name < all[j].name })
	out := make([]ListenerView, 0, len(all))
	for _, ls := range all {
		if t := ls.table.Load(); t.linked {
			out = append(out, t.view())
		}
	}
	return out
}

// Close unlinks every listener and waits until all guests are closed, as far as the Quiescer lets
// it.
func (l *Linker) Close(ctx context.Context) error {
	l.mu.Lock()
	l.closed = true
	names := make([]string, 0, len(l.listeners))
	for name := range l.listeners {
		names = append(names, name)
	}
	l.mu.Unlock()
	for _, name := range names {
		_ = l.Unlink(name) // only another Unlink may have been faster
	}
	done := make(chan struct{})
	go func() { l.drains.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("link: close: guests still in use: %w", ctx.Err())
	}
}

// drain closes entries that no table refers to any more, once no loop can be in one of them.
func (l *Linker) drain(entries []*entry) {
	if len(entries) == 0 {
		return
	}
	for _, e := range entries {
		e.ward.give(e)
	}
	l.drains.Add(1)
	l.ports.Quiescer.Quiesce(func() {
		go func() {
			defer l.drains.Done()
			for _, e := range entries {
				e.close()
			}
		}()
	})
}
