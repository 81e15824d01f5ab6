package tidy

import (
	"io/fs"
	"path"
	"slices"
	"strings"
)

// roles are the nouns a component folder may begin with: the contracts of wit/.
var roles = []string{
	"authenticator", "authorizer", "transformer", "deduplicator", "router", "codec", "worker",
}

// CheckComponents finds component folders that lack a README, a manifest, a test of their own, or
// the name of a role.
func CheckComponents(t *Tree) []Finding {
	var out []Finding
	entries, err := fs.ReadDir(t.fsys, "components")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if !e.IsDir() || e.Name() == "testdata" || e.Name() == "cmd" {
			continue
		}
		dir := path.Join("components", e.Name())
		for _, lack := range t.componentLacks(e.Name(), dir) {
			out = append(out, Finding{Check: "component", Key: dir, Pos: dir, Text: lack})
		}
	}
	return out
}

func (t *Tree) componentLacks(name, dir string) []string {
	var lacks []string
	role, _, ok := strings.Cut(name, "-")
	if !ok || !slices.Contains(roles, role) {
		lacks = append(lacks, "the folder is not named ROLE-NAME")
	}
	for what, pattern := range map[string]string{
		"no README.md": "README.md", "no manifest": "manifest.*", "no test": "*_test.go",
	} {
		if found, _ := fs.Glob(t.fsys, path.Join(dir, pattern)); len(found) == 0 {
			lacks = append(lacks, what)
		}
	}
	slices.Sort(lacks)
	return lacks
}

// product is the part of conformance that users run by a command line: the suite for any broker.
const product = "conformance/mqtt"

// CheckApart finds imports of conformance: everything there judges, nothing may lean on it. Tests
// of a room may: they judge too. A command line may offer the product.
func CheckApart(t *Tree) []Finding {
	var out []Finding
	for _, f := range t.Files {
		if f.Test() || under(f.Room, "conformance") {
			continue
		}
		for _, imported := range f.Imports() {
			room, ok := ours(imported)
			if ok && under(room, product) && strings.Contains(f.Room, "/cmd/") {
				continue
			}
			if ok && under(room, "conformance") {
				out = append(out, Finding{Check: "apart", Key: f.Room + " -> " + room, Pos: f.Path,
					Text: "conformance judges; nothing imports it"})
			}
		}
	}
	return out
}
