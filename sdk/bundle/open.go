package bundle

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hpmq/hpmq/host/zstd"
	"github.com/hpmq/hpmq/sdk/bundle/oci"
	"github.com/hpmq/hpmq/sdk/bundle/spdx"
	"github.com/hpmq/hpmq/sdk/cases"
	"github.com/hpmq/hpmq/sdk/schema"
	"github.com/hpmq/hpmq/sdk/section"
)

// Open opens the one bundle of a layout, a folder or a tar. Errors are ErrBundle, oci.ErrLayout,
// oci.ErrDigest, oci.ErrMissing, or of the file system. It reads all of it.
func Open(path string) (*Bundle, error) {
	l, err := oci.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = l.Close() }()
	d, err := Find(l, "")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	b, err := Read(l, d)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

// Find is the bundle of a layout whose digest or version, as index.json says it, is ref; without
// one, the only bundle there is.
func Find(l *oci.Layout, ref string) (oci.Descriptor, error) {
	var all, found []oci.Descriptor
	for _, d := range l.Manifests() {
		named := ref == "" || string(d.Digest) == ref || d.Annotations[oci.AnnotationRefName] == ref
		m, err := l.Manifest(d)
		if err != nil && named {
			return d, err
		}
		if err != nil || m.ArtifactType != ArtifactType {
			continue
		}
		all = append(all, d)
		// One that has two tags is listed twice.
		if named && !slices.ContainsFunc(found,
			func(o oci.Descriptor) bool { return o.Digest == d.Digest }) {
			found = append(found, d)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return oci.Descriptor{}, fmt.Errorf("bundle: %w: there are %d in the layout: name the "+
			"digest of one, or keep each in a layout of its own: %s", ErrBundle, len(found),
			listed(found))
	case ref != "" && len(all) > 0:
		return oci.Descriptor{}, fmt.Errorf("bundle: %w: there is no %.80s in the layout, but %s",
			ErrBundle, ref, listed(all))
	}
	return oci.Descriptor{}, fmt.Errorf("bundle: %w: the layout holds none: make one with "+
		"hpmq-cli bundle build", ErrBundle)
}

// listed are bundles of a layout, for people: some, if they are many.
func listed(all []oci.Descriptor) string {
	const most = 8
	var words []string
	for i, d := range all {
		if i == most {
			words = append(words, fmt.Sprintf("and %d more", len(all)-most))
			break
		}
		word := string(d.Digest)
		if tag := d.Annotations[oci.AnnotationRefName]; tag != "" {
			word = fmt.Sprintf("%s (%.80s)", word, tag)
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

// Read reads the bundle that d describes: all of it, checked.
func Read(l *oci.Layout, d oci.Descriptor) (*Bundle, error) {
	b, err := Take(l, d)
	if err != nil {
		return nil, err
	}
	if err := b.Understand(context.Background()); err != nil {
		return b, err
	}
	return b, b.ReadCases(context.Background())
}

// Take reads the bundle that d describes: its manifest, which is checked, and its layers, which are
// what their digests say. What they hold is not looked at: who vouches for the bundle is asked
// before a stranger's is. Schema answers nothing before Understand, Cases before ReadCases.
func Take(l *oci.Layout, d oci.Descriptor) (*Bundle, error) {
	m, err := l.Manifest(d)
	if err != nil {
		return nil, err
	}
	b := &Bundle{
		Digest: d.Digest, Descriptor: d, content: map[oci.Digest][]byte{},
		schemas: map[oci.Digest]*schema.Schema{}, cases: map[oci.Digest][]cases.Case{},
	}
	if err := b.readManifest(l, m); err != nil {
		return nil, err
	}
	if err := b.readLayers(l, m.Layers); err != nil {
		return nil, err
	}
	return b, nil
}

func (b *Bundle) readManifest(l *oci.Layout, m *oci.Manifest) error {
	if m.ArtifactType != ArtifactType || m.Config.MediaType != MediaTypeConfig {
		return fmt.Errorf("bundle: %w: it is of type %.80q, config %.80q; want %s, %s: was it "+
			"made by hpmq-cli bundle build?", ErrBundle, m.ArtifactType, m.Config.MediaType,
			ArtifactType, MediaTypeConfig)
	}
	if m.Config.Size > ManifestBytesMax {
		return fmt.Errorf("bundle: %w: its manifest has %d bytes; at most %d are read", ErrBundle,
			m.Config.Size, ManifestBytesMax)
	}
	text, err := l.Blob(m.Config)
	if err != nil {
		return err
	}
	if err := oci.CheckDocument(text); err != nil {
		return fmt.Errorf("bundle: %w: its manifest: %w; %s", ErrBundle, err, rebuild)
	}
	if err := strictly(text, &b.Manifest); err != nil {
		return fmt.Errorf("bundle: %w: its manifest: %w (a newer hpmq-cli may have made it)",
			ErrBundle, err)
	}
	if err := b.Validate(); err != nil {
		return fmt.Errorf("bundle: %w: its manifest: %w", ErrBundle, err)
	}
	return nil
}

// readLayers reads what the manifest names, and refuses what it does not.
func (b *Bundle) readLayers(l *oci.Layout, layers []oci.Descriptor) error {
	wanted, left := b.digests(), int64(BytesMax)
	for _, d := range layers {
		layer, err := describe(d)
		if err != nil {
			return fmt.Errorf("bundle: %w: layer %s: %w; %s", ErrBundle, d.Digest, err, rebuild)
		}
		switch want, ok := wanted[layer.Digest]; {
		case !ok:
			err = errors.New("the manifest does not name it, or it is there twice")
		case want != layer.MediaType:
			err = fmt.Errorf("it is of type %.80q; want %s", layer.MediaType, want)
		case layer.Size > left:
			err = fmt.Errorf("all layers together have more than %d bytes", BytesMax)
		}
		if err != nil {
			return fmt.Errorf("bundle: %w: layer %.80q: %w; %s", ErrBundle, layer.Title, err,
				rebuild)
		}
		packed, err := l.Blob(d)
		if err != nil {
			return fmt.Errorf("bundle: layer %.80q: %w", layer.Title, err)
		}
		content, err := unpack(packed, layer.Size)
		if err != nil {
			return fmt.Errorf("bundle: %w: layer %.80q: %w; %s", ErrBundle, layer.Title, err,
				rebuild)
		}
		if oci.DigestOf(content) != layer.Digest {
			return fmt.Errorf("bundle: layer %.80q: its content: %w; %s", layer.Title,
				oci.ErrDigest, rebuild)
		}
		b.content[layer.Digest] = content
		b.Layers = append(b.Layers, layer)
		left -= layer.Size
		delete(wanted, layer.Digest)
	}
	for _, digest := range slices.Sorted(maps.Keys(wanted)) {
		return fmt.Errorf("bundle: %w: no layer holds %s, %s: %s", ErrBundle, digest,
			wanted[digest], rebuild)
	}
	return nil
}

// rebuild is what to do about a bundle whose parts do not fit together.
const rebuild = "build the bundle again with hpmq-cli bundle build"

// packedSlack is how much larger, beside a 64th, what is compressed may be than what is not.
const packedSlack = 1024

// describe is what the descriptor of a layer says.
func describe(d oci.Descriptor) (Layer, error) {
	layer := Layer{
		Title: d.Annotations[oci.AnnotationTitle], MediaType: d.MediaType,
		Digest: oci.Digest(d.Annotations[AnnotationDigest]), Packed: d.Size,
	}
	if err := layer.Digest.Check(); err != nil {
		return layer, err
	}
	if err := plain("title", layer.Title); err != nil {
		return layer, err
	}
	size, err := strconv.ParseInt(d.Annotations[AnnotationSize], 10, 64)
	if limit := contentMax(d.MediaType); err != nil || size < 0 || size > limit {
		return layer, fmt.Errorf("it is said to hold %.40q bytes; at most %d are read",
			d.Annotations[AnnotationSize], limit)
	}
	if d.Size > size+size/64+packedSlack {
		return layer, fmt.Errorf("it has %d bytes packed for %d that are not", d.Size, size)
	}
	layer.Size = size
	return layer, nil
}

// unpack is what was compressed, which must have that size.
func unpack(packed []byte, size int64) ([]byte, error) {
	r, err := zstd.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	// A few bytes may become gigabytes: what is beyond the size is not made.
	content, err := io.ReadAll(io.LimitReader(r, size+1))
	if err != nil {
		return nil, fmt.Errorf("it is not good zstd: %w", err)
	}
	if int64(len(content)) != size {
		return nil, fmt.Errorf("it is said to hold %d bytes and holds more or less", size)
	}
	return content, nil
}

// Understand reads what the layers say, as far as it can be judged without running anything, but
// the golden cases. Errors are ErrBundle, or of ctx, which is asked between the layers.
func (b *Bundle) Understand(ctx context.Context) error {
	return b.refused(b.understand(ctx))
}

// ReadCases reads the golden cases, which are most of the work, for who wants to ask them. Errors
// are those of Understand.
func (b *Bundle) ReadCases(ctx context.Context) error {
	return b.refused(b.readCases(ctx))
}

func (b *Bundle) refused(err error) error {
	if err != nil {
		return fmt.Errorf("bundle: %w: %s %s: %w", ErrBundle, b.Name, b.Version, err)
	}
	return nil
}

func (b *Bundle) understand(ctx context.Context) error {
	for i := range b.Components {
		c := &b.Components[i]
		if err := b.understandComponent(ctx, c); err != nil {
			return fmt.Errorf("component %s: %w", c.Name, err)
		}
	}
	return spdx.Check(b.content[b.SBOM])
}

func (b *Bundle) understandComponent(ctx context.Context, c *Component) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := c.agrees(b.content[c.Digest]); err != nil {
		return fmt.Errorf("%w; %s", err, rebuild)
	}
	if c.Schema != "" {
		s, err := schema.Compile(b.content[c.Schema])
		if err != nil {
			return fmt.Errorf("%w; correct it, and %s", err, rebuild)
		}
		b.schemas[c.Schema] = s
		if c.Defaults != nil {
			if err := s.Check(c.Defaults); err != nil {
				return fmt.Errorf("its defaults: %w", err)
			}
		}
	}
	return nil
}

// readCases reads the golden cases of all components, each file once.
func (b *Bundle) readCases(ctx context.Context) error {
	titles := map[oci.Digest]string{}
	for _, layer := range b.Layers {
		titles[layer.Digest] = layer.Title
	}
	left := CasesWeightMax
	for i := range b.Components {
		for _, d := range b.Components[i].Cases {
			if _, read := b.cases[d]; read {
				continue
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			weight, err := b.readCase(d, titles[d], left)
			if err != nil {
				return fmt.Errorf("component %s: golden case %s: %w", b.Components[i].Name,
					titles[d], err)
			}
			left -= weight
		}
	}
	return nil
}

// readCase reads one file of them, unless it makes more than left of itself.
func (b *Bundle) readCase(d oci.Digest, title string, left int64) (int64, error) {
	weight, err := cases.Weight(b.content[d])
	if err != nil {
		return 0, err
	}
	// A few words may stand for gigabytes: they are not written out.
	if weight > left {
		return 0, fmt.Errorf("written out, all golden cases together take more than %d MiB: have "+
			"less repeated, or leave some out", CasesWeightMax>>20)
	}
	b.cases[d], err = cases.Parse(title[strings.LastIndex(title, "/")+1:], b.content[d])
	return weight, err
}

// stamp is what a .wasm says of itself.
type stamp struct {
	Name         string       `json:"name"`
	Version      string       `json:"version"`
	Role         string       `json:"role"`
	Contract     string       `json:"contract"`
	Description  string       `json:"description"`
	Licence      string       `json:"licence"`
	Capabilities []Capability `json:"capabilities"`
}

// agrees refuses code that is no WebAssembly or says of itself what the manifest does not.
func (c *Component) agrees(code []byte) error {
	said, err := stampOf(code)
	if err != nil {
		return err
	}
	if said.Name != "" && said.Name != c.Name {
		return fmt.Errorf("name: its .wasm calls itself %.40q", said.Name)
	}
	if said.Role != "" && said.Role != c.Role {
		return fmt.Errorf("role: its .wasm says it is made as %.40q", said.Role)
	}
	for _, wants := range said.Capabilities {
		if !slices.ContainsFunc(c.Capabilities, func(o Capability) bool {
			return o.Name == wants.Name
		}) {
			return fmt.Errorf("capabilities: its .wasm wants %.40q, and they do not say so",
				wants.Name)
		}
	}
	return nil
}

func stampOf(code []byte) (said stamp, err error) {
	if len(code) < 8 || string(code[:4]) != "\x00asm" {
		return said, errors.New("it is no WebAssembly")
	}
	text, err := section.Custom(code, section.Manifest)
	if err != nil {
		return said, fmt.Errorf("what its .wasm says of itself in %s: %w", section.Manifest, err)
	}
	if text == nil {
		return said, nil
	}
	if err := json.Unmarshal(text, &said); err != nil {
		return said, fmt.Errorf("what its .wasm says of itself: %w", err)
	}
	return said, nil
}
