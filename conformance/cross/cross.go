// Package cross knows whether a module type-checks for an operating system and a processor it does
// not run on. It asks go list for the files of the target and checks them from source, without
// generating code, which costs seconds where a build costs minutes. It does not link, and it runs
// nothing.
package cross

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Target is one operating system and processor.
type Target struct{ OS, Arch string }

// ParseTarget reads "linux/arm64".
func ParseTarget(s string) (Target, error) {
	goos, arch, ok := strings.Cut(s, "/")
	if !ok || types.SizesFor("gc", arch) == nil {
		return Target{}, fmt.Errorf("cross: no such target: %q", s)
	}
	return Target{goos, arch}, nil
}

func (t Target) String() string { return t.OS + "/" + t.Arch }

// Count says how many packages were checked.
type Count struct{ Packages, Files int }

// errorsMax bounds the errors of one package that are reported.
const errorsMax = 10

// Check type-checks the packages that patterns name in the module at dir, with all they import. Of
// the standard library only declarations are checked: its functions are not ours to doubt.
func Check(ctx context.Context, dir string, t Target, patterns ...string) (Count, error) {
	args := append([]string{"list", "-e", "-deps", "-json=" + fields, "--"}, patterns...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS="+t.OS, "GOARCH="+t.Arch, "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return Count{}, fmt.Errorf("cross: list: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return Count{}, fmt.Errorf("cross: list: %w", err)
	}
	c := &checker{fset: token.NewFileSet(), done: map[string]*types.Package{},
		sizes: types.SizesFor("gc", t.Arch)}
	checked := c.all(json.NewDecoder(out))
	if checked != nil {
		// What go list still wants to write has no reader any more.
		_, _ = io.Copy(io.Discard, out)
	}
	return c.count, errors.Join(checked, cmd.Wait())
}

// fields are what go list is asked for.
const fields = "ImportPath,Dir,GoFiles,ImportMap,Standard,Module,Error"

type listed struct {
	ImportPath, Dir string
	GoFiles         []string
	ImportMap       map[string]string
	Standard        bool
	Module          *struct{ GoVersion string }
	Error           *struct{ Err string }
}

type checker struct {
	fset  *token.FileSet
	done  map[string]*types.Package
	sizes types.Sizes
	count Count
}

// all checks packages in the order go list gives them: what is imported comes first.
func (c *checker) all(dec *json.Decoder) error {
	var errs []error
	for {
		var p listed
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return errors.Join(errs...)
		}
		if err != nil {
			return fmt.Errorf("cross: list: %w", err)
		}
		errs = append(errs, c.one(&p)...)
	}
}

func (c *checker) one(p *listed) []error {
	switch {
	case p.Error != nil:
		return []error{errors.New(p.Error.Err)}
	case p.ImportPath == "unsafe":
		c.done["unsafe"] = types.Unsafe
		return nil
	}
	var files []*ast.File
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(c.fset, filepath.Join(p.Dir, name), nil,
			parser.SkipObjectResolution)
		if err != nil {
			return []error{err}
		}
		files = append(files, f)
	}
	c.count.Packages++
	c.count.Files += len(files)
	var errs []error
	conf := types.Config{
		Importer:         importer{c.done, p.ImportMap},
		Sizes:            c.sizes,
		IgnoreFuncBodies: p.Standard,
		Error: func(err error) {
			if len(errs) < errorsMax {
				errs = append(errs, err)
			}
		},
	}
	if p.Module != nil && p.Module.GoVersion != "" {
		conf.GoVersion = "go" + p.Module.GoVersion
	}
	pkg, err := conf.Check(p.ImportPath, c.fset, files, nil)
	c.done[p.ImportPath] = pkg
	if len(errs) == 0 && err != nil {
		errs = append(errs, err)
	}
	return errs
}

// importer answers packages that were checked before.
type importer struct {
	done map[string]*types.Package
	// names are the imports that mean another path: what the standard library vendors.
	names map[string]string
}

// Import implements types.Importer.
func (i importer) Import(path string) (*types.Package, error) {
	if p, ok := i.names[path]; ok {
		path = p
	}
	if p := i.done[path]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("cross: %s was not checked", path)
}
