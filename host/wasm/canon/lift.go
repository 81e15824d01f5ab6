package canon

import (
	"encoding/binary"
	"fmt"

	"github.com/hpmq/hpmq/host/wasm/component"
)

// lifter reads values. No guest code runs meanwhile, so the memory stays where it is.
type lifter struct {
	side *Side
	call *Call
	mem  []byte
}

func (s *Side) lift(c *Call, t *component.Type, stack []uint64, spill bool) (Value, error) {
	l := lifter{side: s, call: c, mem: s.bytes()}
	if !spill {
		return l.flat(t, stack)
	}
	at := uint32(stack[0])
	if err := inBounds(l.mem, at, uint64(t.Size()), t.Align()); err != nil {
		return Value{}, fmt.Errorf("canon: parameters or result: %w", err)
	}
	return l.load(t, at)
}

// flat reads a value out of core values, of which there are enough.
func (l *lifter) flat(t *component.Type, v []uint64) (Value, error) {
	switch t.Kind {
	case component.String:
		return l.text(uint32(v[0]), uint32(v[1]))
	case component.List:
		return l.list(t, uint32(v[0]), uint32(v[1]))
	case component.Record, component.Tuple:
		return l.flatFields(t, v)
	case component.Variant, component.Enum, component.Option, component.Result:
		return l.flatCase(t, v)
	}
	return l.leaf(t, v[0])
}

func (l *lifter) flatFields(t *component.Type, v []uint64) (Value, error) {
	out, err := l.elems(len(t.Elems))
	for i := 0; i < len(out.Elems) && err == nil; i++ {
		core, _ := t.Elems[i].Flat()
		out.Elems[i], err = l.flat(t.Elems[i], v)
		v = v[len(core):]
	}
	return out, err
}

// flatCase reads a payload out of core values that were joined with those of the other cases: a
// narrower one stands in the low bits of a wider one, where flat finds it.
func (l *lifter) flatCase(t *component.Type, v []uint64) (Value, error) {
	payload, err := caseOf(t, uint32(v[0]))
	if err != nil || payload == nil {
		return Value{Bits: uint64(uint32(v[0]))}, err
	}
	out, err := l.elems(1)
	if err != nil {
		return out, err
	}
	out.Bits = uint64(uint32(v[0]))
	out.Elems[0], err = l.flat(payload, v[1:])
	return out, err
}

func caseOf(t *component.Type, i uint32) (*component.Type, error) {
	if uint64(i) >= uint64(t.Cases()) {
		return nil, fmt.Errorf("canon: invalid discriminant %d, the %s has %d cases", i, t.Kind,
			t.Cases())
	}
	return t.Case(int(i)), nil
}

// leaf reads what is one core value.
func (l *lifter) leaf(t *component.Type, raw uint64) (Value, error) {
	switch t.Kind {
	case component.Flags:
		return Value{Bits: raw & (1<<len(t.Labels) - 1)}, nil
	case component.Own, component.Borrow:
		rep, err := l.handle(t, uint32(raw))
		return Value{Bits: uint64(rep)}, err
	}
	return scalar(t.Kind, raw)
}

func (l *lifter) handle(t *component.Type, h uint32) (uint32, error) {
	table := l.side.Handles
	switch {
	case table == nil:
		return 0, fmt.Errorf("canon: %s: the instance has no handles", t)
	case t.Kind == component.Own:
		return table.Take(t.Resource.ID, h)
	}
	return table.Lend(l.call, t.Resource.ID, h)
}

// load reads a value at a place that is known to be in bounds, and aligned.
func (l *lifter) load(t *component.Type, at uint32) (Value, error) {
	switch t.Kind {
	case component.String:
		return l.text(l.word(at), l.word(at+4))
	case component.List:
		return l.list(t, l.word(at), l.word(at+4))
	case component.Record, component.Tuple:
		return l.loadFields(t, at)
	case component.Variant, component.Enum, component.Option, component.Result:
		return l.loadCase(t, at)
	}
	return l.leaf(t, l.raw(at, t.Size()))
}

func (l *lifter) word(at uint32) uint32 { return binary.LittleEndian.Uint32(l.mem[at:]) }

func (l *lifter) raw(at, size uint32) uint64 {
	switch b := l.mem[at:]; size {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.LittleEndian.Uint16(b))
	case 4:
		return uint64(binary.LittleEndian.Uint32(b))
	default:
		return binary.LittleEndian.Uint64(b)
	}
}

func (l *lifter) loadFields(t *component.Type, at uint32) (Value, error) {
	out, err := l.elems(len(t.Elems))
	for i := 0; i < len(out.Elems) && err == nil; i++ {
		e := t.Elems[i]
		at = component.AlignTo(at, e.Align())
		out.Elems[i], err = l.load(e, at)
		at += e.Size()
	}
	return out, err
}

func (l *lifter) loadCase(t *component.Type, at uint32) (Value, error) {
	disc := uint32(l.raw(at, t.DiscriminantSize()))
	payload, err := caseOf(t, disc)
	if err != nil || payload == nil {
		return Value{Bits: uint64(disc)}, err
	}
	out, err := l.elems(1)
	if err != nil {
		return out, err
	}
	out.Bits = uint64(disc)
	out.Elems[0], err = l.load(payload, at+t.PayloadOffset())
	return out, err
}

// elems is a value with room for n others.
func (l *lifter) elems(n int) (Value, error) {
	if err := l.call.spend(uint64(n), 0); err != nil {
		return Value{}, err
	}
	return Value{Elems: make([]Value, n)}, nil
}

func (l *lifter) list(t *component.Type, at, n uint32) (Value, error) {
	elem := t.Elems[0]
	bytes := uint64(n) * uint64(elem.Size())
	if err := inBounds(l.mem, at, bytes, elem.Align()); err != nil {
		return Value{}, fmt.Errorf("canon: list content: %w", err)
	}
	if err := l.call.spend(0, bytes); err != nil {
		return Value{}, err
	}
	if Packed(elem) {
		text, err := packed(elem, l.mem[at:uint64(at)+bytes])
		return Value{Text: text}, err
	}
	out, err := l.elems(int(n))
	for i := 0; i < len(out.Elems) && err == nil; i++ {
		out.Elems[i], err = l.load(elem, at+uint32(i)*elem.Size())
	}
	return out, err
}
