package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// module writes a core module with these imports and exports of functions, all of type 0.
func writeModule(imports []string, exports []string) []byte {
	code := []byte("\x00asm\x01\x00\x00\x00")
	add := func(id byte, body []byte) {
		code = append(code, id)
		code = binary.AppendUvarint(code, uint64(len(body)))
		code = append(code, body...)
	}
	name := func(b []byte, s string) []byte {
		return append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	body := binary.AppendUvarint(nil, uint64(len(imports)))
	for _, i := range imports {
		body = append(name(name(body, i), "f"), 0, 0)
	}
	add(importSection, body)
	body = binary.AppendUvarint(nil, uint64(len(exports)))
	for _, e := range exports {
		body = append(name(body, e), 0, 0)
	}
	add(exportSection, body)
	return code
}

const (
	goodManifest = `{ "name": "router-x", "version": "1.0.0", "role": "router",
  "contract": "hpmq:broker@0.1.0", "description": "d", "licence": "l",
  "capabilities": [ {"name": "kv", "why": "w"} ] }`
	lifecycle = "hpmq:broker/lifecycle@0.1.0#configure"
	routing   = "hpmq:broker/router@0.1.0#route"
	wasi      = "wasi_snapshot_preview1"
	kv        = "hpmq:broker/kv@0.1.0"
)

func run(t *testing.T, code []byte, text string) ([]byte, error) {
	t.Helper()
	dir := t.TempDir()
	in, man, out := filepath.Join(dir, "in"), filepath.Join(dir, "m"), filepath.Join(dir, "out")
	if os.WriteFile(in, code, 0o600) != nil || os.WriteFile(man, []byte(text), 0o600) != nil {
		t.Fatal("no room for the files")
	}
	if err := stamp(in, man, out); err != nil {
		return nil, err
	}
	return os.ReadFile(out)
}

func TestStampWritesTheManifest(t *testing.T) {
	code := writeModule([]string{wasi, kv, kv}, []string{lifecycle, routing})
	out, err := run(t, code, goodManifest)
	if err != nil {
		t.Fatal(err)
	}
	rest, ok := strings.CutPrefix(string(out), string(code))
	if !ok || rest[0] != customSection || !strings.Contains(rest,
		`hpmq:manifest{"name":"router-x",`) {
		t.Errorf("the end is %q", rest)
	}
	if _, err := parseModule(out); err != nil {
		t.Error(err)
	}
}

func TestStampRefuses(t *testing.T) {
	good := writeModule([]string{kv}, []string{lifecycle, routing})
	for _, c := range []struct {
		code           []byte
		manifest, want string
	}{
		{[]byte("no"), goodManifest, "not a whole core module"},
		{good[:len(good)-1], goodManifest, "not a whole core module"},
		{writeModule(nil, []string{lifecycle, routing}), goodManifest, "the module imports"},
		{writeModule([]string{kv}, []string{lifecycle}), goodManifest,
			"exports nothing of hpmq:broker/router"},
		{writeModule([]string{kv}, []string{routing}), goodManifest,
			"exports nothing of hpmq:broker/lifecycle"},
		{good, strings.Replace(goodManifest, `"role": "router"`, `"role": "rooter"`, 1),
			`role "rooter"`},
		{good, strings.Replace(goodManifest, `"why": "w"`, `"why": ""`, 1), "does not say why"},
		{good, strings.Replace(goodManifest, `"licence"`, `"license"`, 1),
			`unknown field "license"`},
		{good, strings.Replace(goodManifest, `"1.0.0"`, `""`, 1), "are needed"},
	} {
		if _, err := run(t, c.code, c.manifest); err == nil || !strings.Contains(err.Error(),
			c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func FuzzParseModule(f *testing.F) {
	f.Add(writeModule([]string{kv}, []string{routing}))
	f.Fuzz(func(_ *testing.T, code []byte) { _, _ = parseModule(code) })
}
