package tidy

import (
	"bytes"
	"fmt"
	"go/ast"
	"path"
	"strings"
	"unicode/utf8"
)

// The line of STYLE.md, part 2. The habits are lower.
const (
	functionLinesMax    = 70
	fileLinesMax        = 500
	interfaceMethodsMax = 5
	parametersMax       = 4
	nestingMax          = 3
	columnsMax          = 100
	// tabColumns is how wide a tab is drawn.
	tabColumns = 4
)

// CheckSizes finds what has outgrown the habits. Generated files are not judged.
func CheckSizes(t *Tree) []Finding {
	var out []Finding
	for _, f := range t.Files {
		if f.Generated() {
			continue
		}
		s := &sizer{t: t, f: f}
		s.lines()
		for _, d := range f.AST.Decls {
			s.decl(d)
		}
		out = append(out, s.out...)
	}
	return out
}

type sizer struct {
	t   *Tree
	f   *File
	out []Finding
}

// place is what a measure is taken of: a key for exceptions.txt, a position for a person.
type place struct{ key, pos string }

func (s *sizer) over(check string, at place, measure, most int) {
	if measure > most {
		s.out = append(s.out, Finding{Check: check, Key: at.key, Pos: at.pos, Measure: measure,
			Text: fmt.Sprintf("%d, at most %d", measure, most)})
	}
}

func (s *sizer) lines() {
	n, widest, at := 0, 0, 0
	for line := range bytes.Lines(s.f.Source) {
		n++
		if w := columns(line); w > widest {
			widest, at = w, n
		}
	}
	s.over("file", place{s.f.Path, s.f.Path}, n, fileLinesMax)
	pos := fmt.Sprintf("%s:%d", s.f.Path, at)
	s.over("columns", place{s.f.Path, pos}, widest, columnsMax)
}

func columns(line []byte) int {
	line = bytes.TrimRight(line, "\r\n")
	tabs := bytes.Count(line, []byte("\t"))
	return utf8.RuneCount(line) + tabs*(tabColumns-1)
}

func (s *sizer) decl(d ast.Decl) {
	fn, ok := d.(*ast.FuncDecl)
	if !ok {
		ast.Inspect(d, func(n ast.Node) bool {
			s.interfaceType(n)
			return true
		})
		return
	}
	key := s.f.Room + ":" + funcName(fn)
	if s.f.Test() {
		key = s.f.Path + ":" + funcName(fn)
	}
	at := place{key, s.t.at(fn.Pos())}
	s.over("function", at, s.t.line(fn.End())-s.t.line(fn.Pos())+1, functionLinesMax)
	if !wired(fn) && !s.f.Guest() {
		s.over("parameters", at, parameters(fn.Type), parametersMax)
	}
	if fn.Body != nil {
		s.over("nesting", at, nesting(fn.Body), nestingMax)
	}
}

func (s *sizer) interfaceType(n ast.Node) {
	spec, ok := n.(*ast.TypeSpec)
	if !ok {
		return
	}
	it, ok := spec.Type.(*ast.InterfaceType)
	if !ok {
		return
	}
	key := s.f.Room + ":" + spec.Name.Name
	s.over("interface", place{key, s.t.at(spec.Pos())}, methods(it), interfaceMethodsMax)
	for _, m := range it.Methods.List {
		if ft, ok := m.Type.(*ast.FuncType); ok && len(m.Names) == 1 {
			at := place{key + "." + m.Names[0].Name, s.t.at(m.Pos())}
			s.over("parameters", at, parameters(ft), parametersMax)
		}
	}
}

// methods counts the methods an interface names itself. What it embeds was judged where it stands.
func methods(it *ast.InterfaceType) int {
	n := 0
	for _, m := range it.Methods.List {
		n += len(m.Names)
	}
	return n
}

func funcName(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return fn.Name.Name
	}
	e := fn.Recv.List[0].Type
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	switch x := e.(type) {
	case *ast.IndexExpr:
		e = x.X
	case *ast.IndexListExpr:
		e = x.X
	}
	if id, ok := e.(*ast.Ident); ok {
		return id.Name + "." + fn.Name.Name
	}
	return fn.Name.Name
}

// wired says that the contract, not the author, chose the parameters: a function at the edge of a
// guest.
func wired(fn *ast.FuncDecl) bool {
	if fn.Doc == nil {
		return false
	}
	for _, c := range fn.Doc.List {
		if strings.HasPrefix(c.Text, "//go:wasm") || strings.HasPrefix(c.Text, "//export ") {
			return true
		}
	}
	return false
}

// parameters counts what a caller has to think of. The first parameter does not count when it
// carries the call itself: a context, the time, the test.
func parameters(ft *ast.FuncType) int {
	n := 0
	for i, field := range ft.Params.List {
		if i == 0 && carrier(field) {
			continue
		}
		n += max(1, len(field.Names))
	}
	return n
}

func carrier(field *ast.Field) bool {
	if len(field.Names) == 1 && field.Names[0].Name == "dst" {
		return true
	}
	e := field.Type
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	switch x := e.(type) {
	case *ast.Ident:
		return x.Name == "Time" && len(field.Names) <= 1
	case *ast.SelectorExpr:
		pkg, ok := x.X.(*ast.Ident)
		if !ok || len(field.Names) > 1 {
			return false
		}
		switch path.Join(pkg.Name, x.Sel.Name) {
		case "context/Context", "broker/Time", "testing/T", "testing/B", "testing/F", "testing/TB":
			return true
		}
	}
	return false
}

// nesting answers how deep the statements of a body stand in others. An else if does not deepen; a
// case belongs to its switch; a function literal is a function of its own.
func nesting(body *ast.BlockStmt) int {
	v := &nester{}
	ast.Walk(v, body)
	return v.most
}

type nester struct {
	depth, most int
	up          *nester
}

func (v *nester) Visit(n ast.Node) ast.Visitor {
	switch n := n.(type) {
	case *ast.IfStmt:
		return v.visitIf(n)
	case *ast.ForStmt, *ast.RangeStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
		return v.deeper(v.depth + 1)
	case *ast.FuncLit:
		return v.deeper(0)
	}
	return v
}

func (v *nester) visitIf(n *ast.IfStmt) ast.Visitor {
	in := v.deeper(v.depth + 1)
	if n.Init != nil {
		ast.Walk(in, n.Init)
	}
	ast.Walk(in, n.Cond)
	ast.Walk(in, n.Body)
	if elseIf, ok := n.Else.(*ast.IfStmt); ok {
		ast.Walk(v, elseIf)
	} else if n.Else != nil {
		ast.Walk(in, n.Else)
	}
	return nil
}

func (v *nester) deeper(depth int) *nester {
	in := &nester{depth: depth, up: v}
	for w := in; w != nil; w = w.up {
		w.most = max(w.most, depth)
	}
	return in
}
