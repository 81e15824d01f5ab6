package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"reflect"
	"slices"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/cert"
	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/host/rollout"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// changeover makes the listeners what is wanted, all or nothing. App.change is held.
//
//	read → link what is new → change what stays: [… → tested → sockets → committed → …] → commit
//
// read looks at files while the old serve. What is new is linked before anybody can connect to it.
// What changes at the links of listeners that stay is one change of the machine; when that has come
// to its commit, sockets are made way for, opened and updated. Whatever fails, all of it is undone
// in the reverse order. An old socket is closed by commit, after the new one was opened, unless it
// is in the way of a new one.
type changeover struct {
	app   *App
	by    string
	wants []*want
	// gone are the doors that go; commit retires them.
	gone []*door
	// fresh is the start of the node: nothing stays, and what changes linked is no must.
	fresh bool
	// unforced takes no older version, and nothing that is in quarantine: nobody wrote it down.
	unforced bool
	// held keeps other changes away from what stays and is linked anew.
	held    *rollout.Reservation
	open    []io.Closer
	undos   []func() error
	commits []func() error
}

// want is one listener as it is to be.
type want struct {
	next configs.Listener
	door *door // nil if it is new
	// fresh is its door then.
	fresh *door
	// lost is true if the path of its unix socket leads elsewhere by now.
	lost   bool
	relink bool
	spec   link.Spec
	// base is the link of the configuration, plain its spec where changes are linked over it: over.
	base  rollout.Base
	plain link.Spec
	over  rollout.Linked
	// gone are roles of which what changes linked cannot be linked any more, with what is instead.
	gone map[string]retreat
	// outdated is what changes linked over what was configured before.
	outdated rollout.Linked
	// stays is why a change that is not linked everywhere does not go back here.
	stays error
	// settled says that the end of a change has it on record.
	settled bool
	sought  map[string][]sought // by role, those of the configuration; with over once it is linked
	redact  link.Spec           // nil if nothing redacts its message log
	keys    *cert.Store         // nil without TLS
}

// want adds a listener.
func (c *changeover) want(next configs.Listener) *want {
	w := &want{next: next, door: c.app.doors[next.Name], relink: true}
	w.lost = w.door != nil && w.door.lost()
	c.wants = append(c.wants, w)
	return w
}

// moves is true if w needs a socket that is not there.
func (w *want) moves() bool { return w.door == nil || w.lost || !w.door.stays(&w.next) }

// run does all that can fail, then commits. After an error nothing has changed; a second error says
// that it could not be undone.
func (c *changeover) run(ctx context.Context) error {
	if err := c.do(ctx); err != nil {
		return errors.Join(err, c.undo())
	}
	return c.commit(ctx)
}

func (c *changeover) do(ctx context.Context) error {
	defer c.close()
	if err := c.read(ctx); err != nil {
		return err
	}
	for _, w := range c.wants {
		if w.door != nil {
			continue
		}
		c.app.added++
		w.fresh = &door{cfg: w.next, n: c.app.added, key: c.app.linkKeyLocked(w.next.Name)}
		if err := c.link(ctx, w, w.fresh); err != nil {
			return err
		}
	}
	if c.fresh && c.app.changes != nil {
		if err := c.whole(ctx); err != nil {
			return err
		}
	}
	return c.relink(ctx)
}

func (c *changeover) close() {
	for _, l := range c.open {
		_ = l.Close() // it was read
	}
}

// sockets opens and updates what is wanted, with what goes with it.
func (c *changeover) sockets(ctx context.Context) error {
	if err := c.makeWay(); err != nil {
		return err
	}
	for _, w := range c.wants {
		if err := c.apply(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// read looks at the files that listeners name. All that is wrong is told at once.
func (c *changeover) read(ctx context.Context) error {
	var errs []error
	for _, w := range c.wants {
		var err error
		if err = c.readLink(ctx, w); err != nil {
			errs = append(errs, fmt.Errorf("app: listener %s: %w", w.next.Name, err))
		}
		if w.redact, err = redactor(&w.next); err != nil {
			errs = append(errs, fmt.Errorf("app: listener %s: log: %w", w.next.Name, err))
		}
		if w.keys, err = readKeys(&w.next); err != nil {
			errs = append(errs, err)
		}
		if w.lost {
			errs = append(errs, probeNext(&w.next))
		}
	}
	return errors.Join(errs...)
}

// readLink finds what w is to be linked to: what the configuration says, with what changes linked
// over it.
func (c *changeover) readLink(ctx context.Context, w *want) (err error) {
	a := c.app
	if !w.relink {
		return nil
	}
	if w.base, err = baseOf(&w.next.Link); err != nil {
		return err
	}
	if err := c.readConfigured(ctx, w); err != nil {
		return err
	}
	over, ok := a.committed(w.next.Name, w.base)
	if !ok {
		w.outdated = over
		return nil
	}
	w.plain, w.over = w.spec, over
	w.over.Chains = maps.Clone(over.Chains)
	return c.overlay(w)
}

// readConfigured finds what the configuration links.
func (c *changeover) readConfigured(ctx context.Context, w *want) (err error) {
	w.sought = make(map[string][]sought)
	for _, role := range configs.Roles() {
		for i := range *w.next.Link.Role(role) {
			s, err := c.bring(w, role, &(*w.next.Link.Role(role))[i])
			if err != nil {
				return err
			}
			w.sought[role] = append(w.sought[role], s)
		}
	}
	if w.spec, err = specOf(&w.next.Link); err == nil && w.door == nil {
		err = c.openBundles(ctx, w)
	}
	return err
}

// makeWay closes the sockets of listeners that go or move where a new one wants to listen: an
// address can pass from one to another, so all let go before any takes.
func (c *changeover) makeWay() error {
	for _, d := range c.leaving() {
		blocked := func(w *want) bool { return w.moves() && inTheWay(d, w) }
		if !slices.ContainsFunc(c.wants, blocked) {
			continue
		}
		was := d.cfg
		was.Bind = d.bind // a port that was free to choose is not any more
		if err := c.app.closeSocketLocked(d); err != nil {
			return err
		}
		c.undos = append(c.undos, func() error { return c.app.openSocketLocked(d, &was) })
	}
	return nil
}

// leaving are the doors whose socket is not wanted any more.
func (c *changeover) leaving() []*door {
	out := slices.Clone(c.gone)
	for _, w := range c.wants {
		if w.door != nil && w.moves() {
			out = append(out, w.door)
		}
	}
	return out
}

// inTheWay is true if w cannot be opened before the socket of d is closed. Where a name leads only
// the system knows.
func inTheWay(d *door, w *want) bool {
	old, err := configs.ParseBind(d.bind)
	next, otherErr := configs.ParseBind(w.next.Bind)
	if err != nil || otherErr != nil {
		return true
	}
	named := old.Port != 0 && old.Port == next.Port && (isName(old.Host) || isName(next.Host))
	return named || old.Overlaps(next)
}

func isName(host string) bool {
	_, err := netip.ParseAddr(host)
	return host != "" && err != nil
}

// apply opens a listener that is linked, or changes it.
func (c *changeover) apply(ctx context.Context, w *want) error {
	a, d := c.app, w.door
	if d == nil {
		d = w.fresh
	}
	if err := c.relinkRedactor(ctx, w, d); err != nil {
		return err
	}
	if w.keys != nil && d.keys == nil {
		d.keys = new(keys)
		d.keys.now.Store(w.keys)
		c.undos = append(c.undos, func() error { d.keys = nil; return nil })
	}
	if err := c.place(w, d); err != nil {
		return err
	}
	if w.door == nil {
		a.doors[w.next.Name] = d
		c.undos = append(c.undos, func() error { delete(a.doors, w.next.Name); return nil })
	}
	c.commits = append(c.commits, func() error {
		d.cfg = w.next
		a.useKeys(d, w.keys)
		if !w.relink {
			return nil
		}
		a.places.set(w.next.Name, located{key: d.key, base: w.base, link: w.next.Link})
		c.marked(w, d)
		return c.said(w)
	})
	return nil
}

// link links a listener that nobody can connect to yet.
func (c *changeover) link(ctx context.Context, w *want, d *door) error {
	if err := c.linkTo(ctx, w, d); err != nil {
		return err
	}
	c.undos = append(c.undos, func() error { return c.app.linker.Unlink(d.key) })
	return nil
}

// linkTo links what w is to be linked to, or what it goes back to.
func (c *changeover) linkTo(ctx context.Context, w *want, d *door) error {
	a := c.app
	err := a.linker.Link(ctx, d.key, w.spec)
	for err != nil && len(w.over.Chains) > 0 && ctx.Err() == nil {
		c.relent(w, err)
		if err := c.overlay(w); err != nil {
			return err
		}
		err = a.linker.Link(ctx, d.key, w.spec)
	}
	if err != nil {
		return renamed(err, d.key, w.next.Name)
	}
	return nil
}

// place opens the socket of d, or changes what it offers.
func (c *changeover) place(w *want, d *door) error {
	a, was := c.app, *d
	if !w.moves() {
		if !offersOther(&d.cfg, &w.next) {
			return nil
		}
		if err := a.updateLocked(d, &w.next); err != nil {
			return err
		}
		c.undos = append(c.undos, func() error { return a.updateLocked(d, &was.cfg) })
		return nil
	}
	if err := a.openSocketLocked(d, &w.next); err != nil {
		return err
	}
	c.undos = append(c.undos, func() error {
		err := a.closeSocketLocked(d)
		if w.door == nil { // who got in meanwhile has no link in a moment
			err = errors.Join(err, a.tellAll(d.tell(mqtt.AdministrativeAction, 1)))
		}
		d.socket, d.bind, d.opened, d.file = was.socket, was.bind, was.opened, was.file
		if n := len(was.eras); n > 0 {
			a.loops.note(d.key, was.eras[n-1].kernels)
		}
		return err
	})
	if was.socket != "" {
		c.commits = append(c.commits, func() error {
			return a.loops.RemoveListener(was.socket, false)
		})
	}
	return nil
}

// offersOther is true if the gate or the kernels must be told of what is new.
func offersOther(old, next *configs.Listener) bool {
	return old.Limits != next.Limits || !reflect.DeepEqual(old.Secure, next.Secure) ||
		!reflect.DeepEqual(old.Log, next.Log) ||
		!reflect.DeepEqual(old.WebSocket, next.WebSocket) ||
		!reflect.DeepEqual(old.Proxy, next.Proxy)
}

// commit lets go of what is no more.
func (c *changeover) commit(ctx context.Context) error {
	var errs []error
	if c.fresh {
		errs = append(errs, c.settle())
	}
	for _, do := range c.commits {
		errs = append(errs, do())
	}
	for _, d := range c.gone {
		errs = append(errs, c.app.retireLocked(ctx, d, farewellOf(&d.cfg)))
	}
	return errors.Join(errs...)
}

// undo leaves the node as it was before run.
func (c *changeover) undo() error {
	var errs []error
	for _, undo := range slices.Backward(c.undos) {
		errs = append(errs, undo())
	}
	return errors.Join(errs...)
}
