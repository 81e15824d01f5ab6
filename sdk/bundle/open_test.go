package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/sdk/bundle/oci"
)

// forgery is a bundle that somebody changed, digests and all.
type forgery struct {
	t        *testing.T
	l        *oci.Layout
	image    oci.Manifest
	manifest map[string]any
}

func forge(t *testing.T) *forgery {
	t.Helper()
	l, b := built(t, sources())
	image, err := l.Manifest(b.Descriptor)
	if err != nil {
		t.Fatal(err)
	}
	f := &forgery{t: t, l: l, image: *image}
	text, err := l.Blob(image.Config)
	if err == nil {
		err = json.Unmarshal(text, &f.manifest)
	}
	if err != nil {
		t.Fatal(err)
	}
	l.Unlist(b.Digest)
	return f
}

// layer is the place of a layer in the image.
func (f *forgery) layer(title string) *oci.Descriptor {
	for i := range f.image.Layers {
		if f.image.Layers[i].Annotations[oci.AnnotationTitle] == title {
			return &f.image.Layers[i]
		}
	}
	f.t.Fatalf("there is no layer %s", title)
	return nil
}

// put makes content that of a layer, and the annotations fit.
func (f *forgery) put(title string, content []byte) oci.Digest {
	packed, err := pack(content)
	if err != nil {
		f.t.Fatal(err)
	}
	d := f.layer(title)
	added, err := f.l.Add(d.MediaType, packed)
	if err != nil {
		f.t.Fatal(err)
	}
	d.Digest, d.Size = added.Digest, added.Size
	digest := oci.DigestOf(content)
	d.Annotations[AnnotationDigest] = string(digest)
	d.Annotations[AnnotationSize] = strconv.Itoa(len(content))
	return digest
}

// open closes the forgery up and opens it.
func (f *forgery) open() error {
	text, err := json.Marshal(f.manifest)
	if err != nil {
		f.t.Fatal(err)
	}
	media := f.image.Config.MediaType
	if f.image.Config, err = f.l.Add(media, text); err != nil {
		f.t.Fatal(err)
	}
	d, err := f.l.AddManifest(f.image, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	_, err = Read(f.l, d)
	return err
}

func TestForgeriesAreRefused(t *testing.T) {
	if err := forge(t).open(); err != nil {
		t.Fatal("one that was not changed:", err)
	}
	first := func(f *forgery) map[string]any {
		return f.manifest["components"].([]any)[0].(map[string]any)
	}
	for want, change := range map[string]func(*forgery){
		`it is of type "text/other"`: func(f *forgery) { f.image.ArtifactType = "text/other" },
		`config "text/other"`:        func(f *forgery) { f.image.Config.MediaType = "text/other" },
		"a newer hpmq-cli":           func(f *forgery) { f.manifest["future"] = 1 },
		"is no version":              func(f *forgery) { f.manifest["version"] = "one" },
		"is no digest":               func(f *forgery) { f.manifest["sbom"] = "sha256:1" },
		"is no role":                 func(f *forgery) { first(f)["role"] = "king" },
		"calls itself":               func(f *forgery) { first(f)["name"] = "other" },
		"no layer holds":             func(f *forgery) { f.image.Layers = f.image.Layers[1:] },
		"there twice": func(f *forgery) {
			f.image.Layers = append(f.image.Layers, f.image.Layers[0])
		},
		"does not name it": func(f *forgery) { f.put("LICENCE", []byte("another")) },
		"its content: not what its digest says": func(f *forgery) {
			d := f.layer("LICENCE").Annotations[AnnotationDigest]
			f.put("LICENCE", []byte("do as you like.\n"))
			f.layer("LICENCE").Annotations[AnnotationDigest] = d
		},
		"holds more or less": func(f *forgery) {
			f.layer("LICENCE").Annotations[AnnotationSize] = "3"
		},
		`is said to hold "99999999999" bytes`: func(f *forgery) {
			f.layer("sample.wasm").Annotations[AnnotationSize] = "99999999999"
		},
		`is said to hold "-1" bytes`: func(f *forgery) {
			f.layer("sample.wasm").Annotations[AnnotationSize] = "-1"
		},
		"is of type": func(f *forgery) { f.layer("LICENCE").MediaType = MediaTypeSBOM },
		"it is not good zstd": func(f *forgery) {
			d, err := f.l.Add("", []byte("no frame at all"))
			if err != nil {
				f.t.Fatal(err)
			}
			f.layer("LICENCE").Digest, f.layer("LICENCE").Size = d.Digest, d.Size
		},
		": missing": func(f *forgery) { f.layer("LICENCE").Digest = oci.DigestOf(nil) },
		"its spdxVersion is": func(f *forgery) {
			f.manifest["sbom"] = f.put("sbom.spdx.json", []byte(`{"name":"x"}`))
		},
		"no good JSON Schema": func(f *forgery) {
			first(f)["schema"] = f.put("sample.schema.json", []byte(`{"type":1}`))
		},
		"its defaults:": func(f *forgery) { first(f)["defaults"] = map[string]any{"unit": 1} },
		"golden case sample/cases/a.json": func(f *forgery) {
			first(f)["cases"].([]any)[0] = f.put("sample/cases/a.json", []byte(`{"x":1}`))
		},
		"it is no WebAssembly": func(f *forgery) {
			first(f)["digest"] = f.put("sample.wasm", []byte("text and no code"))
		},
	} {
		f := forge(t)
		change(f)
		err := f.open()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v\nwant %s", err, want)
		}
		if !errors.Is(err, ErrBundle) && !errors.Is(err, oci.ErrDigest) &&
			!errors.Is(err, oci.ErrMissing) {
			t.Errorf("%v is of no kind", err)
		}
	}
}

// A layer of a few bytes that becomes many is not made.
func TestABombIsRefused(t *testing.T) {
	f := forge(t)
	first := f.manifest["components"].([]any)[0].(map[string]any)
	first["digest"] = f.put("sample.wasm", make([]byte, WasmBytesMax+1))
	if packed := f.layer("sample.wasm").Size; packed > 1<<14 {
		t.Fatalf("it has %d bytes packed", packed)
	}
	if err := f.open(); err == nil || !strings.Contains(err.Error(), "at most 33554432 are read") {
		t.Error(err)
	}
	f.layer("sample.wasm").Annotations[AnnotationSize] = "4096"
	if err := f.open(); err == nil || !strings.Contains(err.Error(), "holds more") {
		t.Error(err)
	}
	f = forge(t)
	f.layer("LICENCE").Size = 2 << 20
	if err := f.open(); err == nil || !strings.Contains(err.Error(), "2097152 bytes packed for") {
		t.Error(err)
	}
}

// Golden cases of few words that stand for many are not written out.
func TestCasesTooLargeAreRefused(t *testing.T) {
	f := forge(t)
	call := `{"call":"upstream","payload":{"repeat":"a","times":8388608},"answer":"keep"},`
	first := f.manifest["components"].([]any)[0].(map[string]any)
	first["cases"].([]any)[0] = f.put("sample/cases/a.json",
		[]byte(`[`+strings.Repeat(call, 7)+call[:len(call)-1]+`]`))
	const want = "all golden cases together take more than 64 MiB"
	if err := f.open(); !errors.Is(err, ErrBundle) || !strings.Contains(err.Error(), want) {
		t.Error(err)
	}
}

func TestWhichBundleOfALayout(t *testing.T) {
	l, b := built(t, sources())
	files := sources()
	files["LICENSE"] = "Another."
	other, second := built(t, files)
	for _, ref := range []string{"", "1.2.3", string(b.Digest)} {
		if d, err := Find(l, ref); err != nil || d.Digest != b.Digest {
			t.Errorf("%q: %v, %v", ref, d, err)
		}
	}
	tagged := b.Descriptor
	tagged.Annotations = map[string]string{oci.AnnotationRefName: "latest"}
	if err := l.List(tagged); err != nil {
		t.Fatal(err)
	}
	if d, err := Find(l, ""); err != nil || d.Digest != b.Digest {
		t.Errorf("one with two tags: %v, %v", d, err)
	}
	if _, err := Find(l, "9.9.9"); !errors.Is(err, ErrBundle) ||
		!strings.Contains(err.Error(), "but "+string(b.Digest)) {
		t.Error(err)
	}
	text, err := other.Blob(second.Descriptor)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Add(oci.MediaTypeManifest, text); err != nil {
		t.Fatal(err)
	}
	if err := l.List(second.Descriptor); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(l, ""); err == nil || !strings.Contains(err.Error(), "there are 2") {
		t.Error(err)
	}
	empty := filepath.Join(t.TempDir(), "empty")
	if err := oci.New().Save(empty); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(empty); err == nil || !strings.Contains(err.Error(), "holds none") {
		t.Error(err)
	}
}

// Whatever the bytes of a tar are, or of what stands in it with right digests, they are refused or
// a bundle; what can be read can be written.
func FuzzRead(f *testing.F) {
	l, b := built(f, sources())
	var out bytes.Buffer
	if err := l.WriteTar(&out); err != nil {
		f.Fatal(err)
	}
	image, err := l.Manifest(b.Descriptor)
	if err != nil {
		f.Fatal(err)
	}
	config, err := l.Blob(image.Config)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes(), config, "sample.wasm", b.Content(b.Components[0].Digest))
	f.Add([]byte{}, config, "sample/cases/a.json", []byte("{}"))
	f.Fuzz(func(t *testing.T, packed, config []byte, title string, content []byte) {
		if l, err := oci.ReadTar(bytes.NewReader(packed)); err == nil {
			readAny(t, l)
		}
		readAny(t, refit(t, out.Bytes(), config, title, content))
	})
}

// refit is the bundle in packed with that manifest, and that content in the layer of that title.
func refit(t *testing.T, packed, config []byte, title string, content []byte) *oci.Layout {
	l, err := oci.ReadTar(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	at := l.Manifests()[0]
	image, err := l.Manifest(at)
	if err != nil {
		t.Fatal(err)
	}
	l.Unlist(at.Digest)
	f := &forgery{t: t, l: l, image: *image}
	for _, d := range image.Layers {
		if d.Annotations[oci.AnnotationTitle] == title {
			f.put(title, content)
		}
	}
	if f.image.Config, err = l.Add(MediaTypeConfig, config); err != nil {
		t.Fatal(err)
	}
	if _, err := l.AddManifest(f.image, nil); err != nil {
		t.Fatal(err)
	}
	return l
}

func readAny(t *testing.T, l *oci.Layout) {
	var out bytes.Buffer
	if l.WriteTar(&out) == nil {
		if _, err := oci.ReadTar(&out); err != nil {
			t.Error("what was written is not read:", err)
		}
	}
	d, err := Find(l, "")
	if err != nil {
		return
	}
	if b, err := Read(l, d); err == nil && len(Diff(b, b)) > 0 {
		t.Error("a bundle differs from itself")
	}
}
