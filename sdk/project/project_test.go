package project

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestEveryTemplate: each language in each of its roles makes a folder that reads as what it was
// asked for, with a source, cases and a README that names both.
func TestEveryTemplate(t *testing.T) {
	for _, l := range Languages() {
		for _, role := range l.Roles {
			t.Run(l.Name+" "+role, func(t *testing.T) { checkTemplate(t, &l, role) })
		}
	}
}

func checkTemplate(t *testing.T, l *Language, role string) {
	dir := filepath.Join(t.TempDir(), "vendor-x")
	_, names, err := New(dir, l.Name, role)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Load(dir)
	if err != nil || p.Name != "vendor-x" || p.Role != role || p.Language != l.Name ||
		p.Core != l.Core || p.World() != role+"-component" {
		t.Fatalf("%v: %+v", err, p)
	}
	for _, name := range names {
		text := read(t, filepath.Join(dir, name))
		if text == "" || strings.Contains(text, "[[") && !strings.HasPrefix(name, "sdk/") {
			t.Errorf("%s is empty or not filled: %s", name, text)
		}
	}
	source, readme := read(t, filepath.Join(dir, l.source(role))), read(t, filepath.Join(dir,
		"README.md"))
	for _, want := range []string{"vendor-x", role, l.source(role), "component build"} {
		if !strings.Contains(readme, want) {
			t.Errorf("the README does not say %s", want)
		}
	}
	if !strings.Contains(source, "vendor-x") || !strings.Contains(source, role) {
		t.Errorf("the source is of another component:\n%s", source)
	}
	if mod := filepath.Join(dir, "go.mod"); l.with.sdk == "go" &&
		!strings.HasPrefix(read(t, mod), "module example.com/vendor-x\n") {
		t.Error("the module may have the name of a package of Go")
	}
	var ask struct {
		Calls []struct {
			Answer json.RawMessage `json:"answer"`
		} `json:"calls"`
	}
	text := read(t, filepath.Join(p.Cases(), "starter.json"))
	if err := json.Unmarshal([]byte(text), &ask); err != nil || len(ask.Calls) < 3 {
		t.Errorf("cases: %v", err)
	}
	if l.with.wit != slices.Contains(names, "wit/types.wit") {
		t.Errorf("files: %v", names)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestNewRefuses(t *testing.T) {
	taken := filepath.Join(t.TempDir(), "taken")
	if _, _, err := New(taken, "c", "router"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ dir, language, role, says string }{
		{taken, "c", "router", "it has files already"},
		{"x", "cobol", "router", "there are c, rust"},
		{"x", "assemblyscript", "router", "there are authorizer, transformer"},
		{"x", "c", "routers", "there are authenticator"},
		{"X y", "c", "router", "no name"},
		{"core", "rust", "router", "name it core-router"},
	} {
		dir := c.dir
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(t.TempDir(), dir)
		}
		_, _, err := New(dir, c.language, c.role)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: %v", c, err)
		}
		if _, err := os.Stat(dir); err == nil && dir != taken {
			t.Errorf("%v: something is left", c)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	if _, err := Load(t.TempDir()); !errors.Is(err, ErrNone) {
		t.Errorf("an empty folder: %v", err)
	}
	for text, says := range map[string]string{
		`{`: "unexpected", `{"nam": "x"}`: "nam", `{"name": "X"}`: "no name",
		`{"name": "x", "language": "cobol"}`:             "cobol",
		`{"name": "x", "language": "c", "role": "boss"}`: `"boss" is no role`,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, File), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestACapabilityMayBeAWord(t *testing.T) {
	var p Project
	err := json.Unmarshal([]byte(`{"capabilities": ["kv", {"name": "publish", "why": "x"}]}`), &p)
	if err != nil || !slices.Equal(p.Capabilities, []Capability{{"kv", ""}, {"publish", "x"}}) {
		t.Errorf("%v: %+v", err, p)
	}
	if json.Unmarshal([]byte(`{"capabilities": [{"nam": "kv"}]}`), &p) == nil {
		t.Error("a misspelt field is read")
	}
}
