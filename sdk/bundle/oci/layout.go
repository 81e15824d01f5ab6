package oci

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Layout is an image layout. What was opened from a folder reads its blobs from there; what was
// added, and all of a tar, is in memory. A Layout is for one caller at a time; Close it.
type Layout struct {
	index Index
	added map[Digest][]byte
	bytes int64 // of added
	// from reads a blob of the folder; nil where there is no folder.
	from  func(d Digest, sizeMax int64) ([]byte, error)
	close func() error
}

// New is an empty layout.
func New() *Layout {
	return &Layout{
		index: Index{SchemaVersion: 2, MediaType: MediaTypeIndex, Manifests: []Descriptor{}},
		added: map[Digest][]byte{},
	}
}

// Close lets go of the folder. It need not be called after an error.
func (l *Layout) Close() error {
	if l.close == nil {
		return nil
	}
	return l.close()
}

// Manifests are what index.json lists, in its order. The list is the caller's.
func (l *Layout) Manifests() []Descriptor { return slices.Clone(l.index.Manifests) }

// Blob is what d describes, whole; it is not the caller's to change. It may read a file.
func (l *Layout) Blob(d Descriptor) ([]byte, error) {
	if err := d.Digest.Check(); err != nil {
		return nil, err
	}
	if d.Size < 0 || d.Size > BlobBytesMax {
		return nil, fmt.Errorf("oci: %w: blob %s is said to have %d bytes; at most %d are read",
			ErrLayout, d.Digest, d.Size, BlobBytesMax)
	}
	b, ok := l.added[d.Digest]
	if !ok && l.from != nil {
		var err error
		if b, err = l.from(d.Digest, d.Size); err != nil {
			return nil, err
		}
		ok = true
	}
	if !ok {
		return nil, fmt.Errorf("oci: blob %s: %w: get all of it again", d.Digest, ErrMissing)
	}
	if int64(len(b)) != d.Size {
		return nil, fmt.Errorf("oci: blob %s: %w: it is said to have %d bytes and has %s%d; get "+
			"it again", d.Digest, ErrDigest, d.Size, more(len(b), d.Size), len(b))
	}
	if DigestOf(b) != d.Digest {
		return nil, fmt.Errorf("oci: blob %s: %w: get it again", d.Digest, ErrDigest)
	}
	return b, nil
}

// more is said before the size of a blob that was not read to its end.
func more(have int, said int64) string {
	if int64(have) > said {
		return "at least "
	}
	return ""
}

// Manifest is the image manifest that d describes.
func (l *Layout) Manifest(d Descriptor) (*Manifest, error) {
	if d.Size > DocumentBytesMax {
		return nil, fmt.Errorf("oci: %w: manifest %s has more than %d bytes",
			ErrLayout, d.Digest, DocumentBytesMax)
	}
	b, err := l.Blob(d)
	if err != nil {
		return nil, err
	}
	if err := CheckDocument(b); err != nil {
		return nil, fmt.Errorf("manifest %s: %w", d.Digest, err)
	}
	m := &Manifest{}
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("oci: %w: manifest %s: %w", ErrLayout, d.Digest, err)
	}
	switch {
	case m.SchemaVersion != 2:
		err = fmt.Errorf("it is of schema version %d; want 2", m.SchemaVersion)
	case m.MediaType != "" && m.MediaType != MediaTypeManifest:
		err = fmt.Errorf("it is %.80q; want %s", m.MediaType, MediaTypeManifest)
	case len(m.Layers) >= BlobsMax:
		err = fmt.Errorf("it has %d layers; at most %d are read", len(m.Layers), BlobsMax-1)
	}
	if err != nil {
		return nil, fmt.Errorf("oci: %w: manifest %s: %w", ErrLayout, d.Digest, err)
	}
	return m, nil
}

// Add keeps a blob, which is l's from now on. One that is there already is kept once.
func (l *Layout) Add(mediaType string, b []byte) (Descriptor, error) {
	d := Descriptor{MediaType: mediaType, Digest: DigestOf(b), Size: int64(len(b))}
	if _, ok := l.added[d.Digest]; ok {
		return d, nil
	}
	switch {
	case len(b) > BlobBytesMax:
		return d, fmt.Errorf("oci: %w: a blob of %d bytes; at most %d are kept",
			ErrLayout, len(b), BlobBytesMax)
	case len(l.added) >= BlobsMax:
		return d, fmt.Errorf("oci: %w: more than %d blobs", ErrLayout, BlobsMax)
	case l.bytes+d.Size > BytesMax:
		return d, fmt.Errorf("oci: %w: blobs of more than %d bytes", ErrLayout, BytesMax)
	}
	l.added[d.Digest] = b
	l.bytes += d.Size
	return d, nil
}

// AddManifest keeps m and lists it in index.json, with these annotations there; one with the same
// digest is replaced. Schema version and media type are filled in.
func (l *Layout) AddManifest(m Manifest, annotations map[string]string) (Descriptor, error) {
	m.SchemaVersion, m.MediaType = 2, MediaTypeManifest
	if m.Layers == nil {
		m.Layers = []Descriptor{}
	}
	b, err := json.Marshal(m)
	if err != nil {
		return Descriptor{}, fmt.Errorf("oci: add manifest: %w", err)
	}
	d, err := l.Add(MediaTypeManifest, b)
	if err != nil {
		return d, err
	}
	d.ArtifactType = m.ArtifactType
	if len(annotations) > 0 {
		d.Annotations = maps.Clone(annotations)
	}
	return d, l.List(d)
}

// List puts a manifest whose blob is there into index.json, in the place of one with the same
// digest.
func (l *Layout) List(d Descriptor) error {
	if i := slices.IndexFunc(l.index.Manifests, func(e Descriptor) bool {
		return e.Digest == d.Digest
	}); i >= 0 {
		l.index.Manifests[i] = d
		return nil
	}
	if len(l.index.Manifests) >= ManifestsMax {
		return fmt.Errorf("oci: %w: index.json lists more than %d manifests", ErrLayout,
			ManifestsMax)
	}
	l.index.Manifests = append(l.index.Manifests, d)
	return nil
}

// Unlist takes a manifest out of index.json.
func (l *Layout) Unlist(d Digest) {
	l.index.Manifests = slices.DeleteFunc(l.index.Manifests, func(e Descriptor) bool {
		return e.Digest == d
	})
}

// Referrers are the listed manifests whose subject is that digest and whose artifact type is that
// one, or any if it is empty.
func (l *Layout) Referrers(subject Digest, artifactType string) ([]Descriptor, error) {
	var out []Descriptor
	for _, d := range l.index.Manifests {
		m, err := l.Manifest(d)
		if err != nil {
			return nil, err
		}
		if m.Subject == nil || m.Subject.Digest != subject {
			continue
		}
		if artifactType == "" || m.ArtifactType == artifactType {
			out = append(out, d)
		}
	}
	return out, nil
}

// readIndex reads index.json and the file oci-layout beside it.
func (l *Layout) readIndex(index, marker []byte) error {
	var version struct {
		Version string `json:"imageLayoutVersion"`
	}
	if err := json.Unmarshal(marker, &version); err != nil || version.Version != "1.0.0" {
		return fmt.Errorf("oci: %w: the file oci-layout does not say version 1.0.0: %s", ErrLayout,
			remake)
	}
	if err := CheckDocument(index); err != nil {
		return fmt.Errorf("index.json: %w; %s", err, remake)
	}
	l.index = Index{}
	if err := json.Unmarshal(index, &l.index); err != nil {
		return fmt.Errorf("oci: %w: index.json: %w; %s", ErrLayout, err, remake)
	}
	if l.index.SchemaVersion != 2 {
		return fmt.Errorf("oci: %w: index.json is of schema version %d; want 2", ErrLayout,
			l.index.SchemaVersion)
	}
	if len(l.index.Manifests) > ManifestsMax {
		return fmt.Errorf("oci: %w: index.json lists %d manifests; at most %d are read", ErrLayout,
			len(l.index.Manifests), ManifestsMax)
	}
	for _, d := range l.index.Manifests {
		if err := d.Digest.Check(); err != nil {
			return fmt.Errorf("index.json: %w", err)
		}
		if d.MediaType != MediaTypeManifest {
			return fmt.Errorf("oci: %w: index.json lists a %.80q; want %s alone", ErrLayout,
				d.MediaType, MediaTypeManifest)
		}
	}
	return nil
}

// indexJSON is index.json as it is written.
func (l *Layout) indexJSON() ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetIndent("", "  ")
	index := l.index
	index.SchemaVersion, index.MediaType = 2, MediaTypeIndex
	if err := enc.Encode(index); err != nil {
		return nil, fmt.Errorf("oci: index.json: %w", err)
	}
	return out.Bytes(), nil
}

// reachable are the blobs that index.json leads to, each once, sorted by digest: what is written.
func (l *Layout) reachable() ([]Descriptor, error) {
	all := map[Digest]Descriptor{}
	for _, d := range l.index.Manifests {
		m, err := l.Manifest(d)
		if err != nil {
			return nil, err
		}
		all[d.Digest] = d
		all[m.Config.Digest] = m.Config
		for _, layer := range m.Layers {
			all[layer.Digest] = layer
		}
	}
	out := make([]Descriptor, 0, len(all))
	for _, digest := range slices.Sorted(maps.Keys(all)) {
		out = append(out, all[digest])
	}
	return out, nil
}
