package storm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/hpmq/hpmq/sdk/bundle"
	"github.com/hpmq/hpmq/sdk/bundle/sign"
)

// bundleName is what the key may ship; the components keep the names of the broker's own, to have
// their memory and their grants.
const bundleName = "storm"

// parts are the components of a bundle by role.
var parts = []struct{ role, name string }{
	{"authorizer", "authorizer-rules"},
	{"transformer", "transformer-json"},
	{"deduplicator", "deduplicator-window"},
	{"router", "router-rules"},
}

// saidVersion is where a component says its version.
var saidVersion = regexp.MustCompile(`"version":"[0-9]\.[0-9]\.[0-9]"`)

// parcel makes a signed bundle of all parts under one version, as the bytes of a tar. The .wasm of
// each says that version too, so that two versions share no code.
func parcel(t *testing.T, key *sign.Private, version string) []byte {
	t.Helper()
	dir := t.TempDir()
	licence, err := os.ReadFile("../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, "LICENSE", licence)
	var components []map[string]string
	for _, part := range parts {
		packed(t, filepath.Join(dir, part.name), part.name, version)
		components = append(components, map[string]string{"name": part.name, "role": part.role,
			"wasm": part.name + "/" + part.name + ".wasm", "schema": part.name + "/schema.json",
			"cases": part.name + "/testdata"})
	}
	text, err := json.Marshal(map[string]any{"name": bundleName, "version": version,
		"description": "All that a message is asked.", "licence": "Apache-2.0",
		"licence_text": "LICENSE", "components": components})
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, bundle.SourceFile, text)
	return signed(t, key, dir)
}

// packed copies a component, which says another version then.
func packed(t *testing.T, to, name, version string) {
	t.Helper()
	from := os.DirFS(filepath.Join("../../components", name))
	cases, err := fs.Sub(from, "testdata")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(to, "testdata"), cases); err != nil {
		t.Fatal(err)
	}
	schema, err := fs.ReadFile(from, "schema.json")
	if err != nil {
		t.Fatal(err)
	}
	code, err := fs.ReadFile(from, name+".wasm")
	if n := len(saidVersion.FindAll(code, -1)); err != nil || n != 1 {
		t.Fatalf("%s says its version %d times: %v", name, n, err)
	}
	put(t, to, "schema.json", schema)
	says := fmt.Appendf(nil, `"version":%q`, version)
	put(t, to, name+".wasm", saidVersion.ReplaceAll(code, says))
}

func put(t *testing.T, dir, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func signed(t *testing.T, key *sign.Private, dir string) []byte {
	t.Helper()
	layout, b, err := bundle.Build(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sign.Of(layout, b.Descriptor)
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := sign.Sign(*key, s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sign.Attach(layout, b.Descriptor, envelope); err != nil {
		t.Fatal(err)
	}
	var tar bytes.Buffer
	if err := layout.WriteTar(&tar); err != nil {
		t.Fatal(err)
	}
	return tar.Bytes()
}
