package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/hpmq/hpmq/sdk/bundle"
	"github.com/hpmq/hpmq/sdk/bundle/oci"
	"github.com/hpmq/hpmq/sdk/bundle/sign"
)

// Resolve answers what a reference stands for now: HOST[:PORT]/NAME:TAG or HOST[:PORT]/NAME@DIGEST.
// Errors are *Error.
func (c *Client) Resolve(ctx context.Context, ref string) (oci.Descriptor, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.TimeMax)
	defer cancel()
	_, d, err := c.resolve(ctx, ref)
	if err != nil {
		return oci.Descriptor{}, failed("resolve", ref, err)
	}
	return ours(d), nil
}

func (c *Client) resolve(
	ctx context.Context, text string,
) (*remote.Repository, ocispec.Descriptor, error) {
	none := ocispec.Descriptor{}
	ref, err := parse(text)
	if err != nil || ref.Reference == "" {
		return nil, none, do("write HOST[:PORT]/NAME:TAG or HOST[:PORT]/NAME@sha256:…",
			"it names no bundle in a registry")
	}
	repo, err := c.repository(ref)
	if err != nil {
		return nil, none, err
	}
	d, err := repo.Resolve(ctx, ref.Reference)
	if err != nil {
		return nil, none, err
	}
	switch {
	case d.MediaType != oci.MediaTypeManifest:
		err = notBundle(fmt.Sprintf("a %.80q", d.MediaType))
	case oci.Digest(d.Digest).Check() != nil:
		err = do("push it again, with sha256", "it has the digest %.80q", d.Digest)
	case d.Size > oci.DocumentBytesMax:
		err = tooLarge("its manifest", d.Size, oci.DocumentBytesMax)
	}
	return repo, d, err
}

func notBundle(what string) error {
	return do("name a bundle, as hpmq-cli bundle push put it there", "it is %s, not a bundle", what)
}

func tooLarge(what string, have, most int64) error {
	return do("have it made smaller", "%s has %d bytes; at most %d are brought", what, have, most)
}

// Pull brings a bundle and its signatures into a layout in memory. Nothing of it is trusted yet,
// all of it is what its digests say. Errors are *Error.
func (c *Client) Pull(
	ctx context.Context, ref string,
) (*oci.Layout, oci.Descriptor, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.TimeMax)
	defer cancel()
	repo, d, err := c.resolve(ctx, ref)
	if err != nil {
		return nil, oci.Descriptor{}, failed("pull", ref, err)
	}
	p := &pull{repo: repo, layout: oci.New()}
	if err := p.bundle(ctx, d); err != nil {
		return nil, oci.Descriptor{}, failed("pull", ref, err)
	}
	if err := p.signatures(ctx, d); err != nil {
		return nil, oci.Descriptor{}, failed("pull", ref, err)
	}
	return p.layout, ours(d), nil
}

// pull is one pull.
type pull struct {
	repo   *remote.Repository
	layout *oci.Layout
	bytes  int64 // of the blobs that manifests list
}

// bundle brings the bundle that d describes.
func (p *pull) bundle(ctx context.Context, d ocispec.Descriptor) error {
	m, err := p.manifest(ctx, d)
	switch {
	case err != nil:
		return err
	case m.ArtifactType != bundle.ArtifactType:
		return notBundle(fmt.Sprintf("of the type %.80q", m.ArtifactType))
	}
	if err := p.blobs(ctx, m); err != nil {
		return err
	}
	at := ours(d)
	at.ArtifactType = m.ArtifactType
	return p.layout.List(at)
}

// errEnough ends a listing.
var errEnough = errors.New("enough")

// signatures bring those of the bundle that d describes, the first SignaturesMax. What is none, or
// is not there, is left out: whoever may write beside a bundle shall not keep it from others.
func (p *pull) signatures(ctx context.Context, d ocispec.Descriptor) error {
	var found []ocispec.Descriptor
	err := p.repo.Referrers(ctx, d, sign.SignatureType, func(some []ocispec.Descriptor) error {
		if found = append(found, some...); len(found) > SignaturesMax {
			found = found[:SignaturesMax]
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errdef.ErrNotFound) && !errors.Is(err, errEnough) {
		return fmt.Errorf("its signatures: %w", err)
	}
	for _, at := range found {
		if err := p.signature(ctx, d, at); err != nil && unanswered(ctx, err) {
			return fmt.Errorf("the signature %.80q: %w", at.Digest, err)
		}
	}
	return nil
}

// unanswered says that the registry did not tell what it has: it may be good, at another time.
func unanswered(ctx context.Context, err error) bool {
	var way *url.Error
	var answer *errcode.ErrorResponse
	switch {
	case ctx.Err() != nil, errors.As(err, &way), errors.Is(err, io.ErrUnexpectedEOF):
		return true
	case errors.As(err, &answer):
		return answer.StatusCode != http.StatusNotFound &&
			answer.StatusCode != http.StatusBadRequest
	}
	return false
}

func (p *pull) signature(ctx context.Context, d, at ocispec.Descriptor) error {
	if err := oci.Digest(at.Digest).Check(); err != nil {
		return err
	}
	if at.MediaType != oci.MediaTypeManifest || at.Size < 0 || at.Size > sign.EnvelopeBytesMax {
		return fmt.Errorf("%w: %.80q of %d bytes", oci.ErrLayout, at.MediaType, at.Size)
	}
	m, err := p.manifest(ctx, at)
	if err != nil {
		return err
	}
	if err := sign.CheckSignature(m); err != nil {
		return err
	}
	if m.Subject.Digest != oci.Digest(d.Digest) {
		return fmt.Errorf("%w: it is of %s", oci.ErrLayout, m.Subject.Digest)
	}
	if err := p.blobs(ctx, m); err != nil {
		return err
	}
	ours := ours(at)
	ours.ArtifactType = m.ArtifactType
	return p.layout.List(ours)
}

// manifest brings a manifest, of a size that was looked at, without what it lists.
func (p *pull) manifest(ctx context.Context, d ocispec.Descriptor) (*oci.Manifest, error) {
	if err := p.blob(ctx, d); err != nil {
		return nil, err
	}
	return p.layout.Manifest(ours(d))
}

// blobs brings what a manifest lists. Sizes are looked at before anything is asked for.
func (p *pull) blobs(ctx context.Context, m *oci.Manifest) error {
	all := append([]oci.Descriptor{m.Config}, m.Layers...)
	for _, b := range all {
		if err := b.Digest.Check(); err != nil {
			return err
		}
		if b.Size < 0 || b.Size > oci.BlobBytesMax {
			return tooLarge("blob "+string(b.Digest), b.Size, oci.BlobBytesMax)
		}
		if p.bytes += b.Size; p.bytes > oci.BytesMax {
			return tooLarge("all of it", p.bytes, oci.BytesMax)
		}
	}
	for _, b := range all {
		if _, err := p.layout.Blob(b); err == nil {
			continue // it was listed before
		}
		if err := p.blob(ctx, theirs(b)); err != nil {
			return err
		}
	}
	return nil
}

// blob brings one blob, of a size that was looked at.
func (p *pull) blob(ctx context.Context, d ocispec.Descriptor) error {
	b, err := content.FetchAll(asBytes(ctx), p.repo, d)
	switch {
	case errors.Is(err, content.ErrMismatchedDigest), errors.Is(err, content.ErrTrailingData):
		return do("have it pushed again: the registry's copy was changed",
			"blob %s: %w", d.Digest, oci.ErrDigest)
	case err != nil && strings.Contains(err.Error(), "mismatch Content-Length"): // has no name
		return do("have it pushed again: the registry's copy was cut short or changed",
			"blob %s: %w: it has another size", d.Digest, oci.ErrDigest)
	case errors.Is(err, errdef.ErrNotFound):
		return do("have it pushed again", "blob %s: %w", d.Digest, oci.ErrMissing)
	case err != nil:
		return fmt.Errorf("blob %s: %w", d.Digest, err)
	}
	_, err = p.layout.Add(d.MediaType, b)
	return err
}

// ours and theirs are the same descriptor in the words of both sides.
func ours(d ocispec.Descriptor) oci.Descriptor {
	return oci.Descriptor{MediaType: d.MediaType, Digest: oci.Digest(d.Digest), Size: d.Size}
}

func theirs(d oci.Descriptor) ocispec.Descriptor {
	return ocispec.Descriptor{
		MediaType: d.MediaType, Digest: digest.Digest(d.Digest), Size: d.Size,
	}
}
