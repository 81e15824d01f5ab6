package app

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/file"
	"github.com/hpmq/hpmq/host/pulled"
	"github.com/hpmq/hpmq/host/rollout"
	"github.com/hpmq/hpmq/sdk/bundle/oci"
	"github.com/hpmq/hpmq/sdk/bundle/registry"
	"github.com/hpmq/hpmq/sdk/bundle/sign"
)

// What bounds the files that an entry of bundles.registries names.
const (
	passwordBytesMax = 4 << 10
	caBytesMax       = 1 << 20
)

// openPulled opens what is kept of registries, and brings what the configuration names and is not
// there. It may wait for a registry.
func (a *App) openPulled(ctx context.Context) error {
	if err := a.makePulled(a.dataPath("pulled"), false); err != nil {
		return err
	}
	return a.bring(ctx, &naming{&a.cfg.Bundles, a.trust.Load(), a.cfg.Listeners, a.log})
}

func (a *App) makePulled(dir string, readOnly bool) (err error) {
	cfg := pulled.Default()
	cfg.Dir, cfg.ReadOnly, cfg.BytesMax = dir, readOnly, int64(a.cfg.Bundles.PulledBytesMax)
	if dir == "" {
		cfg.BytesMax = min(cfg.BytesMax, shelfMemoryMax)
	}
	if a.pulled, err = pulled.Open(cfg); err != nil {
		return fmt.Errorf("app: %w", err)
	}
	b := a.cfg.Bundles // cfg may be another soon
	a.registries.Store(&b)
	return nil
}

// naming is a configuration, as far as it names bundles of registries.
type naming struct {
	bundles   *configs.Bundles
	trust     *sign.Policy
	listeners []configs.Listener
	log       *slog.Logger // is told what is waited for
}

// pins are the components of a configuration that are in registries, by the digest of the bundle.
// Those of one digest name where it is to be had, each reference once, in the order they stand in.
type pins map[oci.Digest][]configs.Component

// inRegistries are the pins of listeners.
func inRegistries(listeners []configs.Listener) pins {
	var all []configs.Component
	for i := range listeners {
		for _, role := range configs.Roles() {
			all = append(all, *listeners[i].Link.Role(role)...)
		}
	}
	out := make(pins)
	for _, c := range all {
		if !c.InRegistry() {
			continue
		}
		_, ref, text := c.Reference()
		digest := oci.Digest(text)
		if !slices.ContainsFunc(out[digest], func(o configs.Component) bool {
			_, other, _ := o.Reference()
			return other == ref
		}) {
			out[digest] = append(out[digest], c)
		}
	}
	return out
}

// bring sees to it that the bundles of registries that n names are kept, and verify by its trust.
// One that is kept and does is not asked for again. It may wait for as long as the registries take:
// App.change is not held.
func (a *App) bring(ctx context.Context, n *naming) error {
	named := inRegistries(n.listeners)
	var errs []error
	for digest, places := range named {
		l, d, err := a.pulled.Get(digest)
		if err == nil {
			if _, _, err = n.trust.VerifyLayout(l, d); err == nil {
				continue
			}
		}
		again := a.bringOne(ctx, n, named, places)
		if again != nil && !errors.Is(err, pulled.ErrMissing) {
			errs = append(errs, fmt.Errorf("app: bundle %s: %w", places[0].Use, err))
		}
		errs = append(errs, again)
	}
	return errors.Join(errs...)
}

// bringOne brings a bundle from the first of places that has it so that it verifies, and keeps it.
func (a *App) bringOne(
	ctx context.Context, n *naming, named pins, places []configs.Component,
) error {
	var errs []error
	for i := range places {
		use := places[i].Use
		n.log.Info("app: pulling a bundle", "from", use, "at most", n.bundles.PullTimeout.Std())
		l, d, err := pull(ctx, n, &places[i])
		if err != nil {
			errs = append(errs, fmt.Errorf("app: bundle %s: %w", use, err))
			continue
		}
		if err := a.keepPulled(l, d, named); err != nil {
			return fmt.Errorf("app: bundle %s: %w", use, err)
		}
		for _, err := range errs {
			n.log.Warn("app: a bundle was pulled from elsewhere", "from", use, "why", err)
		}
		n.log.Info("app: a bundle was pulled", "from", use)
		return nil
	}
	return errors.Join(errs...)
}

// pull answers the bundle of a component if it verifies. It may wait for the registry.
func pull(
	ctx context.Context, n *naming, c *configs.Component,
) (*oci.Layout, oci.Descriptor, error) {
	none := oci.Descriptor{}
	client, err := registryClient(n.bundles, c)
	if err != nil {
		return nil, none, err
	}
	_, ref, _ := c.Reference()
	l, d, err := client.Pull(ctx, ref)
	if err != nil {
		return nil, none, err
	}
	if _, _, err := n.trust.VerifyLayout(l, d); err != nil {
		return nil, none, err
	}
	return l, d, nil
}

// keepPulled keeps a bundle beside those that are named, or are by the listeners there are.
func (a *App) keepPulled(l *oci.Layout, d oci.Descriptor, named pins) error {
	held := a.named()
	err := a.pulled.Put(l, d, func(d oci.Digest) bool {
		_, next := named[d]
		_, now := held[d]
		return next || now
	})
	if errors.Is(err, pulled.ErrFull) {
		err = fmt.Errorf("%w: raise bundles.pulled_bytes_max and restart", err)
	}
	return err
}

// named are the bundles of registries that the listeners there are name.
func (a *App) named() pins {
	a.change.Lock()
	defer a.change.Unlock()
	return a.namedLocked()
}

func (a *App) namedLocked() pins {
	list := slices.Clone(a.cfg.Listeners) // what operators did about them is gone with a restart
	for _, d := range a.doors {
		list = append(list, d.cfg)
	}
	return inRegistries(list)
}

// sweepPulledLocked drops the bundles that no listener names any more.
func (a *App) sweepPulledLocked() {
	named := a.namedLocked()
	a.pulled.Sweep(func(d oci.Digest) bool { _, ok := named[d]; return ok })
}

// registryClient is for the registry of a component, as a configuration has it.
func registryClient(b *configs.Bundles, c *configs.Component) (*registry.Client, error) {
	cfg := registry.Default()
	cfg.TimeMax = b.PullTimeout.Std()
	host, _, _ := c.Reference()
	for i := range b.Registries {
		if r := &b.Registries[i]; strings.EqualFold(r.Host, host) {
			if err := useRegistry(&cfg, r); err != nil {
				return nil, fmt.Errorf("bundles.registries[%d]: %w", i, err)
			}
		}
	}
	return registry.New(cfg)
}

// useRegistry reads the files of an entry.
func useRegistry(cfg *registry.Config, r *configs.Registry) error {
	cfg.PlainHTTP, cfg.Username = r.PlainHTTP, r.Username
	if r.PasswordFile != "" {
		text, err := file.Read(r.PasswordFile, passwordBytesMax)
		if err != nil {
			return fmt.Errorf("password_file: %w", err)
		}
		if cfg.Password = string(bytes.TrimRight(text, "\r\n")); cfg.Password == "" {
			return fmt.Errorf("password_file: %s is empty: write the password into it",
				r.PasswordFile)
		}
	}
	if r.CA == "" {
		return nil
	}
	text, err := file.Read(r.CA, caBytesMax)
	if err != nil {
		return fmt.Errorf("ca: %w", err)
	}
	cfg.RootCAs = x509.NewCertPool()
	if !cfg.RootCAs.AppendCertsFromPEM(text) {
		return fmt.Errorf("ca: %s has no certificate: write it as PEM", r.CA)
	}
	return nil
}

// readPulled answers the component for an item of a bundle that was brought.
func (a *App) readPulled(c *configs.Component, it rollout.Item) (*rollout.Artifact, error) {
	_, _, digest := c.Reference()
	l, d, err := a.pulled.Get(oci.Digest(digest))
	if err != nil { // it was brought, and dropped by who changed the listeners meanwhile
		return nil, fmt.Errorf("%w: try again, so that it is pulled", err)
	}
	p, err := newOpened(l, d)
	if err != nil {
		return nil, err
	}
	return p.choose(it)
}
