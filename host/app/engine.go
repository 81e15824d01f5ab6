package app

import (
	"context"
	"fmt"
	"time"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/cap/config"
	"github.com/hpmq/hpmq/host/cap/history"
	"github.com/hpmq/hpmq/host/cap/kv"
	"github.com/hpmq/hpmq/host/cap/log"
	"github.com/hpmq/hpmq/host/cap/lookback"
	"github.com/hpmq/hpmq/host/cap/payload"
	"github.com/hpmq/hpmq/host/cap/publish"
	"github.com/hpmq/hpmq/host/cap/wasi"
	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/lite/broker"
)

// caps are the capabilities that keep something.
type caps struct {
	log     *log.Log
	kv      *kv.Store
	history *history.Store
	publish *publish.Queue
}

// openEngine starts the engine with all it offers to guests: host modules must come before the
// first compile.
func (a *App) openEngine(context.Context) error {
	cfg := engineConfig(&a.cfg, a.dataPath("cache"))
	cfg.Log = a.log
	e, err := wasm.Open(cfg)
	if err != nil {
		return fmt.Errorf("app: engine: %w", err)
	}
	a.engine = e
	a.later("engine", e.Close)
	a.caps = &caps{
		log:     log.New(log.Default(), a.log, a.now),
		kv:      kv.New(kvConfig(&a.cfg.Remember)),
		history: history.New(historyConfig(&a.cfg.Remember)),
		publish: publish.New(publish.Default()),
	}
	modules := append([]wasm.HostModule{
		a.caps.log.Module(), config.Module(), a.caps.kv.Module(a.now),
		a.caps.history.Module(lookback.Func(past{a})), a.caps.publish.Module(), payload.Module(),
	}, wasi.Modules(time.Sleep)...)
	for _, m := range modules {
		if err := e.Provide(m); err != nil {
			return fmt.Errorf("app: engine: %w", err)
		}
	}
	return nil
}

// engineConfig is what the engine is told. Its bound on memory is that of the hungriest component;
// each has its own below.
func engineConfig(c *configs.Config, cacheDir string) wasm.Config {
	w := wasm.Default()
	w.CacheDir = cacheDir
	w.CacheBytesMax = uint64(c.Wasm.CacheMax)
	w.Interpreter = c.Wasm.Interpreter
	w.ModuleBytesMax = uint32(c.Wasm.ModuleMax)
	w.GuestsMax = c.Wasm.GuestsMax
	w.FuelMax = c.Wasm.FuelMax
	w.StartFuelMax = c.Wasm.StartFuelMax
	w.DepthMax = c.Wasm.DepthMax
	memory := max(c.Wasm.MemoryMax, c.Wasm.AuthMemoryMax)
	for i := range c.Listeners {
		for _, role := range configs.Roles() {
			for _, ref := range *c.Listeners[i].Link.Role(role) {
				memory = max(memory, ref.Memory)
			}
		}
	}
	w.MemoryBytesMax = uint32(memory)
	return w
}

// openCaps starts what brings guests' messages to the loops.
func (a *App) openCaps(context.Context) error {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		a.caps.publish.Run(ctx, a.loops)
	}()
	a.later("publish", func(context.Context) error {
		cancel()
		<-ended
		return nil
	})
	return nil
}

// sweep forgets retained messages that expired, until ctx ends.
func (l *loops) sweep(ctx context.Context, now func() int64) {
	t := time.NewTicker(time.Minute)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C: // a disk does it itself
			l.memory.Sweep(broker.Time(now()))
		}
	}
}
