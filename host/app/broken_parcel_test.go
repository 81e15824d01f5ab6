//go:build unix

package app

import (
	"archive/tar"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/zstd"
	"github.com/hpmq/hpmq/sdk/bundle"
	"github.com/hpmq/hpmq/sdk/bundle/oci"
	"github.com/hpmq/hpmq/sdk/bundle/sign"
)

// key is one that is the same each time.
func key(t *testing.T, name string) sign.Private {
	t.Helper()
	seed := sha256.Sum256([]byte(name))
	der, err := x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed(seed[:]))
	if err != nil {
		t.Fatal(err)
	}
	k, err := sign.ParsePrivate(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// parcel is a good bundle, taken apart to be put together in another way: nothing is checked.
type parcel struct {
	t        *testing.T
	manifest map[string]any
	image    oci.Manifest
	index    oci.Index
	// entries are the files of the tar by name; links those that are symbolic links.
	entries map[string][]byte
	links   map[string]string
	// keys sign it; claim changes what they say, envelopes what comes of it.
	keys      []string
	claim     func(s *sign.Statement)
	envelopes func(list [][]byte) [][]byte
	after     func(p *parcel)
}

const goodBundle = `{
  "name": "acme-dedup", "version": "1.2.0", "description": "Holds back what it saw.",
  "licence": "Apache-2.0", "licence_text": "LICENCE", "requires": ["hpmq:broker@0.1"],
  "components": [{
    "name": "acme-dedup", "role": "deduplicator", "wasm": "d.wasm", "schema": "schema.json",
    "cases": "cases", "defaults": {"words": "window=3600000;"},
    "capabilities": [{"name": "kv", "why": "what was seen"}]
  }]}`

const goodSchema = `{"type": "object", "additionalProperties": false, "required": ["words"],
  "properties": {"words": {"type": "string", "description": "what it does"}}}`

const goodCase = `{"about": "What was seen is repeated.", "config": {"words": "window=1000;"},
  "calls": [{"call": "check", "topic": "a", "payload": "x", "answer": "news"},
    {"call": "check", "topic": "a", "payload": "x", "answer": "repeated"}]}`

func newParcel(t *testing.T) *parcel {
	t.Helper()
	dir := t.TempDir()
	code, err := os.ReadFile(testGuests + "deduplicator-kv.wasm")
	if err == nil {
		err = os.Mkdir(filepath.Join(dir, "cases"), 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"bundle.json": []byte(goodBundle), "schema.json": []byte(goodSchema), "d.wasm": code,
		"cases/seen.json": []byte(goodCase), "LICENCE": []byte("Do as you like."),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l, b := built(t, dir, nil)
	p := &parcel{t: t, entries: map[string][]byte{}, links: map[string]string{},
		keys: []string{"ours"}}
	image, err := l.Manifest(b.Descriptor)
	if err != nil {
		t.Fatal(err)
	}
	p.image = *image
	for _, d := range append(slices.Clone(image.Layers), image.Config) {
		content, err := l.Blob(d)
		if err != nil {
			t.Fatal(err)
		}
		p.blob(d.MediaType, content)
	}
	if err := json.Unmarshal(p.take(p.image.Config), &p.manifest); err != nil {
		t.Fatal(err)
	}
	p.index = oci.Index{SchemaVersion: 2, MediaType: oci.MediaTypeIndex}
	return p
}

// copied is another that can be broken.
func (p *parcel) copied() *parcel {
	p.t.Helper()
	c := *p
	c.manifest, c.image = nil, oci.Manifest{}
	err := errors.Join(json.Unmarshal(p.json(p.manifest), &c.manifest),
		json.Unmarshal(p.json(p.image), &c.image))
	if err != nil {
		p.t.Fatal(err)
	}
	c.entries, c.links = maps.Clone(p.entries), maps.Clone(p.links)
	return &c
}

func nameOf(d oci.Digest) string { return "blobs/sha256/" + d.Hex() }

func (p *parcel) blob(mediaType string, b []byte) oci.Descriptor {
	d := oci.Descriptor{MediaType: mediaType, Digest: oci.DigestOf(b), Size: int64(len(b))}
	p.entries[nameOf(d.Digest)] = b
	return d
}

// take takes a blob out.
func (p *parcel) take(d oci.Descriptor) []byte {
	b := p.entries[nameOf(d.Digest)]
	delete(p.entries, nameOf(d.Digest))
	return b
}

// one is the component.
func (p *parcel) one() map[string]any {
	return p.manifest["components"].([]any)[0].(map[string]any)
}

// layer is the place of a layer in the image.
func (p *parcel) layer(title string) *oci.Descriptor {
	p.t.Helper()
	for i := range p.image.Layers {
		if strings.HasSuffix(p.image.Layers[i].Annotations[oci.AnnotationTitle], title) {
			return &p.image.Layers[i]
		}
	}
	p.t.Fatalf("there is no layer %s", title)
	return nil
}

// fill puts other content into a layer, and its digest into the manifest.
func (p *parcel) fill(title string, content []byte) {
	p.t.Helper()
	d := p.layer(title)
	was, now := d.Annotations[bundle.AnnotationDigest], string(oci.DigestOf(content))
	d.Annotations[bundle.AnnotationDigest] = now
	d.Annotations[bundle.AnnotationSize] = strconv.Itoa(len(content))
	p.pack(title, content)
	text := strings.ReplaceAll(string(p.json(p.manifest)), was, now)
	p.manifest = nil
	if err := json.Unmarshal([]byte(text), &p.manifest); err != nil {
		p.t.Fatal(err)
	}
}

// pack puts other content into a layer, whatever is said of it.
func (p *parcel) pack(title string, content []byte) {
	p.t.Helper()
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out)
	if err == nil {
		_, err = z.Write(content)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		p.t.Fatal(err)
	}
	p.put(title, out.Bytes())
}

// put makes the blob of a layer another.
func (p *parcel) put(title string, b []byte) {
	d := p.layer(title)
	p.take(*d)
	n := p.blob(d.MediaType, b)
	d.Digest, d.Size = n.Digest, n.Size
}

func (p *parcel) json(v any) []byte {
	p.t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		p.t.Fatal(err)
	}
	return b
}

// list puts an image into index.json.
func (p *parcel) list(image oci.Manifest) oci.Descriptor {
	d := p.blob(oci.MediaTypeManifest, p.json(image))
	p.index.Manifests = append(p.index.Manifests, d)
	return d
}

// tar puts it together, signed.
func (p *parcel) tar() []byte {
	p.t.Helper()
	config := p.blob(p.image.Config.MediaType, p.json(p.manifest))
	p.image.Config = config
	d := p.list(p.image)
	name, _ := p.manifest["name"].(string)
	version, _ := p.manifest["version"].(string)
	s := sign.Statement{Name: name, Version: version, Manifest: string(d.Digest)}
	for _, envelope := range p.sign(s) {
		p.list(oci.Manifest{
			SchemaVersion: 2, MediaType: oci.MediaTypeManifest, ArtifactType: sign.SignatureType,
			Config:  p.blob(oci.MediaTypeEmpty, oci.EmptyJSON()),
			Layers:  []oci.Descriptor{p.blob(sign.EnvelopeType, envelope)},
			Subject: &oci.Descriptor{MediaType: d.MediaType, Digest: d.Digest, Size: d.Size},
		})
	}
	p.entries["index.json"] = p.json(p.index)
	p.entries["oci-layout"] = []byte(`{"imageLayoutVersion":"1.0.0"}`)
	if p.after != nil {
		p.after(p)
	}
	return p.written()
}

func (p *parcel) sign(s sign.Statement) (list [][]byte) {
	p.t.Helper()
	if p.claim != nil {
		p.claim(&s)
	}
	for _, name := range p.keys {
		envelope, err := sign.Sign(key(p.t, name), s)
		if err != nil {
			return nil // what has no name cannot be signed; that is told of the bundle first
		}
		list = append(list, envelope)
	}
	if p.envelopes != nil {
		list = p.envelopes(list)
	}
	return list
}

func (p *parcel) written() []byte {
	p.t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(p.entries)) {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: strings.TrimSuffix(name, " again"),
			Size: int64(len(p.entries[name])), Mode: 0o644, Format: tar.FormatUSTAR}
		if to := p.links[name]; to != "" {
			h.Typeflag, h.Linkname = tar.TypeSymlink, to
		}
		if err := w.WriteHeader(h); err != nil {
			p.t.Fatal(err)
		}
		if _, err := w.Write(p.entries[name]); err != nil {
			p.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		p.t.Fatal(err)
	}
	return out.Bytes()
}
