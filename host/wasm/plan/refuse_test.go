package plan_test

import (
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/wasm/component"
	"github.com/hpmq/hpmq/host/wasm/plan"
)

// doubling is levels of components, each of which instantiates the next one twice.
func doubling(levels int) *comp {
	c := ofDefs(module(), &component.DefCoreInstance{})
	for range levels {
		c = ofDefs(&component.DefComponent{Component: c}, instance(0), instance(0))
	}
	return c
}

// wide is an instance of levels, each of which has the next one twice.
func wide(levels int) *comp {
	defs := []def{funcType(), imports("f", ofType(component.Func, 0)),
		&component.DefInstance{Inline: true, Exports: []component.InlineExport{
			{Name: "f", Sort: component.Func}}}}
	for i := range uint32(levels) {
		defs = append(defs, &component.DefInstance{Inline: true, Exports: []component.InlineExport{
			{Name: "l", Sort: component.Instance, Index: i},
			{Name: "r", Sort: component.Instance, Index: i}}})
	}
	return ofDefs(append(defs, exports("x", component.Instance, uint32(levels)))...)
}

// deepTypes is levels of instance types, each of which declares the next one twice.
func deepTypes(levels int) *comp {
	defs := []def{instanceType()}
	for i := range uint32(levels) {
		defs = append(defs, instanceType(outer(1, component.TypeSort, i),
			declares("l", ofType(component.Instance, 0)),
			declares("r", ofType(component.Instance, 0))))
	}
	return ofDefs(append(defs, imports("x", ofType(component.Instance, uint32(levels))))...)
}

// TestHostileSizes: what doubles at each level is refused soon, by the limit it meets first.
func TestHostileSizes(t *testing.T) {
	small := plan.DefaultLimits()
	small.TrampolinesMax, small.ResourcesMax, small.StepsMax = 1, 1, 40
	lower := canon(component.CanonLower, 0, 0)
	resource := &component.DefType{Type: &component.ResourceTypeDef{}}
	f := []def{funcType(), imports("f", ofType(component.Func, 0))}
	cores := append([]def{module()}, repeat(&component.DefCoreInstance{}, 300)...)
	for _, c := range []struct {
		name string
		c    *comp
		l    plan.Limits
		want string
	}{
		{"components", doubling(60), plan.DefaultLimits(), "ComponentsMax"},
		{"core instances", ofDefs(cores...), plan.DefaultLimits(), "CoreInstancesMax"},
		{"exports", wide(60), plan.DefaultLimits(), "ExportsMax"},
		{"imports", deepTypes(60), plan.DefaultLimits(), "ImportsMax"},
		{"trampolines", ofDefs(append(f, lower, lower)...), small, "TrampolinesMax"},
		{"resources", ofDefs(resource, resource), small, "ResourcesMax"},
		{"steps", ofDefs(repeat(funcType(), 50)...), small, "StepsMax"},
	} {
		_, err := plan.Make(c.c, c.l)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, not %s", c.name, err, c.want)
		}
	}
}

func repeat(d def, n int) []def {
	out := make([]def, n)
	for i := range out {
		out[i] = d
	}
	return out
}

// TestRefuse names what is not served and what is not there.
func TestRefuse(t *testing.T) {
	self := nested(&component.DefType{Type: &component.ComponentTypeDef{}},
		imports("c", ofType(component.ComponentSort, 0)),
		instance(0, component.Arg{Name: "c", Sort: component.ComponentSort}))
	f := []def{funcType(), imports("f", ofType(component.Func, 0))}
	for _, c := range []struct {
		name string
		c    *comp
		want string
	}{
		{"imported module", ofDefs(imports("m", component.ExternType{Sort: component.CoreModule})),
			`import of core module "m": not served: only another component can give it`},
		{"imported component", ofDefs(&component.DefType{Type: &component.ComponentTypeDef{}},
			imports("c", ofType(component.ComponentSort, 0))), "compose"},
		{"value", ofDefs(exports("v", component.Value, 0)), "values: not served: export functions"},
		{"imported value", ofDefs(imports("v", ofType(component.Value, 0))), "no type 0"},
		{"itself", ofDefs(self, instance(0,
			component.Arg{Name: "c", Sort: component.ComponentSort})), "ComponentsMax"},
		{"module without arguments", ofDefs(module("a b"), &component.DefCoreInstance{}),
			`nothing to import from "a"`},
		{"module not read", ofDefs(&component.DefCoreModule{Code: module().Code},
			&component.DefCoreInstance{}), "not read"},
		{"no instance", ofDefs(coreAlias(component.CoreFunc, 0, "f")), "no core instance 0"},
		{"no export", ofDefs(bag(), coreAlias(component.CoreFunc, 0, "f")), `no core func "f"`},
		{"no outer", ofDefs(outer(1, component.TypeSort, 0)), "no 1 enclosing"},
		{"no argument", ofDefs(nested(f...), instance(0)), `nothing is given for "f"`},
		{"wrong argument", ofDefs(nested(f...), instance(0,
			component.Arg{Name: "f", Sort: component.ComponentSort})), `"f" is a component where`},
		{"twice", ofDefs(append(f, exports("g", component.Func, 0),
			exports("g", component.Func, 0))...), "twice"},
		{"lift of a value type", ofDefs(append(f, canon(component.CanonLower, 0, 0),
			value(component.Bool), canon(component.CanonLift, 0, 1))...), "something else"},
		{"record without types", ofDefs(value(component.Record)), "record has 0 labels"},
		{"unknown canon", ofDefs(canon(99, 0, 0)), "not served"},
	} {
		_, err := plan.Make(c.c, plan.DefaultLimits())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, not %s", c.name, err, c.want)
		}
	}
}
