// Package app knows which rooms make a node, in which order they start and stop, and which setting
// reaches which room. It is the only package that knows all others.
//
// It does not know what any of them does: it holds no rule of MQTT, asks no guest and reads no
// setting.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/backup"
	"github.com/hpmq/hpmq/host/journal"
	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/host/pulled"
	"github.com/hpmq/hpmq/host/rollout"
	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/host/witness"
	"github.com/hpmq/hpmq/sdk/bundle/sign"
	"github.com/hpmq/hpmq/sdk/client"
)

// Options are what a node is given beside its configuration.
type Options struct {
	// Log gets what happens; nil makes one from the configuration, to standard error.
	Log *slog.Logger
	// DrainTimeout is how long Close waits for connections to take their last packets; 0 is 10 s.
	DrainTimeout time.Duration
	// space, if it is set, says how many bytes are free where the store is.
	space func(dir string) (int64, error)
	// segment, if it is set, makes the files of the store's journal.
	segment func(path string) (journal.File, error)
	// clock, if it is set, is that of changes, records what their ledger becomes.
	clock   rollout.Clock
	records func(rollout.Ledger) rollout.Ledger
	// Restoring, unless it is nil, is told true before and false after sessions are restored:
	// between, hardly anything that is allocated is garbage.
	Restoring func(on bool)
}

// App is a running node.
type App struct {
	log     *slog.Logger
	level   *slog.LevelVar // nil if Options.Log was given
	drain   time.Duration
	started time.Time
	// openTook is how long opening the store took, with the replay of its journal.
	openTook time.Duration
	now      func() int64
	name     string // of the node
	space    func(dir string) (int64, error)
	segment  func(path string) (journal.File, error)
	data     string // as the configuration has it
	loading  func(on bool)

	engine *wasm.Engine
	caps   *caps
	loops  *loops
	linker *link.Linker
	// bounds and interpreter are what the linker and the engine were told.
	bounds      link.Config
	interpreter bool
	// changes go over what the configuration links; places says to which listeners.
	changes *changes
	places  directory
	trust   atomic.Pointer[sign.Policy]
	// pulled are the bundles of registries that links name; registries says how those are reached.
	pulled     *pulled.Store
	registries atomic.Pointer[configs.Bundles]
	clock      rollout.Clock
	records    func(rollout.Ledger) rollout.Ledger
	alarms     alarms
	// unlogged are the listeners whose messages go unlogged.
	unlogged unlogged
	// logAside and logDamaged are the files of the message log that the start found so.
	logAside, logDamaged atomic.Int64
	// witness keeps the message log, redactors what redacts it; nil without a data folder.
	witness   *witness.Witness
	redactors *link.Linker
	admin     *adminServer // nil if off

	backups *backup.Keeper // nil if nothing is kept

	// life ends when Close begins.
	life context.Context
	end  context.CancelFunc
	// wait is between the steps of a drain.
	wait func(context.Context, time.Duration) bool

	// change is held while listeners come and go; it guards what follows.
	change sync.Mutex
	cfg    configs.Config
	added  int              // doors until now
	doors  map[string]*door // open, by name
	left   map[string]*door // removed, with connections, by id

	stops []stop
	once  sync.Once
	err   error
}

// stop undoes one step of Open.
type stop struct {
	name string
	do   func(context.Context) error
}

// Open starts a node: when it returns, all listeners accept. On an error nothing is left running.
// ctx bounds the start alone.
func Open(ctx context.Context, cfg configs.Config, o Options) (*App, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("app: open: %w", err)
	}
	a := &App{
		log: o.Log, cfg: cfg, started: time.Now(), drain: o.DrainTimeout,
		now: clock(), doors: make(map[string]*door), left: make(map[string]*door), wait: wait,
		name: nodeName(&cfg), data: cfg.DataDir, loading: o.Restoring,
	}
	if a.loading == nil {
		a.loading = func(bool) {}
	}
	a.alarms.now, a.space = make(map[string]client.Alarm), o.space
	a.segment = o.segment
	a.records = o.records
	if a.clock = o.clock; a.clock == nil {
		a.clock = wall{}
	}
	a.life, a.end = context.WithCancel(context.Background())
	if a.drain == 0 {
		a.drain = 10 * time.Second
	}
	if a.log == nil {
		a.level = new(slog.LevelVar)
		a.log = newLog(os.Stderr, cfg.Log, a.level)
	}
	if err := a.open(ctx); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

// open starts the rooms, each of which may use those before it. The sockets come last: a client
// that gets in finds everything in place.
func (a *App) open(ctx context.Context) error {
	if err := a.look(); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{
		a.openData, a.openLock, a.openEngine, a.openMessageLog, a.openLoops, a.openLinker,
		a.openCaps, a.openChanges, a.openPulled, a.openListeners, a.openAlarms, a.openMeter,
		a.openAdmin, a.openWatch,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// look finds what is wrong with addresses and certificates before anything is opened: components
// are compiled first, which takes seconds the first time.
func (a *App) look() error {
	_, err := CheckFiles(&a.cfg)
	_, keys := trustOf(&a.cfg.Trust)
	return errors.Join(probe(&a.cfg), err, keys)
}

// later notes how to undo a step; Close does the last first.
func (a *App) later(name string, do func(context.Context) error) {
	a.stops = append(a.stops, stop{name, do})
}

// Close stops the node: listeners close, every connection is told 0x8B and may take what is queued
// for it, then the rooms stop in the reverse order of their start. It may be called more than once.
func (a *App) Close() error {
	a.once.Do(func() {
		a.end()
		ctx, cancel := context.WithTimeout(context.Background(), a.drain)
		defer cancel()
		var errs []error
		for i := len(a.stops) - 1; i >= 0; i-- {
			if err := a.stops[i].do(ctx); err != nil {
				errs = append(errs, fmt.Errorf("app: stop %s: %w", a.stops[i].name, err))
			}
		}
		a.err = errors.Join(errs...)
	})
	return a.err
}

// openData makes the data folder.
func (a *App) openData(context.Context) error {
	if a.data == configs.Memory {
		return nil
	}
	if err := os.MkdirAll(a.data, 0o700); err != nil {
		return fmt.Errorf("app: data: %w: name a folder that can be written with --data DIR, or "+
			"--data memory", err)
	}
	return nil
}

// dataPath is a path in the data folder, or "" if there is none.
func (a *App) dataPath(name string) string {
	if a.data == configs.Memory {
		return ""
	}
	return filepath.Join(a.data, name)
}

// nodeName is the configured name, or that of the machine.
func nodeName(c *configs.Config) string {
	if c.NodeName != "" {
		return c.NodeName
	}
	name, err := os.Hostname()
	if err != nil {
		return "hpmq"
	}
	return name
}

func newLog(w io.Writer, c configs.Log, level *slog.LevelVar) *slog.Logger {
	setLevel(level, c.Level)
	o := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// setLevel takes one of the names that configs allows.
func setLevel(level *slog.LevelVar, name string) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(name)); err == nil {
		level.Set(l)
	}
}
