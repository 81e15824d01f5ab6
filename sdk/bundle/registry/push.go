package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/hpmq/hpmq/sdk/bundle/oci"
	"github.com/hpmq/hpmq/sdk/bundle/sign"
)

// Push brings the bundle that d describes, and what signatures of it are in the layout, to
// HOST[:PORT]/NAME:TAG, and answers how many signatures that are. The tag moves last: who pulls it
// finds all of it. What the registry has already is not sent again. Where a registry lists
// signatures behind a tag, it takes half a second longer: see settledListings. Errors are *Error.
func (c *Client) Push(
	ctx context.Context, l *oci.Layout, d oci.Descriptor, ref string,
) (signatures int, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.TimeMax)
	defer cancel()
	to, err := parse(ref)
	if err != nil || to.ValidateReferenceAsTag() != nil {
		return 0, failed("push", ref, do("write HOST[:PORT]/NAME:TAG", "it names no tag"))
	}
	signatures, err = c.push(ctx, l, d, to)
	return signatures, failed("push", ref, err)
}

func (c *Client) push(
	ctx context.Context, l *oci.Layout, d oci.Descriptor, to registry.Reference,
) (int, error) {
	if _, err := sign.Of(l, d); err != nil { // all of it is there, and whole
		return 0, do("build it again, or get it again", "%w", err)
	}
	repo, err := c.repository(to)
	if err != nil {
		return 0, err
	}
	p := &push{repo: repo, layout: l, wait: c.wait}
	text, err := p.manifest(ctx, d)
	if err != nil {
		return 0, err
	}
	of, err := l.Referrers(d.Digest, sign.SignatureType)
	if err != nil {
		return 0, err
	}
	if err := p.listed(ctx, d, of); err != nil {
		return 0, err
	}
	return len(of), repo.PushReference(ctx, theirs(d), bytes.NewReader(text), to.Reference)
}

// push is one push.
type push struct {
	repo   *remote.Repository
	layout *oci.Layout
	wait   func(context.Context, time.Duration) error
}

// manifest pushes what a manifest lists, then the manifest, and answers its text.
func (p *push) manifest(ctx context.Context, d oci.Descriptor) ([]byte, error) {
	m, err := p.layout.Manifest(d)
	if err != nil {
		return nil, err
	}
	text, err := p.layout.Blob(d)
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		for _, b := range append([]oci.Descriptor{m.Config}, m.Layers...) {
			if err := p.blob(ctx, b); err != nil {
				return nil, fmt.Errorf("blob %s: %w", b.Digest, err)
			}
		}
		err = p.repo.Push(ctx, theirs(d), bytes.NewReader(text))
		if try == triesMax || !unknownBlob(err) {
			return text, err
		}
	}
}

// triesMax is how often a manifest is pushed whose blobs the registry does not know: it may forget
// one for a moment that two push at once.
const triesMax = 5

func unknownBlob(err error) bool {
	var answer *errcode.ErrorResponse
	if !errors.As(err, &answer) {
		return false
	}
	return slices.ContainsFunc(answer.Errors, func(e errcode.Error) bool {
		return e.Code == errcode.ErrorCodeManifestBlobUnknown ||
			e.Code == errcode.ErrorCodeBlobUnknown
	})
}

// blob pushes what is not there yet.
func (p *push) blob(ctx context.Context, d oci.Descriptor) error {
	blobs := p.repo.Blobs()
	there, err := blobs.Exists(ctx, theirs(d))
	if err != nil || there {
		return err
	}
	b, err := p.layout.Blob(d)
	if err != nil {
		return err
	}
	return blobs.Push(ctx, theirs(d), bytes.NewReader(b))
}
