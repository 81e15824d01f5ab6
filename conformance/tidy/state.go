package tidy

import (
	"go/ast"
	"go/token"
	"strings"
)

// CheckInit finds init functions: they run in an order nobody reads.
func CheckInit(t *Tree) []Finding {
	var out []Finding
	for _, f := range t.Files {
		for _, d := range f.AST.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if ok && fn.Recv == nil && fn.Name.Name == "init" && !f.Guest() {
				out = append(out, Finding{Check: "init", Key: f.Path, Pos: t.at(fn.Pos()),
					Text: "init(); do it where it is needed"})
			}
		}
	}
	return out
}

// packageVar is one variable at package level.
type packageVar struct {
	file *File
	name *ast.Ident
}

// CheckState finds package variables that are not constants in effect: without a value, with a type
// made to change (locks, atomics, channels, pools, empty maps), or changed somewhere in the
// package. Tests may have none either. Guests are one instance on one thread; their package is
// their state.
func CheckState(t *Tree) []Finding {
	var out []Finding
	vars := map[string]map[string]packageVar{}
	for _, f := range t.Files {
		if f.Guest() {
			continue
		}
		for _, d := range f.AST.Decls {
			decl, ok := d.(*ast.GenDecl)
			if !ok || decl.Tok != token.VAR {
				continue
			}
			for _, s := range decl.Specs {
				out = append(out, t.judgeVars(f, decl, s.(*ast.ValueSpec), vars)...)
			}
		}
	}
	for _, f := range t.Files {
		out = append(out, t.findWrites(f, vars[f.Room])...)
	}
	return out
}

func (t *Tree) judgeVars(f *File, d *ast.GenDecl, s *ast.ValueSpec,
	vars map[string]map[string]packageVar) []Finding {
	var out []Finding
	for i, name := range s.Names {
		if name.Name == "_" {
			continue
		}
		if vars[f.Room] == nil {
			vars[f.Room] = map[string]packageVar{}
		}
		vars[f.Room][name.Name] = packageVar{f, name}
		why := ""
		switch {
		case embedded(d, s):
		case len(s.Values) == 0:
			why = "has no value, so something must change it"
		case madeToChange(s.Type):
			why = "has a type made to change"
		case i < len(s.Values) && madeToChange(s.Values[i]):
			why = "has a value made to change"
		}
		if why != "" {
			out = append(out, t.stateFinding(f, name, why))
		}
	}
	return out
}

func (t *Tree) stateFinding(f *File, name *ast.Ident, why string) Finding {
	return Finding{Check: "state", Key: f.Room + ":" + name.Name, Pos: t.at(name.Pos()),
		Text: "package variable " + name.Name + " " + why}
}

func embedded(d *ast.GenDecl, s *ast.ValueSpec) bool {
	for _, g := range []*ast.CommentGroup{d.Doc, s.Doc} {
		if g == nil {
			continue
		}
		for _, c := range g.List {
			if strings.HasPrefix(c.Text, "//go:embed ") {
				return true
			}
		}
	}
	return false
}

// madeToChange looks at a type or a value: sync.X, atomic.X, a channel, make(…), new(…).
func madeToChange(e ast.Expr) bool {
	if e == nil {
		return false
	}
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.FuncType:
			return false
		case *ast.ChanType:
			found = true
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			found = found || ok && (x.Name == "sync" || x.Name == "atomic")
		case *ast.CallExpr:
			fn, ok := n.Fun.(*ast.Ident)
			found = found || ok && (fn.Name == "make" || fn.Name == "new")
		}
		return !found
	})
	return found
}

// findWrites finds statements in f that change a variable of its own package, or take its address.
// A local variable of the same name hides it: a function that declares the name is passed over.
func (t *Tree) findWrites(f *File, vars map[string]packageVar) []Finding {
	var out []Finding
	if len(vars) == 0 {
		return nil
	}
	for _, d := range f.AST.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		hidden, names := declared(fn), views(fn.Body)
		for _, id := range written(fn.Body, !f.Test()) {
			if under, ok := names[id.Name]; ok {
				id = under
			}
			if _, ok := vars[id.Name]; ok && !hidden[id.Name] {
				out = append(out, t.stateFinding(f, id, "is changed here"))
			}
		}
	}
	return out
}

// views lists the locals that point into something: x := &table[i]. A view that is only read is
// fine; what is written through it is written to the table.
func views(body ast.Node) map[string]*ast.Ident {
	names := map[string]*ast.Ident{}
	ast.Inspect(body, func(n ast.Node) bool {
		a, ok := n.(*ast.AssignStmt)
		if !ok || !view(a) {
			return true
		}
		if id, ok := a.Lhs[0].(*ast.Ident); ok {
			names[id.Name] = root(a.Rhs[0].(*ast.UnaryExpr).X)
		}
		return true
	})
	return names
}

// view says that a statement does nothing but name a view.
func view(n *ast.AssignStmt) bool {
	if n.Tok != token.DEFINE || len(n.Lhs) != 1 || len(n.Rhs) != 1 {
		return false
	}
	u, ok := n.Rhs[0].(*ast.UnaryExpr)
	return ok && u.Op == token.AND && root(u.X) != nil
}

// written lists the identifiers at the root of what a body assigns, steps or deletes from, and with
// pointers what it points to: behind a pointer nobody sees what is done. A test may point to what
// it only shows.
func written(body ast.Node, pointers bool) []*ast.Ident {
	var ids []*ast.Ident
	add := func(e ast.Expr) {
		if id := root(e); id != nil {
			ids = append(ids, id)
		}
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if view(n) {
				return false
			}
			for _, l := range n.Lhs {
				if n.Tok != token.DEFINE {
					add(l)
				}
			}
		case *ast.IncDecStmt:
			add(n.X)
		case *ast.UnaryExpr:
			if pointers && n.Op == token.AND {
				add(n.X)
			}
		case *ast.CallExpr:
			fn, ok := n.Fun.(*ast.Ident)
			if ok && (fn.Name == "delete" || fn.Name == "clear") && len(n.Args) > 0 {
				add(n.Args[0])
			}
		}
		return true
	})
	return ids
}

// root answers x of x, x.f, x[i], *x, and nil for anything else.
func root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// declared lists the names a function declares: parameters, results, receiver, local variables.
func declared(fn *ast.FuncDecl) map[string]bool {
	names := map[string]bool{}
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		case *ast.AssignStmt:
			for _, l := range n.Lhs {
				if id, ok := l.(*ast.Ident); ok && n.Tok == token.DEFINE {
					names[id.Name] = true
				}
			}
		case *ast.RangeStmt:
			for _, e := range []ast.Expr{n.Key, n.Value} {
				if id, ok := e.(*ast.Ident); ok && n.Tok == token.DEFINE {
					names[id.Name] = true
				}
			}
		case *ast.ValueSpec:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		}
		return true
	})
	return names
}
