package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/host/pulled"
)

// Check tells what Open would refuse of cfg, all at once, but for addresses that are taken and a
// data folder that cannot be written: it opens no socket and writes no file. Certificates are read;
// components are read, compiled, made and configured as for a link, with no cache, so it blocks for
// as long as that takes, and as registries take to bring bundles that are not kept. log gets what
// they say; it may be nil. The warnings are of certificates that can be used.
func Check(
	ctx context.Context, cfg configs.Config, log *slog.Logger,
) (warnings []string, err error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("app: check: %w", err)
	}
	warnings, err = CheckFiles(&cfg)
	_, keys := trustOf(&cfg.Trust)
	return warnings, errors.Join(err, keys, checkLinks(ctx, cfg, log))
}

// checkLinks rehearses the links of cfg on an engine of its own.
func checkLinks(ctx context.Context, cfg configs.Config, log *slog.Logger) error {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	quiet := slog.New(warnings{log.Handler()})
	a := &App{log: quiet, cfg: cfg, now: clock(), data: configs.Memory, end: func() {}}
	if err := a.openEngine(ctx); err != nil {
		return errors.Join(err, a.Close())
	}
	trust, err := trustOf(&cfg.Trust)
	if err != nil {
		return a.Close() // it was told
	}
	a.trust.Store(trust)
	dir := ""
	if cfg.DataDir != configs.Memory {
		dir = filepath.Join(cfg.DataDir, "pulled")
	}
	if err := a.makePulled(dir, true); err != nil {
		return errors.Join(err, a.Close())
	}
	loops := a.shardConfig()
	if err := a.makeLinker(loops.Loops(), still{}); err != nil {
		return errors.Join(err, a.Close())
	}
	errs := []error{a.bring(ctx, &naming{&cfg.Bundles, trust, cfg.Listeners, log})}
	wanted := make([]link.Wanted, 0, len(cfg.Listeners))
	for i := range cfg.Listeners {
		l := &cfg.Listeners[i]
		w := &want{next: *l, relink: true}
		c := &changeover{app: a, wants: []*want{w}}
		err := c.readLink(ctx, w)
		c.close()
		spec := w.spec
		if errors.Is(err, pulled.ErrMissing) {
			continue // it was told
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("app: listener %s: %w", l.Name, err))
			continue
		}
		wanted = append(wanted, link.Wanted{Listener: l.Name, Spec: spec})
		if spec, err = redactor(l); err != nil {
			errs = append(errs, fmt.Errorf("app: listener %s: log: %w", l.Name, err))
		} else if spec != nil {
			wanted = append(wanted, link.Wanted{Listener: l.Name + ": log", Spec: spec})
		}
	}
	errs = append(errs, a.linker.Rehearse(ctx, wanted), a.Close())
	return errors.Join(errs...)
}

// still is turns where no loop runs.
type still struct{}

// Quiesce calls done at once.
func (still) Quiesce(done func()) { done() }

// Halt calls f at once.
func (still) Halt(_ time.Duration, f func()) (time.Duration, error) { f(); return 0, nil }

// warnings let nothing else through.
type warnings struct{ slog.Handler }

// Enabled is slog.Handler.
func (w warnings) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && w.Handler.Enabled(ctx, l)
}

// WithAttrs is slog.Handler.
func (w warnings) WithAttrs(list []slog.Attr) slog.Handler {
	return warnings{w.Handler.WithAttrs(list)}
}

// WithGroup is slog.Handler.
func (w warnings) WithGroup(name string) slog.Handler { return warnings{w.Handler.WithGroup(name)} }
