package spdx

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTheIDsAreInOrder(t *testing.T) {
	list := strings.Fields(ids)
	if len(list) < 600 || !slices.IsSorted(list) {
		t.Errorf("%d ids, sorted: %v", len(list), slices.IsSorted(list))
	}
}

func TestCheckLicence(t *testing.T) {
	for _, good := range []string{
		"MIT", "Apache-2.0", "GPL-2.0+", "GPL-2.0-or-later WITH Classpath-exception-2.0",
		"(MIT OR Apache-2.0) AND BSD-3-Clause", "LicenseRef-Acme.1", "MIT AND (ISC OR (0BSD))",
	} {
		if err := CheckLicence(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for bad, want := range map[string]string{
		"":                                      "there is none: name one by its SPDX id",
		"Apache 2.0":                            "did you mean Apache-1.0?",
		"mit":                                   "did you mean MIT?",
		"Acme":                                  `"Acme" is no SPDX id: see`,
		"LicenseRef-":                           "is no SPDX id",
		"MIT ISC":                               "is no SPDX expression: want ids",
		"MIT OR":                                "ends too early",
		"(MIT":                                  "ends too early",
		"MIT)":                                  "is no SPDX expression",
		"OR MIT":                                "is no SPDX id",
		"MIT WITH (":                            `"(" is no SPDX exception`,
		"MIT WITH":                              "ends too early",
		"MIT WITH \x1b]0;pwned\a\x1b[2J":        `"\x1b]0;pwned\a\x1b[2J" is no SPDX exc`,
		"MIT WITH classpath-exception-2.0":      "did you mean Classpath-exception-2.0?",
		"MIT WITH MIT":                          `"MIT" is no SPDX exception`,
		"MIT WITH LLVM-exception WITH mif":      "is no SPDX expression: want ids",
		"(MIT) WITH LLVM-exception":             "is no SPDX expression: want ids",
		strings.Repeat("MIT AND ", 100) + "MIT": "longer than 512",
	} {
		if err := CheckLicence(bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\n got %v\nwant %s", bad, err, want)
		}
	}
}

// SPDX wants the text of a licence that is not of its list.
func TestDocumentWithALicenceOfOnesOwn(t *testing.T) {
	for licence, want := range map[string]string{
		"MIT": "", "MIT OR LicenseRef-Acme OR (LicenseRef-Acme)": `"hasExtractedLicensingInfos": [
    {
      "licenseId": "LicenseRef-Acme",
      "extractedText": "Do as you like."
    }
  ]`,
	} {
		text, err := Document(Product{
			Name: "a", Version: "1.0.0", Licence: licence, LicenceText: "Do as you like.",
		})
		_, has, found := strings.Cut(string(text), "],\n  \"has")
		if err != nil || found != (want != "") || found && `"has`+has != want+"\n}\n" {
			t.Errorf("%s: %v\n%s", licence, err, text)
		}
	}
}

func TestModules(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com/m\n\nrequire example.com/a/v2 v2.0.1 // indirect\n",
		"Cargo.lock": "version = 4\n\n[[package]]\nname = \"own\"\nversion = \"0.1.0\"\n\n" +
			"[[package]]\nname = \"serde\"\nversion = \"1.0.0\"\nsource = \"registry+x\"\n",
		"package-lock.json": `{"packages": {"": {"version": "1.0.0"},
			"node_modules/@a/b": {"version": "3.0.0"},
			"node_modules/x/node_modules/y": {"version": "1.0.0"},
			"node_modules/linked": {"link": true}}}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Modules(dir)
	want := []string{
		"pkg:cargo/serde@1.0.0", "pkg:golang/example.com/a/v2@v2.0.1", "pkg:npm/%40a/b@3.0.0",
		"pkg:npm/y@1.0.0",
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v\nwant %v", got, err, want)
	}
	text, err := Document(Product{
		Name: "a", Version: "1.0.0", Licence: "MIT", Modules: got,
		Files: []File{{"a.wasm", strings.Repeat("0", 64)}},
	})
	if err != nil || Check(text) != nil || !slices.Equal(URLs(text), want) {
		t.Errorf("%v\n%s", err, text)
	}
	for _, url := range got {
		if err := CheckURL(url); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", "serde", "pkg:cargo/serde", "pkg:cargo/a b@1"} {
		if CheckURL(bad) == nil {
			t.Errorf("%q is a package URL", bad)
		}
	}
	for name, bad := range map[string]string{
		"go.mod": "require (", "Cargo.lock": "[[", "package-lock.json": "{",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Modules(dir); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, bad := range []string{"x", "{}", `{"spdxVersion":"CycloneDX","name":"a"}`} {
		if Check([]byte(bad)) == nil {
			t.Errorf("%s is a document", bad)
		}
	}
}
