package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/file"
	"github.com/hpmq/hpmq/host/link"
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

// openBundles reads the bundles that a configuration names by path, into spec. Their golden cases
// are not asked: a start is to be fast, and hpmq-cli bundle inspect has them.
func (a *App) openBundles(spec link.Spec) error {
	for role, refs := range spec {
		for i := range refs {
			if !isBundle(refs[i].Use) {
				continue
			}
			if err := a.openBundle(role, &refs[i]); err != nil {
				return fmt.Errorf("%s: bundle %s: %w", role, refs[i].Use, err)
			}
		}
	}
	return nil
}

// isBundle says whether use is the path of a bundle: a .tar, or a folder.
func isBundle(use string) bool {
	if c := (configs.Component{Use: use}); !c.IsPath() {
		return false
	}
	info, err := os.Stat(use)
	return strings.HasSuffix(use, ".tar") || err == nil && info.IsDir()
}

func (a *App) openBundle(role link.Role, ref *link.Ref) error {
	l, err := oci.Open(ref.Use)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }() // it was read
	d, err := bundle.Find(l, "")
	if err != nil {
		return err
	}
	art, err := fromBundle(rollout.Item{Role: role.String()}, l, d)
	if err != nil {
		return err
	}
	b := art.More.(*fetched).bundle
	if err := a.admit(art, b); err != nil {
		return err
	}
	if ref.Config, err = configured(b, ref.Config); err != nil {
		return err
	}
	ref.Use, ref.Code, ref.Vouched = art.Name, art.Code, a.vouches(art.Key, art.Name)
	return nil
}

// configured is what a component gets to read: config with the defaults of its schema, or its own.
func configured(b *fetchedBundle, config json.RawMessage) (json.RawMessage, error) {
	if config == nil {
		config = b.component.Defaults
	}
	schema := b.Schema(b.component)
	if schema == nil {
		return config, nil
	}
	return schema.Fill(config)
}

// verifyBundle admits a bundle and holds the configuration against its schema.
func (s source) verifyBundle(
	it rollout.Item, a *rollout.Artifact, b *fetchedBundle,
) (err error) {
	if err := s.admit(a, b); err != nil {
		return err
	}
	if it.Config == nil && s.taken(it) {
		return nil // what is in place stays; who is configured with it says whether it fits
	}
	a.Config, err = configured(b, it.Config)
	return err
}

// admit asks who vouches for a bundle, and whether this broker has what it needs.
func (a *App) admit(art *rollout.Artifact, b *fetchedBundle) error {
	_, verdict, err := a.trust.Load().VerifyLayout(b.layout, b.Descriptor)
	if err != nil {
		return err
	}
	art.Key = verdict.Key
	for _, r := range b.Requires {
		if !a.linker.Serves(r) {
			return fmt.Errorf("bundle %s %s requires %s, which this broker does not have: update "+
				"the broker, or take a bundle that was made for it", b.Name, b.Version, r)
		}
	}
	return nil
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
