package wasm

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/wasm/asm"
	"github.com/hpmq/hpmq/host/wasm/component"
	"github.com/hpmq/hpmq/host/wasm/plan"
)

// bumping has an allocator that goes up, writes behind what it gives as one with headers does, and
// grows its memory when it must; f answers its number.
func bumping() *asm.Module {
	m := asm.New()
	m.Memory(1, 40)
	top := m.Global(asm.I32, true, asm.I32Const(1024))
	m.ExportFunc("f", m.Func(i32, i32, none, asm.LocalGet(0)))
	m.ExportFunc("cabi_realloc", m.Func(four, i32, none,
		// top = (top + align - 1) & -align; answer top; top += size + 8
		asm.GlobalGet(top), asm.LocalGet(2), asm.Op(asm.I32Add), asm.I32Const(1),
		asm.Op(asm.I32Sub), asm.I32Const(0), asm.LocalGet(2),
		asm.Op(asm.I32Sub, asm.I32And), asm.LocalTee(0),
		asm.LocalGet(3), asm.Op(asm.I32Add), asm.I32Const(8), asm.Op(asm.I32Add),
		asm.GlobalSet(top),
		asm.Block(asm.Empty, asm.GlobalGet(top), asm.MemorySize(), asm.I32Const(16),
			asm.Op(asm.I32Shl), asm.Op(asm.I32LtU), asm.BrIf(0),
			asm.I32Const(1), asm.MemoryGrow(), asm.Op(asm.Drop)),
		asm.GlobalGet(top), asm.I32Const(8), asm.Op(asm.I32Sub), asm.LocalGet(3), asm.I32Store(0),
		asm.LocalGet(0)))
	return m
}

// inForm makes a guest of m in a form, f and cabi_realloc among its exports.
func inForm(t *testing.T, cfg Config, form Form, m *asm.Module, l Limits) (*Guest, *Func) {
	t.Helper()
	if form == CoreForm {
		return one(t, cfg, m, l)
	}
	p := inOrder(m)
	memory := plan.CoreDef{Sort: component.CoreMemory, Instance: 0, Name: "memory"}
	realloc := coreFunc(0, "cabi_realloc")
	p.Exports = lift(coreFunc(0, "f"), number)
	p.Exports[0].Lifted.Options = plan.Options{Memory: &memory, Realloc: &realloc}
	made, err := planned(t, open(t, cfg), p)
	if err != nil {
		t.Fatal(err)
	}
	g := guest(t, made, nil, l)
	return g, function(t, g, "f")
}

// someRooms are of random sizes, few of them big, and some of none.
func someRooms(r *rand.Rand) []Room {
	rooms := make([]Room, r.IntN(20))
	for i := range rooms {
		size := r.Uint32N(40)
		switch r.IntN(10) {
		case 0:
			size = r.Uint32N(20_000)
		case 1, 2:
			size = 0
		}
		rooms[i] = Room{Size: size, Align: 1 << r.IntN(4)}
	}
	return rooms
}

// allocates makes room, fills it and calls f.
func allocates(t *testing.T, g *Guest, f *Func, rooms []Room, all bool) {
	t.Helper()
	g.Use(f)
	err := g.allocEach
	if all {
		err = g.AllocAll
	}
	if err := err(rooms); err != nil {
		t.Fatal(err)
	}
	for i, r := range rooms {
		if !g.Memory().Write(r.At, bytes.Repeat([]byte{byte(i + 1)}, int(r.Size))) {
			t.Fatalf("room %d: %v", i, r)
		}
	}
	if err := g.Call(f, []uint64{7}); err != nil {
		t.Fatal(err)
	}
}

// TestABatchIsAsOneByOne: the same answers, the same memory after it and the same fuel.
func TestABatchIsAsOneByOne(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		for _, form := range []Form{CoreForm, ComponentForm} {
			single, f := inForm(t, cfg, form, bumping(), Limits{})
			batched, fb := inForm(t, cfg, form, bumping(), Limits{})
			if err := batched.Batch(fb); err != nil || fb.view.batch == nil {
				t.Fatalf("%v, batch %v", err, fb.view.batch)
			}
			r := rand.New(rand.NewPCG(1, 2))
			for i := range 60 {
				rooms := someRooms(r)
				want := slices.Clone(rooms)
				allocates(t, single, f, want, false)
				allocates(t, batched, fb, rooms, true)
				if !slices.Equal(rooms, want) || single.Fuel() != batched.Fuel() {
					t.Fatalf("%s, %d: %v for %d, one by one %v for %d", form, i, rooms,
						batched.Fuel(), want, single.Fuel())
				}
				a, _ := single.Memory().Read(0, single.Memory().Size())
				b, _ := batched.Memory().Read(0, batched.Memory().Size())
				if !bytes.Equal(a, b) {
					t.Fatalf("%s, %d: the memories are not the same", form, i)
				}
			}
			if single.Memory().Size() < 3<<16 {
				t.Errorf("%s: the memory never grew", form)
			}
		}
	})
}

// giving has a cabi_realloc with this body and a page of memory.
func giving(body ...[]byte) *asm.Module {
	m := asm.New()
	m.Memory(1, 2)
	m.ExportFunc("f", m.Func(i32, i32, none, asm.LocalGet(0)))
	m.ExportFunc("cabi_realloc", m.Func(four, i32, none, body...))
	return m
}

func TestHostileBatches(t *testing.T) {
	grown := asm.Code(asm.I32Const(1), asm.MemoryGrow(), asm.I32Const(16), asm.Op(asm.I32Shl))
	for name, c := range map[string]struct {
		module *asm.Module
		cause  error
	}{
		"outside":         {giving(asm.I32Const(65_536)), ErrTrap},
		"over the end":    {giving(asm.I32Const(65_536 - 96)), ErrTrap},
		"around the end":  {giving(asm.I32Const(-16)), ErrTrap},
		"not aligned":     {giving(asm.I32Const(1023)), ErrTrap},
		"traps":           {giving(asm.Op(asm.Unreachable)), ErrTrap},
		"loops":           {giving(forever, asm.I32Const(0)), ErrFuel},
		"grows too often": {giving(grown), ErrTrap},
		// What overlaps is the guest's own affair.
		"one address": {giving(asm.I32Const(8)), nil},
		"only the last is bad": {giving(asm.LocalGet(3), asm.I32Const(800),
			asm.Op(asm.I32Mul)), ErrTrap},
	} {
		t.Run(name, func(t *testing.T) {
			engines(t, func(t *testing.T, cfg Config) {
				for _, form := range []Form{CoreForm, ComponentForm} {
					g, f := inForm(t, cfg, form, c.module, small)
					g.Use(f)
					if err := g.Batch(f); err != nil || f.view.batch == nil {
						t.Fatal(err)
					}
					err := g.AllocAll([]Room{{Size: 80, Align: 8}, {Size: 1, Align: 1},
						{Size: 100, Align: 4}})
					if !errors.Is(err, c.cause) || g.Dead() != (c.cause != nil) {
						t.Errorf("%s: %v", form, err)
					}
					err = g.AllocAll([]Room{{Size: 1, Align: 1}, {Size: 2, Align: 2}})
					if c.cause != nil && !errors.Is(err, ErrDead) {
						t.Errorf("%s: after it %v", form, err)
					}
				}
			})
		})
	}
}

// TestABatchMayNotCallOut: what its allocator calls is refused, as it is for Alloc.
func TestABatchMayNotCallOut(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		p, host := callingOut()
		g, err := started(t, cfg, p, host)
		if err != nil {
			t.Fatal(err)
		}
		f := function(t, g, "f")
		g.Use(f)
		if err := g.Batch(f); err != nil || f.view.batch == nil {
			t.Fatal(err)
		}
		err = g.AllocAll([]Room{{Size: 4, Align: 4}, {Size: 4, Align: 4}})
		if !errors.Is(err, ErrTrap) || !strings.Contains(err.Error(), "calls test#call from") {
			t.Errorf("%v", err)
		}
	})
}

// TestABatchSpendsTheCallsFuel, and no more than one budget.
func TestABatchSpendsTheCallsFuel(t *testing.T) {
	g, f := one(t, Default(), bumping(), Limits{Fuel: 400})
	if err := g.Batch(f); err != nil {
		t.Fatal(err)
	}
	var err error
	n := 0
	for ; err == nil && n < 1000; n++ {
		err = g.AllocAll([]Room{{Size: 4, Align: 4}, {Size: 4, Align: 4}})
	}
	if !errors.Is(err, ErrFuel) || n > 10 {
		t.Errorf("%d batches, %v", n, err)
	}
}

// TestABatchAllocatesNothing on the host.
func TestABatchAllocatesNothing(t *testing.T) {
	g, f := one(t, Default(), giving(asm.I32Const(8)), Limits{})
	if err := g.Batch(f); err != nil {
		t.Fatal(err)
	}
	rooms, stack := make([]Room, batchMax), make([]uint64, 1)
	for i := range rooms {
		rooms[i] = Room{Size: 4, Align: 4}
	}
	n := testing.AllocsPerRun(100, func() {
		g.Use(f)
		if err := errors.Join(g.AllocAll(rooms), g.Call(f, stack)); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkBatch is what a guest with a batch costs more than one without, and what it spares.
func BenchmarkBatch(b *testing.B) {
	m := compile(b, open(b, Default()), bumping())
	b.Run("make", func(b *testing.B) {
		g := guest(b, m, nil, Limits{})
		f := function(b, g, "f")
		b.ReportAllocs()
		for b.Loop() {
			f.view.batch, g.batches = nil, [keptMax]*batch{}
			if err := g.Batch(f); err != nil {
				b.Fatal(err)
			}
			_ = g.beside[0].Close(b.Context())
			g.beside = g.beside[:0]
		}
	})
}

// TestRoomForNothing: a component is asked for 0 bytes too, since it may free what it is given; a
// core module is not, and gets an address that is aligned and not null.
func TestRoomForNothing(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		for form, want := range map[Form][2]uint32{CoreForm: {8, 4}, ComponentForm: {32, 32}} {
			g, f := inForm(t, cfg, form, giving(asm.I32Const(32)), Limits{})
			g.Use(f)
			if at, err := g.Alloc(0, 8); err != nil || at != want[0] {
				t.Errorf("%s: Alloc gives %d, want %d: %v", form, at, want[0], err)
			}
			roomForNothing(t, g, f, want)
			if err := g.Batch(f); err != nil {
				t.Fatal(err)
			}
			roomForNothing(t, g, f, want)
		}
	})
}

func roomForNothing(t *testing.T, g *Guest, f *Func, want [2]uint32) {
	t.Helper()
	g.Use(f)
	rooms := []Room{{Size: 0, Align: 8}, {Size: 0, Align: 4}, {Size: 1, Align: 1}}
	if err := g.AllocAll(rooms); err != nil || rooms[0].At != want[0] ||
		rooms[1].At != want[1] || rooms[2].At != 32 {
		t.Errorf("AllocAll gives %v, want %v: %v", rooms, want, err)
	}
	if err := g.Call(f, []uint64{1}); err != nil {
		t.Fatal(err)
	}
}
