package project

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"github.com/hpmq/hpmq/sdk/bind"
	"github.com/hpmq/hpmq/sdk/contracts"
	"github.com/hpmq/hpmq/sdk/guest"
	"github.com/hpmq/hpmq/sdk/wit"
)

//go:embed templates
var templates embed.FS

// ErrTaken says that a folder has files already.
var ErrTaken = errors.New("it has files already")

// rustWords are names that cargo or the compiler refuse for a crate.
const rustWords = `abstract alloc as async await become box break build const continue core crate
do deps dyn else enum examples extern false final fn for gen if impl in incremental let loop macro
match mod move mut override priv pub ref return self static std struct super test trait true try
type typeof union unsafe unsized use virtual where while yield`

// file is a file of a new folder.
type file struct {
	name, what string
	text       []byte
}

// New makes a folder with a component of a language and a role in it, named as the folder. It
// answers the names of its files. Nothing is written if anything is wrong.
func New(dir, language, role string) (*Project, []string, error) {
	p := &Project{
		Name: filepath.Base(filepath.Clean(dir)), Version: "0.1.0", Language: language, Role: role,
		Dir: dir,
	}
	if dir == "" {
		return nil, nil, errors.New("project: name the folder that is to be made")
	}
	if err := p.Validate(); err != nil {
		return nil, nil, err
	}
	if language == "rust" && slices.Contains(strings.Fields(rustWords), p.Name) {
		return nil, nil, fmt.Errorf("project: %q is a word of Rust, which no crate may be named; "+
			"name it %s-%s", p.Name, p.Name, role)
	}
	l, err := LanguageOf(language)
	if err != nil {
		return nil, nil, err
	}
	if !slices.Contains(l.Roles, role) {
		return nil, nil, fmt.Errorf("project: no template for role %q in %s; there are %s", role,
			l.Name, strings.Join(l.Roles, ", "))
	}
	p.Core = l.Core
	if role == "worker" {
		p.Capabilities = []Capability{{"publish", "it passes messages on"}}
	}
	if had, err := os.ReadDir(dir); err == nil && len(had) > 0 {
		return nil, nil, fmt.Errorf("project: %s: %w; name a new folder", dir, ErrTaken)
	}
	files, err := p.files(&l)
	if err != nil {
		return nil, nil, err
	}
	names, err := write(dir, files)
	return p, names, err
}

// write writes the files and answers their names.
func write(dir string, files []file) ([]string, error) {
	var names []string
	for _, f := range files {
		name := filepath.Join(dir, filepath.FromSlash(f.name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return names, fmt.Errorf("project: new: %w", err)
		}
		if err := os.WriteFile(name, f.text, 0o644); err != nil {
			return names, fmt.Errorf("project: new: %w", err)
		}
		names = append(names, f.name)
	}
	return names, nil
}

// files are those of the folder, the README last: it tells of the others.
func (p *Project) files(l *Language) ([]file, error) {
	about, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("project: new: %w", err)
	}
	ask, err := templates.ReadFile("templates/cases/" + p.Role + ".json")
	if err != nil {
		return nil, fmt.Errorf("project: new: %w", err)
	}
	source, err := p.fill(l.template(p.Role), nil)
	if err != nil {
		return nil, err
	}
	files := []file{
		{l.source(p.Role), "what you write", source},
		{"cases/starter.json", "a golden case: what it is asked, what it must answer", ask},
		{File, "name, version, role, capabilities", append(about, '\n')},
		{".gitignore", "", []byte("/build/\n/node_modules/\n/" + p.Name + ".wasm\n")},
	}
	for _, name := range slices.Sorted(maps.Keys(l.templates)) {
		text, err := p.fill(l.templates[name], nil)
		if err != nil {
			return nil, err
		}
		files = append(files, file{name, "how it is built", text})
	}
	more, err := p.extras(l)
	if err != nil {
		return nil, err
	}
	files = append(files, more...)
	readme, err := p.fill("README.md", p.readme(l, files))
	return append(files, file{name: "README.md", text: readme}), err
}

// readme is what the README tells.
func (p *Project) readme(l *Language, files []file) map[string]any {
	var told []map[string]string
	for _, f := range files {
		if f.what != "" {
			told = append(told, map[string]string{"Name": f.name, "What": f.what})
		}
	}
	article := "A"
	if strings.HasPrefix(p.Role, "a") {
		article = "An"
	}
	var grants []string
	for _, c := range p.Capabilities {
		grants = append(grants, c.Name)
	}
	return map[string]any{
		"Grants": strings.Join(grants, ","), "Name": p.Name, "Role": p.Role, "Title": l.Title,
		"Needs": l.Needs, "Article": article,
		"Source": l.source(p.Role), "Files": told,
	}
}

// fill is a template with the names of the project in it.
func (p *Project) fill(name string, with map[string]any) ([]byte, error) {
	text, err := templates.ReadFile("templates/" + name + ".tmpl")
	if err != nil {
		return nil, fmt.Errorf("project: new: %w", err)
	}
	t, err := template.New(name).Delims("[[", "]]").Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("project: new: %w", err)
	}
	if with == nil {
		with = map[string]any{"Name": p.Name, "Role": p.Role}
	}
	var out bytes.Buffer
	if err := t.Execute(&out, with); err != nil {
		return nil, fmt.Errorf("project: new: %w", err)
	}
	return out.Bytes(), nil
}

// extras are what comes with the folder and is not to be changed.
func (p *Project) extras(l *Language) ([]file, error) {
	var out []file
	if l.with.bindings {
		w, err := wit.Parse(contracts.JSON(), p.World())
		if err != nil {
			return nil, fmt.Errorf("project: new: %w", err)
		}
		made, err := bind.World(l.Name, w, bind.Options{Note: "hpmq-cli wit bind"})
		if err != nil {
			return nil, fmt.Errorf("project: new: %w", err)
		}
		for i, f := range made {
			what := ""
			if i == 0 {
				what = "generated of the contracts: what you call, what you write"
			}
			out = append(out, file{"bindings/" + f.Name, what, []byte(f.Text)})
		}
	}
	if l.with.wit {
		more, err := copyOf(contracts.WIT(), "wit")
		if err != nil {
			return nil, fmt.Errorf("project: new: %w", err)
		}
		more[0].what = "one of the contracts, as the broker has them"
		out = append(out, more...)
	}
	if l.with.sdk != "" {
		more, err := copyOf(guest.SDK(l.with.sdk), "sdk")
		if err != nil {
			return nil, fmt.Errorf("project: new: %w", err)
		}
		more[0].what = "part of a copy of what is imported"
		out = append(out, more...)
	}
	if l.with.sdk == "go" {
		out = append(out, file{name: "sdk/go.mod", text: guest.GoMod()})
	}
	return out, nil
}

// copyOf is all files of a folder, below another.
func copyOf(from fs.FS, to string) ([]file, error) {
	var out []file
	err := fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(from, name)
		out = append(out, file{name: path.Join(to, name), text: text})
		return err
	})
	if err == nil && len(out) == 0 {
		err = fmt.Errorf("%s is empty", to)
	}
	return out, err
}
