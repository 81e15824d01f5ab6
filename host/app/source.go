package app

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/hpmq/hpmq/components"
	"github.com/hpmq/hpmq/host/rollout"
	"github.com/hpmq/hpmq/host/shelf"
)

// source is rollout.Source: what comes with the broker by its name, what was sent by NAME@DIGEST,
// and bundles of registries by HOST/NAME:TAG or HOST/NAME@DIGEST.
type source struct{ *App }

// fetched is what an artifact is beside its code.
type fetched struct {
	// shipped comes with the broker: it is linked by its name.
	shipped bool
	bundle  *fetchedBundle // nil for a .wasm
}

// Fetch is rollout.Source.
func (s source) Fetch(ctx context.Context, items []rollout.Item) ([]*rollout.Artifact, error) {
	d := delivery{source: s, opened: map[string]*openedBundle{}}
	all := make([]*rollout.Artifact, len(items))
	for i := range items {
		if items[i].Remove {
			continue
		}
		var err error
		if all[i], err = d.fetch(ctx, items[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// delivery is what one change fetches: each bundle once, however many items it serves.
type delivery struct {
	source
	opened map[string]*openedBundle // by what names it
}

func (s *delivery) fetch(ctx context.Context, it rollout.Item) (*rollout.Artifact, error) {
	if b, ok := it.More.(*brought); ok {
		return b.art, b.err
	}
	name, digest, sent := sentSource(it.Source)
	switch {
	case it.Back != nil:
		return s.fetchBack(it.Back)
	case ships(it.Source):
		code, ok := components.Default(it.Source)
		if !ok {
			return nil, fmt.Errorf("no component %q comes with the broker", it.Source)
		}
		return &rollout.Artifact{
			Pin:  rollout.Pin{Name: it.Source, Digest: shelf.DigestOf(code)},
			Code: code, More: &fetched{shipped: true},
		}, nil
	case sent:
		return s.sent(it, name, digest)
	case inRegistry(it.Source):
		return s.pull(ctx, it)
	}
	return nil, fmt.Errorf("%.200q is nothing that can be linked: name a component that comes "+
		"with the broker (%s), what was sent to the broker as NAME@sha256:…, or a bundle in a "+
		"registry as HOST/NAME:TAG", it.Source,
		strings.Join(slices.Concat(components.Names(), components.Further()), ", "))
}

// fetchBack is what was linked before. What the configuration links is read when it is linked.
func (s source) fetchBack(slot *rollout.Slot) (*rollout.Artifact, error) {
	a := &rollout.Artifact{More: &fetched{}}
	if slot.Pinned == nil {
		return a, nil
	}
	a.Pin = slot.Pinned.Pin
	if ships(slot.Pinned.Source) {
		return a, nil
	}
	if err := s.judgePlace(slot.Pinned); err != nil {
		return nil, err
	}
	_, err := s.changes.shelf.Get(a.Digest)
	return a, err
}

// sentSource takes NAME@DIGEST apart.
func sentSource(text string) (name, digest string, ok bool) {
	at := strings.LastIndex(text, "@")
	if at < 0 || strings.Contains(text, "/") || !shelf.IsDigest(text[at+1:]) {
		return "", "", false
	}
	return text[:at], text[at+1:], true
}

// inRegistry says whether text can be a reference: its first part is a host.
func inRegistry(text string) bool {
	host, _, ok := strings.Cut(strings.TrimPrefix(text, "oci://"), "/")
	return ok && host != "" && !strings.HasPrefix(host, ".") && !strings.Contains(host, `\`) &&
		!strings.HasSuffix(text, ".wasm")
}

// sent is what was sent to the broker: a .wasm, or a bundle.
func (s *delivery) sent(it rollout.Item, name, digest string) (*rollout.Artifact, error) {
	if p := s.opened[it.Source]; p != nil {
		return p.choose(it)
	}
	b, err := s.changes.shelf.Get(digest)
	if errors.Is(err, shelf.ErrMissing) {
		return nil, fmt.Errorf("%w: send it again", err)
	}
	if err != nil {
		return nil, err
	}
	if isTar(b) {
		p, err := openTar(b)
		if err != nil {
			return nil, err
		}
		s.opened[it.Source] = p
		return p.choose(it)
	}
	return &rollout.Artifact{
		Pin: rollout.Pin{Name: name, Digest: digest}, Code: b, More: &fetched{},
	}, nil
}

// Verify is rollout.Source.
func (s source) Verify(ctx context.Context, it rollout.Item, a *rollout.Artifact) error {
	f := a.More.(*fetched)
	switch {
	case f.bundle == nil && (f.shipped || it.Whole || it.Back != nil):
		return nil // it came with the broker, is in its configuration, or was linked before
	case f.bundle == nil:
		return s.admitAlone(a)
	}
	if err := s.verifyBundle(ctx, it, a, f.bundle); err != nil || it.Whole {
		return err
	}
	if b, ok := it.More.(*brought); ok && b.watched {
		if err := s.mayReplace(a); err != nil {
			return err
		}
	}
	_, err := s.keep(a.Code) // what is linked must be there after a restart
	return err
}

// sentName is what people call what they send: the file's name without its folder.
func sentName(text string) string {
	if text == "" {
		return ""
	}
	return strings.TrimSuffix(path.Base(strings.ReplaceAll(text, `\`, "/")), ".wasm")
}
