package bundle

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/sdk/bundle/oci"
	"github.com/hpmq/hpmq/sdk/section"
)

// golden is the digest of sources(). It changes with what a bundle holds, and with the compressor:
// then whoever builds the same bundle with another hpmq-cli gets another digest. Say so in the
// CHANGELOG.
const golden = "sha256:2cedb17913983abc34ce4f60bbe39fdc47530819d95dd896c0221f3be1e64b3e"

// module is a .wasm that says that of itself.
func module(manifest string) string {
	return string(section.WithCustom([]byte("\x00asm\x01\x00\x00\x00"), section.Manifest,
		[]byte(manifest)))
}

const stamped = `{"name":"sample","version":"1.2.3","role":"transformer",
	"contract":"hpmq:broker@0.1.0","description":"A sample.","licence":"MIT",
	"capabilities":[{"name":"kv","why":"what it counts"},{"name":"config","why":"the unit"}]}`

// sources are the files of a bundle.
func sources() map[string]string {
	return map[string]string{
		"bundle.json": `{"licence_text": "LICENSE", "contains": ["pkg:golang/example.com/a@v1.0.0"],
			"components": [{"wasm": "sample.wasm", "schema": "schema.json", "cases": "cases",
			"defaults": {"unit": "C"}, "limits": {"fuel": 1000}}]}`,
		"sample.wasm":  module(stamped),
		"schema.json":  `{"type": "object", "properties": {"unit": {"enum": ["C", "F"]}}}`,
		"cases/b.json": `{"about": "b", "calls": [{"call": "upstream", "answer": "keep"}]}`,
		"cases/a.json": `{"about": "a", "calls": [{"call": "upstream", "answer": "drop"}]}`,
		"LICENSE":      "Do as you like.\n",
	}
}

// write writes the files in that order, as of then.
func write(t testing.TB, files map[string]string, names []string, then time.Time) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755),
			os.WriteFile(path, []byte(files[name]), 0o600),
			os.Chtimes(path, then, then)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func built(t testing.TB, files map[string]string) (*oci.Layout, *Bundle) {
	t.Helper()
	l, b, err := Build(write(t, files, slices.Sorted(maps.Keys(files)), time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	return l, b
}

// A folder is one by its name, whatever a shell would make of that.
func TestAFolderWithAPatternForAName(t *testing.T) {
	top := t.TempDir()
	dir, other := filepath.Join(top, "v[12]"), filepath.Join(top, "v1")
	files := sources()
	from := write(t, files, slices.Sorted(maps.Keys(files)), time.Now())
	if err := errors.Join(os.CopyFS(dir, os.DirFS(from)),
		os.CopyFS(other, os.DirFS(from))); err != nil {
		t.Fatal(err)
	}
	about := []byte(`{"about": "others", "calls": [{"call": "upstream", "answer": "keep"}]}`)
	if err := os.WriteFile(filepath.Join(other, "cases", "a.json"), about, 0o600); err != nil {
		t.Fatal(err)
	}
	_, b, err := Build(dir)
	if err != nil {
		t.Fatal(err)
	}
	if all := b.Cases(&b.Components[0]); len(all) != 2 || all[0].About != "a" {
		t.Errorf("%v", all)
	}
}

// The digest follows from what the files hold, and from nothing else.
func TestTheSameFilesMakeTheSameBundle(t *testing.T) {
	files := sources()
	names := slices.Sorted(maps.Keys(files))
	backwards := slices.Clone(names)
	slices.Reverse(backwards)
	for _, dir := range []string{
		write(t, files, names, time.Unix(1_000_000_000, 0)),
		write(t, files, backwards, time.Unix(2_000_000_000, 0)),
	} {
		l, b, err := Build(dir)
		if err != nil {
			t.Fatal(err)
		}
		if b.Digest != golden {
			t.Errorf("the digest is %s, want %s", b.Digest, golden)
		}
		for _, path := range []string{"out", "out.tar"} {
			path = filepath.Join(t.TempDir(), path)
			if err := l.Save(path); err != nil {
				t.Fatal(err)
			}
			again, err := Open(path)
			if err != nil || again.Digest != golden {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
	files["LICENSE"] = "Do as you like!\n"
	if _, b := built(t, files); b.Digest == golden {
		t.Error("another licence, and the same digest")
	}
}

func TestWhatABundleHolds(t *testing.T) {
	_, b := built(t, sources())
	c := &b.Components[0]
	if b.Name != "sample" || b.Version != "1.2.3" || b.Licence != "MIT" ||
		b.Description != "A sample." || !slices.Equal(b.Requires, []string{"hpmq:broker@0.1"}) ||
		c.Role != "transformer" || c.Limits.Fuel != 1000 || string(c.Defaults) != `{"unit":"C"}` ||
		len(c.Capabilities) != 2 || c.Capabilities[0].Name != "config" {
		t.Errorf("%+v", b.Manifest)
	}
	if string(b.Content(c.Digest)) != sources()["sample.wasm"] ||
		string(b.Content(b.LicenceText)) != "Do as you like.\n" {
		t.Error("a content is another")
	}
	if err := b.Schema(c).Check([]byte(`{"unit":"K"}`)); err == nil {
		t.Error("its schema admits everything")
	}
	if all := b.Cases(c); len(all) != 2 || all[0].Name != "a.json" || all[1].About != "b" {
		t.Errorf("its cases: %+v", all)
	}
	sbom := string(b.Content(b.SBOM))
	for _, want := range []string{c.Digest.Hex(), `"MIT"`, "pkg:golang/example.com/a@v1.0.0"} {
		if !strings.Contains(sbom, want) {
			t.Errorf("the SBOM lacks %s", want)
		}
	}
	titles := ""
	for _, layer := range b.Layers {
		titles += layer.Title + " "
	}
	if titles != "LICENCE sample.schema.json sample.wasm sample/cases/a.json "+
		"sample/cases/b.json sbom.spdx.json " {
		t.Error(titles)
	}
}

// inManifest puts to in the place of from in bundle.json.
func inManifest(from, to string) func(map[string]string) {
	return func(files map[string]string) {
		files["bundle.json"] = strings.Replace(files["bundle.json"], from, to, 1)
	}
}

// inComponent says text of the component.
func inComponent(text string) func(map[string]string) {
	return inManifest(`{"wasm": "sample.wasm",`, `{"wasm": "sample.wasm",`+text)
}

// inFile makes text that of a file.
func inFile(name, text string) func(map[string]string) {
	return func(files map[string]string) { files[name] = text }
}

func TestSourcesAreRefused(t *testing.T) {
	manifest, component, file := inManifest, inComponent, inFile
	for want, change := range map[string]func(map[string]string){
		"bundle.json: no such file":   func(f map[string]string) { delete(f, "bundle.json") },
		`unknown field "licens_text"`: manifest("licence_text", "licens_text"),
		"licence_text: name the file": manifest(`"licence_text": "LICENSE", `, " "),
		"LICENSE: it is empty":        file("LICENSE", ""),
		"components: there is none":   file("bundle.json", `{"licence_text": "LICENSE"}`),
		"wasm: name its file":         manifest(`"wasm": "sample.wasm",`, ``),
		"was it built?":               func(f map[string]string) { delete(f, "sample.wasm") },
		"it is no WebAssembly":        file("sample.wasm", "text and no code"),
		"no SPDX id, did you mean Apache-1.0?": manifest(`{"licence_text"`,
			`{"licence": "apache", "licence_text"`),
		"ids with AND, OR, WITH": manifest(`{"licence_text"`,
			`{"licence": "MIT MIT", "licence_text"`),
		`"1.2" is no version`:  manifest(`{"licence_text"`, `{"version": "1.2", "licence_text"`),
		`"v1.2.3" is no versi`: manifest(`{"licence_text"`, `{"version": "v1.2.3", "licence_text"`),
		`"A b" is no name`:     manifest(`{"licence_text"`, `{"name": "A b", "licence_text"`),
		`"x" is no package with a version`: manifest(`{"licence_text"`,
			`{"requires": ["x"], "licence_text"`),
		"want one line of text": manifest(`{"licence_text"`,
			`{"description": "a\u001b[2J", "licence_text"`),
		`"x" is no package URL`:    manifest("pkg:golang/example.com/a@v1.0.0", "x"),
		"its .wasm calls itself":   component(`"name": "other",`),
		"says it is made as":       component(`"role": "router",`),
		`"guard" is no role`:       component(`"role": "guard",`),
		"they do not say so":       component(`"capabilities": [],`),
		`"disk" is none: wit/ has`: component(`"capabilities": [{"name": "disk", "why": "x"}],`),
		"kv: say why":              component(`"capabilities": [{"name": "kv"}],`),
		"kv is there twice": component(
			`"capabilities": [{"name": "kv", "why": "x"}, {"name": "kv", "why": "x"}],`),
		"nothing is fetched":          file("schema.json", `{"$ref": "https://example.com/s"}`),
		"unit: value must be one of":  manifest(`"unit": "C"`, `"unit": "K"`),
		"no schema that says":         manifest(`"schema": "schema.json",`, ``),
		"no *.json there":             manifest(`"cases": "cases"`, `"cases": "empty"`),
		`a.json: json: unknown field`: file("cases/a.json", `{"abuot": "a"}`),
		"its spdxVersion is":          manifest(`"contains"`, `"sbom": "cases/a.json", "contains"`),
		"is there twice as transformer": func(f map[string]string) {
			f["bundle.json"] = `{"name": "two", "version": "1.0.0", "licence": "MIT",
				"licence_text": "LICENSE", "components": [{"wasm": "sample.wasm"},
				{"wasm": "sample.wasm"}]}`
		},
		"Cargo.lock": file("Cargo.lock", "no toml"),
	} {
		files := sources()
		files["empty/text"] = "no case"
		change(files)
		_, _, err := Build(write(t, files, slices.Sorted(maps.Keys(files)), time.Now()))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v\nwant %s", err, want)
		}
		if !errors.Is(err, ErrSource) && !errors.Is(err, ErrBundle) {
			t.Errorf("%v is of no kind", err)
		}
	}
}
