package component

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

func of(k Kind) *Type                    { return &Type{Kind: k} }
func ofAll(k Kind, elems ...*Type) *Type { return &Type{Kind: k, Elems: elems} }

func labelled(k Kind, labels string, elems ...*Type) *Type {
	return &Type{Kind: k, Labels: strings.Fields(labels), Elems: elems}
}

func numbered(k Kind, n int) *Type {
	t := &Type{Kind: k}
	for i := range n {
		t.Labels = append(t.Labels, fmt.Sprintf("l%d", i))
	}
	return t
}

// coreText writes core types as in WebAssembly's text.
func coreText(core []byte) string {
	names := map[byte]string{I32: "i32", I64: "i64", F32Core: "f32", F64Core: "f64"}
	var out []string
	for _, c := range core {
		out = append(out, names[c])
	}
	return strings.Join(out, " ")
}

// What CanonicalABI.md says, worked out by hand.
func TestTypesAreLaidOut(t *testing.T) {
	u8, u64, str := of(U8), of(U64), of(String)
	stream := &Resource{Name: "output-stream"}
	for _, c := range []struct {
		typ         *Type
		size, align uint32
		flat, text  string
	}{
		{of(Bool), 1, 1, "i32", "bool"},
		{of(S16), 2, 2, "i32", "s16"},
		{of(Char), 4, 4, "i32", "char"},
		{of(F32), 4, 4, "f32", "f32"},
		{of(F64), 8, 8, "f64", "f64"},
		{str, 8, 4, "i32 i32", "string"},
		{ofAll(List, u64), 8, 4, "i32 i32", "list<u64>"},
		{ofAll(Tuple, u8, u64, u8), 24, 8, "i32 i64 i32", "tuple<u8, u64, u8>"},
		{labelled(Record, "a b", str, u8), 12, 4, "i32 i32 i32", "record{a: string, b: u8}"},
		{ofAll(Option, u8), 2, 1, "i32 i32", "option<u8>"},
		{ofAll(Option, u64), 16, 8, "i32 i64", "option<u64>"},
		{ofAll(Option, ofAll(Option, of(U16))), 6, 2, "i32 i32 i32", "option<option<u16>>"},
		{ofAll(Result, nil, nil), 1, 1, "i32", "result"},
		{ofAll(Result, u8, nil), 2, 1, "i32 i32", "result<u8>"},
		{ofAll(Result, nil, str), 12, 4, "i32 i32 i32", "result<_, string>"},
		{ofAll(Result, of(F32), of(U32)), 8, 4, "i32 i32", "result<f32, u32>"},
		{ofAll(Result, of(F32), of(F64)), 16, 8, "i32 i64", "result<f32, f64>"},
		{ofAll(Result, of(F64), str), 16, 8, "i32 i64 i32", "result<f64, string>"},
		{labelled(Variant, "allow next deny", of(S16), nil, of(F32)), 8, 4, "i32 i32",
			"variant{allow(s16), next, deny(f32)}"},
		{labelled(Enum, "a b"), 1, 1, "i32", "enum{a, b}"},
		{labelled(Flags, "a b"), 1, 1, "i32", "flags{a, b}"},
		{ofAll(List, &Type{Kind: Own, Resource: stream}), 8, 4, "i32 i32",
			"list<own<output-stream>>"},
		{&Type{Kind: Borrow, Resource: stream}, 4, 4, "i32", "borrow<output-stream>"},
	} {
		flat, ok := c.typ.Flat()
		if got := c.typ.String(); got != c.text {
			t.Errorf("text is %q, want %q", got, c.text)
		}
		if c.typ.Size() != c.size || c.typ.Align() != c.align || !ok || coreText(flat) != c.flat {
			t.Errorf("%s: size %d, align %d, %q, %v; want %d, %d, %q", c.text, c.typ.Size(),
				c.typ.Align(), coreText(flat), ok, c.size, c.align, c.flat)
		}
		if err := c.typ.Check(); err != nil {
			t.Errorf("%s: %v", c.text, err)
		}
	}
}

func TestLabelsSetTheSizeOfDiscriminantsAndFlags(t *testing.T) {
	for _, c := range []struct {
		kind Kind
		n    int
		size uint32
	}{{Enum, 1, 1}, {Enum, 256, 1}, {Enum, 257, 2}, {Enum, 65536, 2}, {Enum, 65537, 4},
		{Flags, 1, 1}, {Flags, 8, 1}, {Flags, 9, 2}, {Flags, 16, 2},
		{Flags, 17, 4}, {Flags, 32, 4}} {
		typ := numbered(c.kind, c.n)
		if typ.Size() != c.size || typ.Align() != c.size {
			t.Errorf("%s of %d: size %d, align %d, want %d", c.kind, c.n, typ.Size(), typ.Align(),
				c.size)
		}
	}
}

func TestFunctionsAreFlattened(t *testing.T) {
	u8, str := of(U8), of(String)
	many := func(n int, typ *Type) []*Type {
		out := make([]*Type, n)
		for i := range out {
			out[i] = typ
		}
		return out
	}
	i32s := func(n int) string { return strings.TrimSpace(strings.Repeat("i32 ", n)) }
	for _, c := range []struct {
		f                        *FuncType
		lift, liftR, lower, lowR string
	}{
		{&FuncType{}, "", "", "", ""},
		{&FuncType{Params: many(1, str), Result: u8}, i32s(2), "i32", i32s(2), "i32"},
		{&FuncType{Params: many(16, u8), Result: str}, i32s(16), "i32", i32s(17), ""},
		{&FuncType{Params: many(17, u8), Result: ofAll(Tuple, of(F32))},
			"i32", "f32", "i32", "f32"},
		{&FuncType{Params: many(9, str), Result: ofAll(Option, u8)}, "i32", "i32", i32s(2), ""},
		{&FuncType{Params: many(8, str)}, i32s(16), "", i32s(16), ""},
	} {
		p, r := c.f.Flatten(false)
		lp, lr := c.f.Flatten(true)
		got := []string{coreText(p), coreText(r), coreText(lp), coreText(lr)}
		want := []string{c.lift, c.liftR, c.lower, c.lowR}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%d parameters: %q, want %q", len(c.f.Params), got, want)
		}
	}
}

func TestFunctionsSayWhatOptionsTheyNeed(t *testing.T) {
	u8, str := of(U8), of(String)
	spilled := make([]*Type, 17)
	for i := range spilled {
		spilled[i] = u8
	}
	for _, c := range []struct {
		name                  string
		f                     *FuncType
		lift, lower           bool
		liftAlloc, lowerAlloc bool
	}{
		{"numbers", &FuncType{Params: []*Type{u8}, Result: u8}, false, false, false, false},
		{"string in", &FuncType{Params: []*Type{str}}, true, true, true, false},
		{"string out", &FuncType{Result: str}, true, true, false, true},
		{"spilled in", &FuncType{Params: spilled}, true, true, true, false},
		{"spilled out", &FuncType{Result: ofAll(Tuple, u8, u8)}, true, true, false, false},
		{"list in variant", &FuncType{Result: ofAll(Result, nil, ofAll(List, u8))},
			true, true, false, true},
	} {
		got := [4]bool{c.f.NeedsMemory(false), c.f.NeedsMemory(true), c.f.NeedsRealloc(false),
			c.f.NeedsRealloc(true)}
		if want := [4]bool{c.lift, c.lower, c.liftAlloc, c.lowerAlloc}; got != want {
			t.Errorf("%s: %v, want %v", c.name, got, want)
		}
	}
}

func TestFunctionsHaveAText(t *testing.T) {
	f := &FuncType{Names: []string{"topic", "payload"}, Result: ofAll(Option, of(String)),
		Params: []*Type{of(String), ofAll(List, of(U8))}}
	if got := f.String(); got != "(topic: string, payload: list<u8>) -> option<string>" {
		t.Error(got)
	}
	if got := (&FuncType{}).String(); got != "()" {
		t.Error(got)
	}
}

// A type of a few definitions can stand for a tree of 2^90 nodes.
func TestTypesThatExplodeCostLittle(t *testing.T) {
	typ := of(U64)
	for range 90 {
		typ = ofAll(Tuple, typ, typ)
	}
	if err := typ.Check(); err == nil || !strings.Contains(err.Error(), "maximum byte size") {
		t.Errorf("a type of 2^93 bytes: %v", err)
	}
	if flat, ok := typ.Flat(); ok || flat != nil {
		t.Errorf("flat: %v %v", flat, ok)
	}
	f := &FuncType{Names: []string{"x"}, Params: []*Type{typ}, Result: typ}
	if p, _ := f.Flatten(true); coreText(p) != "i32 i32" {
		t.Errorf("flattened: %q", coreText(p))
	}
	if s := f.String(); len(s) != ShapeBytesMax+len("…") || !strings.HasSuffix(s, "…") {
		t.Errorf("text of %d bytes", len(s))
	}
}

func TestCheckRefuses(t *testing.T) {
	deep := of(U8)
	for range ValueDepthMax {
		deep = ofAll(List, deep)
	}
	for want, typ := range map[string]*Type{
		"flags must have 1 to 32 labels, these have 33": numbered(Flags, 33),
		"flags must have 1 to 32 labels, these have 0":  numbered(Flags, 0),
		"record must have at least one label":           of(Record),
		"a tuple must have at least one element":        of(Tuple),
		"variant must have at least one label":          of(Variant),
		"enum must have at least one label":             of(Enum),
		"nested deeper than 100":                        deep,
	} {
		if err := typ.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
	if err := deep.Elems[0].Check(); err != nil {
		t.Error(err)
	}
}

func TestLayoutsAreSharedBetweenGoroutines(t *testing.T) {
	typ := ofAll(Tuple, of(String), ofAll(Option, of(U64)))
	f := &FuncType{Params: []*Type{typ}}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			p, _ := f.Flatten(true)
			if typ.Size() != 24 || coreText(p) != "i32 i32 i32 i64" {
				t.Errorf("%d %q", typ.Size(), coreText(p))
			}
		})
	}
	wg.Wait()
}

// model is the slow way to say the same: a variant is padded by the size of its widest case, flat
// types are made whole.
type model struct{}

func (m model) align(t *Type) int {
	a := 1
	for _, e := range t.Elems {
		if e != nil && t.Kind != List {
			a = max(a, m.align(e))
		}
	}
	switch t.Kind {
	case S16, U16:
		return 2
	case S32, U32, F32, Char, String, List:
		return 4
	case S64, U64, F64:
		return 8
	}
	if n := t.Cases(); n > 256 {
		a = max(a, 2)
	}
	return a
}

func (m model) size(t *Type) int {
	pad := func(n, a int) int {
		for n%a != 0 {
			n++
		}
		return n
	}
	switch t.Kind {
	case String, List:
		return 8
	case Record, Tuple:
		n := 0
		for _, e := range t.Elems {
			n = pad(n, m.align(e)) + m.size(e)
		}
		return pad(n, m.align(t))
	case Variant, Option, Result:
		n, a := 0, 1
		for _, e := range t.Elems {
			if e != nil {
				n, a = max(n, m.size(e)), max(a, m.align(e))
			}
		}
		return pad(pad(1, a)+n, m.align(t))
	}
	return m.align(t)
}

func (m model) flat(t *Type) string {
	out := ""
	switch t.Kind {
	case S64, U64:
		return "L"
	case F32:
		return "f"
	case F64:
		return "d"
	case String, List:
		return "ii"
	case Record, Tuple:
		for _, e := range t.Elems {
			out += m.flat(e)
		}
		return out
	case Variant, Option, Result:
		return m.joined(t)
	}
	return "i"
}

func (m model) joined(t *Type) string {
	out := "i"
	for i := 0; ; i++ {
		set := ""
		for _, e := range t.Elems {
			if e != nil && i < len(m.flat(e)) {
				set += m.flat(e)[i : i+1]
			}
		}
		switch {
		case set == "":
			return out
		case strings.Trim(set, set[:1]) == "":
			out += set[:1]
		case strings.Trim(set, "if") == "":
			out += "i"
		default:
			out += "L"
		}
	}
}

func randomType(r *rand.Rand, depth int) *Type {
	if depth == 0 || r.IntN(3) == 0 {
		return of(Kind(r.IntN(int(Record))))
	}
	elems := make([]*Type, 1+r.IntN(4))
	for i := range elems {
		elems[i] = randomType(r, depth-1)
	}
	switch r.IntN(6) {
	case 0:
		return ofAll(List, elems[0])
	case 1:
		return ofAll(Option, elems[0])
	case 2:
		return ofAll(Result, elems[0], nil)
	case 3:
		out := numbered(Variant, len(elems))
		out.Elems = elems
		elems[r.IntN(len(elems))] = nil
		return out
	}
	return ofAll(Tuple, elems...)
}

func TestLayoutsAgreeWithTheModel(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	wide := 0
	for range 3000 {
		typ := randomType(r, 4)
		var m model
		flat := m.flat(typ)
		core, ok := typ.Flat()
		got := strings.NewReplacer("i32", "i", "i64", "L", "f32", "f", "f64", "d", " ", "").
			Replace(coreText(core))
		if !ok {
			wide++
			got = flat
		}
		if int(typ.Size()) != m.size(typ) || int(typ.Align()) != m.align(typ) || got != flat ||
			ok != (len(flat) <= 16) {
			t.Fatalf("seed %d: %s: size %d, align %d, %s; want %d, %d, %s", seed, typ, typ.Size(),
				typ.Align(), got, m.size(typ), m.align(typ), flat)
		}
	}
	if wide == 0 {
		t.Error("no type was over the limit")
	}
}
