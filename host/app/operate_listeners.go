package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/admin"
	"github.com/hpmq/hpmq/host/shard"
	"github.com/hpmq/hpmq/sdk/client"
)

// Listeners is admin.Listeners.
func (o *operator) Listeners(context.Context) ([]client.Listener, error) {
	o.change.Lock()
	defer o.change.Unlock()
	views := o.loops.Listeners()
	out := make([]client.Listener, 0, len(o.doors)+len(o.left))
	for _, d := range o.doors {
		out = append(out, d.view(views))
	}
	for _, d := range o.left {
		out = append(out, d.view(views))
	}
	slices.SortFunc(out, func(x, y client.Listener) int { return cmp.Compare(x.Name, y.Name) })
	return out, nil
}

// Listener is admin.Listeners.
func (o *operator) Listener(_ context.Context, name string) (client.Listener, error) {
	o.change.Lock()
	defer o.change.Unlock()
	return o.shownLocked(name)
}

func (o *operator) shownLocked(name string) (client.Listener, error) {
	d := o.doors[name]
	if d == nil {
		d = o.left[name]
	}
	if d == nil {
		return client.Listener{}, fmt.Errorf("app: listener %s: %w", name, errUnknown)
	}
	v := d.view(o.loops.Listeners())
	shown, err := d.cfg.Shown()
	v.Settings = client.Settings(shown)
	return v, err
}

// view is what an operator sees of d.
func (d *door) view(views []shard.View) client.Listener {
	v := viewOf(views, d)
	l := client.Listener{
		Name: d.name(), Bind: d.bind, State: "open", Connections: d.connections(),
		Accepted: v.Accepted, Refused: v.Refused,
		Handshakes: v.Handshakes, HandshakesFailed: v.HandshakesFailed,
		Paused: v.Paused, PausedTotal: v.PausedTotal,
	}
	if b, err := configs.ParseBind(d.bind); err == nil {
		l.Scheme = b.Scheme
	}
	if d.id != "" {
		l.State = d.how
	}
	if d.keys == nil {
		return l
	}
	s := d.keys.now.Load()
	l.Warnings = s.Warnings(time.Now())
	for _, f := range s.Files() {
		c := client.Certificate{
			File: f.Name, Subject: f.Certificate.Subject.String(),
			Issuer: f.Certificate.Issuer.String(), Names: slices.Clone(f.Certificate.DNSNames),
			NotBefore: f.Certificate.NotBefore, NotAfter: f.Certificate.NotAfter,
		}
		for _, ip := range f.Certificate.IPAddresses {
			c.Names = append(c.Names, ip.String())
		}
		l.Certificates = append(l.Certificates, c)
	}
	return l
}

// SetListener is admin.Listeners. What it makes must be as good as a listener of a configuration
// file.
func (o *operator) SetListener(ctx context.Context, s admin.Setting) (client.Listener, error) {
	if err := o.bringFor(ctx, &s); err != nil {
		return client.Listener{}, refusal(err)
	}
	o.change.Lock()
	defer o.change.Unlock()
	next, err := o.listenerLocked(&s)
	if err != nil {
		return client.Listener{}, err
	}
	c := &changeover{app: o.App, by: by, unforced: true}
	w := c.want(next)
	w.relink = w.door == nil || !reflect.DeepEqual(w.door.cfg.Link, next.Link)
	if w.relink {
		c.held, err = o.changes.machine.Reserve("a change of its settings", next.Name)
		if err != nil {
			return client.Listener{}, refusal(err)
		}
		defer c.held.Release()
	}
	if err := c.run(ctx); err != nil {
		return client.Listener{}, refusal(err)
	}
	o.log.Info("app: listener set by an operator", "listener", next.Name, "bind", next.Bind,
		"new", w.door == nil)
	return o.shownLocked(next.Name)
}

// bringFor brings the bundles of registries that settings name, before they are looked at for good.
func (o *operator) bringFor(ctx context.Context, s *admin.Setting) error {
	o.change.Lock()
	next, err := o.listenerLocked(s)
	o.change.Unlock()
	if err != nil {
		return nil // it is told when they are
	}
	return o.bring(ctx, &naming{
		o.registries.Load(), o.trust.Load(), []configs.Listener{next}, o.log,
	})
}

// listenerLocked reads settings.
func (o *operator) listenerLocked(s *admin.Setting) (configs.Listener, error) {
	base := configs.DefaultListener(s.Name, "", o.cfg.Limits)
	if d := o.doors[s.Name]; s.Change && d != nil {
		base = d.cfg
	} else if s.Change {
		return base, fmt.Errorf("app: listener %s: %w", s.Name, errUnknown)
	}
	next, err := configs.ParseListener(s.Text, base)
	if err != nil {
		return next, as(errRefused, fmt.Errorf("app: nothing has changed: %w", err))
	}
	switch {
	case s.Name != "" && next.Name != s.Name:
		return next, fmt.Errorf("app: listener %s: %w: the settings call it %s: a name stays",
			s.Name, errRefused, next.Name)
	case s.New && o.doors[next.Name] != nil:
		return next, fmt.Errorf("app: listener %s: %w: the name is taken: change "+
			"that one, or take another name", next.Name, errTaken)
	case o.doors[next.Name] == nil && len(o.doors) >= configs.ListenersMax:
		return next, fmt.Errorf("app: listener %s: %w: %d are enough", next.Name, errRefused,
			configs.ListenersMax)
	}
	if err := next.Foreign(&base); err != nil {
		return next, as(errRefused, fmt.Errorf("app: listener %s: %w", next.Name, err))
	}
	return next, nil
}

// RemoveListener is admin.Listeners.
func (o *operator) RemoveListener(ctx context.Context, name string, r client.Removal) error {
	o.change.Lock()
	defer o.change.Unlock()
	doors := o.findLocked(name)
	if len(doors) == 0 {
		return fmt.Errorf("app: listener %s: %w", name, errUnknown)
	}
	var errs []error
	if doors[0].id == "" { // then it is the only one
		held, err := o.changes.machine.Reserve("its removal", name)
		if err != nil {
			return refusal(err)
		}
		defer held.Release()
	}
	for _, d := range doors {
		f := farewellOf(&d.cfg)
		if r.Connections != "" {
			f.how = r.Connections
		}
		if r.DrainTimeout > 0 {
			f.timeout = r.DrainTimeout
		}
		o.log.Info("app: listener removed by an operator", "listener", d.name(),
			"connections", f.how)
		open := d.id == ""
		if errs = append(errs, o.retireLocked(ctx, d, f)); open {
			errs = append(errs, o.forgetChanges(d.cfg.Name, "", "the listener was removed"))
		}
	}
	return errors.Join(errs...)
}

// ReloadCertificates is admin.Listeners.
func (o *operator) ReloadCertificates(
	_ context.Context, name string,
) (client.Listener, error) {
	if err := o.reloadKeys(name); err != nil {
		return client.Listener{}, err
	}
	o.change.Lock()
	defer o.change.Unlock()
	return o.shownLocked(name)
}
