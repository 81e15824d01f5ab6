package plan_test

import (
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/wasm/asm"
	"github.com/hpmq/hpmq/host/wasm/component"
	"github.com/hpmq/hpmq/host/wasm/plan"
)

// Short names of what tests write by hand.
type (
	comp = component.Component
	def  = component.Def
)

func ofDefs(defs ...def) *comp { return &comp{Defs: defs} }

func u32(v uint32) *uint32 { return &v }

func i32() []byte { return asm.Types(asm.I32) }

// module is a core module that exports f and r, and imports what imports name as "module name".
func module(imports ...string) *component.DefCoreModule {
	m, t := asm.New(), &component.CoreModuleType{}
	for _, i := range imports {
		module, name, _ := strings.Cut(i, " ")
		m.Import(module, name, i32(), nil)
		t.Imports = append(t.Imports, component.CoreImport{
			Module: module, CoreExtern: component.CoreExtern{Name: name, Sort: component.CoreFunc},
		})
	}
	m.ExportFunc("f", m.Func(i32(), i32(), nil, asm.LocalGet(0)))
	return &component.DefCoreModule{Code: m.Bytes(), Type: t}
}

func funcType(params ...component.ValueRef) *component.DefType {
	names := make([]string, len(params))
	for i := range names {
		names[i] = string(rune('a' + i))
	}
	return &component.DefType{Type: &component.FuncTypeDef{Names: names, Params: params}}
}

func value(kind component.Kind, refs ...*component.ValueRef) *component.DefType {
	return &component.DefType{Type: &component.ValueTypeDef{Kind: kind, Refs: refs}}
}

func own(resource uint32) *component.DefType {
	return &component.DefType{Type: &component.ValueTypeDef{Kind: component.Own, Type: resource}}
}

func ref(i uint32) component.ValueRef { return component.ValueRef{Index: i} }

func prim(k component.Kind) component.ValueRef {
	return component.ValueRef{Primitive: true, Kind: k}
}

func instanceType(decls ...def) *component.DefType {
	return &component.DefType{Type: &component.InstanceTypeDef{Decls: decls}}
}

func ofType(sort component.Sort, i uint32) component.ExternType {
	return component.ExternType{Sort: sort, Index: i}
}

func sub() component.ExternType {
	return component.ExternType{Sort: component.TypeSort, Bound: component.BoundSub}
}

func imports(name string, t component.ExternType) *component.DefImport {
	return &component.DefImport{Name: name, Type: t}
}

func declares(name string, t component.ExternType) *component.ExportDecl {
	return &component.ExportDecl{Name: name, Type: t}
}

func exports(name string, sort component.Sort, i uint32) *component.DefExport {
	return &component.DefExport{Name: name, Sort: sort, Index: i}
}

func alias(sort component.Sort, instance uint32, name string) *component.DefAlias {
	return &component.DefAlias{Kind: component.AliasExport, Sort: sort, Instance: instance,
		Name: name}
}

func coreAlias(sort component.Sort, instance uint32, name string) *component.DefAlias {
	return &component.DefAlias{Kind: component.AliasCoreExport, Sort: sort, Instance: instance,
		Name: name}
}

func outer(count uint32, sort component.Sort, i uint32) *component.DefAlias {
	return &component.DefAlias{Kind: component.AliasOuter, Sort: sort, Count: count, Index: i}
}

func bag(exports ...component.CoreExport) *component.DefCoreInstance {
	return &component.DefCoreInstance{Inline: true, Exports: exports}
}

func canon(kind component.CanonKind, function, typ uint32) *component.DefCanon {
	return &component.DefCanon{Kind: kind, Func: function, Type: typ}
}

func instance(c uint32, args ...component.Arg) *component.DefInstance {
	return &component.DefInstance{Component: c, Args: args}
}

func nested(defs ...def) *component.DefComponent {
	return &component.DefComponent{Component: ofDefs(defs...)}
}

// text is the plan without its modules.
func text(t *testing.T, c *comp) string {
	t.Helper()
	p, err := plan.Make(c, plan.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	var keep []string
	for line := range strings.Lines(p.Text()) {
		if !strings.HasPrefix(line, "module ") {
			keep = append(keep, line)
		}
	}
	return strings.Join(keep, "")
}

func same(t *testing.T, got, want string) {
	t.Helper()
	want = strings.TrimLeft(strings.ReplaceAll(want, "\t", ""), "\n")
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// TestLift lifts a function and exports it, bare and in an instance.
func TestLift(t *testing.T) {
	c := ofDefs(module(), &component.DefCoreInstance{}, coreAlias(component.CoreFunc, 0, "f"),
		funcType(prim(component.U32)), canon(component.CanonLift, 0, 0),
		exports("g", component.Func, 0),
		&component.DefInstance{Inline: true, Exports: []component.InlineExport{
			{Name: "h", Sort: component.Func, Index: 1}}},
		exports("a:b/c@0.1.0", component.Instance, 0))
	same(t, text(t, c), `
		component instances: 1
		instance 0: module 0
		exported instance a:b/c@0.1.0
		export g = 0.f of 0: (a: u32)
		export a:b/c@0.1.0#h = 0.f of 0: (a: u32)
	`)
}

// TestFixup is the shape that wit-component writes: the table of the shim is filled last, by a
// module that imports from "".
func TestFixup(t *testing.T) {
	lower := canon(component.CanonLower, 0, 0)
	lower.Options = component.Options{Encoding: component.UTF16, Memory: u32(0), Realloc: u32(0)}
	c := ofDefs(
		funcType(prim(component.String)), imports("log", ofType(component.Func, 0)),
		module(), module("$root log"), module(" 0"),
		&component.DefCoreInstance{Module: 0},
		coreAlias(component.CoreFunc, 0, "f"),
		bag(component.CoreExport{Name: "log", Sort: component.CoreFunc, Index: 0}),
		&component.DefCoreInstance{Module: 1,
			Args: []component.CoreArg{{Name: "$root", Instance: 1}}},
		coreAlias(component.CoreMemory, 2, "memory"),
		coreAlias(component.CoreFunc, 2, "f"), lower,
		bag(component.CoreExport{Name: "0", Sort: component.CoreFunc, Index: 2}),
		&component.DefCoreInstance{Module: 2, Args: []component.CoreArg{{Name: "", Instance: 3}}},
	)
	same(t, text(t, c), `
		component instances: 1
		trampoline 0: 0 lowers import 0 utf16 memory=1.memory realloc=0.f
		instance 0: module 0
		instance 1: module 1
		  "$root" "log" = core func 0.f
		instance 2: module 2
		  "" "0" = core func trampoline 0
		import 0: log: (a: string)
	`)
}

// resourceOwner defines a resource, exports it with a function that takes one.
func resourceOwner() *component.DefComponent {
	return nested(
		module(), &component.DefCoreInstance{}, coreAlias(component.CoreFunc, 0, "f"),
		&component.DefType{Type: &component.ResourceTypeDef{Dtor: u32(0)}},
		exports("blob", component.TypeSort, 0),
		canon(component.CanonResourceNew, 0, 0), canon(component.CanonResourceRep, 0, 0),
		own(1), funcType(ref(2)), canon(component.CanonLift, 0, 3),
		exports("take", component.Func, 0))
}

// TestResourcesAreFresh instantiates a component twice: each has a resource type of its own, and
// who is given one of them drops that one.
func TestResourcesAreFresh(t *testing.T) {
	user := nested(
		imports("blob", sub()), own(0), funcType(ref(1)),
		imports("take", ofType(component.Func, 2)),
		canon(component.CanonResourceDrop, 0, 0), canon(component.CanonLower, 0, 0))
	c := ofDefs(resourceOwner(), user, instance(0), instance(0),
		alias(component.TypeSort, 1, "blob"), alias(component.Func, 1, "take"),
		instance(1, component.Arg{Name: "blob", Sort: component.TypeSort},
			component.Arg{Name: "take", Sort: component.Func}))
	same(t, text(t, c), `
		component instances: 4
		resource 0: "blob" of component instance 1, dtor 0.f
		resource 1: "blob" of component instance 2, dtor 1.f
		trampoline 0: 1 resource.new 0
		trampoline 1: 1 resource.rep 0
		trampoline 2: 2 resource.new 1
		trampoline 3: 2 resource.rep 1
		trampoline 4: 3 resource.drop 1
		trampoline 5: 3 lowers of 1.f of 2: (a: own<blob>)
		instance 0: module 0
		instance 1: module 0
	`)
}

// TestImportedTypes resolves a resource that two imported instances share, and types that the
// world uses.
func TestImportedTypes(t *testing.T) {
	c := ofDefs(
		instanceType(declares("error", sub()), own(0), funcType(ref(1)),
			declares("f", ofType(component.Func, 2))),
		imports("a:b/error@0.1.0", ofType(component.Instance, 0)),
		alias(component.TypeSort, 0, "error"),
		instanceType(outer(1, component.TypeSort, 1),
			declares("error", ofType(component.TypeSort, 0)), own(1), funcType(ref(2)),
			declares("g", ofType(component.Func, 3))),
		imports("a:b/streams@0.1.0", ofType(component.Instance, 2)),
		instanceType(), imports("a:b/empty@0.1.0", ofType(component.Instance, 3)),
		imports("bare", sub()), own(4), funcType(ref(5)),
		imports("h", ofType(component.Func, 6)), exports("again", component.Func, 0))
	same(t, text(t, c), `
		component instances: 1
		resource 0: import a:b/error@0.1.0#error
		resource 1: import #bare
		imported instance a:b/error@0.1.0
		imported instance a:b/streams@0.1.0
		imported instance a:b/empty@0.1.0
		import 0: a:b/error@0.1.0#f: (a: own<error>)
		import 1: a:b/streams@0.1.0#g: (a: own<error>)
		import 2: h: (a: own<bare>)
		export again = import 2
	`)
}

// TestNarrow gives a component an instance with more than it asks for; it cannot pass that on.
func TestNarrow(t *testing.T) {
	middle := nested(
		instanceType(funcType(), declares("f", ofType(component.Func, 0))),
		imports("in", ofType(component.Instance, 0)), exports("out", component.Instance, 0))
	c := ofDefs(
		instanceType(funcType(), declares("f", ofType(component.Func, 0)),
			declares("g", ofType(component.Func, 0))),
		imports("in", ofType(component.Instance, 0)), middle,
		instance(0, component.Arg{Name: "in", Sort: component.Instance}),
		alias(component.Instance, 1, "out"), exports("out", component.Instance, 2))
	same(t, text(t, c), `
		component instances: 2
		imported instance in
		import 0: in#f: ()
		import 1: in#g: ()
		exported instance out
		export out#f = import 0
	`)
}

// TestClosure instantiates a component that was aliased into another and given to a third.
func TestClosure(t *testing.T) {
	maker := nested(imports("m", component.ExternType{Sort: component.CoreModule}),
		&component.DefCoreInstance{})
	giver := nested(
		imports("c", ofType(component.ComponentSort, 0)), outer(1, component.CoreModule, 0),
		instance(0, component.Arg{Name: "m", Sort: component.CoreModule}))
	giver.Component.Defs = append([]def{&component.DefType{Type: &component.ComponentTypeDef{}}},
		giver.Component.Defs...)
	c := ofDefs(module(), maker, giver,
		instance(1, component.Arg{Name: "c", Sort: component.ComponentSort}))
	same(t, text(t, c), `
		component instances: 3
		instance 0: module 0
	`)
}
