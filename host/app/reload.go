package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/link"
)

// Reload makes the node what cfg says: listeners come, go and are linked anew. All or nothing: on
// an error the node is as it was, and says why. What operators added or swapped and is not in cfg
// ends.
//
// The order: each link is rehearsed, which finds what is wrong with a component while the old links
// serve. Then sockets move, then links change over, both of which can be undone. Then nothing can
// fail, and listeners that are no more drop their connections. Those of a listener that stays go
// on, also when its address or its limits change, by the limits they came in by.
func (a *App) Reload(ctx context.Context, cfg configs.Config) error {
	if err := cfg.Validate(); err != nil {
		return fmt.Errorf("app: reload: nothing has changed: %w", err)
	}
	a.change.Lock()
	defer a.change.Unlock()
	if err := restartNeeded(&a.cfg, &cfg); err != nil {
		return fmt.Errorf("app: reload: nothing has changed: %w", err)
	}
	c := &changeover{app: a, cfg: &cfg}
	if err := c.run(ctx); err != nil {
		return errors.Join(fmt.Errorf("app: reload: nothing has changed: %w", err), c.undo())
	}
	a.cfg = cfg
	if a.level != nil {
		setLevel(a.level, cfg.Log.Level)
	}
	a.log.Info("app: configuration reloaded", "listeners", len(cfg.Listeners))
	return c.dropGone(ctx)
}

// restartNeeded names the settings that a running node cannot change.
func restartNeeded(old, next *configs.Config) error {
	var keys []string
	for key, same := range map[string]bool{
		"data_dir":     old.DataDir == next.DataDir,
		"node_name":    old.NodeName == next.NodeName,
		"loops":        old.Loops == next.Loops,
		"sys_interval": old.SysInterval == next.SysInterval,
		"admin":        old.Admin == next.Admin,
		"wasm":         old.Wasm == next.Wasm,
		"log.format":   old.Log.Format == next.Log.Format,
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

// changeover is a reload at work.
type changeover struct {
	app *App
	cfg *configs.Config
	// undos bring back what was done, the last first.
	undos []func() error
	// gone are the listeners whose connections end.
	gone []string
}

// run does all that can fail.
func (c *changeover) run(ctx context.Context) error {
	specs := make([]link.Spec, len(c.cfg.Listeners))
	for i := range c.cfg.Listeners {
		l := &c.cfg.Listeners[i]
		var err error
		if specs[i], err = specOf(&l.Link); err != nil {
			return fmt.Errorf("listener %s: %w", l.Name, err)
		}
	}
	// The rehearsed modules stay compiled until the links have changed over.
	defer c.endRehearsal()
	for i := range specs {
		name := rehearsal + c.cfg.Listeners[i].Name
		if err := c.app.linker.Link(ctx, name, specs[i]); err != nil {
			return unrehearsed(err)
		}
	}
	if err := c.unbindAll(); err != nil {
		return err
	}
	for i := range specs {
		if err := c.link(ctx, &c.cfg.Listeners[i], specs[i]); err != nil {
			return err
		}
	}
	return nil
}

// rehearsal is before the name of a listener that is linked for trial and never opened. No listener
// of a configuration can have it in its name.
const rehearsal = "reload:"

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

func (c *changeover) endRehearsal() {
	for i := range c.cfg.Listeners {
		// One that was not reached is not there.
		_ = c.app.linker.Unlink(rehearsal + c.cfg.Listeners[i].Name)
	}
}

// unbindAll closes the sockets of listeners that go or are opened anew: an address can pass from
// one to another, so all let go before any takes.
func (c *changeover) unbindAll() error {
	for _, name := range slices.Sorted(maps.Keys(c.app.doors)) {
		d := c.app.doors[name]
		next := c.find(name)
		if next != nil && d.stays(next) {
			continue
		}
		old := d.cfg
		old.Bind = d.bind // a port that was free to choose is not any more
		if err := c.app.unbindLocked(name); err != nil {
			return err
		}
		c.undos = append(c.undos, func() error { return c.app.bindLocked(old) })
		if next == nil {
			c.gone = append(c.gone, name)
		}
	}
	return nil
}

// link links a listener as the new configuration says, and opens it unless it is open.
func (c *changeover) link(ctx context.Context, next *configs.Listener, spec link.Spec) error {
	linked := c.app.linked(next.Name)
	if err := c.app.linker.Link(ctx, next.Name, spec); err != nil {
		return err
	}
	c.undos = append(c.undos, func() error { return c.app.unlink(next.Name, linked) })
	if d := c.app.doors[next.Name]; d != nil {
		was := d.cfg
		d.cfg = *next
		c.undos = append(c.undos, func() error { d.cfg = was; return nil })
		return nil
	}
	if err := c.app.bindLocked(*next); err != nil {
		return err
	}
	c.undos = append(c.undos, func() error { return c.app.unbindLocked(next.Name) })
	return nil
}

func (c *changeover) find(name string) *configs.Listener {
	for i := range c.cfg.Listeners {
		if c.cfg.Listeners[i].Name == name {
			return &c.cfg.Listeners[i]
		}
	}
	return nil
}

// undo leaves the node as it was before run.
func (c *changeover) undo() error {
	var errs []error
	for _, undo := range slices.Backward(c.undos) {
		errs = append(errs, undo())
	}
	return errors.Join(errs...)
}

// dropGone ends the connections of the listeners that are no more.
func (c *changeover) dropGone(ctx context.Context) error {
	var errs []error
	for _, name := range c.gone {
		errs = append(errs, c.app.dropLocked(ctx, name))
	}
	return errors.Join(errs...)
}

// linked is true if a link of that name is in place.
func (a *App) linked(name string) bool {
	for _, v := range a.linker.Show() {
		if v.Listener == name {
			return true
		}
	}
	return false
}

// unlink undoes a Link: the link before it comes back, if there was one.
func (a *App) unlink(name string, linked bool) error {
	if !linked {
		return a.linker.Unlink(name)
	}
	for _, role := range configs.Roles() {
		r, err := link.ParseRole(role)
		if err != nil {
			return err
		}
		_, err = a.linker.Rollback(context.Background(), name, r)
		if err != nil && !errors.Is(err, link.ErrNoPrevious) {
			return err
		}
	}
	return nil
}
