package fuel

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/hpmq/hpmq/host/wasm/asm"
)

var (
	none = asm.Types()
	i32  = asm.Types(asm.I32)
	i64  = asm.Types(asm.I64)
)

const features = api.CoreFeaturesV2 | experimental.CoreFeaturesExtendedConst

func newRuntime(t testing.TB, interpreter bool) wazero.Runtime {
	c := wazero.NewRuntimeConfig()
	if interpreter {
		c = wazero.NewRuntimeConfigInterpreter()
	}
	r := wazero.NewRuntimeWithConfig(context.Background(), c.WithCoreFeatures(features))
	t.Cleanup(func() { r.Close(context.Background()) })
	return r
}

// engines runs a test on the compiler (where there is one) and on the interpreter.
func engines(t *testing.T, test func(t *testing.T, r wazero.Runtime)) {
	for _, interpreter := range []bool{false, true} {
		t.Run(fmt.Sprintf("interpreter=%v", interpreter), func(t *testing.T) {
			test(t, newRuntime(t, interpreter))
		})
	}
}

// bounded is an instance of a rewritten module.
type bounded struct {
	t   testing.TB
	mod api.Module
	// count and rest are exports, or nothing for a module without counters.
	count, rest counter
}

type counter interface {
	Get() uint64
	Set(v uint64)
}

// newBounded finds the counters among the exports of owner.
func newBounded(t testing.TB, mod, owner api.Module) *bounded {
	return &bounded{
		t: t, mod: mod,
		count: owner.ExportedGlobal(CountGlobal).(api.MutableGlobal),
		rest:  owner.ExportedGlobal(RestGlobal).(api.MutableGlobal),
	}
}

// arm gives first of the fuel at once, and the rest later.
func (b *bounded) arm(first, fuel uint64, depth int32) {
	b.count.Set(Pack(int64(first), depth))
	b.rest.Set(fuel - first)
}

// left is the fuel that is there, and the depth.
func (b *bounded) left() (fuel int64, depth int32) {
	first, depth := Unpack(b.count.Get())
	return first + int64(b.rest.Get()), depth
}

// out tells that the counter says that there was too little fuel.
func (b *bounded) out() bool {
	first, _ := Unpack(b.count.Get())
	return first < 0
}

func instantiate(t testing.TB, r wazero.Runtime, m *asm.Module) *bounded {
	t.Helper()
	out, err := Rewrite(m.Bytes(), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	config := wazero.NewModuleConfig().WithName("")
	mod, err := r.InstantiateWithConfig(context.Background(), out.Code, config)
	if err != nil {
		t.Fatal(err)
	}
	return newBounded(t, mod, mod)
}

// call returns results, fuel spent, depth left of 100.
func (b *bounded) call(fuel uint64, args ...uint64) ([]uint64, int64, int32, error) {
	b.arm(min(fuel, 250_000), fuel, 100)
	out, err := b.mod.ExportedFunction("f").Call(context.Background(), args...)
	left, depth := b.left()
	return out, int64(fuel) - left, depth, err
}

// countdown loops n times: 2 instructions before and behind the loop, 7 in it.
func countdown() *asm.Module {
	m := asm.New()
	m.ExportFunc("f", m.Func(i32, i32, none,
		asm.Loop(asm.Empty,
			asm.LocalGet(0), asm.I32Const(1), asm.Op(asm.I32Sub), asm.LocalTee(0), asm.BrIf(0)),
		asm.LocalGet(0)))
	return m
}

func TestChargeIsExactForALoop(t *testing.T) {
	engines(t, func(t *testing.T, r wazero.Runtime) {
		b := instantiate(t, r, countdown())
		for _, n := range []uint64{1, 10, 1000} {
			_, spent, depth, err := b.call(1_000_000, n)
			// loop, local.get, end of the function; per turn: five and the end.
			if want := int64(3 + 6*n); err != nil || spent != want || depth != 100 {
				t.Errorf("%d turns spent %d, want %d; depth %d; %v", n, spent, want, depth, err)
			}
		}
	})
}

func TestOutOfFuelTrapsWithANegativeCounter(t *testing.T) {
	engines(t, func(t *testing.T, r wazero.Runtime) {
		b := instantiate(t, r, countdown())
		if _, spent, _, err := b.call(1000, 0); err == nil || spent <= 1000 || spent > 1006 {
			t.Errorf("spent %d of 1000, %v", spent, err)
		}
		if _, _, _, err := b.call(3+6*10, 10); err != nil {
			t.Errorf("exactly enough fuel: %v", err)
		}
		if _, spent, _, err := b.call(3+6*10-1, 10); err == nil || spent != 3+6*10 {
			t.Errorf("one less than enough is enough, or %d are spent: %v", spent, err)
		}
	})
}

// TestABudgetOfSeveralSlices: the whole of it counts, wherever it is cut, with a memory to leave
// native code by and without.
func TestABudgetOfSeveralSlices(t *testing.T) {
	with := countdown()
	with.Memory(1, 1)
	for _, m := range []*asm.Module{countdown(), with} {
		engines(t, func(t *testing.T, r wazero.Runtime) {
			b := instantiate(t, r, m)
			const turns, whole = 100_000, 3 + 6*100_000
			f := b.mod.ExportedFunction("f")
			for _, first := range []uint64{0, 1, 1000, SliceMax - 1, SliceMax} {
				b.arm(first, whole, 100)
				out, err := f.Call(context.Background(), turns)
				left, depth := b.left()
				if err != nil || out[0] != 0 || left != 0 || depth != 100 {
					t.Errorf("first slice %d: %v, %d left, %v", first, out, left, err)
				}
				b.arm(first, whole-1, 100)
				if _, err := f.Call(context.Background(), turns); err == nil || !b.out() {
					t.Errorf("first slice %d: one less than enough is enough, %v", first, err)
				}
			}
		})
	}
}

// TestTheMemoryBehindIsNotToBeUsed: a module without one is given one, and does not come to it.
func TestTheMemoryBehindIsNotToBeUsed(t *testing.T) {
	zero := asm.I32Const(0)
	drop := asm.Op(asm.Drop)
	for name, body := range map[string][]byte{
		"load":   asm.Code(zero, asm.I32Load(0), drop),
		"store":  asm.Code(zero, zero, asm.I32Store(0)),
		"size":   asm.Code([]byte{0x3f, 0}, drop),
		"grow":   asm.Code(zero, asm.MemoryGrow(), drop),
		"fill":   asm.Code(zero, zero, zero, asm.MemoryFill()),
		"copy":   asm.Code(zero, zero, zero, asm.MemoryCopy()),
		"init":   asm.Code(zero, zero, zero, asm.MemoryInit(0)),
		"vector": asm.Code(zero, []byte{0xfd, 0, 0, 0}, drop),
	} {
		m := asm.New()
		m.Passive(nil)
		m.ExportFunc("f", m.Func(none, none, none, body))
		if _, err := Rewrite(m.Bytes(), DefaultLimits()); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, build := range map[string]func(m *asm.Module){
		"data":   func(m *asm.Module) { m.Data(0, nil) },
		"export": func(m *asm.Module) { m.Export("m", asm.KindMemory, 0) },
	} {
		m := asm.New()
		build(m)
		m.Func(none, none, none)
		if _, err := Rewrite(m.Bytes(), DefaultLimits()); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTheFunctionBehindIsNotToBeCalled: a module that names it was not valid and is not taken.
func TestTheFunctionBehindIsNotToBeCalled(t *testing.T) {
	for name, body := range map[string][]byte{
		"call":     asm.Call(1),
		"ref.func": append([]byte{0xd2, 1}, asm.Op(asm.Drop)...),
	} {
		m := asm.New()
		m.ExportFunc("f", m.Func(none, none, none, body))
		if _, err := Rewrite(m.Bytes(), DefaultLimits()); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	m := asm.New()
	m.Table(1, 1)
	m.ExportFunc("f", m.Func(none, none, none))
	m.Elements(0, 1)
	if _, err := Rewrite(m.Bytes(), DefaultLimits()); !errors.Is(err, ErrMalformed) {
		t.Errorf("element: %v", err)
	}
}

// TestSkippedCodeIsNotCharged has a long case and a short way around it.
func TestSkippedCodeIsNotCharged(t *testing.T) {
	long := make([]byte, 1000)
	for i := range long {
		long[i] = asm.Nop
	}
	m := asm.New()
	m.ExportFunc("f", m.Func(i32, none, none, asm.LocalGet(0), asm.If(asm.Empty, long),
		asm.Block(asm.Empty, asm.Block(asm.Empty, asm.LocalGet(0), asm.BrTable(0, 1)), long)))
	engines(t, func(t *testing.T, r wazero.Runtime) {
		b := instantiate(t, r, m)
		_, zero, _, err := b.call(10_000, 0)
		_, one, _, err1 := b.call(10_000, 1)
		if err != nil || err1 != nil || zero < 1000 || zero > 1020 || one < 1000 || one > 1020 {
			t.Errorf("spent %d and %d: %v, %v", zero, one, err, err1)
		}
	})
}

// recursion calls itself n times, with every way out: a return, a branch to the function, the end.
func recursion() *asm.Module {
	m := asm.New()
	m.ExportFunc("f", m.Func(i32, i32, none,
		asm.LocalGet(0), asm.Op(asm.I32Eqz), asm.If(asm.Empty, asm.I32Const(7), asm.Op(asm.Return)),
		asm.Block(asm.Empty,
			asm.LocalGet(0), asm.I32Const(1), asm.Op(asm.I32And), asm.BrIf(0),
			asm.LocalGet(0), asm.I32Const(1), asm.Op(asm.I32Sub), asm.Call(0), asm.Br(1)),
		asm.LocalGet(0), asm.I32Const(1), asm.Op(asm.I32Sub), asm.Call(0)))
	return m
}

func TestDepthComesBackOnEveryWayOut(t *testing.T) {
	engines(t, func(t *testing.T, r wazero.Runtime) {
		b := instantiate(t, r, recursion())
		for _, n := range []uint64{0, 1, 2, 3, 97, 98} { // 98 + 1 frames, and the entrance
			out, _, depth, err := b.call(1_000_000, n)
			if err != nil || depth != 100 || out[0] != 7 {
				t.Errorf("f(%d) = %v, depth %d, %v", n, out, depth, err)
			}
		}
		if _, _, depth, err := b.call(1_000_000, 99); err == nil || depth >= 0 {
			t.Errorf("100 frames: depth %d, %v", depth, err)
		}
	})
}

func TestDepthKeepsSeveralResults(t *testing.T) {
	m := asm.New()
	leaf := m.Func(none, none, none)
	m.ExportFunc("f", m.Func(i32, asm.Types(asm.I32, asm.I64), none,
		asm.Call(leaf), asm.I32Const(4), asm.I64Const(5), asm.LocalGet(0), asm.BrIf(0),
		asm.Op(asm.Drop, asm.Drop), asm.I32Const(6), asm.I64Const(7)))
	engines(t, func(t *testing.T, r wazero.Runtime) {
		b := instantiate(t, r, m)
		for arg, want := range [][]uint64{{6, 7}, {4, 5}} {
			out, _, depth, err := b.call(1000, uint64(arg))
			if err != nil || depth != 100 || !slices.Equal(out, want) {
				t.Errorf("f(%d) = %v, depth %d, %v", arg, out, depth, err)
			}
		}
	})
}

// TestBigFramesWeighMore is what keeps the native stack small at any depth.
func TestBigFramesWeighMore(t *testing.T) {
	m := asm.New()
	body := append([]byte{1}, asm.U32(6400)...)
	body = append(body, asm.I64)
	body = append(body, asm.Code(asm.LocalGet(0), asm.If(asm.Empty,
		asm.LocalGet(0), asm.I32Const(1), asm.Op(asm.I32Sub), asm.Call(0)), asm.Op(asm.End))...)
	m.ExportFunc("f", m.RawFunc(i32, none, body))
	b := instantiate(t, newRuntime(t, false), m)
	if _, _, depth, err := b.call(1_000_000, 0); err == nil || depth != 100-1-101 {
		t.Errorf("a frame of 6400 locals leaves a depth of %d, %v", depth, err)
	}
}

func TestBulkOperationsPayForTheirOperand(t *testing.T) {
	three := func(op []byte) []byte {
		return asm.Code(asm.I32Const(0), asm.I32Const(0), asm.LocalGet(0), op)
	}
	cases := []struct {
		name      string
		body      []byte
		perUnit   int64
		low, high uint64
	}{
		{"memory.fill", three(asm.MemoryFill()), 8, 0, 65536},
		{"memory.copy", three(asm.MemoryCopy()), 8, 0, 65536},
		{"memory.init", three(asm.MemoryInit(0)), 8, 0, 256},
		{
			"table.grow",
			asm.Code(asm.RefNull(), asm.LocalGet(0), asm.TableGrow(), asm.Op(asm.Drop)), 1, 0, 500,
		},
		{
			"table.fill",
			asm.Code(asm.I32Const(0), asm.RefNull(), asm.LocalGet(0), []byte{0xfc, 17, 0}),
			1, 0, 10,
		},
		{"table.copy", three([]byte{0xfc, 14, 0, 0}), 1, 0, 10},
	}
	for _, c := range cases {
		m := asm.New()
		m.Memory(1, 4)
		m.Table(10, 0)
		m.Passive(make([]byte, 256))
		m.ExportFunc("f", m.Func(i32, none, none, c.body))
		engines(t, func(t *testing.T, r wazero.Runtime) {
			_, low, _, err := instantiate(t, r, m).call(1_000_000, c.low)
			_, high, _, err2 := instantiate(t, r, m).call(1_000_000, c.high)
			want := int64(c.high-c.low) / c.perUnit
			if err != nil || err2 != nil || high-low != want {
				t.Errorf("%s of %d spent %d, want %d; %v, %v",
					c.name, c.high, high-low, want, err, err2)
			}
			if _, _, _, err := instantiate(t, r, m).call(100, 1<<32-1); err == nil {
				t.Errorf("%s of 4 Gi passes on 100 units", c.name)
			}
		})
	}
}

func TestMemoryGrowPaysPerPage(t *testing.T) {
	m := asm.New()
	m.Memory(0, 200)
	m.ExportFunc("f", m.Func(i32, i32, none, asm.LocalGet(0), asm.MemoryGrow()))
	engines(t, func(t *testing.T, r wazero.Runtime) {
		_, none, _, _ := instantiate(t, r, m).call(1_000_000, 0)
		out, all, _, err := instantiate(t, r, m).call(1_000_000, 100)
		if err != nil || all-none != 100*128 || out[0] != 0 {
			t.Errorf("100 pages spent %d, %v, %v", all-none, out, err)
		}
	})
}

func TestStartBecomesAnExport(t *testing.T) {
	m := asm.New()
	g := m.Global(asm.I32, true, asm.I32Const(1))
	m.Start(m.Func(none, none, none, asm.I32Const(5), asm.GlobalSet(g)))
	m.Export("g", asm.KindGlobal, g)
	out, err := Rewrite(m.Bytes(), DefaultLimits())
	if err != nil || !out.HasStart {
		t.Fatal(err)
	}
	engines(t, func(t *testing.T, r wazero.Runtime) {
		b := instantiate(t, r, m)
		if v := b.mod.ExportedGlobal("g").Get(); v != 1 {
			t.Fatalf("it ran by itself: %d", v)
		}
		b.arm(100, 100, 100)
		if _, err := b.mod.ExportedFunction(StartExport).Call(context.Background()); err != nil {
			t.Fatal(err)
		}
		if v := b.mod.ExportedGlobal("g").Get(); v != 5 {
			t.Errorf("g = %d", v)
		}
	})
}

func TestLimitsOfMemoryAndTableAreCut(t *testing.T) {
	l := DefaultLimits()
	l.MemoryPagesMax, l.TableElementsMax = 3, 5
	m := asm.New()
	m.Memory(1, 0)
	m.Table(2, 1000)
	m.ExportFunc("m", m.Func(none, i32, none, asm.I32Const(3), asm.MemoryGrow()))
	m.ExportFunc("t", m.Func(none, i32, none, asm.RefNull(), asm.I32Const(4), asm.TableGrow()))
	out, err := Rewrite(m.Bytes(), l)
	if err != nil {
		t.Fatal(err)
	}
	mod, err := newRuntime(t, false).Instantiate(context.Background(), out.Code)
	if err != nil {
		t.Fatal(err)
	}
	newBounded(t, mod, mod).arm(100_000, 100_000, 100)
	for _, f := range []string{"m", "t"} {
		got, err := mod.ExportedFunction(f).Call(context.Background())
		if err != nil || int32(got[0]) != -1 {
			t.Errorf("%s grows beyond the limit: %v, %v", f, got, err)
		}
	}
}

func TestNamesStayForTheBacktrace(t *testing.T) {
	m := asm.New()
	m.ExportFunc("f", m.Func(none, none, none, asm.Op(asm.Unreachable)))
	m.FuncNames("inner" + strings.Repeat("é", 300))
	m.Custom("keep", []byte("me"))
	b := instantiate(t, newRuntime(t, true), m)
	_, _, _, err := b.call(100)
	if err == nil || !strings.Contains(err.Error(), ".innerééé") {
		t.Errorf("%v", err)
	}
	out, _ := Rewrite(m.Bytes(), DefaultLimits())
	if got := fmt.Sprintf("%q", out.Customs); got != `[{"keep" "me"}]` {
		t.Errorf("customs %s", got)
	}
}

func TestWhatIsSaidOfTheModule(t *testing.T) {
	m := asm.New()
	m.Import("a", "b", i32, i64)
	m.Memory(2, 3)
	m.ExportFunc("f", m.Func(i64, i32, none, asm.I32Const(0)))
	out, err := Rewrite(m.Bytes(), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%q %v %d", out.Imports, out.HasMemory, out.MemoryPagesMin)
	if want := `[{"a" "b" '\x00' "\x7f" "~"}] true 2`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if len(out.Exports) != 2 || out.Exports[1].Name != "f" || out.Exports[1].Params[0] != asm.I64 {
		t.Errorf("exports %v", out.Exports)
	}
}

func TestErrorsSayWhichKind(t *testing.T) {
	l := DefaultLimits()
	l.ModuleBytesMax = 100
	for _, c := range []struct {
		code []byte
		want error
	}{
		{nil, ErrMalformed},
		{[]byte("\x7fELF at the start"), ErrMalformed},
		{[]byte("\x00asm\x0d\x00\x01\x00"), ErrUnsupported},
		{[]byte("\x00asm\x02\x00\x00\x00"), ErrMalformed},
		{make([]byte, 101), ErrLimit},
	} {
		if _, err := Rewrite(c.code, l); !errors.Is(err, c.want) {
			t.Errorf("%q: %v", c.code, err)
		}
	}
}
