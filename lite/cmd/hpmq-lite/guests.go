package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/hpmq/hpmq/components"
	"github.com/hpmq/hpmq/host/cap/config"
	"github.com/hpmq/hpmq/host/cap/history"
	"github.com/hpmq/hpmq/host/cap/kv"
	"github.com/hpmq/hpmq/host/cap/log"
	"github.com/hpmq/hpmq/host/cap/payload"
	"github.com/hpmq/hpmq/host/cap/publish"
	"github.com/hpmq/hpmq/host/cap/wasi"
	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/lite/broker"
)

// moduleBytesMax bounds a component. Compiling takes some 30 times its size for a while.
const moduleBytesMax = 4 << 20

// openEngine starts the engine with all it offers to guests, and the linker on it.
func (n *node) openEngine(context.Context) error {
	wc := wasm.Default()
	wc.CacheDir, wc.Interpreter = n.cacheDir(), n.cfg.Interpreter
	wc.ModuleBytesMax, wc.GuestsMax = moduleBytesMax, 128
	e, err := wasm.Open(wc)
	if err != nil {
		return err
	}
	n.engine = e
	n.later(e.Close)
	now := func() int64 { return int64(n.port.Now()) }
	kc, hc, pc := kv.Default(), history.Default(), publish.Default()
	kc.EntriesMax, kc.BytesMax = 4096, 1<<20
	hc.EntriesMax, hc.BytesMax = 4096, 1<<20
	pc.QueueMessagesMax, pc.QueueBytesMax, pc.MessageBytesMax = 256, 512<<10, 128<<10
	lines, past := log.New(log.Default(), n.log, now), history.New(hc)
	n.publish = publish.New(pc)
	modules := append([]wasm.HostModule{
		lines.Module(), config.Module(), kv.New(kc).Module(now), past.Module(), n.publish.Module(),
		payload.Module(),
	}, wasi.Modules(time.Sleep)...)
	for _, m := range modules {
		if err := e.Provide(m); err != nil {
			return err
		}
	}
	n.linker, err = link.New(e, linkConfig(), link.Ports{
		Read: readComponent, Quiescer: n.port, Halter: n.port, History: past,
		Line: lines.Line, Log: n.log, Now: n.port.Now,
	})
	if err != nil {
		return err
	}
	n.later(n.linker.Close)
	return nil
}

// linkConfig is link.Default with less room.
func linkConfig() link.Config {
	c := link.Default()
	c.AuthWorkers, c.AuthQueueMax = 1, 64
	c.DecisionsMax, c.SharesMax = 1024, 128
	c.MessageBytesMax, c.AnswerBytesMax = 128<<10, 512<<10
	return c
}

// openLinks links all listeners and starts what brings guests' messages to the kernel.
func (n *node) openLinks(ctx context.Context) error {
	for i := range n.cfg.Listeners {
		l := &n.cfg.Listeners[i]
		if err := n.linker.Link(ctx, l.Name, l.Link); err != nil {
			return err
		}
		n.listeners[l.Name] = &broker.Listener{
			Name: l.Name, Limits: l.Limits.kernel(), Policy: n.linker.Policy(l.Name, 0),
			Auth:     n.linker.Authenticator(l.Name, 0, n.authenticated),
			Presence: n.linker.Presence(l.Name),
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		n.publish.Run(ctx, n)
	}()
	n.later(func(context.Context) error {
		cancel()
		<-ended
		return nil
	})
	return nil
}

// authenticated brings what an authenticator answers later to the kernel.
func (n *node) authenticated(t broker.Token, g broker.Grant) {
	n.port.Post(func(k *broker.Kernel, now broker.Time) { k.Authenticated(now, t, g) })
}

// Publish is publish.Outlet. It waits until m is spread, which bounds what is under way.
func (n *node) Publish(listener string, m *broker.Message) {
	n.port.Do(func(k *broker.Kernel, now broker.Time) { k.Publish(now, n.listeners[listener], m) })
}

// readComponent is link.Ports.Read: the default components by name, the others from files. A file
// is granted what the link says and no more: who wrote it is not known.
func readComponent(_ context.Context, use string) (link.Artifact, error) {
	if !isFile(use) {
		code, ok := components.Default(use)
		if !ok {
			return link.Artifact{}, fmt.Errorf(
				"no component %q comes with the broker: there are %s",
				use, strings.Join(components.Names(), ", "))
		}
		return link.Artifact{Code: code, Name: use, Default: true}, nil
	}
	f, err := os.Open(use)
	if err != nil {
		return link.Artifact{}, err
	}
	defer func() { _ = f.Close() }()
	code, err := io.ReadAll(io.LimitReader(f, moduleBytesMax+1))
	if err != nil {
		return link.Artifact{}, err
	}
	if len(code) > moduleBytesMax {
		return link.Artifact{}, fmt.Errorf("%s has more than %d bytes", use, moduleBytesMax)
	}
	return link.Artifact{Code: code}, nil
}

// rehearsal is before the name of a listener that is linked for trial. No listener can have it in
// its name.
const rehearsal = "reload:"

// relink links every listener as cfg says, or none. With more than one, all links are tried beside
// the running ones first; the links of one listener change over in one commit anyway.
func (n *node) relink(ctx context.Context, cfg *settings) error {
	if err := n.same(cfg); err != nil {
		return fmt.Errorf("nothing has changed: %w", err)
	}
	if len(cfg.Listeners) > 1 {
		defer n.endRehearsal(cfg)
		for i := range cfg.Listeners {
			l := &cfg.Listeners[i]
			if err := n.linker.Link(ctx, rehearsal+l.Name, l.Link); err != nil {
				return unrehearsed(err)
			}
		}
	}
	for i := range cfg.Listeners {
		l := &cfg.Listeners[i]
		if err := n.linker.Link(ctx, l.Name, l.Link); err != nil {
			return errors.Join(err, n.unlink(ctx, cfg.Listeners[:i]))
		}
	}
	n.cfg = cfg
	n.giveBack()
	return nil
}

// same says what of cfg needs a restart.
func (n *node) same(cfg *settings) error {
	a, b := *n.cfg, *cfg
	a.Listeners, b.Listeners = bare(a.Listeners), bare(b.Listeners)
	if !reflect.DeepEqual(a, b) {
		return errors.New("only links can change while the broker runs; restart it for the rest")
	}
	return nil
}

// bare is listeners without their links.
func bare(listeners []listener) []listener {
	out := slices.Clone(listeners)
	for i := range out {
		out[i].Link = nil
	}
	return out
}

func (n *node) endRehearsal(cfg *settings) {
	for i := range cfg.Listeners {
		// One that was not reached is not there.
		_ = n.linker.Unlink(rehearsal + cfg.Listeners[i].Name)
	}
}

// unrehearsed names the listener of a refusal as the configuration does.
func unrehearsed(err error) error {
	var step *link.StepError
	if errors.As(err, &step) {
		named := *step
		named.Listener = strings.TrimPrefix(step.Listener, rehearsal)
		return &named
	}
	return err
}

// unlink brings back the links that listeners had before the last change.
func (n *node) unlink(ctx context.Context, listeners []listener) error {
	var errs []error
	for i := range listeners {
		for role := range listeners[i].Link {
			_, err := n.linker.Rollback(ctx, listeners[i].Name, role)
			if !errors.Is(err, link.ErrNoPrevious) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}
