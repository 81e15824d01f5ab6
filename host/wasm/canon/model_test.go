package canon

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"unicode/utf16"

	"github.com/hpmq/hpmq/host/wasm/component"
)

// model is the canonical ABI the slow way: what a value points at is put behind, byte by byte. It
// shares nothing with the package but the layout of types, which has a model of its own.
type model struct {
	enc component.Encoding
	mem []byte
}

func (m *model) room(align, size int) int {
	for len(m.mem)%align != 0 {
		m.mem = append(m.mem, 0)
	}
	at := len(m.mem)
	m.mem = append(m.mem, make([]byte, size)...)
	return at
}

func (m *model) poke(at, size int, v uint64) {
	for i := range size {
		m.mem[at+i] = byte(v >> (8 * i))
	}
}

func (m *model) text(s string) (at, n uint64) {
	rs := []rune(s)
	if m.enc == component.UTF8 {
		p := m.room(1, len(s))
		copy(m.mem[p:], s)
		return uint64(p), uint64(len(s))
	}
	if m.enc == component.Latin1UTF16 && (s == "" || slices.Max(rs) < 256) {
		p := m.room(2, len(rs))
		for i, r := range rs {
			m.mem[p+i] = byte(r)
		}
		return uint64(p), uint64(len(rs))
	}
	units := utf16.Encode(rs)
	p := m.room(2, 2*len(units))
	for i, u := range units {
		m.poke(p+2*i, 2, uint64(u))
	}
	if m.enc == component.Latin1UTF16 {
		return uint64(p), uint64(len(units)) + 1<<31
	}
	return uint64(p), uint64(len(units))
}

func (m *model) list(t *component.Type, v Value) (at, n uint64) {
	e := t.Elems[0]
	length := v.Len(t)
	p := m.room(int(e.Align()), length*int(e.Size()))
	for i := range length {
		m.store(e, v.At(t, i), p+i*int(e.Size()))
	}
	return uint64(p), uint64(length)
}

func (m *model) store(t *component.Type, v Value, at int) {
	switch t.Kind {
	case component.String:
		p, n := m.text(v.Text)
		m.poke(at, 4, p)
		m.poke(at+4, 4, n)
	case component.List:
		p, n := m.list(t, v)
		m.poke(at, 4, p)
		m.poke(at+4, 4, n)
	case component.Record, component.Tuple:
		for i, e := range t.Elems {
			for at%int(e.Align()) != 0 {
				at++
			}
			m.store(e, v.Elems[i], at)
			at += int(e.Size())
		}
	case component.Variant, component.Enum, component.Option, component.Result:
		align := 1
		for i := range t.Cases() {
			if c := t.Case(i); c != nil {
				align = max(align, int(c.Align()))
			}
		}
		disc := 1
		if t.Cases() > 256 {
			disc = 2
		}
		m.poke(at, disc, v.Bits)
		if p := t.Case(int(v.Bits)); p != nil {
			m.store(p, v.Elems[0], at+max(align, disc))
		}
	default:
		m.poke(at, int(t.Size()), v.Bits)
	}
}

// flat gives core values, as many as the type has.
func (m *model) flat(t *component.Type, v Value) []uint64 {
	switch t.Kind {
	case component.String:
		p, n := m.text(v.Text)
		return []uint64{p, n}
	case component.List:
		p, n := m.list(t, v)
		return []uint64{p, n}
	case component.Record, component.Tuple:
		var out []uint64
		for i, e := range t.Elems {
			out = append(out, m.flat(e, v.Elems[i])...)
		}
		return out
	case component.Variant, component.Enum, component.Option, component.Result:
		out := []uint64{v.Bits}
		if p := t.Case(int(v.Bits)); p != nil {
			out = append(out, m.flat(p, v.Elems[0])...)
		}
		core, _ := t.Flat()
		for len(out) < len(core) {
			out = append(out, 0)
		}
		return out
	case component.S8, component.S16, component.S32:
		return []uint64{v.Bits & 0xffffffff}
	}
	return []uint64{v.Bits}
}

func (m *model) params(f *component.FuncType, v []Value) []uint64 {
	t := f.ParamTuple()
	if _, spill := f.FlatParams(); spill {
		p := m.room(int(t.Align()), int(t.Size()))
		m.store(t, Value{Elems: v}, p)
		return []uint64{uint64(p)}
	}
	return m.flat(t, Value{Elems: v})
}

// What is lowered is, byte for byte, what the model says; what the model says is lifted to the
// value it was made of.
func TestValuesAgreeWithTheModel(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	spilled := 0
	for range 4000 {
		mk := random(r)
		f := &component.FuncType{}
		var v []Value
		for range r.IntN(4) {
			f.Params = append(f.Params, mk.typ(3))
			v = append(v, mk.value(f.Params[len(v)]))
		}
		m := &model{enc: component.Encoding(r.IntN(3))}
		want := m.params(f, v)
		if _, spill := f.FlatParams(); spill {
			spilled++
		}

		a := newArena(0)
		side := Side{Memory: a, Encoding: m.enc}
		got := make([]uint64, len(want))
		if err := side.LowerParams(NewCall(DefaultLimits()), f, v, got); err != nil {
			t.Fatalf("seed %d: lower: %v", seed, err)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) || string(a.mem) != string(m.mem) {
			t.Fatalf("seed %d: %s: lowered to %x %x, the model says %x %x", seed, f.ParamTuple(),
				got, a.mem, want, m.mem)
		}
		back, err := side.LiftParams(NewCall(DefaultLimits()), f, want)
		if err != nil || !equal(Value{Elems: back}, Value{Elems: v}) {
			t.Fatalf("seed %d: %s: lifted %+v, %v; want %+v", seed, f.ParamTuple(), back, err, v)
		}
	}
	if spilled == 0 {
		t.Error("no parameters went by memory")
	}
}
