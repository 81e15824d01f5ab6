package project

import (
	"fmt"
	"slices"
	"strings"
)

// Language is what a component can be written in.
type Language struct {
	Name string
	// Title is its name for people, Needs what must be installed.
	Title, Needs string
	// Roles are those there are templates for.
	Roles []string
	// Core says that a component stays a core module.
	Core bool
	// source is where the author writes, by the role.
	source func(role string) string
	// templates are further files, by their name in the folder.
	templates map[string]string
	// with is what comes with the folder.
	with extras
}

// extras are files that are the same for all components of a role.
type extras struct {
	// bindings in C, the contracts, the SDK of sdk/guest by the folder of that name.
	bindings, wit bool
	sdk           string
}

// Roles are all roles there are templates for.
func Roles() []string { return append(policies(), "codec") }

// policies are the roles that judge messages and clients, or are told of them.
func policies() []string {
	return []string{
		"authenticator", "authorizer", "transformer", "deduplicator", "router", "worker",
	}
}

// Languages are all there are templates for.
func Languages() []Language {
	fixed := func(name string) func(string) string { return func(string) string { return name } }
	return []Language{
		{Name: "c", Title: "C", Needs: "clang and wasm-ld, no library", Roles: Roles(),
			source: func(role string) string { return role + ".c" }, with: extras{bindings: true}},
		{Name: "rust", Title: "Rust", Needs: "cargo and the target wasm32-unknown-unknown",
			Roles: policies(), source: fixed("src/lib.rs"), with: extras{wit: true},
			templates: map[string]string{"Cargo.toml": "rust/Cargo.toml"}},
		{Name: "go", Title: "Go", Needs: "Go 1.26", Roles: Roles(), Core: true,
			source: fixed("policy.go"), with: extras{sdk: "go"}, templates: goFiles()},
		{Name: "tinygo", Title: "Go, built by TinyGo", Needs: "TinyGo 0.41 and Go 1.26",
			Roles: Roles(), Core: true, source: fixed("policy.go"), with: extras{sdk: "go"},
			templates: goFiles()},
		{Name: "assemblyscript", Title: "AssemblyScript", Needs: "node and npm",
			Roles:  []string{"authorizer", "transformer"},
			source: fixed("assembly/index.ts"), with: extras{sdk: "assemblyscript"},
			templates: map[string]string{"package.json": "assemblyscript/package.json"}},
		{Name: "javascript", Title: "JavaScript", Needs: "node and npm", Roles: policies(),
			source: fixed("policy.js"), with: extras{wit: true},
			templates: map[string]string{"package.json": "javascript/package.json"}},
	}
}

func goFiles() map[string]string {
	return map[string]string{"go.mod": "go/go.mod", "main.go": "go/main.go"}
}

// folder is the folder of the language's templates, and the ending of the author's file there.
func (l *Language) template(role string) string {
	folder, ending := l.Name, l.source(role)
	if l.Name == "tinygo" {
		folder = "go"
	}
	return folder + "/" + role + ending[strings.LastIndexByte(ending, '.'):]
}

// Names are those of the languages.
func Names() []string {
	var names []string
	for _, l := range Languages() {
		names = append(names, l.Name)
	}
	return names
}

// LanguageOf is the language of that name.
func LanguageOf(name string) (Language, error) {
	all := Languages()
	at := slices.IndexFunc(all, func(l Language) bool { return l.Name == name })
	if at < 0 {
		return Language{}, fmt.Errorf("project: no language %q; there are %s", name,
			strings.Join(Names(), ", "))
	}
	return all[at], nil
}
