package wasm

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/api"

	"github.com/hpmq/hpmq/host/wasm/asm"
	"github.com/hpmq/hpmq/host/wasm/fuel"
)

// small limits make hostile guests fail within milliseconds on the interpreter too.
var small = Limits{Fuel: 200_000, StartFuel: 200_000, DepthMax: 200, MemoryBytesMax: 4 << 20}

var forever = asm.Loop(asm.Empty, asm.Br(0))

// exporting makes a module with a memory and f() -> i32.
func exporting(locals []byte, body ...[]byte) *asm.Module {
	m := asm.New()
	m.Memory(1, 0)
	m.Table(1, 0)
	m.ExportFunc("f", m.Func(none, i32, locals, body...))
	m.FuncNames("culprit")
	return m
}

func TestHostileCalls(t *testing.T) {
	zero := asm.I32Const(0)
	fill := asm.Code(zero, zero, asm.I32Const(65536), asm.MemoryFill())
	for name, c := range map[string]struct {
		module *asm.Module
		cause  error
		text   string
	}{
		"endless loop":      {exporting(none, forever, zero), ErrFuel, "culprit"},
		"endless recursion": {exporting(none, asm.Call(0)), ErrDepth, "culprit"},
		"recursion with a big frame": {
			exporting(slices.Repeat(i64, 9000), asm.Call(0)), ErrDepth, "culprit",
		},
		"endless filling": {
			exporting(none, asm.Loop(asm.Empty, fill, asm.Br(0)), zero), ErrFuel, "culprit",
		},
		"endless growing": {exporting(none, asm.Loop(asm.Empty, asm.I32Const(1), asm.MemoryGrow(),
			asm.Op(asm.Drop), asm.Br(0)), zero), ErrFuel, "culprit"},
		"endless table": {exporting(none, asm.Loop(asm.Empty, asm.RefNull(), asm.I32Const(1),
			asm.TableGrow(), asm.Op(asm.Drop), asm.Br(0)), zero), ErrFuel, "culprit"},
		"huge table": {exporting(none, asm.RefNull(), asm.I32Const(-1), asm.TableGrow()),
			ErrFuel, "culprit"},
		"outside the memory": {
			exporting(none, asm.I32Const(-4), asm.I32Load(0)), ErrTrap, "out of bounds",
		},
		"unreachable": {exporting(none, asm.Op(asm.Unreachable)), ErrTrap, "unreachable"},
		"null function": {
			exporting(none, zero, asm.CallIndirect(0)), ErrTrap, "invalid table",
		},
		"division by zero": {
			exporting(none, zero, zero, asm.Op(0x6d)), ErrTrap, "divide by zero",
		},
	} {
		t.Run(name, func(t *testing.T) {
			engines(t, func(t *testing.T, cfg Config) {
				g, f := one(t, cfg, c.module, small)
				err := g.Call(f, make([]uint64, 1))
				var trap *TrapError
				if !errors.Is(err, c.cause) || !errors.As(err, &trap) || trap.Export != "f" {
					t.Fatalf("%v", err)
				}
				if !strings.Contains(err.Error(), c.text) || len(trap.Backtrace) > backtraceMax ||
					strings.Contains(err.Error(), "\n") {
					t.Errorf("%v", err)
				}
				if size := g.Memory().Size(); size > small.MemoryBytesMax {
					t.Errorf("memory has %d bytes", size)
				}
				if err := g.Call(f, make([]uint64, 1)); !g.Dead() || !errors.Is(err, ErrDead) {
					t.Errorf("it lives: %v", err)
				}
				if _, err := g.Func("f"); !errors.Is(err, ErrDead) {
					t.Errorf("a dead guest gives functions: %v", err)
				}
			})
		})
	}
}

func TestMemoryBombIsToldNo(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		m := exporting(none, asm.I32Const(64), asm.MemoryGrow())
		m.ExportFunc("content", m.Func(none, none, none))
		g, f := one(t, cfg, m, small)
		stack := make([]uint64, 1)
		if err := g.Call(f, stack); err != nil || int32(stack[0]) != -1 {
			t.Errorf("growing to 65 pages of 64: %d, %v", int32(stack[0]), err)
		}
		if !g.Starved() {
			t.Error("it does not know that it was told no")
		}
		content, err := g.Func("content")
		if err == nil {
			err = g.Call(content, nil)
		}
		if err != nil || g.Starved() {
			t.Errorf("it was told no in an earlier call: %v", err)
		}
	})
}

func TestHostileModules(t *testing.T) {
	for name, c := range map[string]struct {
		build func(m *asm.Module)
		want  error
	}{
		"start loops": {
			func(m *asm.Module) { m.Start(m.Func(none, none, none, forever)) }, ErrFuel,
		},
		"start traps": {
			func(m *asm.Module) { m.Start(m.Func(none, none, none, asm.Op(asm.Unreachable))) },
			ErrTrap,
		},
		"initialize loops": {func(m *asm.Module) {
			m.ExportFunc("_initialize", m.Func(none, none, none, forever))
		}, ErrFuel},
		"too much memory at once": {func(m *asm.Module) { m.Memory(65, 0) }, fuel.ErrLimit},
		"table bomb":              {func(m *asm.Module) { m.Table(1<<26, 0) }, fuel.ErrLimit},
		"data outside": {
			func(m *asm.Module) { m.Memory(1, 1); m.Data(65_530, make([]byte, 7)) }, nil,
		},
		"data without memory": {func(m *asm.Module) { m.Data(0, make([]byte, 7)) }, nil},
		"types wrong":         {func(m *asm.Module) { m.Func(none, i32, none) }, nil},
		"export twice": {
			func(m *asm.Module) { m.Memory(1, 1); m.Export("memory", asm.KindMemory, 0) }, nil,
		},
		"realloc of another type": {
			func(m *asm.Module) { m.ExportFunc("cabi_realloc", m.Func(none, none, none)) }, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			engines(t, func(t *testing.T, cfg Config) {
				m := asm.New()
				c.build(m)
				e := open(t, cfg)
				module, err := e.Compile(context.Background(), m.Bytes())
				if err == nil {
					_, err = module.Instantiate(context.Background(), nil, small)
				}
				if err == nil || c.want != nil && !errors.Is(err, c.want) {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

func TestHugeDataSegmentIsRefused(t *testing.T) {
	cfg := Default()
	cfg.ModuleBytesMax = 1 << 20
	m := asm.New()
	m.Memory(200, 0)
	m.Data(0, make([]byte, 2<<20))
	_, err := open(t, cfg).Compile(context.Background(), m.Bytes())
	if !errors.Is(err, fuel.ErrLimit) {
		t.Errorf("%v", err)
	}
}

func TestGuestsWithoutMemory(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		g, f := one(t, cfg, answer(3), small)
		stack := make([]uint64, 1)
		if err := g.Call(f, stack); err != nil || stack[0] != 3 {
			t.Errorf("%d, %v", stack[0], err)
		}
		mem := g.Memory()
		_, ok := mem.Read(0, 1)
		if ok || mem.Size() != 0 || mem.Write(0, []byte{1}) || mem.PutUint32(0, 1) {
			t.Error("a memory that is not there can be used")
		}
		if _, err := g.Alloc(1, 1); !errors.Is(err, ErrNoExport) || g.Dead() {
			t.Errorf("%v", err)
		}
	})
}

// reallocating has a cabi_realloc with this body, and a memory of so many pages.
func reallocating(pages uint32, body ...[]byte) *asm.Module {
	m := answer(1)
	if pages > 0 {
		m.Memory(pages, pages)
	} else {
		m.Raw(5, []byte{1, 0, 0})
	}
	m.ExportFunc("cabi_realloc", m.Func(four, i32, none, body...))
	return m
}

func TestHostileAllocators(t *testing.T) {
	for name, c := range map[string]struct {
		module *asm.Module
		cause  error
	}{
		"outside":           {reallocating(1, asm.I32Const(65_536)), ErrTrap},
		"over the end":      {reallocating(1, asm.I32Const(65_536-96)), ErrTrap},
		"around the end":    {reallocating(1, asm.I32Const(-16)), ErrTrap},
		"not aligned":       {reallocating(1, asm.I32Const(1023)), ErrTrap},
		"memory of 0 pages": {reallocating(0, asm.I32Const(0)), ErrTrap},
		"loops":             {reallocating(1, forever, asm.I32Const(0)), ErrFuel},
	} {
		t.Run(name, func(t *testing.T) {
			engines(t, func(t *testing.T, cfg Config) {
				g, f := one(t, cfg, c.module, small)
				ptr, err := g.Alloc(100, 4)
				if !errors.Is(err, c.cause) || ptr != 0 || !g.Dead() {
					t.Errorf("%d, %v", ptr, err)
				}
				if err := g.Call(f, make([]uint64, 1)); !errors.Is(err, ErrDead) {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

// TestAllocSpendsTheCallsFuel: a thousand cheap allocations are not a thousand budgets.
func TestAllocSpendsTheCallsFuel(t *testing.T) {
	g, f := one(t, Default(), reallocating(1, asm.I32Const(8)), Limits{Fuel: 100})
	var err error
	n := 0
	for ; err == nil && n < 1000; n++ {
		_, err = g.Alloc(4, 4)
	}
	if !errors.Is(err, ErrFuel) || n > 100 {
		t.Errorf("%d allocations, %v", n, err)
	}
	g, f = one(t, Default(), reallocating(1, asm.I32Const(8)), Limits{Fuel: 100})
	for range 1000 { // each with a call behind it
		if _, err := g.Alloc(4, 4); err != nil {
			t.Fatal(err)
		}
		if err := g.Call(f, make([]uint64, 1)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCallsThatAreBugs(t *testing.T) {
	m := compile(t, open(t, Default()), answer(1))
	a, b := guest(t, m, nil, Limits{}), guest(t, m, nil, Limits{})
	f := function(t, a, "f")
	if err := b.Call(f, make([]uint64, 1)); err == nil {
		t.Error("a function of another guest is called")
	}
	if err := a.Call(f, nil); err == nil || a.Dead() {
		t.Errorf("a stack without room: %v, dead %v", err, a.Dead())
	}
	if _, err := a.Func("g"); !errors.Is(err, ErrNoExport) {
		t.Errorf("%v", err)
	}
	b.Close()
	if err := b.Call(f, make([]uint64, 1)); !errors.Is(err, ErrDead) {
		t.Errorf("a closed guest: %v", err)
	}
}

// hostile host functions: what a capability may get wrong or must answer.
func hostModule(call func(g *Guest, stack []uint64)) HostModule {
	return HostModule{Name: "test", Funcs: []HostFunc{{Name: "call", Call: call}}}
}

// calling imports it and calls it in f and, if asked to, in cabi_realloc.
func callingHost(inRealloc bool) *asm.Module {
	m := asm.New()
	m.Memory(1, 1)
	call := m.Import("test", "call", none, none)
	m.ExportFunc("f", m.Func(none, none, none, asm.Call(call)))
	body := asm.I32Const(8)
	if inRealloc {
		body = asm.Code(asm.Call(call), body)
	}
	m.ExportFunc("cabi_realloc", m.Func(four, i32, none, body))
	return m
}

func TestHostFunctions(t *testing.T) {
	var f *Func
	for name, c := range map[string]struct {
		call      func(g *Guest, stack []uint64)
		inRealloc bool
		cause     error
		text      string
	}{
		"panics": {func(*Guest, []uint64) { panic("a bug") }, false, ErrTrap, "a bug"},
		"runtime error": {
			func(g *Guest, _ []uint64) { _ = g.Env().(string) },
			false, ErrTrap, "interface conversion",
		},
		"traps": {
			func(g *Guest, _ []uint64) { g.Trap("wrong pointer") },
			false, ErrTrap, "trap: wrong pointer",
		},
		"charges":   {func(g *Guest, _ []uint64) { g.Charge(1 << 63) }, false, ErrFuel, ""},
		"allocates": {func(g *Guest, _ []uint64) { _, _ = g.Alloc(4, 4) }, false, nil, ""},
		"too much": {
			func(g *Guest, _ []uint64) { _, _ = g.Alloc(1<<20, 4) }, false, ErrTrap, "answers 0x8",
		},
		"called back": {
			func(g *Guest, _ []uint64) { _, _ = g.Alloc(4, 4) },
			true, ErrTrap, "from within cabi_realloc",
		},
		"calls an export": {func(g *Guest, _ []uint64) {
			if err := g.Call(f, nil); err != nil {
				g.Trap(err.Error())
			}
		}, false, ErrTrap, "in a call"},
	} {
		t.Run(name, func(t *testing.T) {
			engines(t, func(t *testing.T, cfg Config) {
				e := open(t, cfg, hostModule(c.call))
				g := guest(t, compile(t, e, callingHost(c.inRealloc)), 1, small)
				f = function(t, g, "f")
				err := g.Call(f, nil)
				if c.cause == nil {
					if err != nil {
						t.Errorf("%v", err)
					}
					return
				}
				if !errors.Is(err, c.cause) || !strings.Contains(err.Error(), c.text) || !g.Dead() {
					t.Fatalf("%v", err)
				}
				if strings.Contains(err.Error(), "\n") {
					t.Errorf("more than a line: %v", err)
				}
			})
		})
	}
}

// TestHostCallsArePaidFor: a loop of host calls ends long before a loop of instructions would.
func TestHostCallsArePaidFor(t *testing.T) {
	calls := 0
	e := open(t, Default(), hostModule(func(*Guest, []uint64) { calls++ }))
	m := asm.New()
	call := m.Import("test", "call", none, none)
	m.ExportFunc("f", m.Func(none, none, none, asm.Loop(asm.Empty, asm.Call(call), asm.Br(0))))
	g := guest(t, compile(t, e, m), nil, Limits{Fuel: 6500})
	if err := g.Call(function(t, g, "f"), nil); !errors.Is(err, ErrFuel) || calls > 100 {
		t.Errorf("%d calls, %v", calls, err)
	}
}

// TestALongCallDoesNotHoldTheProcess: native code cannot be preempted, so a garbage collection
// would wait, with everybody, as long as the guest runs. This one runs until it is told to end,
// with a memory of its own and without.
func TestALongCallDoesNotHoldTheProcess(t *testing.T) {
	for _, memory := range []bool{true, false} {
		m := asm.New()
		if memory {
			m.Memory(1, 1)
		}
		begun := m.Global(asm.I32, true, asm.I32Const(0))
		end := m.Global(asm.I32, true, asm.I32Const(0))
		m.Export("begun", asm.KindGlobal, begun)
		m.Export("end", asm.KindGlobal, end)
		m.ExportFunc("f", m.Func(none, none, none, asm.I32Const(1), asm.GlobalSet(begun),
			asm.Loop(asm.Empty, asm.GlobalGet(end), asm.Op(asm.I32Eqz), asm.BrIf(0))))
		g, f := one(t, Default(), m, Limits{Fuel: 20_000_000_000})
		ended := make(chan error, 1)
		go func() { ended <- g.Call(f, nil) }()
		for g.cores[0].ExportedGlobal("begun").Get() == 0 {
			runtime.Gosched()
		}
		runtime.GC()
		select {
		case err := <-ended:
			t.Errorf("memory %v: the collection waited for the guest: %v", memory, err)
		default:
			g.cores[0].ExportedGlobal("end").(api.MutableGlobal).Set(1)
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	}
}

// TestAChargeLeavesASlice: whatever a host function charges, native code gets at most a slice at
// once, for a garbage collection waits until it is used up.
func TestAChargeLeavesASlice(t *testing.T) {
	for _, units := range []uint64{1, firstSlice, 10 * firstSlice} {
		var left int64
		e := open(t, Default(), hostModule(func(g *Guest, _ []uint64) {
			g.Charge(units)
			left, _ = fuel.Unpack(g.counter.Get())
		}))
		g := guest(t, compile(t, e, callingHost(false)), nil, Limits{Fuel: 100 * firstSlice})
		if err := g.Call(function(t, g, "f"), nil); err != nil {
			t.Fatal(err)
		}
		if left < 0 || left > firstSlice {
			t.Errorf("%d units in the counter behind a charge of %d", left, units)
		}
		if spent := g.Fuel(); spent < units || spent > units+1000 {
			t.Errorf("%d spent by a charge of %d", spent, units)
		}
	}
}
