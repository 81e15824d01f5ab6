package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// vendorBundle writes the folder of a bundle with that bundle.json.
func vendorBundle(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "vendor.wasm"), "\x00asm\x01\x00\x00\x00")
	write(t, filepath.Join(dir, "LICENSE"), "Do as you like.")
	write(t, filepath.Join(dir, "schema.json"),
		`{"type":"object","properties":{"unit":{"enum":["C","F"]}},"additionalProperties":false}`)
	write(t, filepath.Join(dir, "case.json"),
		`{"about":"it keeps","calls":[{"call":"upstream","answer":"keep"}]}`)
	write(t, filepath.Join(dir, "bundle.json"), text)
	return dir
}

const vendorJSON = `{"name":"vendor","version":"1.2.0","description":"Knows the vendor.",` +
	`"licence":"MIT","licence_text":"LICENSE","components":[{"name":"vendor",` +
	`"role":"transformer","wasm":"vendor.wasm","schema":"schema.json","cases":"case.json",` +
	`"capabilities":[{"name":"kv","why":"counts"}],"limits":{"fuel":200000}}]}`

func TestBundleIsBuiltAndInspected(t *testing.T) {
	dir, out := vendorBundle(t, vendorJSON), t.TempDir()
	var texts []string
	for _, name := range []string{"b.tar", "folder"} {
		file := filepath.Join(out, name)
		code, built, errs := cli(t, &server{}, "bundle", "build", dir, "-o", file)
		if code != 0 || errs != "" {
			t.Fatalf("%d %s", code, errs)
		}
		code, seen, errs := cli(t, &server{}, "bundle", "inspect", file)
		if code != 0 || errs != "" || seen != built {
			t.Errorf("%d %s\n%s\nwas built as\n%s", code, errs, seen, built)
		}
		texts = append(texts, strings.ReplaceAll(built, file, ""))
	}
	if texts[0] != texts[1] {
		t.Errorf("a tar and a folder are different bundles:\n%s\n%s", texts[0], texts[1])
	}
	for _, want := range []string{
		"vendor 1.2.0", "about      Knows the vendor.", "digest     sha256:", "licence    MIT",
		"component  vendor as transformer, 8 B, sha256:", "wants      kv: counts",
		"limits     200 000 fuel a call", "config     unit", "cases      1, with 1 calls",
	} {
		if !strings.Contains(texts[0], want) {
			t.Errorf("no %q in\n%s", want, texts[0])
		}
	}
	_, text, _ := cli(t, &server{}, "bundle", "inspect", filepath.Join(out, "b.tar"), "--json")
	var told struct {
		Name, Digest string
		Components   []struct{ Role string }
		Layers       []struct{ Title string }
	}
	if err := json.Unmarshal([]byte(text), &told); err != nil || told.Name != "vendor" ||
		len(told.Components) != 1 || len(told.Layers) != 5 ||
		!strings.Contains(texts[0], told.Digest) {
		t.Errorf("%v %+v", err, told)
	}
}

func TestBundlesAreCompared(t *testing.T) {
	out := t.TempDir()
	was, is := filepath.Join(out, "was.tar"), filepath.Join(out, "is.tar")
	for file, text := range map[string]string{
		was: vendorJSON,
		is: strings.NewReplacer("1.2.0", "1.1.0", `{"name":"kv"`,
			`{"name":"publish","why":"alarms"},{"name":"kv"`, "200000", "300000").
			Replace(vendorJSON),
	} {
		if code, _, errs := cli(t, &server{}, "bundle", "build", vendorBundle(t, text), "-o",
			file); code != 0 {
			t.Fatal(errs)
		}
	}
	code, text, _ := cli(t, &server{}, "bundle", "diff", was, is)
	const want = "! ~ version: 1.2.0 → 1.1.0  (it is older)\n" +
		"! + vendor as transformer: capability publish: alarms  (it wants more than before)\n" +
		"  ~ vendor as transformer: limit fuel: 200000 → 300000\n"
	if code != 0 || text != want {
		t.Errorf("%d\n%s\nwant\n%s", code, text, want)
	}
	if _, text, _ := cli(t, &server{}, "bundle", "diff", was, was); !strings.Contains(text,
		"they are the same: sha256:") {
		t.Error(text)
	}
	_, text, _ = cli(t, &server{}, "bundle", "diff", was, is, "--json")
	if !strings.Contains(text, `"alert": "it wants more than before"`) {
		t.Error(text)
	}
}

func TestBundlesAreRefused(t *testing.T) {
	none := t.TempDir()
	torn := filepath.Join(none, "torn.tar")
	if code, _, errs := cli(t, &server{}, "bundle", "build", vendorBundle(t, vendorJSON), "-o",
		torn); code != 0 {
		t.Fatal(errs)
	}
	whole, err := os.ReadFile(torn)
	if err != nil {
		t.Fatal(err)
	}
	write(t, torn, string(whole[:len(whole)/2]))
	for want, args := range map[string][]string{
		"it says what belongs to the bundle": {"build", none},
		"is no role: want one of authentic": {"build", vendorBundle(t,
			strings.Replace(vendorJSON, "transformer", "guard", 1))},
		"no such file":                      {"inspect", filepath.Join(none, "none.tar")},
		"there is no file oci-layout in it": {"inspect", none},
		"in the middle of":                  {"inspect", torn},
	} {
		code, _, errs := cli(t, &server{}, append([]string{"bundle"}, args...)...)
		if (code == 2) != (want == "no such file") || code == 0 || !strings.Contains(errs, want) {
			t.Errorf("%d %s\nwant %s", code, errs, want)
		}
	}
}
