package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/file"
	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/host/rollout"
	"github.com/hpmq/hpmq/sdk/bundle"
	"github.com/hpmq/hpmq/sdk/bundle/oci"
)

// openedBundle is a bundle as it came, with what is known of it by now. One change has it.
type openedBundle struct {
	*bundle.Bundle
	layout     *oci.Layout
	signers    *signers
	understood bool
	casesRead  bool
}

// fetchedBundle is a component with the bundle it came in.
type fetchedBundle struct {
	*openedBundle
	component *bundle.Component
}

// isTar says whether b can be the tar of a bundle: a .wasm never is.
func isTar(b []byte) bool {
	const magicAt, magic = 257, "ustar"
	return len(b) > magicAt+len(magic) && string(b[magicAt:magicAt+len(magic)]) == magic
}

// pull brings a bundle from a registry.
func (s *delivery) pull(ctx context.Context, it rollout.Item) (*rollout.Artifact, error) {
	if p := s.opened[it.Source]; p != nil {
		return p.choose(it)
	}
	named := configs.Component{Use: it.Source}
	c, err := registryClient(s.registries.Load(), &named)
	if err != nil {
		return nil, err
	}
	_, ref, _ := named.Reference()
	l, d, err := c.Pull(ctx, ref)
	if err != nil {
		return nil, err
	}
	p, err := newOpened(l, d)
	if err != nil {
		return nil, err
	}
	s.opened[it.Source] = p
	return p.choose(it)
}

func openTar(b []byte) (*openedBundle, error) {
	l, err := oci.ReadTar(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	d, err := bundle.Find(l, "")
	if err != nil {
		return nil, err
	}
	return newOpened(l, d)
}

// newOpened reads no schema and no golden case: nobody vouched for it yet.
func newOpened(l *oci.Layout, d oci.Descriptor) (*openedBundle, error) {
	b, err := bundle.Take(l, d)
	return &openedBundle{Bundle: b, layout: l}, err
}

// choose answers the component for an item.
func (p *openedBundle) choose(it rollout.Item) (*rollout.Artifact, error) {
	c, err := chooseComponent(p.Bundle, it.Role, it.Component)
	if err != nil {
		return nil, err
	}
	return &rollout.Artifact{
		Pin: rollout.Pin{Name: c.Name, Version: p.Version, Digest: string(c.Digest),
			Bundle: string(p.Digest)},
		Code: p.Content(c.Digest),
		More: &fetched{bundle: &fetchedBundle{openedBundle: p, component: c}},
	}, nil
}

// understand reads what the bundle says, once.
func (p *openedBundle) understand(ctx context.Context) error {
	if p.understood {
		return nil
	}
	err := p.Understand(ctx)
	p.understood = err == nil
	return err
}

// readCases reads the golden cases, once.
func (p *openedBundle) readCases(ctx context.Context) error {
	if p.casesRead {
		return nil
	}
	err := p.ReadCases(ctx)
	p.casesRead = err == nil
	return err
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
		return nil, fmt.Errorf("%s: none is %s as %s: name another component, or "+
			"link it in its own role", has, name, role)
	case len(found) == 0:
		return nil, fmt.Errorf("%s: none serves as %s: link it in the role it is made "+
			"for, or take another bundle", has, role)
	}
	return nil, fmt.Errorf("%s: name one of them as component of the change; a "+
		"link of the configuration takes a bundle with one in a role", has)
}

// openBundles puts the bundles that the configuration of w names into its spec, as a change would
// be verified and tested, and looks whether all it names may be linked.
func (c *changeover) openBundles(ctx context.Context, w *want) error {
	for role, refs := range w.spec {
		for i, s := range w.sought[role.String()] {
			var err error
			named := configs.Component{Use: refs[i].Use}
			what := named.Use
			if isBundle(named.Use) || named.InRegistry() {
				what = "bundle " + named.Use
				err = c.app.openBundle(ctx, &s, &refs[i])
			}
			if err == nil && c.unforced {
				err = c.app.admits(s.digest)
			}
			if err != nil {
				return fmt.Errorf("%s: %s: %w", role, what, err)
			}
		}
	}
	return nil
}

// admits refuses what is in quarantine for the settings of a new listener.
func (a *App) admits(digest string) error {
	err := a.changes.machine.Admits(digest)
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w; add the listener without it, and link it by a change with force if it "+
		"may be linked all the same", err)
}

// isBundle says whether use is the path of a bundle: a .tar, or a folder.
func isBundle(use string) bool {
	if c := (configs.Component{Use: use}); !c.IsPath() {
		return false
	}
	info, err := os.Stat(use)
	return strings.HasSuffix(use, ".tar") || err == nil && info.IsDir()
}

// openLayout opens a folder or a regular file: opening a pipe waits for whoever writes into it.
func openLayout(path string) (*oci.Layout, error) {
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		err = file.Check(path)
	}
	if err != nil {
		return nil, err
	}
	return oci.Open(path)
}

// readBundle answers the component for an item of the bundle in a file or folder. The layout must
// be closed.
func readBundle(path string, it rollout.Item) (*rollout.Artifact, io.Closer, error) {
	l, err := openLayout(path)
	if err != nil {
		return nil, nil, err
	}
	d, err := bundle.Find(l, "")
	if err != nil {
		return nil, l, err
	}
	p, err := newOpened(l, d)
	if err != nil {
		return nil, l, err
	}
	art, err := p.choose(it)
	return art, l, err
}

func (a *App) openBundle(ctx context.Context, s *sought, ref *link.Ref) error {
	got := s.item.More.(*brought)
	if got.err != nil {
		return got.err
	}
	if err := (source{a}).Verify(ctx, s.item, got.art); err != nil {
		return err
	}
	if err := (golden{a}).Test(ctx, s.item, got.art); err != nil {
		return err
	}
	art := got.art
	ref.Config, ref.Limits = art.Config, link.Limits(art.Limits)
	ref.Use, ref.Code, ref.Vouched = art.Name, art.Code, art.Vouched
	inBundle(ref, &art.Pin)
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

// verifyBundle admits a bundle, reads what it says, and holds the configuration that it will have
// against its schema.
func (s source) verifyBundle(
	ctx context.Context, it rollout.Item, a *rollout.Artifact, b *fetchedBundle,
) (err error) {
	if err := s.admit(a, b); err != nil {
		return err
	}
	if err := b.understand(ctx); err != nil {
		return err
	}
	under := s.inPlace(it)
	a.Limits = s.limits(it, under, b)
	if !s.passed(b, a) { // else nobody asks them
		if err := b.readCases(ctx); err != nil {
			return err
		}
	}
	config, kept := it.Config, ""
	if config == nil && under != nil {
		config, kept = under.Config, "what it is configured with stays, and "
	}
	if a.Config, err = configured(b, config); err != nil && kept != "" && config != nil {
		err = fmt.Errorf("%s%s %s does not take that: %w; give it another configuration with the "+
			"change", kept, b.component.Name, b.Version, err)
	}
	return err
}

// inPlace is how the component is linked whose place an item takes, nil if there is none, or
// nothing of it stays. Its limits are only those that the configuration has.
func (s source) inPlace(it rollout.Item) *rollout.Settings {
	at, err := s.places.find(it.Listener)
	if err != nil || it.Whole {
		return nil
	}
	var out rollout.Settings
	entries, from := *at.link.Role(it.Role), it.Position
	if over, ok := s.committed(it.Listener, at.base); ok {
		if chain, changed := over.Chains[it.Role]; changed && it.Position < len(chain) {
			if from = chain[it.Position].From; chain[it.Position].Pinned != nil {
				out = chain[it.Position].Pinned.Settings
			}
		} else if changed {
			return nil
		}
	}
	out.Limits = rollout.Limits{}
	if from < 0 || from >= len(entries) {
		return &out
	}
	if out.Limits = rollout.Limits(entryLimits(&entries[from])); out.Config == nil {
		out.Config, _ = jsonOf(entries[from].Config) // it was linked
	}
	return &out
}

// limits are those of an item: its own, those of its entry in the configuration, those that the
// bundle asks for below the broker's, or the broker's.
func (s source) limits(it rollout.Item, under *rollout.Settings, b *fetchedBundle) rollout.Limits {
	most := rollout.Limits(s.bounds.Limits)
	switch it.Role {
	case configs.Authenticator:
		most = rollout.Limits(s.bounds.AuthLimits)
	case configs.Worker:
		most = rollout.Limits(s.bounds.WorkerLimits)
	}
	wish, out := b.component.Limits, it.Limits
	if under != nil {
		out.Fuel = cmp.Or(out.Fuel, under.Limits.Fuel)
		out.MemoryBytesMax = cmp.Or(out.MemoryBytesMax, under.Limits.MemoryBytesMax)
	}
	lower := func(wish, most uint64) uint64 {
		if wish == 0 || wish >= most {
			return 0
		}
		return wish
	}
	out.Fuel = cmp.Or(out.Fuel, lower(wish.Fuel, most.Fuel))
	out.StartFuel = cmp.Or(out.StartFuel, lower(wish.StartFuel, most.StartFuel))
	out.DepthMax = cmp.Or(out.DepthMax, uint32(lower(uint64(wish.DepthMax), uint64(most.DepthMax))))
	out.MemoryBytesMax = cmp.Or(out.MemoryBytesMax,
		uint32(lower(wish.MemoryBytesMax, uint64(most.MemoryBytesMax))))
	if out == (rollout.Limits{}) {
		out.Fuel = most.Fuel // not those of the version before
	}
	return out
}
