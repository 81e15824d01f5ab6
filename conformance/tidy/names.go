package tidy

import (
	"cmp"
	"go/ast"
	"path"
	"slices"
	"strings"
)

// shapeless are package names that say nothing of what a package knows.
var shapeless = []string{
	"util", "utils", "common", "helper", "helpers", "misc", "types", "manager", "base", "shared",
}

// CheckNames finds packages whose name, or folder, says nothing.
func CheckNames(t *Tree) []Finding {
	var out []Finding
	for _, f := range t.Files {
		name := strings.TrimSuffix(f.AST.Name.Name, "_test")
		if slices.Contains(shapeless, name) || slices.Contains(shapeless, path.Base(f.Room)) {
			out = append(out, Finding{Check: "name", Key: f.Room, Pos: f.Path,
				Text: "package name says nothing: " + name})
		}
	}
	return out
}

// commentMin is the least length of a package comment, in bytes, that can say what a package knows.
const commentMin = 40

// CheckComments finds packages without a comment that says what they know. A folder of tests alone
// has its comment in one of them.
func CheckComments(t *Tree) []Finding {
	var out []Finding
	for _, room := range t.Rooms() {
		if longestComment(t, room) < commentMin {
			out = append(out, Finding{Check: "comment", Key: room, Pos: room,
				Text: "no package comment that says what the package knows"})
		}
	}
	return out
}

func longestComment(t *Tree, room string) int {
	most := 0
	for _, f := range t.Files {
		if f.Room == room && f.AST.Doc != nil {
			most = max(most, len(f.AST.Doc.Text()))
		}
	}
	return most
}

// CheckSleep finds tests that wait by sleeping: they are slow when they pass and wrong when they
// fail.
func CheckSleep(t *Tree) []Finding {
	var out []Finding
	for _, f := range t.Files {
		if !f.Test() {
			continue
		}
		ast.Inspect(f.AST, func(n ast.Node) bool {
			if isSelector(n, "time", "Sleep") {
				out = append(out, Finding{Check: "sleep", Key: f.Path, Pos: t.at(n.Pos()),
					Text: "a test that sleeps; wait for a condition or own the clock"})
			}
			return true
		})
	}
	return out
}

func isSelector(n ast.Node, pkg, name string) bool {
	s, ok := n.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != name {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == pkg
}

// CheckFuzzed finds rooms that take foreign bytes apart and do not fuzz it: an exported function
// named Decode…, Frame or Rewrite with a []byte parameter wants a Fuzz function among the room's
// tests.
func CheckFuzzed(t *Tree) []Finding {
	var out []Finding
	for _, room := range t.Rooms() {
		decoder, fuzzed := "", false
		for _, f := range t.Files {
			if f.Room == room && !f.Guest() {
				decoder = cmp.Or(decoder, firstFunc(f, !f.Test(), decodes))
				fuzzed = fuzzed || firstFunc(f, f.Test(), fuzzes) != ""
			}
		}
		if decoder != "" && !fuzzed {
			out = append(out, Finding{Check: "fuzz", Key: room, Pos: room,
				Text: decoder + " takes bytes apart and no test fuzzes it"})
		}
	}
	return out
}

// firstFunc answers the name of the first function of f that is so, if f is looked at.
func firstFunc(f *File, look bool, is func(*ast.FuncDecl) bool) string {
	if !look {
		return ""
	}
	for _, d := range f.AST.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && is(fn) {
			return fn.Name.Name
		}
	}
	return ""
}

func fuzzes(fn *ast.FuncDecl) bool { return strings.HasPrefix(fn.Name.Name, "Fuzz") }

func decodes(fn *ast.FuncDecl) bool {
	name := fn.Name.Name
	if !strings.HasPrefix(name, "Decode") && name != "Frame" && name != "Rewrite" {
		return false
	}
	return slices.ContainsFunc(fn.Type.Params.List, func(field *ast.Field) bool {
		array, ok := field.Type.(*ast.ArrayType)
		if !ok || array.Len != nil {
			return false
		}
		elem, ok := array.Elt.(*ast.Ident)
		return ok && elem.Name == "byte"
	})
}
