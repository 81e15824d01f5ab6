// Package tidy knows the line of the house: which room may import which, where each vendor lives,
// how large a function may grow, which words stay outside. It reads source text and nothing else;
// it does not know what the code does, and it builds nothing.
//
// Every check takes a Tree and answers Findings, so that the same check judges the repository and
// the small fake trees that prove it can fail.
package tidy

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// ModulePath is the path of the module the rooms belong to.
const ModulePath = "github.com/hpmq/hpmq"

// Finding is one place where the tree leaves the line.
type Finding struct {
	// Check names the rule, as in exceptions.txt.
	Check string
	// Key names the place in a way that does not change with line numbers.
	Key string
	// Pos is file:line for a person.
	Pos string
	// Text says what is wrong.
	Text string
	// Measure is the size that was found by a check that measures, or 0.
	Measure int
}

func (f Finding) String() string {
	return fmt.Sprintf("%s: %s: %s [%s]", f.Pos, f.Check, f.Text, f.Key)
}

// Tree is the text of a repository.
type Tree struct {
	fsys  fs.FS
	fset  *token.FileSet
	Files []*File
	// Texts are the paths of all files that are not binary, Go files included.
	Texts []string
}

// File is one parsed Go file.
type File struct {
	// Path is relative to the root of the repository.
	Path string
	// Room is the folder of the file: the package, or the package under test.
	Room   string
	Source []byte
	AST    *ast.File
}

// Load reads all Go files and lists all text files below the root of fsys.
func Load(fsys fs.FS) (*Tree, error) {
	t := &Tree{fsys: fsys, fset: token.NewFileSet()}
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if foreign(p) {
				return fs.SkipDir
			}
			return nil
		}
		if foreign(p) { // .git of a linked work tree is a file
			return nil
		}
		return t.add(p)
	})
	if err != nil {
		return nil, fmt.Errorf("tidy: load: %w", err)
	}
	return t, nil
}

// foreign says that a folder is not part of the project: what .gitignore names, and git itself.
func foreign(p string) bool {
	switch p {
	case ".git", ".tools", "bin", "hpmq-data":
		return true
	}
	return path.Base(p) == "node_modules"
}

func (t *Tree) add(p string) error {
	switch path.Ext(p) {
	case ".wasm", ".gz", ".zst", ".png", ".test", ".prof", ".sum":
		return nil
	}
	src, err := fs.ReadFile(t.fsys, p)
	if err != nil {
		return err
	}
	if bytes.IndexByte(src, 0) >= 0 {
		return nil
	}
	t.Texts = append(t.Texts, p)
	if path.Ext(p) != ".go" || strings.Contains("/"+p, "/testdata/") {
		return nil
	}
	tree, err := parser.ParseFile(t.fset, p, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	t.Files = append(t.Files, &File{Path: p, Room: path.Dir(p), Source: src, AST: tree})
	return nil
}

// Rooms lists the folders that hold Go files, sorted.
func (t *Tree) Rooms() []string {
	var rooms []string
	for _, f := range t.Files {
		if !slices.Contains(rooms, f.Room) {
			rooms = append(rooms, f.Room)
		}
	}
	sort.Strings(rooms)
	return rooms
}

// Text reads one file of the tree; an absent file is empty.
func (t *Tree) Text(p string) []byte {
	b, err := fs.ReadFile(t.fsys, p)
	if err != nil {
		return nil
	}
	return b
}

func (t *Tree) at(p token.Pos) string {
	at := t.fset.Position(p)
	return at.Filename + ":" + strconv.Itoa(at.Line)
}

func (t *Tree) line(p token.Pos) int { return t.fset.Position(p).Line }

// Test says that the file is compiled for tests only.
func (f *File) Test() bool { return strings.HasSuffix(f.Path, "_test.go") }

// Generated says that a tool wrote the file.
func (f *File) Generated() bool { return ast.IsGenerated(f.AST) }

// Guest says that the code runs inside WebAssembly at the edge to the host: one thread, one
// instance, exports with as many flat parameters as the contract has. The policy of a component is
// not that edge.
func (f *File) Guest() bool {
	return under(f.Room, "sdk/guest") ||
		under(f.Room, "components") && path.Base(f.Room) == "guest"
}

// Imports lists the import paths of the file.
func (f *File) Imports() []string {
	var paths []string
	for _, s := range f.AST.Imports {
		p, err := strconv.Unquote(s.Path.Value)
		if err == nil {
			paths = append(paths, p)
		}
	}
	return paths
}

// ours answers the room an import path names, if it is one of this module.
func ours(imported string) (room string, ok bool) {
	return strings.CutPrefix(imported, ModulePath+"/")
}

// standard says that an import path belongs to the standard library.
func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

func under(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }
