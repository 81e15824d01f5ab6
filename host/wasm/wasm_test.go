package wasm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/wasm/asm"
	"github.com/hpmq/hpmq/host/wasm/fuel"
)

var (
	none = asm.Types()
	i32  = asm.Types(asm.I32)
	i64  = asm.Types(asm.I64)
	four = asm.Types(asm.I32, asm.I32, asm.I32, asm.I32)
)

// engines runs a test on the compiler (where there is one) and on the interpreter.
func engines(t *testing.T, test func(t *testing.T, cfg Config)) {
	for _, interpreter := range []bool{false, true} {
		t.Run(fmt.Sprintf("interpreter=%v", interpreter), func(t *testing.T) {
			cfg := Default()
			cfg.Interpreter = interpreter
			test(t, cfg)
		})
	}
}

func open(t testing.TB, cfg Config, modules ...HostModule) *Engine {
	t.Helper()
	e, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if n := e.Guests(); n != 0 {
			t.Errorf("%d guests were not closed", n)
		}
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	for _, m := range modules {
		if err := e.Provide(m); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

func compile(t testing.TB, e *Engine, m *asm.Module) *Module {
	t.Helper()
	c, err := e.Compile(context.Background(), m.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func guest(t testing.TB, m *Module, env any, l Limits) *Guest {
	t.Helper()
	g, err := m.Instantiate(context.Background(), env, l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

func function(t testing.TB, g *Guest, name string) *Func {
	t.Helper()
	f, err := g.Func(name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// one is the whole way: engine, module, guest, function "f".
func one(t testing.TB, cfg Config, m *asm.Module, l Limits) (*Guest, *Func) {
	t.Helper()
	g := guest(t, compile(t, open(t, cfg), m), nil, l)
	return g, function(t, g, "f")
}

// policy is a guest like a real one: a bump allocator that cabi_post resets, and on-publish, which
// takes a topic and a payload and answers the address of (sum of the topic's bytes, length of the
// payload).
func policy() *asm.Module {
	const result = 64
	m := asm.New()
	m.Memory(2, 4)
	top := m.Global(asm.I32, true, asm.I32Const(1024))
	m.ExportFunc("cabi_realloc", m.Func(four, i32, none,
		// top = (top + align - 1) & -align; answer top; top += size
		asm.GlobalGet(top), asm.LocalGet(2), asm.Op(asm.I32Add), asm.I32Const(1),
		asm.Op(asm.I32Sub), asm.I32Const(0), asm.LocalGet(2),
		asm.Op(asm.I32Sub, asm.I32And), asm.LocalTee(0),
		asm.LocalGet(3), asm.Op(asm.I32Add), asm.GlobalSet(top), asm.LocalGet(0)))
	m.ExportFunc("on-publish", m.Func(four, i32, i32,
		asm.I32Const(result), asm.LocalGet(3), asm.I32Store(4),
		asm.Block(asm.Empty, asm.LocalGet(1), asm.Op(asm.I32Eqz), asm.BrIf(0),
			asm.Loop(asm.Empty,
				asm.LocalGet(4), asm.LocalGet(0), asm.I32Load8U(0), asm.Op(asm.I32Add),
				asm.LocalSet(4),
				asm.LocalGet(0), asm.I32Const(1), asm.Op(asm.I32Add), asm.LocalSet(0),
				asm.LocalGet(1), asm.I32Const(1), asm.Op(asm.I32Sub), asm.LocalTee(1),
				asm.BrIf(0))),
		asm.I32Const(result), asm.LocalGet(4), asm.I32Store(0), asm.I32Const(result)))
	m.ExportFunc("cabi_post_on-publish",
		m.Func(i32, none, none, asm.I32Const(1024), asm.GlobalSet(top)))
	return m
}

// asker asks a policy in the way a broker does.
type asker struct {
	g     *Guest
	f     *Func
	stack [4]uint64
}

func (a *asker) onPublish(topic, payload []byte) (sum, length uint32, err error) {
	g, stack := a.g, a.stack[:]
	tp, err := g.Alloc(uint32(len(topic)), 1)
	if err != nil {
		return 0, 0, err
	}
	pp, err := g.Alloc(uint32(len(payload)), 1)
	if err != nil {
		return 0, 0, err
	}
	mem := g.Memory()
	mem.Write(tp, topic)
	mem.Write(pp, payload)
	stack[0], stack[1] = uint64(tp), uint64(len(topic))
	stack[2], stack[3] = uint64(pp), uint64(len(payload))
	if err := g.Call(a.f, stack); err != nil {
		return 0, 0, err
	}
	at := uint32(stack[0])
	sum, _ = mem.Uint32(at)
	length, _ = mem.Uint32(at + 4)
	return sum, length, g.Post(a.f, uint64(at))
}

func TestPolicyAnswers(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		g := guest(t, compile(t, open(t, cfg), policy()), nil, Limits{})
		a := &asker{g: g, f: function(t, g, "on-publish")}
		for range 1000 { // more than the memory holds, were Post not called
			sum, length, err := a.onPublish([]byte{1, 2, 3}, make([]byte, 500))
			if err != nil || sum != 6 || length != 500 {
				t.Fatalf("%d, %d, %v", sum, length, err)
			}
		}
		if sum, length, err := a.onPublish(nil, nil); err != nil || sum+length != 0 {
			t.Errorf("empty arguments: %d, %d, %v", sum, length, err)
		}
	})
}

func TestCallAllocatesNothing(t *testing.T) {
	host := HostModule{Name: "test", Funcs: []HostFunc{{Name: "add", Params: []ValueType{I32},
		Results: []ValueType{I32}, Call: func(g *Guest, stack []uint64) {
			stack[0] += *g.Env().(*uint64)
		}}}}
	engines(t, func(t *testing.T, cfg Config) {
		e := open(t, cfg, host)
		g := guest(t, compile(t, e, policy()), nil, Limits{})
		a := &asker{g: g, f: function(t, g, "on-publish")}
		stack, topic, payload := make([]uint64, 4), []byte("a/b/c"), make([]byte, 128)
		if n := testing.AllocsPerRun(100, func() {
			if _, _, err := a.onPublish(topic, payload); err != nil {
				t.Fatal(err)
			}
		}); n != 0 && !cfg.Interpreter { // the interpreter's own stack grows and shrinks
			t.Errorf("%v allocations on the way of a message", n)
		}
		m := asm.New()
		add := m.Import("test", "add", i32, i32)
		m.ExportFunc("f", m.Func(i32, i32, none, asm.LocalGet(0), asm.Call(add)))
		forty := uint64(40)
		g = guest(t, compile(t, e, m), &forty, Limits{})
		f := function(t, g, "f")
		if n := testing.AllocsPerRun(100, func() {
			stack[0] = 2
			if err := g.Call(f, stack); err != nil || stack[0] != 42 {
				t.Fatal(stack[0], err)
			}
		}); n != 0 && !cfg.Interpreter {
			t.Errorf("%v allocations on the way into a host function", n)
		}
	})
}

func TestWhatAModuleSaysOfItself(t *testing.T) {
	m := policy()
	c := compile(t, open(t, Default()), m)
	got := strings.Join(c.Exports(), " ")
	if got != "cabi_realloc on-publish cabi_post_on-publish" {
		t.Errorf("exports %s", got)
	}
	if c.Size() != len(m.Bytes()) || len(c.Digest()) != 64 {
		t.Errorf("size %d, digest %s", c.Size(), c.Digest())
	}
	if !c.Has("on-publish") || c.Has("memory") {
		t.Error("Has is wrong")
	}
	params, results, ok := c.Signature("cabi_post_on-publish")
	if !ok || len(params) != 1 || params[0] != I32 || len(results) != 0 {
		t.Errorf("%v %v %v", params, results, ok)
	}
}

func TestUnknownImportsAreAllNamed(t *testing.T) {
	it := HostFunc{Name: "it", Params: []ValueType{I32}, Call: func(*Guest, []uint64) {}}
	e := open(t, Default(), HostModule{Name: "have", Funcs: []HostFunc{it}})
	m := asm.New()
	m.Import("have", "it", i64, none)
	m.Import("have", "not", none, none)
	m.Import("wasi:sockets/tcp", "connect", none, none)
	m.ImportRaw("env", "memory", asm.KindMemory, 0, 1)
	_, err := e.Compile(context.Background(), m.Bytes())
	want := "have it (wanted as (i64) -> (), is (i32) -> ()); have not; " +
		"wasi:sockets/tcp connect; env memory (only functions can be imported)"
	if !errors.Is(err, ErrImports) || !strings.Contains(err.Error(), want) {
		t.Errorf("%v", err)
	}
}

func TestProvideRefusesWhatComesTwiceOrLate(t *testing.T) {
	m := HostModule{Name: "a"}
	e := open(t, Default(), m)
	if err := e.Provide(m); err == nil {
		t.Error("a name is taken twice")
	}
	compile(t, e, policy())
	if err := e.Provide(HostModule{Name: "b"}); err == nil {
		t.Error("provided after the first module")
	}
}

func TestCompileCacheSurvives(t *testing.T) {
	cfg := Default()
	cfg.CacheDir = t.TempDir() + "/cache"
	for range 2 {
		g, f := one(t, cfg, answer(42), Limits{})
		stack := make([]uint64, 1)
		if err := g.Call(f, stack); err != nil || stack[0] != 42 {
			t.Errorf("%d, %v", stack[0], err)
		}
	}
}

// answer exports f, which gives v.
func answer(v int32) *asm.Module {
	m := asm.New()
	m.ExportFunc("f", m.Func(none, i32, none, asm.I32Const(v)))
	return m
}

func TestCommandsAreRefused(t *testing.T) {
	m := asm.New()
	m.ExportFunc("_start", m.Func(none, none, none))
	_, err := open(t, Default()).Compile(context.Background(), m.Bytes())
	if err == nil || !strings.Contains(err.Error(), "reactor") {
		t.Errorf("%v", err)
	}
}

func TestStartAndInitializeRunOnce(t *testing.T) {
	m := asm.New()
	g := m.Global(asm.I32, true, asm.I32Const(0))
	add := func(n int32) uint32 {
		return m.Func(none, none, none, asm.GlobalGet(g), asm.I32Const(10), asm.Op(asm.I32Mul),
			asm.I32Const(n), asm.Op(asm.I32Add), asm.GlobalSet(g))
	}
	m.Start(add(1))
	m.ExportFunc("_initialize", add(2))
	m.ExportFunc("f", m.Func(none, i32, none, asm.GlobalGet(g)))
	engines(t, func(t *testing.T, cfg Config) {
		g, f := one(t, cfg, m, Limits{})
		stack := make([]uint64, 1)
		if err := g.Call(f, stack); err != nil || stack[0] != 12 {
			t.Errorf("%d, %v", stack[0], err)
		}
	})
}

// TestFuelIsTheSameOnBothEngines: what a call costs does not depend on the machine.
func TestFuelIsTheSameOnBothEngines(t *testing.T) {
	spent := map[bool][]uint64{}
	engines(t, func(t *testing.T, cfg Config) {
		g := guest(t, compile(t, open(t, cfg), policy()), nil, Limits{})
		a := &asker{g: g, f: function(t, g, "on-publish")}
		for n := range 50 {
			if _, _, err := a.onPublish(make([]byte, n*7), make([]byte, n)); err != nil {
				t.Fatal(err)
			}
			spent[cfg.Interpreter] = append(spent[cfg.Interpreter], g.Fuel())
		}
	})
	for i, v := range spent[true] {
		if w := spent[false][i]; v != w || v == 0 || v > 10_000 {
			t.Errorf("call %d: the compiler spends %d, the interpreter %d", i, w, v)
		}
	}
}

// TestSpendIsOfTheCall: what an answer costs is of the budget of the call that gave it.
func TestSpendIsOfTheCall(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		for _, budget := range []uint64{100, firstSlice, firstSlice + 1, 10 * firstSlice} {
			g, f := one(t, cfg, answer(7), Limits{Fuel: budget})
			stack := make([]uint64, 1)
			for range 2 {
				if err := g.Call(f, stack); err != nil {
					t.Fatal(err)
				}
				rest := budget - g.Fuel()
				if err := g.Spend(rest); err != nil || g.Fuel() != budget {
					t.Errorf("all of %d: %v, %d are spent", budget, err, g.Fuel())
				}
			}
			if err := g.Spend(1); !errors.Is(err, ErrFuel) || !g.Dead() {
				t.Errorf("one more than %d: %v", budget, err)
			}
			if err := g.Spend(0); !errors.Is(err, ErrDead) {
				t.Errorf("when dead: %v", err)
			}
		}
	})
}

func TestConfigIsChecked(t *testing.T) {
	if err := Default().Validate(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(c *Config){
		"module":  func(c *Config) { c.ModuleBytesMax = 0 },
		"memory":  func(c *Config) { c.MemoryBytesMax = 1000 },
		"tables":  func(c *Config) { c.TableElementsMax = 0 },
		"guests":  func(c *Config) { c.GuestsMax = 0 },
		"fuel":    func(c *Config) { c.FuelMax = 1 << 63 },
		"start":   func(c *Config) { c.StartFuelMax = 0 },
		"depth":   func(c *Config) { c.DepthMax = 2000 },
		"logging": func(c *Config) { c.LogLinesMax = 0 },
	} {
		c := Default()
		change(&c)
		if _, err := Open(c); err == nil {
			t.Errorf("%s: a wrong value is taken", name)
		}
	}
}

func TestGuestsAreCounted(t *testing.T) {
	cfg := Default()
	cfg.GuestsMax = 2
	m := compile(t, open(t, cfg), answer(1))
	a := guest(t, m, nil, Limits{})
	guest(t, m, nil, Limits{})
	_, err := m.Instantiate(context.Background(), nil, Limits{})
	if !errors.Is(err, fuel.ErrLimit) {
		t.Errorf("a third guest of 2: %v", err)
	}
	a.Close()
	a.Close() // twice is once
	guest(t, m, nil, Limits{})
}
