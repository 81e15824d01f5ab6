package tidy

import (
	"go/ast"
	"slices"
)

// pureRooms hold code that must answer the same to the same calls: the kernel and what it is made
// of.
var pureRooms = []string{"lite/broker", "sdk/mqtt", "sdk/topic"}

// pureStandard are the packages of the standard library that know no clock, socket, disk, lock or
// thread. fmt and strconv are here for texts, hash/fnv for hashes that are equal on every machine.
var pureStandard = []string{
	"bytes", "cmp", "container/heap", "container/list", "encoding/binary", "errors", "fmt",
	"hash/fnv", "iter", "maps", "math", "math/bits", "math/rand/v2", "slices", "sort", "strconv",
	"strings", "unicode/utf8", "unsafe",
}

// seeded are the words of math/rand/v2 that do not draw from the process's own randomness.
var seeded = []string{"New", "NewPCG", "PCG", "Rand", "Source", "NewChaCha8", "ChaCha8"}

// CheckPure finds what would make the kernel depend on anything but its arguments.
func CheckPure(t *Tree) []Finding {
	var out []Finding
	for _, f := range t.Files {
		if f.Test() || !slices.Contains(pureRooms, f.Room) {
			continue
		}
		for _, imported := range f.Imports() {
			room, mine := ours(imported)
			if mine && slices.Contains(pureRooms, room) || slices.Contains(pureStandard, imported) {
				continue
			}
			out = append(out, Finding{Check: "pure", Key: f.Room + " -> " + imported, Pos: f.Path,
				Text: "the kernel may not import " + imported})
		}
		out = append(out, impureStatements(t, f)...)
	}
	return out
}

func impureStatements(t *Tree, f *File) []Finding {
	var out []Finding
	add := func(n ast.Node, text string) {
		out = append(out, Finding{Check: "pure", Key: f.Path, Pos: t.at(n.Pos()), Text: text})
	}
	ast.Inspect(f.AST, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			add(n, "a go statement in the kernel")
		case *ast.SelectStmt, *ast.ChanType:
			add(n, "a channel in the kernel")
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if ok && x.Name == "rand" && !slices.Contains(seeded, n.Sel.Name) {
				add(n, "rand."+n.Sel.Name+" draws from the process's randomness")
			}
		}
		return true
	})
	return out
}
