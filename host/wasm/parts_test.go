package wasm

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/wasm/asm"
	"github.com/hpmq/hpmq/host/wasm/component"
	"github.com/hpmq/hpmq/host/wasm/fuel"
	"github.com/hpmq/hpmq/host/wasm/plan"
)

// caller exports f, which calls what it imports as f, with its number and 1 more than the answer.
func caller() *asm.Module {
	m := asm.New()
	f := m.Import("a", "f", i32, i32)
	m.ExportFunc("f", m.Func(i32, i32, none, asm.LocalGet(0), asm.Call(f), asm.I32Const(1),
		asm.Op(asm.I32Add)))
	return m
}

// doubler exports f, twice its number.
func doubler() *asm.Module {
	m := asm.New()
	m.ExportFunc("f", m.Func(i32, i32, none, asm.LocalGet(0), asm.LocalGet(0), asm.Op(asm.I32Add)))
	return m
}

// twoParts is a plan where caller calls f of part 1, which is the other module's.
func twoParts(other *asm.Module) *plan.Plan {
	p := inOrder(other, caller())
	p.Components = 2
	p.Trampolines = []plan.Trampoline{{
		Kind: plan.LowerLifted, Type: number, Import: -1, Lifted: &plan.Lifted{
			Core: coreFunc(0, "f"), Type: number, Callee: 1,
		},
	}}
	p.Instances[1].Args = args(ofTrampoline(0))
	p.Exports = lift(coreFunc(1, "f"), number)
	return p
}

func TestOnePartCallsAnother(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		g, err := started(t, cfg, twoParts(doubler()))
		if err != nil {
			t.Fatal(err)
		}
		for n := range uint64(100) {
			if got, err := run(t, g, n); err != nil || got != 2*n+1 {
				t.Fatalf("%d, %v", got, err)
			}
			if _, d := fuel.Unpack(g.counter.Get()); uint32(d) != small.DepthMax {
				t.Fatalf("the depth is %d after the call", d)
			}
		}
	})
}

// TestTrapsKillTheWholeGuest, wherever they are.
func TestTrapsKillTheWholeGuest(t *testing.T) {
	for name, c := range map[string]struct {
		body []byte
		want error
	}{
		"traps":  {asm.Op(asm.Unreachable), ErrTrap},
		"loops":  {asm.Code(forever, asm.I32Const(0)), ErrFuel},
		"nested": {asm.Code(asm.LocalGet(0), asm.Call(0)), ErrDepth},
	} {
		t.Run(name, func(t *testing.T) {
			engines(t, func(t *testing.T, cfg Config) {
				other := asm.New()
				other.ExportFunc("f", other.Func(i32, i32, none, c.body))
				other.FuncNames("culprit")
				g, err := started(t, cfg, twoParts(other))
				if err != nil {
					t.Fatal(err)
				}
				_, err = run(t, g, 0)
				if !errors.Is(err, c.want) || !g.Dead() || strings.Contains(err.Error(), "\n") {
					t.Fatalf("%v", err)
				}
				if c.want == ErrTrap && !strings.Contains(err.Error(), "culprit") {
					t.Errorf("the culprit is not named: %v", err)
				}
				if err := g.Call(&Func{guest: g, name: "f"}, nil); !errors.Is(err, ErrDead) {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

// TestAPartIsNotEnteredAgain: from itself, or through another.
func TestAPartIsNotEnteredAgain(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		self := twoParts(doubler())
		self.Trampolines[0].Lifted.Callee = 0
		p := inOrder(caller(), caller())
		p.Components = 2
		for i := range 2 { // each part calls the other
			p.Instances[i].Args = args(ofTrampoline(i))
			p.Trampolines = append(p.Trampolines, plan.Trampoline{
				Kind: plan.LowerLifted, Type: number, Caller: i,
				Lifted: &plan.Lifted{Core: coreFunc(1-i, "f"), Type: number, Callee: 1 - i},
			})
		}
		p.Exports = lift(coreFunc(0, "f"), number)
		for name, p := range map[string]*plan.Plan{"itself": self, "through another": p} {
			g, err := started(t, cfg, p)
			if err != nil {
				t.Fatal(err)
			}
			_, err = run(t, g, 1)
			if !errors.Is(err, ErrTrap) || !strings.Contains(err.Error(), "cannot enter") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// callingOut is a component whose f, realloc and post-return call the host.
func callingOut() (*plan.Plan, HostModule) {
	host := HostModule{Name: "test", Funcs: []HostFunc{{Name: "call",
		Call: func(*Guest, []uint64) {}}}}
	m := asm.New()
	m.Memory(1, 1)
	call := m.Import("a", "call", none, none)
	m.ExportFunc("f", m.Func(i32, i32, none, asm.Call(call), asm.LocalGet(0)))
	m.ExportFunc("realloc", m.Func(four, i32, none, asm.Call(call), asm.I32Const(8)))
	m.ExportFunc("post", m.Func(i32, none, none, asm.Call(call)))
	p := inOrder(m)
	p.Imports = []plan.Import{{Instance: "test", Name: "call", Type: nothing}}
	p.Trampolines = []plan.Trampoline{{Kind: plan.LowerImport, Type: nothing}}
	p.Instances[0].Args = []plan.Arg{{Module: "a", Name: "call", Def: ofTrampoline(0)}}
	memory := plan.CoreDef{Sort: component.CoreMemory, Instance: 0, Name: "memory"}
	realloc, post := coreFunc(0, "realloc"), coreFunc(0, "post")
	p.Exports = lift(coreFunc(0, "f"), number)
	p.Exports[0].Lifted.Options = plan.Options{
		Memory: &memory, Realloc: &realloc, PostReturn: &post,
	}
	return p, host
}

func TestReallocAndPostReturnMayNotCallOut(t *testing.T) {
	p, host := callingOut()
	counted := 0
	host.Funcs[0].Call = func(*Guest, []uint64) { counted++ }
	engines(t, func(t *testing.T, cfg Config) {
		for name, do := range map[string]func(g *Guest, f *Func) error{
			"realloc": func(g *Guest, f *Func) error {
				g.Use(f)
				_, err := g.Alloc(4, 4)
				return err
			},
			"post-return": func(g *Guest, f *Func) error { return g.Post(f, 0) },
		} {
			g, err := started(t, cfg, p, host)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := run(t, g, 1); err != nil || counted != 1 {
				t.Fatalf("%d calls, %v", counted, err)
			}
			err = do(g, function(t, g, "f"))
			if !errors.Is(err, ErrTrap) || !strings.Contains(err.Error(), "calls test#call from") {
				t.Errorf("%s: %v", name, err)
			}
			counted = 0
		}
	})
}

// chain makes resources whose destructor drops the one before: f makes n, and drops the last.
func chain() *plan.Plan {
	m := asm.New()
	drop := m.Import("a", "drop", i32, none)
	make := m.Import("a", "new", i32, i32)
	last := m.Global(asm.I32, true, asm.I32Const(0))
	m.ExportFunc("dtor", m.Func(i32, none, none,
		asm.LocalGet(0), asm.If(asm.Empty, asm.LocalGet(0), asm.Call(drop))))
	m.ExportFunc("f", m.Func(i32, i32, none,
		asm.Loop(asm.Empty,
			asm.GlobalGet(last), asm.Call(make), asm.GlobalSet(last),
			asm.LocalGet(0), asm.I32Const(1), asm.Op(asm.I32Sub), asm.LocalTee(0), asm.BrIf(0)),
		asm.GlobalGet(last), asm.Call(drop), asm.I32Const(0), asm.GlobalSet(last),
		asm.I32Const(7)))
	p := inOrder(m)
	dtor := coreFunc(0, "dtor")
	p.Resources = []plan.Resource{{Name: "thing", Owner: 0, Dtor: &dtor}}
	p.Trampolines = []plan.Trampoline{{Kind: plan.ResourceDrop}, {Kind: plan.ResourceNew}}
	p.Instances[0].Args = []plan.Arg{
		{Module: "a", Name: "drop", Def: ofTrampoline(0)},
		{Module: "a", Name: "new", Def: ofTrampoline(1)},
	}
	p.Exports = lift(coreFunc(0, "f"), number)
	return p
}

// TestDestructorsThatDropMore: they stand in each other, as deep as the depth allows.
func TestDestructorsThatDropMore(t *testing.T) {
	spent := map[bool][]uint64{}
	engines(t, func(t *testing.T, cfg Config) {
		g, err := started(t, cfg, chain()) // a depth of 200
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []uint64{1, 2, 11, 5, 11} {
			if got, err := run(t, g, n); err != nil || got != 7 {
				t.Fatalf("%d of them: %d, %v", n, got, err)
			}
			spent[cfg.Interpreter] = append(spent[cfg.Interpreter], g.Fuel())
			if live := g.parts[0].Handles.Live(); live != 0 {
				t.Errorf("%d handles are left", live)
			}
		}
		if _, err := run(t, g, 1000); !errors.Is(err, ErrDepth) {
			t.Errorf("1000 of them: %v", err)
		}
	})
	if !slices.Equal(spent[true], spent[false]) {
		t.Errorf("the interpreter spends %v, the compiler %v", spent[true], spent[false])
	}
}

// TestALoweredFunctionLifted: what the host is asked for is a trampoline.
func TestALoweredFunctionLifted(t *testing.T) {
	host := HostModule{Name: "test", Funcs: []HostFunc{{
		Name: "double", Params: []ValueType{I32}, Results: []ValueType{I32},
		Call: func(_ *Guest, stack []uint64) { stack[0] *= 2 },
	}}}
	p := &plan.Plan{
		Imports:     []plan.Import{{Instance: "test", Name: "double", Type: number}},
		Trampolines: []plan.Trampoline{{Kind: plan.LowerImport, Type: number}},
		Exports:     lift(ofTrampoline(0), number),
	}
	p.Exports = append(p.Exports, plan.Export{Name: "handed-on", Import: 0})
	engines(t, func(t *testing.T, cfg Config) {
		g, err := started(t, cfg, p, host)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := run(t, g, 21); err != nil || got != 42 {
			t.Errorf("%d, %v", got, err)
		}
		if _, err := g.Func("handed-on"); err == nil || !g.module.Has("handed-on") {
			t.Errorf("an import that is exported again: %v", err)
		}
	})
}

// TestWhatIsCarriedIsPaidFor: a list that goes from one part to another is work of the host.
func TestWhatIsCarriedIsPaidFor(t *testing.T) {
	m := asm.New()
	m.Memory(2, 2)
	m.ExportFunc("realloc", m.Func(four, i32, none, asm.I32Const(0)))
	m.ExportFunc("f", m.Func(asm.Types(asm.I32, asm.I32), none, none))
	give := asm.New()
	give.Memory(2, 2)
	call := give.Import("a", "f", asm.Types(asm.I32, asm.I32), none)
	give.ExportFunc("f", give.Func(i32, i32, none,
		asm.I32Const(0), asm.LocalGet(0), asm.Call(call), asm.LocalGet(0)))
	p := inOrder(m, give)
	p.Components = 2
	of := func(i int) *plan.CoreDef {
		return &plan.CoreDef{Sort: component.CoreMemory, Instance: i, Name: "memory"}
	}
	realloc := coreFunc(0, "realloc")
	p.Trampolines = []plan.Trampoline{{Kind: plan.LowerLifted, Type: takesBytes, Caller: 1,
		Options: plan.Options{Memory: of(1)},
		Lifted: &plan.Lifted{Core: coreFunc(0, "f"), Type: takesBytes,
			Options: plan.Options{Memory: of(0), Realloc: &realloc}}}}
	p.Instances[1].Args = args(ofTrampoline(0))
	p.Exports = lift(coreFunc(1, "f"), number)
	p.Exports[0].Lifted.Callee = 1
	engines(t, func(t *testing.T, cfg Config) {
		g, err := started(t, cfg, p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := run(t, g, 10); err != nil {
			t.Fatal(err)
		}
		few := g.Fuel()
		if _, err := run(t, g, 100_000); err != nil {
			t.Fatal(err)
		}
		if n := g.Fuel() - few; n < 50_000 || n > 150_000 {
			t.Errorf("100000 bytes cost %d", n)
		}
		g.limits.Fuel, g.perCall = 40_000, 40_000
		if _, err := run(t, g, 100_000); !errors.Is(err, ErrFuel) {
			t.Errorf("%v", err)
		}
	})
}

// TestComponentsHaveSoManyParts: limits on what a plan may be.
func TestComponentsHaveSoManyParts(t *testing.T) {
	for want, change := range map[string]func(c *Config){
		"CoreInstancesMax": func(c *Config) { c.CoreInstancesMax = 2 },
		"TrampolinesMax":   func(c *Config) { c.TrampolinesMax = 1 },
	} {
		cfg := Default()
		change(&cfg)
		var l library
		_, err := open(t, cfg, l.module()).Compile(t.Context(), fixture(t, "policy"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// TestCoreModulesAreCompiledOnce, however often they are instantiated, if they are given alike.
func TestCoreModulesAreCompiledOnce(t *testing.T) {
	p := inOrder(doubler(), caller())
	p.Instances = nil
	for i := range 5 {
		p.Instances = append(p.Instances, plan.Instance{Module: 0},
			plan.Instance{Module: 1, Args: args(coreFunc(2*i, "f"))})
		p.Exports = append(p.Exports, lift(coreFunc(2*i+1, "f"), number)...)
		p.Exports[i].Name = fmt.Sprint("f", i)
	}
	m, err := planned(t, open(t, Default()), p)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(m.cores); n != 3 { // the first has the counters
		t.Errorf("%d modules compiled", n)
	}
	v := visit{Guest: guest(t, m, nil, small), t: t}
	for i := range uint32(5) {
		if got, err := v.do(fmt.Sprint("f", i), i); err != nil || got != 2*i+1 {
			t.Errorf("%d, %v", got, err)
		}
	}
}

// TestAGuestKeepsFewStacks, however many functions it has that are called from outside, and calls
// the others all the same.
func TestAGuestKeepsFewStacks(t *testing.T) {
	const many = keptMax + 5
	m, p := asm.New(), &plan.Plan{Components: 1}
	m.Memory(1, 1)
	var drops, news []uint32
	for i := range many {
		drops = append(drops, m.Import("a", fmt.Sprint("drop", i), i32, none))
		news = append(news, m.Import("a", fmt.Sprint("new", i), i32, i32))
	}
	last := m.Global(asm.I32, true, asm.I32Const(0))
	memory := plan.CoreDef{Sort: component.CoreMemory, Name: "memory"}
	in := plan.Instance{}
	for i := range many {
		dtor, realloc, name := fmt.Sprint("dtor", i), fmt.Sprint("realloc", i), fmt.Sprint("f", i)
		m.ExportFunc(dtor, m.Func(i32, none, none, asm.LocalGet(0), asm.GlobalSet(last)))
		m.ExportFunc(realloc, m.Func(four, i32, none, asm.I32Const(int32(16*i))))
		m.ExportFunc(name, m.Func(i32, i32, none, asm.LocalGet(0), asm.Call(news[i]),
			asm.Call(drops[i]), asm.GlobalGet(last)))
		d, r := coreFunc(0, dtor), coreFunc(0, realloc)
		p.Resources = append(p.Resources, plan.Resource{Name: name, Dtor: &d})
		p.Trampolines = append(p.Trampolines,
			plan.Trampoline{Kind: plan.ResourceDrop, Resource: i},
			plan.Trampoline{Kind: plan.ResourceNew, Resource: i})
		in.Args = append(in.Args,
			plan.Arg{Module: "a", Name: fmt.Sprint("drop", i), Def: ofTrampoline(2 * i)},
			plan.Arg{Module: "a", Name: fmt.Sprint("new", i), Def: ofTrampoline(2*i + 1)})
		x := lift(coreFunc(0, name), number)[0]
		x.Name, x.Lifted.Options = name, plan.Options{Memory: &memory, Realloc: &r}
		p.Exports = append(p.Exports, x)
	}
	p.Modules, p.Instances = [][]byte{m.Bytes()}, []plan.Instance{in}
	engines(t, func(t *testing.T, cfg Config) {
		g, err := started(t, cfg, p)
		if err != nil {
			t.Fatal(err)
		}
		v := visit{Guest: g, t: t}
		for i := range uint32(many) {
			name := fmt.Sprint("f", i)
			g.Use(function(t, g, name))
			if at, err := g.Alloc(8, 8); err != nil || at != 16*i {
				t.Errorf("%s: allocated at %d, %v", name, at, err)
			}
			if got, err := v.do(name, 100+i); err != nil || got != 100+i {
				t.Errorf("%s: %d, %v", name, got, err)
			}
		}
		kept := 0
		for _, c := range g.callees {
			if c.fn != nil {
				kept++
			}
		}
		for i := range g.views {
			if g.views[i].realloc != nil {
				kept++
			}
		}
		if kept != 2*keptMax {
			t.Errorf("%d functions are kept", kept)
		}
	})
	cfg := Default()
	cfg.TrampolinesMax = 2*many - 1
	if _, err := planned(t, open(t, cfg), p); !errors.Is(err, fuel.ErrLimit) {
		t.Errorf("given more than TrampolinesMax: %v", err)
	}
}
