package canon

import (
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/wasm/component"
)

// lift1 lifts a value of the type from the start of memory, or flat.
func lift1(t *component.Type, enc component.Encoding, mem []byte, flat ...uint64) (Value, error) {
	s := Side{Memory: &arena{mem: mem}, Encoding: enc}
	return s.lift(NewCall(DefaultLimits()), t, append(flat, 0), len(flat) == 0)
}

func TestHostileMemoryTraps(t *testing.T) {
	u32, str := of(component.U32), of(component.String)
	bytes := ofAll(component.List, of(component.U8))
	page := make([]byte, 64)
	with := func(at int, b ...byte) []byte {
		out := append([]byte(nil), page...)
		copy(out[at:], b)
		return out
	}
	for _, c := range []struct {
		want string
		typ  *component.Type
		enc  component.Encoding
		mem  []byte
		flat []uint64
	}{
		{"8 bytes at 0x0 are out of bounds", str, 0, page[:7], nil},
		{"string content: 2 bytes at 0x3f", str, 0, page, []uint64{63, 2}},
		{"string content: 0 bytes at 0x41", str, 0, page, []uint64{65, 0}},
		{"4294967295 bytes at 0xffffffff", str, 0, page, []uint64{1<<32 - 1, 1<<32 - 1}},
		{"unaligned pointer 0x1", str, component.UTF16, page, []uint64{1, 0}},
		{"unaligned pointer 0x1", str, component.Latin1UTF16, page, []uint64{1, 0}},
		{"unaligned pointer 0x1", str, component.Latin1UTF16, page, []uint64{1, 1 << 31}},
		{"66 bytes at 0x0", str, component.UTF16, page, []uint64{0, 33}},
		{"66 bytes at 0x0", str, component.Latin1UTF16, page, []uint64{0, 33 | 1<<31}},
		{"not valid utf-8", str, 0, with(0, 0xff), []uint64{0, 1}},
		{"not valid utf-8", str, 0, with(0, 0xc3), []uint64{0, 1}},
		{"not valid utf-8", str, 0, with(0, 0xed, 0xa0, 0x80), []uint64{0, 3}},
		{"surrogate stands alone", str, component.UTF16, with(0, 0, 0xd8), []uint64{0, 1}},
		{"surrogate stands alone", str, component.UTF16, with(0, 0, 0xdc, 0, 0xdc), []uint64{0, 2}},
		{"surrogate stands alone", str, component.UTF16, with(0, 0, 0xd8, 0, 0xd8), []uint64{0, 2}},
		{"list content: 65 bytes", bytes, 0, page, []uint64{0, 65}},
		{"unaligned pointer 0x2", ofAll(component.List, u32), 0, page, []uint64{2, 0}},
		{"8589934588 bytes", ofAll(component.List, u32), 0, page, []uint64{4, 1<<31 - 1}},
		{"0xd800 is not a char", of(component.Char), 0, page, []uint64{0xd800}},
		{"0xdfff is not a char", of(component.Char), 0, with(0, 0xff, 0xdf), nil},
		{"0x110000 is not a char", of(component.Char), 0, page, []uint64{0x110000}},
		{"0x110000 is not a char", ofAll(component.List, of(component.Char)), 0,
			with(0, 0, 0, 0x11), []uint64{0, 1}},
		{"invalid discriminant 2", ofAll(component.Option, u32), 0, page, []uint64{2, 0}},
		{"invalid discriminant 2", ofAll(component.Result, u32, nil), 0, with(0, 2), nil},
		{"invalid discriminant 3", numbered(component.Enum, 3), 0, page, []uint64{3}},
		{"invalid discriminant 65535", numbered(component.Enum, 300), 0, with(0, 255, 255), nil},
		{"invalid discriminant 1", labelled(component.Variant, "a", u32), 0, page, []uint64{1, 0}},
		{"the instance has no handles", handle(component.Own, 0), 0, page, []uint64{1}},
	} {
		_, err := lift1(c.typ, c.enc, c.mem, c.flat...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s of %x: %v, want %q", c.typ, c.flat, err, c.want)
		}
	}
}

func TestValuesAreMadeCanonical(t *testing.T) {
	f32s := ofAll(component.List, of(component.F32))
	for _, c := range []struct {
		typ  *component.Type
		mem  string
		flat []uint64
		want Value
	}{
		{of(component.Bool), "", []uint64{7}, Value{Bits: 1}},
		{of(component.Bool), "\x80", nil, Value{Bits: 1}},
		{of(component.S8), "", []uint64{0x1ff}, Value{Bits: 1<<64 - 1}},
		{of(component.S16), "\x00\x80", nil, Value{Bits: 0xffffffffffff8000}},
		{of(component.U16), "", []uint64{0x1ffff}, Value{Bits: 0xffff}},
		{of(component.U32), "", []uint64{0xffff00000001}, Value{Bits: 1}},
		{of(component.F32), "", []uint64{0xffc00001}, Value{Bits: nan32}},
		{of(component.F32), "", []uint64{0x7f800000}, Value{Bits: 0x7f800000}},
		{of(component.F64), "", []uint64{0xfff0000000000001}, Value{Bits: nan64}},
		{of(component.F64), "", []uint64{0xfff0000000000000}, Value{Bits: 0xfff0000000000000}},
		{f32s, "\x00\x00\x80\x3f\x01\x00\x80\x7f", []uint64{0, 2},
			Value{Text: "\x00\x00\x80\x3f\x00\x00\xc0\x7f"}},
		{ofAll(component.List, of(component.Bool)), "\x00\x01\x02", []uint64{0, 3},
			Value{Text: "\x00\x01\x01"}},
		{labelled(component.Flags, "a b"), "\xff", nil, Value{Bits: 3}},
		// A payload that shares its core value with a wider one: the high bits are not its own.
		{ofAll(component.Result, of(component.F32), of(component.U64)), "",
			[]uint64{0, 0xdead00000000 | 0x3f800000}, Value{Elems: []Value{{Bits: 0x3f800000}}}},
	} {
		got, err := lift1(c.typ, 0, append([]byte(c.mem), make([]byte, 16)...), c.flat...)
		if err != nil || !equal(got, c.want) {
			t.Errorf("%s: %+v, %v; want %+v", c.typ, got, err, c.want)
		}
	}
}

func TestStringsCrossBetweenEncodings(t *testing.T) {
	str := of(component.String)
	f := &component.FuncType{Params: []*component.Type{str}}
	for _, s := range []string{"", "a/b", "caf\u00e9", "\u00ff", "\u0100", "\u4e2d\u6587",
		"\U0001f600", "\U0010ffff", "a\x00b"} {
		for enc := component.UTF8; enc <= component.Latin1UTF16; enc++ {
			a := newArena(0)
			side := Side{Memory: a, Encoding: enc}
			stack := make([]uint64, 2)
			err := side.LowerParams(NewCall(DefaultLimits()), f, []Value{{Text: s}}, stack)
			if err != nil {
				t.Fatal(err)
			}
			got, err := side.LiftParams(NewCall(DefaultLimits()), f, stack)
			if err != nil || !equal(got[0], Value{Text: s}) || a.allocs != 1 {
				t.Errorf("%q in encoding %d: %+v, %v, %d allocations", s, enc, got, err, a.allocs)
			}
		}
	}
}

func TestReallocIsNotTrusted(t *testing.T) {
	u8s := ofAll(component.List, of(component.U8))
	u32s := ofAll(component.List, of(component.U32))
	wide := ofAll(component.Tuple)
	for range 17 {
		wide.Elems = append(wide.Elems, of(component.U32))
	}
	for _, c := range []struct {
		want   string
		typ    *component.Type
		v      Value
		answer uint32
	}{
		{"realloc return: 0 bytes at 0xffffffff", u8s, Value{}, 1<<32 - 1},
		{"realloc return: 1 bytes at 0x40", u8s, Value{Text: "a"}, 64},
		{"realloc return: unaligned pointer 0x2", u32s, Value{Text: "abcd"}, 2},
		{"realloc return: unaligned pointer 0xffffffff", u32s, Value{}, 1<<32 - 1},
		{"realloc return: unaligned pointer 0x1", wide, Value{Elems: make([]Value, 17)}, 1},
		{"realloc return: 68 bytes at 0x0", wide, Value{Elems: make([]Value, 17)}, 0},
	} {
		a := newArena(64)
		a.answer = func(_, _ uint32) uint32 { return c.answer }
		side := Side{Memory: a}
		f := &component.FuncType{Params: []*component.Type{c.typ}}
		err := side.LowerParams(NewCall(DefaultLimits()), f, []Value{c.v}, make([]uint64, 16))
		if err == nil || !strings.Contains(err.Error(), c.want) || a.allocs != 1 {
			t.Errorf("%s: %v after %d allocations, want %q", c.typ, err, a.allocs, c.want)
		}
	}
}

func TestValuesThatDoNotFitTheTypeAreRefused(t *testing.T) {
	u32 := of(component.U32)
	for _, c := range []struct {
		want string
		typ  *component.Type
		v    Value
	}{
		{"tuple has 2 parts, not 1", ofAll(component.Tuple, u32, u32),
			Value{Elems: make([]Value, 1)}},
		{"option has 1 parts, not 0", ofAll(component.Option, u32), Value{Bits: 1}},
		{"invalid discriminant 9", numbered(component.Enum, 3), Value{Bits: 9}},
		{"invalid discriminant 4294967295", numbered(component.Enum, 3), Value{Bits: 1 << 40}},
		{"not a char", of(component.Char), Value{Bits: 0xdc00}},
		{"3 bytes are no list", ofAll(component.List, u32), Value{Text: "abc"}},
		{"not valid utf-8", of(component.String), Value{Text: "\xff"}},
	} {
		inList := ofAll(component.List, ofAll(component.Tuple, c.typ))
		for _, typ := range []*component.Type{c.typ, inList} {
			v := c.v
			if typ != c.typ {
				v = Value{Elems: []Value{{Elems: []Value{v}}}}
			}
			side := Side{Memory: newArena(64)}
			f := &component.FuncType{Params: []*component.Type{typ}}
			err := side.LowerParams(NewCall(DefaultLimits()), f, []Value{v}, make([]uint64, 16))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want %q", typ, err, c.want)
			}
		}
	}
}

func TestACallCarriesNoMoreThanItsLimits(t *testing.T) {
	pairs := ofAll(component.List, ofAll(component.Tuple, of(component.U8), of(component.U8)))
	f := &component.FuncType{Params: []*component.Type{pairs, of(component.String)}}
	side := Side{Memory: &arena{mem: make([]byte, 1000)}}
	for _, c := range []struct {
		l    Limits
		fits bool
	}{
		{Limits{ValuesMax: 302, BytesMax: 210}, true}, // 2 + 100 + 2*100, 200 + 10
		{Limits{ValuesMax: 301, BytesMax: 210}, false},
		{Limits{ValuesMax: 302, BytesMax: 209}, false},
	} {
		_, err := side.LiftParams(NewCall(c.l), f, []uint64{0, 100, 0, 10})
		if (err == nil) != c.fits {
			t.Errorf("%+v: %v", c.l, err)
		}
	}
	deep := of(component.U8)
	for range component.ValueDepthMax + 1 {
		deep = ofAll(component.Option, deep)
	}
	g := &component.FuncType{Params: []*component.Type{deep}}
	if _, err := side.LiftParams(NewCall(DefaultLimits()), g, make([]uint64, 16)); err == nil {
		t.Error("a type deeper than ValueDepthMax was walked")
	}
	if _, err := side.LiftParams(NewCall(DefaultLimits()), f, make([]uint64, 3)); err == nil {
		t.Error("a stack that is too short was read")
	}
}
