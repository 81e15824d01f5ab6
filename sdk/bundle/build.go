package bundle

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/hpmq/hpmq/host/zstd"
	"github.com/hpmq/hpmq/sdk/bundle/oci"
	"github.com/hpmq/hpmq/sdk/bundle/spdx"
)

// Build makes a bundle of a folder with a bundle.json, into a layout of its own, and opens it. The
// digest follows from the contents of the files alone: not from times, owners, modes, their order,
// or where the folder is. Errors are ErrSource, or ErrBundle where the bundle would be refused.
//
// The files may be anywhere, so that a licence can be shared: whoever builds what others wrote
// looks at the layers before it is passed on.
func Build(dir string) (*oci.Layout, *Bundle, error) {
	w := builder{dir: dir, content: map[oci.Digest]named{}}
	m, err := w.read()
	if err != nil {
		return nil, nil, fmt.Errorf("bundle: %s: %w: %w", dir, ErrSource, err)
	}
	l := oci.New()
	d, err := w.write(l, m)
	if err != nil {
		return nil, nil, err
	}
	b, err := Read(l, d)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", dir, err)
	}
	return l, b, nil
}

// builder gathers what belongs to a bundle.
type builder struct {
	dir     string
	content map[oci.Digest]named
}

// add keeps a file; what has the same bytes is kept once, by the first title in order.
func (w *builder) add(n named) oci.Digest {
	digest := oci.DigestOf(n.content)
	if have, ok := w.content[digest]; !ok || n.title < have.title {
		w.content[digest] = n
	}
	return digest
}

func (w *builder) file(path, title, mediaType string) (oci.Digest, error) {
	content, err := readFile(filepath.Join(w.dir, filepath.FromSlash(path)), contentMax(mediaType))
	if err != nil {
		return "", err
	}
	return w.add(named{title, mediaType, content}), nil
}

// read makes the manifest, and gathers what it names.
func (w *builder) read() (*Manifest, error) {
	src, err := readSource(w.dir)
	if err != nil {
		return nil, err
	}
	var stamps []stamp
	var codes [][]byte
	for i, c := range src.Components {
		if c.Wasm == "" {
			return nil, fmt.Errorf("bundle.json: components[%d]: wasm: name its file", i)
		}
		code, err := readFile(filepath.Join(w.dir, filepath.FromSlash(c.Wasm)), WasmBytesMax)
		if err != nil {
			return nil, fmt.Errorf("%w; was it built?", err)
		}
		said, err := stampOf(code)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Wasm, err)
		}
		stamps, codes = append(stamps, said), append(codes, code)
	}
	src.fill(stamps)
	m := &Manifest{
		Name: src.Name, Version: src.Version, Description: src.Description, Licence: src.Licence,
		Requires: append([]string{}, src.Requires...),
	}
	for i := range src.Components {
		c, err := w.component(&src.Components[i], codes[i])
		if err != nil {
			return nil, err
		}
		m.Components = append(m.Components, c)
	}
	slices.SortStableFunc(m.Components, func(a, b Component) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Role, b.Role))
	})
	if m.LicenceText, err = w.file(src.LicenceText, "LICENCE", MediaTypeLicence); err != nil {
		return nil, err
	}
	if m.SBOM, err = w.sbom(src, m); err != nil {
		return nil, err
	}
	return m, m.Validate()
}

func (w *builder) component(src *sourceComponent, code []byte) (Component, error) {
	c := Component{
		Name: src.Name, Role: src.Role, Limits: src.Limits,
		Capabilities: append([]Capability{}, src.Capabilities...), Cases: []oci.Digest{},
	}
	slices.SortFunc(c.Capabilities, func(a, b Capability) int {
		return cmp.Compare(a.Name, b.Name)
	})
	c.Digest = w.add(named{c.Name + ".wasm", MediaTypeComponent, code})
	var err error
	if src.Schema != "" {
		title := c.Name + ".schema.json"
		if c.Schema, err = w.file(src.Schema, title, MediaTypeSchema); err != nil {
			return c, err
		}
	}
	if src.Defaults != nil {
		var compact bytes.Buffer
		if err := json.Compact(&compact, src.Defaults); err != nil {
			return c, err
		}
		c.Defaults = compact.Bytes()
	}
	if src.Cases == "" {
		return c, nil
	}
	files, err := caseFiles(w.dir, src.Cases)
	if err != nil {
		return c, err
	}
	for _, f := range files {
		f.title = c.Name + "/cases/" + f.title
		if d := w.add(f); !slices.Contains(c.Cases, d) {
			c.Cases = append(c.Cases, d)
		}
	}
	return c, nil
}

// sbom is the author's, or one that says what is known.
func (w *builder) sbom(src *source, m *Manifest) (oci.Digest, error) {
	const title = "sbom.spdx.json"
	if src.SBOM != "" {
		return w.file(src.SBOM, title, MediaTypeSBOM)
	}
	modules, err := spdx.Modules(w.dir)
	if err != nil {
		return "", err
	}
	modules = append(modules, src.Contains...)
	slices.Sort(modules)
	p := spdx.Product{
		Name: m.Name, Version: m.Version, Licence: m.Licence, Modules: slices.Compact(modules),
		LicenceText: strings.ToValidUTF8(string(w.content[m.LicenceText].content), "\uFFFD"),
	}
	for _, c := range m.Components {
		f := spdx.File{Name: c.Name + ".wasm", SHA256: c.Digest.Hex()}
		if !slices.Contains(p.Files, f) {
			p.Files = append(p.Files, f)
		}
	}
	text, err := spdx.Document(p)
	if err != nil {
		return "", err
	}
	return w.add(named{title, MediaTypeSBOM, text}), nil
}

// write puts the bundle into l.
func (w *builder) write(l *oci.Layout, m *Manifest) (oci.Descriptor, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return oci.Descriptor{}, fmt.Errorf("bundle: %w", err)
	}
	image := oci.Manifest{ArtifactType: ArtifactType, Annotations: map[string]string{
		oci.AnnotationTitle:                 m.Name,
		"org.opencontainers.image.version":  m.Version,
		"org.opencontainers.image.licenses": m.Licence,
	}}
	if image.Config, err = l.Add(MediaTypeConfig, text); err != nil {
		return oci.Descriptor{}, fmt.Errorf("bundle: %w", err)
	}
	for _, digest := range slices.SortedFunc(maps.Keys(w.content), func(a, b oci.Digest) int {
		return cmp.Or(cmp.Compare(w.content[a].title, w.content[b].title), cmp.Compare(a, b))
	}) {
		n := w.content[digest]
		packed, err := pack(n.content)
		if err != nil {
			return oci.Descriptor{}, fmt.Errorf("bundle: %w", err)
		}
		d, err := l.Add(n.mediaType, packed)
		if err != nil {
			return oci.Descriptor{}, fmt.Errorf("bundle: %s: %w", n.title, err)
		}
		d.Annotations = map[string]string{
			oci.AnnotationTitle: n.title, AnnotationDigest: string(digest),
			AnnotationSize: strconv.Itoa(len(n.content)),
		}
		image.Layers = append(image.Layers, d)
	}
	return l.AddManifest(image, map[string]string{oci.AnnotationRefName: m.Version})
}

func pack(content []byte) ([]byte, error) {
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(content); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
