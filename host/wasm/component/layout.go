package component

import (
	"fmt"
	"sync/atomic"
)

// Limits of values, the first two and the last of CanonicalABI.md.
const (
	// FlatParamsMax is how many core values parameters may be; more go by memory.
	FlatParamsMax = 16
	// FlatResultsMax is how many core values results may be; more go by memory.
	FlatResultsMax = 1
	// FlagsMax is how many labels flags may have.
	FlagsMax = 32
	// ValueBytesMax is the size in memory of the largest type, without what strings and lists
	// point at.
	ValueBytesMax = 1<<28 - 1
	// ValueDepthMax is how deep types may be nested. What walks a value may recurse.
	ValueDepthMax = 100
)

// The core value types, as in the binary format.
const (
	I32     byte = 0x7f
	I64     byte = 0x7e
	F32Core byte = 0x7d
	F64Core byte = 0x7c
)

// layout is what CanonicalABI.md makes of a type. It is made once and read only after.
type layout struct {
	size  uint64 // bytes, at most sizeOver
	align uint32
	depth int    // at most depthOver
	flat  []byte // core types, if not over
	over  bool   // more than FlatParamsMax core types
	// pointers: a string or list is in it.
	pointers bool
}

// Sizes and depths stop counting here, so that a type of few bytes in the binary that stands for a
// tree of 2^n nodes costs no more than the bytes.
const (
	sizeOver  = ValueBytesMax + 1
	depthOver = ValueDepthMax + 2 // parameters as a tuple are one deeper
)

// layoutOnce keeps what was made. Two goroutines may both make it: both make the same.
type layoutOnce struct{ p atomic.Pointer[layout] }

// Size of a value in memory, in bytes. It stops at ValueBytesMax+1, see Check.
func (t *Type) Size() uint32 { return uint32(t.layout().size) }

// Align is the alignment of a value in memory: 1, 2, 4 or 8.
func (t *Type) Align() uint32 { return t.layout().align }

// Depth is how deep the type is nested, 1 for a primitive. It stops at ValueDepthMax+2, see Check.
func (t *Type) Depth() int { return t.layout().depth }

// Flat is the core types that a value is as core values, and whether they are at most
// FlatParamsMax; it is nil if not. The slice is borrowed.
func (t *Type) Flat() (core []byte, ok bool) {
	l := t.layout()
	return l.flat, !l.over
}

// Check says whether the canonical ABI can carry the type: size, depth, number of labels. Whoever
// builds types from elements that passed Check never builds one too deep to walk.
func (t *Type) Check() error {
	switch n := len(t.Labels); {
	case t.Kind == Flags && (n == 0 || n > FlagsMax):
		return fmt.Errorf("component: flags must have 1 to %d labels, these have %d", FlagsMax, n)
	case (t.Kind == Variant || t.Kind == Enum || t.Kind == Record) && n == 0:
		return fmt.Errorf("component: %s must have at least one label", t.Kind)
	case t.Kind == Tuple && len(t.Elems) == 0:
		return fmt.Errorf("component: a tuple must have at least one element")
	}
	l := t.layout()
	if l.size > ValueBytesMax {
		return fmt.Errorf("component: value type exceeds maximum byte size %d", ValueBytesMax)
	}
	if l.depth > ValueDepthMax {
		return fmt.Errorf("component: value type is nested deeper than %d", ValueDepthMax)
	}
	return nil
}

// DiscriminantSize is how many bytes tell the case of a variant, enum, option or result: 1, 2, 4.
func (t *Type) DiscriminantSize() uint32 { return discriminantSize(t.Cases()) }

func discriminantSize(cases int) uint32 {
	switch {
	case cases <= 1<<8:
		return 1
	case cases <= 1<<16:
		return 2
	}
	return 4
}

// Cases is the number of cases of a variant, enum, option or result, else 0.
func (t *Type) Cases() int {
	switch t.Kind {
	case Variant, Enum:
		return len(t.Labels)
	case Option, Result:
		return 2
	}
	return 0
}

// Case is the type of the payload of case i, nil for none.
func (t *Type) Case(i int) *Type {
	switch {
	case t.Kind == Option && i == 1:
		return t.Elems[0]
	case (t.Kind == Variant || t.Kind == Result) && i < len(t.Elems):
		return t.Elems[i]
	}
	return nil
}

// PayloadOffset is where in a value the payload of a case stands, in bytes.
func (t *Type) PayloadOffset() uint32 {
	align := uint32(1)
	for i := range t.Cases() {
		if p := t.Case(i); p != nil {
			align = max(align, p.Align())
		}
	}
	return AlignTo(t.DiscriminantSize(), align)
}

// AlignTo is the first multiple of align, a power of two, that is not below offset.
func AlignTo(offset, align uint32) uint32 { return (offset + align - 1) &^ (align - 1) }

func (t *Type) layout() *layout {
	if l := t.made.p.Load(); l != nil {
		return l
	}
	l := t.makeLayout()
	l.depth = min(l.depth+1, depthOver)
	t.made.p.Store(l)
	return l
}

func (t *Type) makeLayout() *layout {
	switch t.Kind {
	case Bool, S8, U8:
		return scalar(1, I32)
	case S16, U16:
		return scalar(2, I32)
	case S32, U32, Char, Own, Borrow:
		return scalar(4, I32)
	case S64, U64:
		return scalar(8, I64)
	case F32:
		return scalar(4, F32Core)
	case F64:
		return scalar(8, F64Core)
	case Flags:
		return flagsLayout(len(t.Labels))
	case String:
		return &layout{size: 8, align: 4, flat: []byte{I32, I32}, pointers: true}
	case List:
		depth := t.Elems[0].layout().depth
		return &layout{size: 8, align: 4, flat: []byte{I32, I32}, depth: depth, pointers: true}
	case Record, Tuple:
		return recordLayout(t.Elems)
	}
	return t.variantLayout()
}

func scalar(size uint32, core byte) *layout {
	return &layout{size: uint64(size), align: size, flat: []byte{core}}
}

func flagsLayout(labels int) *layout {
	switch {
	case labels <= 8:
		return scalar(1, I32)
	case labels <= 16:
		return scalar(2, I32)
	}
	return scalar(4, I32)
}

func recordLayout(fields []*Type) *layout {
	out := &layout{align: 1}
	for _, f := range fields {
		l := f.layout()
		out.align = max(out.align, l.align)
		out.depth = max(out.depth, l.depth)
		out.pointers = out.pointers || l.pointers
		out.size = min(alignTo(out.size, l.align)+l.size, sizeOver)
		out.add(l)
	}
	out.size = min(alignTo(out.size, out.align), sizeOver)
	return out
}

// add appends the core types of l, up to the limit.
func (o *layout) add(l *layout) {
	if o.over || l.over || len(o.flat)+len(l.flat) > FlatParamsMax {
		o.over, o.flat = true, nil
		return
	}
	o.flat = append(o.flat, l.flat...)
}

func (t *Type) variantLayout() *layout {
	disc := discriminantSize(t.Cases())
	out := &layout{align: disc}
	payloadAlign, payload := uint32(1), uint64(0)
	joined := &layout{}
	for i := range t.Cases() {
		c := t.Case(i)
		if c == nil {
			continue
		}
		l := c.layout()
		out.depth = max(out.depth, l.depth)
		out.pointers = out.pointers || l.pointers
		payloadAlign, payload = max(payloadAlign, l.align), max(payload, l.size)
		joined.join(l)
	}
	out.align = max(out.align, payloadAlign)
	out.size = min(alignTo(alignTo(uint64(disc), payloadAlign)+payload, out.align), sizeOver)
	out.add(scalar(disc, I32))
	out.add(joined)
	return out
}

// join makes of the core types those that can carry l as well.
func (o *layout) join(l *layout) {
	if o.over || l.over {
		o.over, o.flat = true, nil
		return
	}
	for i, core := range l.flat {
		if i == len(o.flat) {
			o.flat = append(o.flat, core)
		}
		o.flat[i] = joinCore(o.flat[i], core)
	}
}

func joinCore(a, b byte) byte {
	switch {
	case a == b:
		return a
	case a == I32 && b == F32Core, a == F32Core && b == I32:
		return I32
	}
	return I64
}

func alignTo(offset uint64, align uint32) uint64 {
	return (offset + uint64(align) - 1) &^ (uint64(align) - 1)
}
