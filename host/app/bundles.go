package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/file"
	"github.com/hpmq/hpmq/host/rollout"
	"github.com/hpmq/hpmq/sdk/bundle"
	"github.com/hpmq/hpmq/sdk/bundle/oci"
	"github.com/hpmq/hpmq/sdk/bundle/registry"
	"github.com/hpmq/hpmq/sdk/bundle/sign"
)

// fetchedBundle is a component with the bundle it came in.
type fetchedBundle struct {
	*bundle.Bundle
	component *bundle.Component
	layout    *oci.Layout
}

// isTar says whether b can be the tar of a bundle: a .wasm never is.
func isTar(b []byte) bool {
	const magicAt, magic = 257, "ustar"
	return len(b) > magicAt+len(magic) && string(b[magicAt:magicAt+len(magic)]) == magic
}

// pull brings a bundle from a registry.
func (s source) pull(ctx context.Context, it rollout.Item) (*rollout.Artifact, error) {
	c, err := registry.New(registry.Default())
	if err != nil {
		return nil, err
	}
	l, d, err := c.Pull(ctx, strings.TrimPrefix(it.Source, "oci://"))
	if err != nil {
		return nil, err
	}
	return fromBundle(it, l, d)
}

func (s source) openTar(it rollout.Item, b []byte) (*rollout.Artifact, error) {
	l, err := oci.ReadTar(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	d, err := bundle.Find(l, "")
	if err != nil {
		return nil, err
	}
	return fromBundle(it, l, d)
}

func fromBundle(
	it rollout.Item, l *oci.Layout, d oci.Descriptor,
) (*rollout.Artifact, error) {
	b, err := bundle.Read(l, d)
	if err != nil {
		return nil, err
	}
	c, err := chooseComponent(b, it.Role, it.Component)
	if err != nil {
		return nil, err
	}
	return &rollout.Artifact{
		Pin: rollout.Pin{Name: c.Name, Version: b.Version, Digest: string(c.Digest),
			Bundle: string(b.Digest)},
		Code: b.Content(c.Digest),
		More: &fetched{bundle: &fetchedBundle{Bundle: b, component: c, layout: l}},
	}, nil
}

// chooseComponent answers the component of that role, and of that name if there is one.
func chooseComponent(b *bundle.Bundle, role, name string) (*bundle.Component, error) {
	var all []string
	var found []*bundle.Component
	for i := range b.Components {
		c := &b.Components[i]
		all = append(all, c.Name+" as "+c.Role)
		if (role == "" || c.Role == role) && (name == "" || c.Name == name) {
			found = append(found, c)
		}
	}
	has := fmt.Sprintf("bundle %s %s has %s", b.Name, b.Version, strings.Join(all, ", "))
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0 && name != "":
		return nil, fmt.Errorf("%s: none is %s as %s", has, name, role)
	case len(found) == 0:
		return nil, fmt.Errorf("%s: none serves as %s", has, role)
	}
	return nil, fmt.Errorf("%s: name one of them as component", has)
}

// verifyBundle asks who vouches for a bundle, whether this broker has what it needs, and whether
// its schema admits the configuration.
func (s source) verifyBundle(
	it rollout.Item, a *rollout.Artifact, b *fetchedBundle,
) error {
	_, verdict, err := s.trust.Load().VerifyLayout(b.layout, b.Descriptor)
	if err != nil {
		return err
	}
	a.Key = verdict.Key
	for _, r := range b.Requires {
		if !s.linker.Serves(r) {
			return fmt.Errorf("bundle %s %s requires %s, which this broker does not have: update "+
				"the broker, or take a bundle that was made for it", b.Name, b.Version, r)
		}
	}
	config := it.Config
	if config == nil {
		if s.taken(it) {
			return nil // what is in place stays; who is configured with it says whether it fits
		}
		config = b.component.Defaults
	}
	schema := b.Schema(b.component)
	if schema == nil {
		a.Config = config
		return nil
	}
	a.Config, err = schema.Fill(config)
	return err
}

// vouches says whether a key may ship components of a name. Who may ship a bundle of one name may
// put a component of another into it, but not in the place of one of the broker's own.
func (a *App) vouches(key, name string) bool {
	if key == "" {
		return false
	}
	for _, k := range a.trust.Load().Keys {
		if k.Name == key {
			return sign.Matches(k.Names, name)
		}
	}
	return false
}

// taken says whether there is a component in the place.
func (s source) taken(it rollout.Item) bool {
	at, err := s.places.find(it.Listener)
	if err != nil {
		return false
	}
	for _, v := range s.linker.Show() {
		for _, c := range v.Components {
			if v.Listener == at.key && c.Role.String() == it.Role && c.Position == it.Position {
				return true
			}
		}
	}
	return false
}

// trustOf reads the keys of a configuration.
func trustOf(t *configs.Trust) (*sign.Policy, error) {
	p := &sign.Policy{Unsigned: slices.Clone(t.Unsigned)}
	var errs []error
	for i := range t.Keys {
		k := &t.Keys[i]
		text := []byte(k.Key)
		if k.IsPath() {
			var err error
			if text, err = file.Read(k.Key, sign.KeyBytesMax); err != nil {
				errs = append(errs, fmt.Errorf("app: trust: key %s: %w", k.Name, err))
				continue
			}
		}
		if err := p.Add(k.Name, text, k.Names); err != nil {
			errs = append(errs, fmt.Errorf("app: trust: %w", err))
		}
	}
	return p, errors.Join(errs...)
}
