package app

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/hpmq/hpmq/host/gate"
	"github.com/hpmq/hpmq/host/shard"
	"github.com/hpmq/hpmq/host/store"
	"github.com/hpmq/hpmq/lite/broker"
)

// loops are the kernels on their event loops, with what they keep.
type loops struct {
	*shard.Shards
	memory *store.Memory // or, with a data folder:
	disk   *store.Disk
	views  []*store.DiskView // by loop, with a disk
	closed chan struct{}

	mu sync.RWMutex
	// listeners are the kernels' by the name of their link, of each door the newest.
	listeners map[string][]*broker.Listener
}

// clock is the one clock of the node: milliseconds that never go back.
func clock() func() int64 { return gate.Clock() }

func (a *App) shardConfig() shard.Config {
	cfg := shard.Default()
	cfg.Gate.Loops = a.cfg.Loops
	cfg.Gate.Now = a.now
	cfg.Gate.Log = a.log
	cfg.Gate.InputBytesMax = int(min(a.cfg.InputBytesMax, math.MaxInt))
	return cfg
}

// openLoops starts the event loops, without listeners.
func (a *App) openLoops(start context.Context) error {
	cfg := a.shardConfig()
	l := &loops{
		memory: store.New(storeLimits(&a.cfg)), closed: make(chan struct{}),
		listeners: make(map[string][]*broker.Listener),
	}
	n := cfg.Loops()
	last, err := a.openStore(l)
	if err != nil {
		return err
	}
	l.views = make([]*store.DiskView, n)
	s, err := shard.Open(cfg, func(loop int, peers broker.Peers) *broker.Kernel {
		k := kernelConfig(loop, n)
		k.SessionsMax = share(int64(sessionsMax(&a.cfg)), n)
		k.QueuedMessagesMax = share(int64(a.cfg.QueuedMessagesMax), n)
		k.QueuedBytesMax = share(int64(a.cfg.QueuedBytesMax), n)
		view := l.view(loop)
		if l.disk != nil {
			k.Durable, k.Boot, k.Numbers = true, l.disk.Boot(), last
			k.Noted, k.Judging = l.views[loop].Noted, l.views[loop].Judging
		}
		kernel := broker.New(k, view, peers)
		if a.witness != nil {
			kernel.OnTrace(a.witness.Trace(loop))
		}
		return kernel
	})
	if err != nil {
		return fmt.Errorf("app: loops: %w", err)
	}
	l.Shards = s
	a.loops = l
	// After the loops: as long as there are connections their link must hold.
	a.later("links", func(ctx context.Context) error {
		if a.linker == nil {
			return nil
		}
		return a.linker.Close(ctx)
	})
	ctx, cancel := context.WithCancel(context.Background())
	go l.sweep(ctx, a.now)
	a.later("loops", func(ctx context.Context) error {
		cancel()
		defer close(l.closed)
		return s.Close(ctx)
	})
	if err := a.restore(start); err != nil {
		return err
	}
	return a.remember()
}

func kernelConfig(loop, loops int) broker.Config {
	c := broker.Default()
	c.Self, c.Peers = broker.PeerID(loop), loops
	c.Seed = rand.Uint64()
	return c
}

// view is the store of one kernel. It is used by no kernel before Shards is set: there is no
// listener yet.
func (l *loops) view(loop int) broker.Store {
	post := func(f func(store.Kernel, broker.Time)) {
		l.Post(loop, func(k *broker.Kernel, now broker.Time) { f(k, now) })
	}
	if l.disk != nil {
		l.views[loop] = l.disk.View(post)
		return l.views[loop]
	}
	return l.memory.View(post)
}

// retained is how many messages are retained.
func (l *loops) retained() int {
	if l.disk != nil {
		return l.disk.Retained()
	}
	return l.memory.Stats().Retained
}

// Publish is publish.Outlet. All of a listener's messages go by the same loop, so that they stay in
// order; it waits for each to be spread, which bounds what is under way.
func (l *loops) Publish(listener string, m *broker.Message) {
	h := fnv.New32a()
	_, _ = h.Write([]byte(listener))
	loop := int(h.Sum32() % uint32(l.Loops()))
	g := l.newest(listener)
	if g == nil {
		return
	}
	l.wait(loop, func(k *broker.Kernel, now broker.Time) { k.Publish(now, g[loop], m) })
}

// wait runs f on a loop and waits for it, as long as there are loops.
func (l *loops) wait(loop int, f func(*broker.Kernel, broker.Time)) {
	done := make(chan struct{})
	ok := l.Post(loop, func(k *broker.Kernel, now broker.Time) {
		defer close(done)
		f(k, now)
	})
	if !ok {
		return
	}
	select {
	case <-done:
	case <-l.closed:
	}
}

// answerer brings what an authenticator answers later to the kernel that asked.
func (l *loops) answerer(loop int) func(broker.Token, broker.Grant) {
	return func(t broker.Token, g broker.Grant) {
		l.Post(loop, func(k *broker.Kernel, now broker.Time) { k.Authenticated(now, t, g) })
	}
}

// newest answers what serves a link now, by loop, or nil.
func (l *loops) newest(key string) []*broker.Listener {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.listeners[key]
}

// note remembers what serves a link.
func (l *loops) note(key string, kernels []*broker.Listener) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.listeners[key] = kernels
}

// forget takes back note.
func (l *loops) forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.listeners, key)
}

// askTimeout bounds questions of operators to the loops: a loop that is stuck must not hang them.
const askTimeout = 5 * time.Second
