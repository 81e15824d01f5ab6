package wasm

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/wasm/asm"
	"github.com/hpmq/hpmq/host/wasm/component"
	"github.com/hpmq/hpmq/host/wasm/fuel"
	"github.com/hpmq/hpmq/host/wasm/plan"
)

// planned compiles a plan made by hand, as Compile does one of a component.
func planned(t testing.TB, e *Engine, p *plan.Plan) (*Module, error) {
	t.Helper()
	m := &Module{
		engine: e, form: ComponentForm, byName: map[string]*export{},
	}
	if p.Components == 0 {
		p.Components = 1
	}
	err := m.compilePlan(context.Background(), p)
	t.Cleanup(func() {
		if err := m.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return m, err
}

// started compiles and instantiates with small limits.
func started(t testing.TB, cfg Config, p *plan.Plan, host ...HostModule) (*Guest, error) {
	t.Helper()
	m, err := planned(t, open(t, cfg, host...), p)
	if err != nil {
		return nil, err
	}
	g, err := m.Instantiate(context.Background(), nil, small)
	if err == nil {
		t.Cleanup(g.Close)
	}
	return g, err
}

var (
	nothing    = &component.FuncType{}
	u32Type    = &component.Type{Kind: component.U32}
	u8Type     = &component.Type{Kind: component.U8}
	bytesType  = &component.Type{Kind: component.List, Elems: []*component.Type{u8Type}}
	number     = typed("n", u32Type, u32Type)
	takesBytes = typed("b", bytesType, nil)
)

func typed(name string, param, result *component.Type) *component.FuncType {
	return &component.FuncType{
		Names: []string{name}, Params: []*component.Type{param}, Result: result,
	}
}

func coreFunc(instance int, name string) plan.CoreDef {
	return plan.CoreDef{Sort: component.CoreFunc, Instance: instance, Name: name}
}

func ofTrampoline(i int) plan.CoreDef {
	return plan.CoreDef{Sort: component.CoreFunc, Instance: -1, Trampoline: i}
}

func coreTable(instance int) plan.CoreDef {
	return plan.CoreDef{Sort: component.CoreTable, Instance: instance, Name: "table"}
}

// lift exports a core function as f.
func lift(core plan.CoreDef, t *component.FuncType) []plan.Export {
	return []plan.Export{{Name: "f", Lifted: &plan.Lifted{Core: core, Type: t}, Import: -1}}
}

// inOrder is a plan of modules that import nothing.
func inOrder(modules ...*asm.Module) *plan.Plan {
	p := &plan.Plan{}
	for i, m := range modules {
		p.Modules = append(p.Modules, m.Bytes())
		p.Instances = append(p.Instances, plan.Instance{Module: i})
	}
	return p
}

// run calls f with no more than a number.
func run(t testing.TB, g *Guest, n uint64) (uint64, error) {
	t.Helper()
	stack := []uint64{n}
	err := g.Call(function(t, g, "f"), stack)
	return stack[0], err
}

func starting(body ...[]byte) *asm.Module {
	m := asm.New()
	m.Start(m.Func(none, none, i32, body...))
	return m
}

// turns loops so many times, for 8 units each.
func turns(n int32) []byte {
	return asm.Code(asm.I32Const(n), asm.LocalSet(0), asm.Loop(asm.Empty,
		asm.LocalGet(0), asm.I32Const(1), asm.Op(asm.I32Sub), asm.LocalTee(0), asm.BrIf(0)))
}

// TestHostileStarts: all start functions run on one budget.
func TestHostileStarts(t *testing.T) {
	for name, c := range map[string]struct {
		p    *plan.Plan
		want error
	}{
		"the second loops":  {inOrder(starting(turns(10)), starting(forever)), ErrFuel},
		"the second traps":  {inOrder(starting(), starting(asm.Op(asm.Unreachable))), ErrTrap},
		"each is too much":  {inOrder(starting(turns(1e5)), starting()), ErrFuel},
		"both are too much": {inOrder(starting(turns(2e4)), starting(turns(2e4))), ErrFuel},
		"both are not":      {inOrder(starting(turns(1e4)), starting(turns(1e4))), nil},
	} {
		t.Run(name, func(t *testing.T) {
			engines(t, func(t *testing.T, cfg Config) {
				_, err := started(t, cfg, c.p)
				if !errors.Is(err, c.want) {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

// growing has a memory that its f grows by n pages.
func growing(pages uint32) *asm.Module {
	m := asm.New()
	m.Memory(pages, 0)
	m.ExportFunc("f", m.Func(i32, i32, none, asm.LocalGet(0), asm.MemoryGrow()))
	return m
}

// TestAMemoryBombInTwoMemories: they have one limit together.
func TestAMemoryBombInTwoMemories(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		p := inOrder(growing(10), growing(20))
		p.Exports = append(lift(coreFunc(0, "f"), number), lift(coreFunc(1, "f"), number)...)
		p.Exports[1].Name = "g"
		g, err := started(t, cfg, p) // 64 pages
		if err != nil {
			t.Fatal(err)
		}
		v := visit{Guest: g, t: t}
		for _, c := range []struct {
			f            string
			pages, wants uint32
		}{
			{"f", 35, 1<<32 - 1}, {"f", 30, 10}, {"g", 5, 1<<32 - 1}, {"g", 3, 20}, {"f", 1, 40},
			{"f", 1, 1<<32 - 1}, {"g", 1, 1<<32 - 1}, {"g", 1000, 1<<32 - 1}, {"g", 0, 23},
		} {
			if was, err := v.do(c.f, c.pages); err != nil || was != c.wants {
				t.Errorf("%s(%d) = %d, not %d, %v", c.f, c.pages, int32(was), int32(c.wants), err)
			}
		}
		_, err = started(t, cfg, inOrder(growing(33), growing(32)))
		if !errors.Is(err, fuel.ErrLimit) {
			t.Errorf("65 pages of 64 to start with: %v", err)
		}
	})
}

// tabled exports a table that f grows.
func tabled(low, high uint32) *asm.Module {
	m := asm.New()
	m.Table(low, high)
	m.Export("table", asm.KindTable, 0)
	m.ExportFunc("f", m.Func(i32, i32, none, asm.RefNull(), asm.LocalGet(0), asm.TableGrow()))
	return m
}

func TestTableBombs(t *testing.T) {
	cfg := Default()
	cfg.TableElementsMax = 1000
	_, err := started(t, cfg, inOrder(tabled(600, 0), tabled(600, 0)))
	if !errors.Is(err, fuel.ErrLimit) {
		t.Errorf("1200 elements of 1000: %v", err)
	}
	for _, c := range []struct {
		p    *plan.Plan
		want uint64
	}{
		{inOrder(tabled(300, 0), tabled(300, 0)), 1<<32 - 1}, // together up to 2000
		{inOrder(tabled(300, 500), tabled(300, 500)), 300},
		{inOrder(tabled(300, 0)), 300},
	} {
		c.p.Exports = lift(coreFunc(0, "f"), number)
		g, err := started(t, cfg, c.p)
		if err != nil {
			t.Fatal(err)
		}
		if was, err := run(t, g, 100); err != nil || was != c.want {
			t.Errorf("%d, not %d, %v", int32(was), int32(c.want), err)
		}
	}
	core := asm.New()
	core.Table(600, 700)
	core.Table(600, 700)
	_, err = open(t, cfg).Compile(context.Background(), core.Bytes())
	if !errors.Is(err, fuel.ErrLimit) {
		t.Errorf("a core module with 1200 elements of 1000: %v", err)
	}
}

// through calls what stands first in the table: its own, or the one given.
func through(given bool) *asm.Module {
	m := asm.New()
	if given {
		m.ImportRaw("a", "table", asm.KindTable, asm.FuncRef, 0, 1)
	} else {
		m.Table(1, 1)
		m.Export("table", asm.KindTable, 0)
	}
	t := m.Type(none, none)
	m.ExportFunc("f", m.Func(none, none, none, asm.I32Const(0), asm.CallIndirect(t)))
	if given {
		m.Elements(0, 0)
	}
	return m
}

// filling puts a function that it is given into a table that it is given; code gives it some.
func filling(code bool) *asm.Module {
	m := asm.New()
	m.ImportRaw("a", "table", asm.KindTable, asm.FuncRef, 0, 1)
	m.Import("a", "f", none, none)
	m.Elements(0, 0)
	if code {
		m.ExportFunc("g", m.Func(none, none, none))
	}
	return m
}

func args(defs ...plan.CoreDef) []plan.Arg {
	var out []plan.Arg
	for _, d := range defs {
		name := "f"
		if d.Sort == component.CoreTable {
			name = "table"
		}
		out = append(out, plan.Arg{Module: "a", Name: name, Def: d})
	}
	return out
}

// handedOn fills the table of a shim with its function, which another module exports again.
func handedOn(code bool) *plan.Plan {
	hand := asm.New()
	hand.ExportFunc("f", hand.Import("a", "f", none, none))
	if code {
		hand.ExportFunc("g", hand.Func(none, none, none))
	}
	p := inOrder(through(false), hand, filling(false))
	p.Instances[1].Args = args(coreFunc(0, "f"))
	p.Instances[2].Args = args(coreTable(0), coreFunc(1, "f"))
	return p
}

// inGlobal does the same by a reference in a global.
func inGlobal() *plan.Plan {
	hand := asm.New()
	f := hand.Import("a", "f", none, none)
	hand.ExportFunc("g", hand.Func(none, none, none))
	hand.Export("f", asm.KindGlobal, hand.Global(asm.FuncRef, false, []byte{0xd2, byte(f)}))
	fill := asm.New()
	fill.ImportRaw("a", "table", asm.KindTable, asm.FuncRef, 0, 1)
	fill.ImportRaw("a", "f", asm.KindGlobal, asm.FuncRef, 0)
	fill.Raw(9, []byte{4, 0x41, 0, asm.End, 1, 0x23, 0, asm.End})
	p := inOrder(through(false), hand, fill)
	p.Instances[1].Args = args(coreFunc(0, "f"))
	global := plan.CoreDef{Sort: component.CoreGlobal, Instance: 1, Name: "f"}
	p.Instances[2].Args = args(coreTable(0), global)
	return p
}

// TestRecursionThroughTables: whoever fills a table with what calls through it, the depth ends it.
func TestRecursionThroughTables(t *testing.T) {
	for name, p := range map[string]*plan.Plan{
		"a table for two": func() *plan.Plan {
			p := inOrder(through(false), through(true))
			p.Instances[1].Args = args(coreTable(0))
			return p
		}(),
		"a shim in its own table": func() *plan.Plan {
			p := inOrder(through(false), filling(false))
			p.Instances[1].Args = args(coreTable(0), coreFunc(0, "f"))
			return p
		}(),
		"a shim in its own table by another": func() *plan.Plan {
			p := inOrder(through(false), filling(true))
			p.Instances[1].Args = args(coreTable(0), coreFunc(0, "f"))
			return p
		}(),
		"two shims in each other": func() *plan.Plan {
			p := inOrder(through(false), through(false), filling(false))
			p.Instances = append(p.Instances, p.Instances[2])
			p.Instances[2].Args = args(coreTable(0), coreFunc(1, "f"))
			p.Instances[3].Args = args(coreTable(1), coreFunc(0, "f"))
			return p
		}(),
		"a shim handed on":                     handedOn(false),
		"a shim handed on by a module of code": handedOn(true),
		"a shim in a global":                   inGlobal(),
	} {
		t.Run(name, func(t *testing.T) {
			engines(t, func(t *testing.T, cfg Config) {
				p.Exports = lift(coreFunc(0, "f"), nothing)
				g, err := started(t, cfg, p)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := run(t, g, 0); !errors.Is(err, ErrDepth) || !g.Dead() {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

// TestRecursionThroughAShim: its frames do not count, but there are no more of them than of others.
func TestRecursionThroughAShim(t *testing.T) {
	again := asm.New()
	shim := again.Import("a", "f", none, none)
	again.ExportFunc("f", again.Func(none, none, none, asm.Call(shim)))
	p := inOrder(through(false), again, filling(false))
	p.Instances[1].Args = args(coreFunc(0, "f"))
	p.Instances[2].Args = args(coreTable(0), coreFunc(1, "f"))
	p.Exports = lift(coreFunc(1, "f"), nothing)
	engines(t, func(t *testing.T, cfg Config) {
		m, err := planned(t, open(t, cfg), p)
		if err != nil {
			t.Fatal(err)
		}
		g := guest(t, m, nil, Limits{DepthMax: depthCeiling})
		if _, err := run(t, g, 0); !errors.Is(err, ErrDepth) {
			t.Errorf("%v", err)
		}
	})
}

// TestAShimDoesWithoutCounters, and the module behind it has its own.
func TestAShimDoesWithoutCounters(t *testing.T) {
	var l library
	m := component1(t, open(t, Default(), l.module()), "policy")
	if m.counters != 1 {
		t.Errorf("the counters are in step %d", m.counters)
	}
}

func TestPlansThatAreWrong(t *testing.T) {
	f := func(change func(p *plan.Plan)) *plan.Plan {
		p := inOrder(through(false), through(true))
		p.Instances[1].Args = args(coreTable(0))
		p.Exports = lift(coreFunc(0, "f"), nothing)
		change(p)
		return p
	}
	def := func(s component.Sort, instance int, name string) plan.CoreDef {
		return plan.CoreDef{Sort: s, Instance: instance, Name: name}
	}
	for want, p := range map[string]*plan.Plan{
		"": f(func(*plan.Plan) {}),
		`exports no function "hpmq-fuel:start"`: f(func(p *plan.Plan) {
			p.Exports = lift(coreFunc(0, fuel.StartExport), nothing)
		}),
		`exports no core memory "hpmq-fuel:count"`: f(func(p *plan.Plan) {
			d := def(component.CoreMemory, 0, fuel.CountGlobal)
			p.Exports[0].Lifted.Options.Memory = &d
		}),
		"is () -> (), not (i32) -> (i32)": f(func(p *plan.Plan) {
			p.Exports[0].Lifted.Type = number
		}),
		"is () -> (), not (i32, i32, i32, i32) -> (i32)": f(func(p *plan.Plan) {
			d := coreFunc(1, "f")
			p.Exports[0].Lifted.Options.Realloc = &d
		}),
		"given 0 imports of 1": f(func(p *plan.Plan) { p.Instances[1].Args = nil }),
		"is given for":         f(func(p *plan.Plan) { p.Instances[1].Args[0].Name = "x" }),
		"comes later":          f(func(p *plan.Plan) { p.Instances[1].Args = args(coreTable(1)) }),
		"of another kind":      f(func(p *plan.Plan) { p.Instances[1].Args[0].Def.Sort = 2 }),
		`no core table "other"`: f(func(p *plan.Plan) {
			p.Instances[1].Args[0].Def.Name = "other"
		}),
		"no trampoline 3": f(func(p *plan.Plan) { p.Exports = lift(ofTrampoline(3), nothing) }),
	} {
		_, err := planned(t, open(t, Default()), p)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

// mappings counts what the process has mapped, where the system tells.
func mappings(t *testing.T) int {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return 0
	}
	runtime.GC()
	return strings.Count(string(maps), "\n")
}

// TestMemoriesAreGivenBack: of guests that end, and of those that never came to be.
func TestMemoriesAreGivenBack(t *testing.T) {
	bad := asm.New()
	bad.Memory(1, 1)
	bad.Data(65_530, make([]byte, 7))
	for name, p := range map[string]*plan.Plan{
		"closed":         inOrder(growing(1), growing(1), growing(1)),
		"a start traps":  inOrder(growing(1), growing(1), starting(asm.Op(asm.Unreachable))),
		"the third ends": inOrder(growing(1), growing(1), bad),
	} {
		e := open(t, Default())
		m, err := planned(t, e, p)
		if err != nil {
			t.Fatal(err)
		}
		before := mappings(t)
		for range 200 {
			if g, err := m.Instantiate(context.Background(), nil, small); err == nil {
				g.Close()
			} else if name == "closed" {
				t.Fatal(err)
			}
		}
		if after := mappings(t); after > before+100 || e.Guests() != 0 {
			t.Errorf("%s: %d mappings, %d before; %d guests", name, after, before, e.Guests())
		}
	}
}

// TestGuestsOutliveTheirModule: Close drops code that nobody runs any more, and no other.
func TestGuestsOutliveTheirModule(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		l := &library{known: map[string]string{"a": "yes"}}
		m := component1(t, open(t, cfg, l.module()), "policy")
		g := guest(t, m, nil, Limits{})
		f := function(t, g, "judge")
		if err := m.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		for range 100 {
			runtime.GC()
			if got, err := judge(g, f, "a", nil); err != nil || got != "yes" {
				t.Fatalf("%q, %v", got, err)
			}
		}
	})
}
