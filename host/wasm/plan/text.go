package plan

import (
	"fmt"
	"strings"

	"github.com/hpmq/hpmq/host/wasm/component"
)

// Text writes the plan down, a line for each item, for people and tests. Its length is bounded by
// the limits that the plan was made with.
func (p *Plan) Text() string {
	var b strings.Builder
	for i, m := range p.Modules {
		fmt.Fprintf(&b, "module %d: %d bytes\n", i, len(m))
	}
	fmt.Fprintf(&b, "component instances: %d\n", p.Components)
	for i, r := range p.Resources {
		fmt.Fprintf(&b, "resource %d: %s\n", i, r.text())
	}
	for i, t := range p.Trampolines {
		fmt.Fprintf(&b, "trampoline %d: %s\n", i, t.text(p))
	}
	for i, in := range p.Instances {
		fmt.Fprintf(&b, "instance %d: module %d\n", i, in.Module)
		for _, a := range in.Args {
			fmt.Fprintf(&b, "  %q %q = %s %s\n", a.Module, a.Name, a.Def.Sort, a.Def)
		}
	}
	p.names(&b)
	return b.String()
}

func (p *Plan) names(b *strings.Builder) {
	for _, n := range p.ImportedInstances {
		fmt.Fprintf(b, "imported instance %s\n", n)
	}
	for i, m := range p.Imports {
		fmt.Fprintf(b, "import %d: %s: %s\n", i, path(m.Instance, m.Name), m.Type)
	}
	for _, n := range p.ExportedInstances {
		fmt.Fprintf(b, "exported instance %s\n", n)
	}
	for _, e := range p.Exports {
		what := fmt.Sprintf("import %d", e.Import)
		if e.Lifted != nil {
			what = e.Lifted.text()
		}
		fmt.Fprintf(b, "export %s = %s\n", path(e.Instance, e.Name), what)
	}
}

// path is how a function of an instance is named in the core form.
func path(instance, name string) string {
	if instance == "" {
		return name
	}
	return instance + "#" + name
}

func (r Resource) text() string {
	if r.Import != "" {
		return "import " + r.Import
	}
	out := fmt.Sprintf("%q of component instance %d", r.Name, r.Owner)
	if r.Dtor != nil {
		out += ", dtor " + r.Dtor.String()
	}
	return out
}

func (t Trampoline) text(p *Plan) string {
	switch t.Kind {
	case LowerImport:
		return fmt.Sprintf("%d lowers import %d%s", t.Caller, t.Import, t.Options.text())
	case LowerLifted:
		return fmt.Sprintf("%d lowers%s of %s", t.Caller, t.Options.text(), t.Lifted.text())
	}
	verb := [...]string{ResourceNew: "new", ResourceRep: "rep", ResourceDrop: "drop"}[t.Kind]
	return fmt.Sprintf("%d resource.%s %d", t.Caller, verb, t.Resource)
}

func (l *Lifted) text() string {
	return fmt.Sprintf("%s of %d%s: %s", l.Core, l.Callee, l.Options.text(), l.Type)
}

func (o Options) text() string {
	var b strings.Builder
	if o.Encoding != component.UTF8 {
		b.WriteString([...]string{"", " utf16", " latin1+utf16"}[o.Encoding])
	}
	for _, d := range []struct {
		name string
		def  *CoreDef
	}{{"memory", o.Memory}, {"realloc", o.Realloc}, {"post-return", o.PostReturn}} {
		if d.def != nil {
			b.WriteString(" " + d.name + "=" + d.def.String())
		}
	}
	return b.String()
}

// String is "instance.name" or "trampoline i".
func (d CoreDef) String() string {
	if d.Instance < 0 {
		return fmt.Sprintf("trampoline %d", d.Trampoline)
	}
	return fmt.Sprintf("%d.%s", d.Instance, d.Name)
}
