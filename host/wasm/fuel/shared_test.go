package fuel

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/hpmq/hpmq/host/wasm/asm"
)

// instantiateShared takes the counters from another module, which has nothing else.
func instantiateShared(t testing.TB, r wazero.Runtime, m *asm.Module) *bounded {
	t.Helper()
	owner := instantiate(t, r, asm.New())
	return join(t, r, m, map[string]api.Module{SharedModule: owner.mod})
}

// join makes an instance that imports its counters from where the others have them.
func join(
	t testing.TB, r wazero.Runtime, m *asm.Module, from map[string]api.Module,
) *bounded {
	t.Helper()
	out, err := RewriteWith(m.Bytes(), DefaultLimits(), Options{Counters: Imported})
	if err != nil {
		t.Fatal(err)
	}
	mod, err := link(r, out.Code, from)
	if err != nil {
		t.Fatal(err)
	}
	return newBounded(t, mod, from[SharedModule])
}

func link(r wazero.Runtime, code []byte, from map[string]api.Module) (api.Module, error) {
	ctx := experimental.WithImportResolver(context.Background(),
		func(name string) api.Module { return from[name] })
	return r.InstantiateWithConfig(ctx, code, wazero.NewModuleConfig().WithName(""))
}

// TestImportedCountersCountAlike: what a call costs does not depend on whose the counters are.
func TestImportedCountersCountAlike(t *testing.T) {
	engines(t, func(t *testing.T, r wazero.Runtime) {
		for _, k := range kernels {
			own, shared := instantiate(t, r, k.module), instantiateShared(t, r, k.module)
			for _, n := range []uint64{1, 7, 15} {
				a, spent, depth, err := own.call(1_000_000, n)
				b, spent2, depth2, err2 := shared.call(1_000_000, n)
				if err != nil || err2 != nil || a[0] != b[0] || spent != spent2 || spent == 0 ||
					depth != 100 || depth2 != 100 {
					t.Errorf("%s(%d): %d for %d, depth %d, %v; shared: %d for %d, depth %d, %v",
						k.name, n, a[0], spent, depth, err, b[0], spent2, depth2, err2)
				}
			}
			if _, _, _, err := shared.call(10, 15); err == nil || !shared.out() {
				t.Errorf("%s passes on 10 units: %v", k.name, err)
			}
		}
	})
}

// pingPong calls itself through the other instance; only the first of both has a table.
func pingPong(first bool) *asm.Module {
	m := asm.New()
	if first {
		m.Table(1, 1)
		m.Export("table", asm.KindTable, 0)
	} else {
		m.ImportRaw("first", "table", asm.KindTable, asm.FuncRef, 0, 0)
	}
	t := m.Type(i32, i32)
	f := m.Func(i32, i32, none, asm.LocalGet(0), asm.I32Const(0), asm.CallIndirect(t))
	if !first {
		m.ImportRaw("first", "f", asm.KindFunc, byte(t))
		f = m.Func(i32, i32, none, asm.LocalGet(0), asm.Call(0))
		m.Elements(0, f+1)
	}
	m.ExportFunc("f", f)
	return m
}

// TestTwoInstancesShareBudgetAndDepth: a recursion through both ends at the one bound.
func TestTwoInstancesShareBudgetAndDepth(t *testing.T) {
	engines(t, func(t *testing.T, r wazero.Runtime) {
		first := instantiate(t, r, pingPong(true))
		from := map[string]api.Module{SharedModule: first.mod, "first": first.mod}
		second := join(t, r, pingPong(false), from)
		for name, b := range map[string]*bounded{"first": first, "second": second} {
			_, spent, depth, err := b.call(1_000_000, 1)
			if err == nil || depth >= 0 || spent > 1000 {
				t.Errorf("%s: depth %d, spent %d, %v", name, depth, spent, err)
			}
			if _, _, depth, err = b.call(50, 1); err == nil || !b.out() {
				t.Errorf("%s: passes on 50 units, depth %d, %v", name, depth, err)
			}
		}
	})
}

// TestGlobalsStayTheModulesOwn: indices of defined globals move behind the imported counters, those
// of imported globals stay, in code and exports.
func TestGlobalsStayTheModulesOwn(t *testing.T) {
	given := asm.New()
	given.Export("in", asm.KindGlobal, given.Global(asm.I32, true, asm.I32Const(5)))
	m := asm.New()
	m.ImportRaw("given", "in", asm.KindGlobal, asm.I32, 1)
	for i := range int32(130) { // so many that an index grows by a byte
		m.Global(asm.I32, true, asm.I32Const(i))
	}
	m.Export("first", asm.KindGlobal, 1)
	m.Export("last", asm.KindGlobal, 130)
	m.Export("in", asm.KindGlobal, 0)
	m.ExportFunc("f", m.Func(i32, i32, none,
		asm.GlobalGet(0), asm.GlobalGet(126), asm.Op(asm.I32Add), asm.GlobalSet(0),
		asm.LocalGet(0), asm.GlobalSet(1), asm.LocalGet(0), asm.GlobalSet(130),
		asm.GlobalGet(127)))
	engines(t, func(t *testing.T, r wazero.Runtime) {
		owner := instantiate(t, r, asm.New())
		b := join(t, r, m, map[string]api.Module{
			SharedModule: owner.mod, "given": instantiate(t, r, given).mod,
		})
		out, _, _, err := b.call(1000, 77)
		if err != nil || out[0] != 126 {
			t.Errorf("%v, %v", out, err)
		}
		for name, want := range map[string]uint64{"first": 77, "last": 77, "in": 5 + 125} {
			if v := b.mod.ExportedGlobal(name).Get(); v != want {
				t.Errorf("%s is %d, not %d", name, v, want)
			}
		}
	})
}

func TestReservedImportsAreRefused(t *testing.T) {
	m := asm.New()
	m.ImportRaw(SharedModule, CountGlobal, asm.KindGlobal, asm.I32, 1)
	for _, c := range []Counters{Own, Imported} {
		_, err := RewriteWith(m.Bytes(), DefaultLimits(), Options{Counters: c})
		if !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), "reserved") {
			t.Errorf("%v", err)
		}
	}
}

func TestImportsAreRenamed(t *testing.T) {
	m := asm.New()
	m.Import("", "a", i32, i32)
	m.Import("env", "b", i32, i32)
	m.ExportFunc("f", m.Func(i32, i32, none, asm.LocalGet(0), asm.Call(1)))
	given := asm.New()
	given.ExportFunc("x", given.Func(i32, i32, none, asm.I32Const(41)))
	given.ExportFunc("y", given.Func(i32, i32, none, asm.I32Const(42)))
	out, err := RewriteWith(m.Bytes(), DefaultLimits(), Options{
		Rename: func(place int, im Import) Name {
			return Name{Module: "given", Name: map[string]string{"a": "x", "b": "y"}[im.Name]}
		},
	})
	if err != nil || out.Imports[0].Module != "" || out.Imports[1].Module != "env" {
		t.Fatal(out, err)
	}
	r := newRuntime(t, true)
	from := instantiate(t, r, given)
	from.arm(100, 100, 100)
	mod, err := link(r, out.Code, map[string]api.Module{"given": from.mod})
	if err != nil {
		t.Fatal(err)
	}
	b := newBounded(t, mod, mod)
	if got, _, _, err := b.call(100, 0); err != nil || got[0] != 42 {
		t.Errorf("%v, %v", got, err)
	}
}

// forwarder is what a linker puts between a module and functions that come later.
func forwarder(body ...[]byte) *asm.Module {
	m := asm.New()
	m.Table(1, 1)
	m.Export("table", asm.KindTable, 0)
	t := m.Type(i32, i32)
	body = append([][]byte{asm.LocalGet(0), asm.I32Const(0), asm.CallIndirect(t)}, body...)
	m.ExportFunc("f", m.Func(i32, i32, none, body...))
	return m
}

func TestForwardersAreKnown(t *testing.T) {
	without := Options{Counters: Without}
	out, err := RewriteWith(forwarder().Bytes(), DefaultLimits(), without)
	if err != nil || !out.Forwards || out.Functions != 1 ||
		strings.Contains(string(out.Code), Reserved) {
		t.Fatalf("%+v, %v", out, err)
	}
	if !compiles(newRuntime(t, true), out.Code) {
		t.Error("it does not compile")
	}
	imports := asm.New()
	imports.Import("a", "b", none, none)
	imports.ExportFunc("f", imports.Func(none, none, none))
	elements := forwarder()
	elements.Elements(0, 0)
	starts := asm.New()
	starts.Start(starts.Func(none, none, none))
	locals := asm.New()
	locals.ExportFunc("f", locals.Func(none, none, i32))
	for name, m := range map[string]*asm.Module{
		"a loop":            forwarder(asm.Op(asm.Drop), asm.Loop(asm.I32, asm.I32Const(1))),
		"much of it":        forwarder(asm.Code(make([][]byte, 0)...), many()),
		"other work":        forwarder(asm.Op(asm.Drop), asm.I32Const(1)),
		"imports":           imports,
		"its own elements":  elements,
		"a start function":  starts,
		"locals":            locals,
		"a call of its own": recursion(),
	} {
		out, err := Rewrite(m.Bytes(), DefaultLimits())
		if err != nil || out.Forwards {
			t.Errorf("%s: forwards, or %v", name, err)
		}
		if _, err := RewriteWith(m.Bytes(), DefaultLimits(), without); err == nil {
			t.Errorf("%s: does without counters", name)
		}
	}
}

// many calls on with the result.
func many() []byte {
	var code []byte
	for range 20 {
		code = append(code, asm.Code(asm.I32Const(0), asm.CallIndirect(0))...)
	}
	return code
}

// TestModulesWithoutFunctionsNeedNoCounters: they fill tables of others.
func TestModulesWithoutFunctionsNeedNoCounters(t *testing.T) {
	m := asm.New()
	m.ImportRaw("a", "table", asm.KindTable, asm.FuncRef, 0, 1)
	m.Import("b", "f", i32, i32)
	m.Elements(0, 0)
	out, err := RewriteWith(m.Bytes(), DefaultLimits(), Options{Counters: Without})
	if err != nil || out.Functions != 0 || out.Forwards {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestTablesAreCountedAndFixed(t *testing.T) {
	l := DefaultLimits()
	l.TableElementsMax = 100
	m := asm.New()
	m.Table(2, 0)
	m.Table(3, 50)
	m.ExportFunc("f", m.Func(i32, i32, none, asm.RefNull(), asm.I32Const(1), asm.TableGrow()))
	free, err := Rewrite(m.Bytes(), l)
	fixed, err2 := RewriteWith(m.Bytes(), l, Options{FixTables: true})
	if err != nil || err2 != nil || free.TableElementsMin != 5 || free.TableElementsMax != 150 ||
		fixed.TableElementsMax != 5 {
		t.Fatalf("%+v, %v; %+v, %v", free, err, fixed, err2)
	}
	mod, err := link(newRuntime(t, true), fixed.Code, nil)
	if err != nil {
		t.Fatal(err)
	}
	out, _, _, err := newBounded(t, mod, mod).call(1000, 0)
	if err != nil || int32(out[0]) != -1 {
		t.Errorf("it grows: %v, %v", out, err)
	}
}

func TestExportsTellWhatIsHandedOn(t *testing.T) {
	m := asm.New()
	m.ImportRaw("a", "g", asm.KindGlobal, asm.I32, 0)
	m.Import("a", "f", none, none)
	m.ExportFunc("own", 1)
	m.ExportFunc("handed", 0)
	m.Func(none, none, none)
	out, err := Rewrite(m.Bytes(), DefaultLimits())
	if err != nil || out.Exports[0].Import != -1 || out.Exports[1].Import != 1 {
		t.Errorf("%+v, %v", out, err)
	}
}
