package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/sdk/bundle/sign"
)

// Reload makes the node what cfg says: listeners come, go and are linked anew. All or nothing: on
// an error the node is as it was, and says why. Listeners that operators added and that are not in
// cfg end; what changes linked to a listener stays unless its link in cfg is another. While a
// change is at work at a listener nothing is reloaded, and until Reload returns no other begins.
// What cfg makes other at the links of listeners that stay is one change by "configuration", with
// its record; as somebody wrote it down, an older version and a digest in quarantine may be in it.
// What is as it was goes on untouched.
//
// Certificate files are read again. See changeover for the order. The connections of a listener
// that stays go on, also when its address, its limits or its certificates change, by the limits
// they came in by; those of a listener that is no more are seen to as its on_remove says.
func (a *App) Reload(ctx context.Context, cfg configs.Config) error {
	trust, err := a.bringOf(ctx, &cfg)
	if err != nil {
		return err
	}
	a.change.Lock()
	defer a.change.Unlock()
	if err := restartNeeded(&a.cfg, &cfg); err != nil {
		return fmt.Errorf("app: reload: nothing has changed: %w", err)
	}
	c := &changeover{app: a, by: "configuration"}
	if c.held, err = a.changes.machine.Reserve(reloading, a.concerned(&cfg)...); err != nil {
		return fmt.Errorf("app: reload: nothing has changed: %w", err)
	}
	defer c.held.Release()
	was := a.trust.Swap(trust) // by it the bundles are judged that cfg names
	kept := make(map[string]bool)
	for i := range cfg.Listeners {
		c.want(cfg.Listeners[i])
		kept[cfg.Listeners[i].Name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(a.doors)) {
		if !kept[name] {
			c.gone = append(c.gone, a.doors[name])
		}
	}
	if err := c.do(ctx); err != nil {
		a.trust.Store(was)
		return errors.Join(fmt.Errorf("app: reload: nothing has changed: %w", err), c.undo())
	}
	a.cfg = cfg
	a.registries.Store(&cfg.Bundles)
	if a.level != nil {
		setLevel(a.level, cfg.Log.Level)
	}
	a.log.Info("app: configuration reloaded", "listeners", len(cfg.Listeners))
	err = c.commit(ctx)
	a.sweepPulledLocked()
	return errors.Join(err, a.forgetStrangers())
}

// Bring is what Reload begins with, alone: it pulls the bundles that cfg names and that are not
// kept, and may wait for registries. It changes nothing that Reload does, reserves no listener, and
// may be ended at any time: what was pulled until then is kept.
func (a *App) Bring(ctx context.Context, cfg configs.Config) error {
	_, err := a.bringOf(ctx, &cfg)
	return err
}

// bringOf answers the keys of cfg, too.
func (a *App) bringOf(ctx context.Context, cfg *configs.Config) (*sign.Policy, error) {
	err := cfg.Validate()
	if err != nil {
		return nil, fmt.Errorf("app: reload: nothing has changed: %w", err)
	}
	trust, err := trustOf(&cfg.Trust)
	if err == nil {
		err = a.bring(ctx, &naming{&cfg.Bundles, trust, cfg.Listeners, a.log})
	}
	if err != nil {
		return nil, fmt.Errorf("app: reload: nothing has changed: %w", err)
	}
	return trust, nil
}

// reloading is what changes are told that are asked for meanwhile.
const reloading = "a reload of the configuration"

// concerned are the listeners that are there, and those that cfg has.
func (a *App) concerned(cfg *configs.Config) []string {
	names := slices.Collect(maps.Keys(a.doors))
	for i := range cfg.Listeners {
		names = append(names, cfg.Listeners[i].Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// sameWatch says whether the watch over bundles stays as it is. Registries are reached by the
// configuration that names bundles in them.
func sameWatch(old, next configs.Bundles) bool {
	old.Registries, old.PullTimeout = next.Registries, next.PullTimeout
	return reflect.DeepEqual(old, next)
}

// restartNeeded names the settings that a running node cannot change.
func restartNeeded(old, next *configs.Config) error {
	var keys []string
	a, b := &old.Store, &next.Store
	for key, same := range map[string]bool{
		"data_dir":     old.DataDir == next.DataDir,
		"node_name":    old.NodeName == next.NodeName,
		"loops":        old.Loops == next.Loops,
		"sys_interval": old.SysInterval == next.SysInterval,
		"admin":        old.Admin == next.Admin,
		"wasm":         old.Wasm == next.Wasm,
		"bundles":      sameWatch(old.Bundles, next.Bundles),
		"log.format":   old.Log.Format == next.Log.Format,
		"remember":     old.Remember == next.Remember,

		"store.memory":            a.Memory == b.Memory,
		"store.interval":          a.Interval == b.Interval,
		"store.pending_bytes_max": a.PendingBytesMax == b.PendingBytesMax,
		"store.free_bytes_min":    a.FreeBytesMin == b.FreeBytesMin,
		"store.backups_max":       a.BackupsMax == b.BackupsMax,

		"input_bytes_max":       old.InputBytesMax == next.InputBytesMax,
		"sessions_max":          old.SessionsMax == next.SessionsMax,
		"queued_messages_max":   old.QueuedMessagesMax == next.QueuedMessagesMax,
		"queued_bytes_max":      old.QueuedBytesMax == next.QueuedBytesMax,
		"retained_messages_max": old.RetainedMessagesMax == next.RetainedMessagesMax,
		"retained_bytes_max":    old.RetainedBytesMax == next.RetainedBytesMax,
	} {
		if !same {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	slices.Sort(keys)
	return fmt.Errorf("%s cannot change while the broker runs: restart it",
		strings.Join(keys, ", "))
}
