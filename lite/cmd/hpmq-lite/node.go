package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/hpmq/hpmq/host/cap/publish"
	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/lite/flash"
	"github.com/hpmq/hpmq/lite/port"
)

// node is a running broker: the rooms, in the order they were opened.
type node struct {
	cfg     *settings
	log     *slog.Logger
	port    *port.Port
	store   *flash.Store
	engine  *wasm.Engine
	publish *publish.Queue
	linker  *link.Linker
	// listeners are as the kernel has them, by name. They do not change once the node is open.
	listeners map[string]*broker.Listener
	addresses []string
	stops     []func(context.Context) error
}

// openNode starts a broker: when it returns, all listeners accept. On an error nothing is left
// running. complaints gets the log.
func openNode(ctx context.Context, cfg *settings, complaints io.Writer) (*node, error) {
	n := &node{
		cfg: cfg, listeners: make(map[string]*broker.Listener),
		log: slog.New(slog.NewTextHandler(complaints, &slog.HandlerOptions{Level: cfg.LogLevel})),
	}
	for _, step := range []func(context.Context) error{
		n.openKernel, n.openEngine, n.openLinks, n.openListeners,
	} {
		if err := step(ctx); err != nil {
			ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
			defer cancel()
			return nil, errors.Join(err, n.close(ctx))
		}
	}
	n.giveBack()
	return n, nil
}

// settling is how long after a start or a reload spare guests may still be made, busy that on a
// device that has much else to do.
const settling, busy = 2 * time.Second, 30 * time.Second

// giveBack gives the device the memory back that compiling took, many times what running does: at
// once, and what spare guests left when they are made, beside the loop.
func (n *node) giveBack() {
	debug.FreeOSMemory()
	time.AfterFunc(settling, debug.FreeOSMemory)
	time.AfterFunc(busy, debug.FreeOSMemory)
}

// later notes how to undo a step.
func (n *node) later(do func(context.Context) error) { n.stops = append(n.stops, do) }

// close undoes the steps, the last first.
func (n *node) close(ctx context.Context) error {
	var errs []error
	for i := len(n.stops) - 1; i >= 0; i-- {
		errs = append(errs, n.stops[i](ctx))
	}
	n.stops = nil
	return errors.Join(errs...)
}

// openKernel starts the kernel with its store, without listeners.
func (n *node) openKernel(context.Context) error {
	pc := port.Default()
	pc.Log = n.log
	n.port = port.New(pc)
	sync, err := n.cfg.policy()
	if err != nil {
		return err
	}
	fc := flash.Default()
	fc.Dir, fc.Sync, fc.Now = n.cfg.Data, sync, n.port.Now
	fc.EntriesMax, fc.BytesMax = n.cfg.Retained.MessagesMax, n.cfg.Retained.BytesMax
	fc.Trouble = n.trouble()
	store, found, err := flash.Open(fc, func(f func(flash.Kernel, broker.Time)) {
		n.port.Post(func(k *broker.Kernel, now broker.Time) { f(k, now) })
	})
	if err != nil {
		return err
	}
	n.store = store
	n.later(func(context.Context) error { return store.Close() })
	if found.CutBytes > 0 {
		n.log.Warn("the end of the file was not whole and was cut off", "reason", found.Reason,
			"bytes", found.CutBytes, "kept in", found.CutFile)
	}
	kc := broker.Default()
	kc.Seed = rand.Uint64()
	kc.HeldBytesMax = 16 << 10
	n.port.Start(broker.New(kc, store, nil))
	// The sockets close first: see openListeners.
	n.later(n.port.Close)
	return nil
}

// troubleEvery is how often errors of the device are logged.
const troubleEvery = 10 * time.Second

// trouble logs errors of the device, not more than some.
func (n *node) trouble() func(error) {
	var mu sync.Mutex
	var last time.Time
	return func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if now := time.Now(); now.Sub(last) >= troubleEvery {
			last = now
			n.log.Error("the device fails", "reason", err)
		}
	}
}

// openListeners opens the sockets. What guests serve is in place.
func (n *node) openListeners(context.Context) error {
	// Connections end before their links do.
	n.later(n.port.Close)
	for i := range n.cfg.Listeners {
		l := &n.cfg.Listeners[i]
		address, err := n.port.Listen(port.ListenerConfig{
			Bind: l.Bind, Limits: l.Limits.sockets(), Broker: n.listeners[l.Name],
		})
		if err != nil {
			return fmt.Errorf("listener %s: %w: take another address with --listen", l.Name, err)
		}
		n.addresses = append(n.addresses, address)
	}
	return nil
}

// greet says what runs. Scripts wait for the last line.
func (n *node) greet(w io.Writer) {
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "hpmq-lite %s\n  data %s\n", buildVersion(), n.cfg.Data)
	for i, l := range n.cfg.Listeners {
		_, _ = fmt.Fprintf(&b, "  listener %s %s\n", l.Name, n.addresses[i])
	}
	for _, v := range n.linker.Show() {
		names := make([]string, 0, len(v.Components))
		for _, c := range v.Components {
			names = append(names, strings.TrimSpace(c.Name+" "+c.Version))
		}
		_, _ = fmt.Fprintf(&b, "  linked to %s: %s\n", v.Listener, strings.Join(names, ", "))
	}
	b.WriteString("hpmq-lite: ready\n")
	_, _ = io.WriteString(w, b.String())
}

// cacheDir is where compiled components are kept, or "".
func (n *node) cacheDir() string {
	if n.cfg.Data == flash.Memory {
		return ""
	}
	return filepath.Join(n.cfg.Data, "cache")
}

// buildVersion is what the build says of itself.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
