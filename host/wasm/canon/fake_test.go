package canon

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/hpmq/hpmq/host/wasm/component"
)

// arena is a guest's memory: realloc takes the next free place, and grows up to max.
type arena struct {
	mem    []byte
	next   uint32
	max    int
	allocs int
	answer func(align, size uint32) uint32 // instead, for guests that lie
}

func newArena(start int) *arena { return &arena{mem: make([]byte, start), max: 1 << 20} }

func (a *arena) Bytes() []byte { return a.mem }

func (a *arena) Realloc(align, size uint32) (uint32, error) {
	a.allocs++
	if a.answer != nil {
		return a.answer(align, size), nil
	}
	at := component.AlignTo(a.next, align)
	end := uint64(at) + uint64(size)
	if end > uint64(a.max) {
		return 0, errors.New("guest: out of memory")
	}
	if end > uint64(len(a.mem)) {
		// The memory moves: who kept the old one writes to nowhere.
		old := a.mem
		a.mem = append(append([]byte(nil), old...), make([]byte, end-uint64(len(old)))...)
		clear(old)
	}
	a.next = uint32(end)
	return at, nil
}

func of(k component.Kind) *component.Type { return &component.Type{Kind: k} }

func ofAll(k component.Kind, elems ...*component.Type) *component.Type {
	return &component.Type{Kind: k, Elems: elems}
}

func labelled(k component.Kind, labels string, elems ...*component.Type) *component.Type {
	return &component.Type{Kind: k, Labels: strings.Fields(labels), Elems: elems}
}

func handle(k component.Kind, id int) *component.Type {
	return &component.Type{Kind: k, Resource: &component.Resource{Name: "r", ID: id}}
}

func numbered(k component.Kind, n int) *component.Type {
	t := of(k)
	for i := range n {
		t.Labels = append(t.Labels, fmt.Sprintf("l%d", i))
	}
	return t
}

// maker makes types and values of a source of numbers below n.
type maker struct{ pick func(n int) int }

func random(r *rand.Rand) maker { return maker{r.IntN} }

// fromBytes makes of the bytes what random makes of chance; zeros follow.
func fromBytes(b *[]byte) maker {
	return maker{func(n int) int {
		if len(*b) == 0 {
			return 0
		}
		v := int((*b)[0])
		*b = (*b)[1:]
		if n > 256 && len(*b) > 0 {
			v |= int((*b)[0]) << 8
			*b = (*b)[1:]
		}
		return v % n
	}}
}

func (m maker) typ(depth int) *component.Type {
	if depth == 0 || m.pick(3) == 0 {
		return of(component.Kind(m.pick(int(component.Record))))
	}
	elems := make([]*component.Type, 1+m.pick(4))
	for i := range elems {
		elems[i] = m.typ(depth - 1)
	}
	switch m.pick(10) {
	case 0, 1:
		return ofAll(component.List, elems[0])
	case 2:
		return ofAll(component.Option, elems[0])
	case 3:
		return ofAll(component.Result, nil, elems[0])
	case 4, 5:
		t := numbered(component.Variant, len(elems)+250*m.pick(2))
		t.Elems = make([]*component.Type, len(t.Labels))
		copy(t.Elems, elems)
		return t
	case 6:
		return numbered(component.Enum, 1+m.pick(300))
	case 7:
		return numbered(component.Flags, 1+m.pick(component.FlagsMax))
	case 8:
		t := numbered(component.Record, len(elems))
		t.Elems = elems
		return t
	}
	return ofAll(component.Tuple, elems...)
}

func (m maker) bits() uint64 {
	var v uint64
	for range 4 {
		v = v<<16 | uint64(m.pick(1<<16))
	}
	return v
}

func (m maker) text() string {
	alphabets := []string{"az09", "az\u00e9\u00ff", "z\u00e9\u4e2d\U0001f600", "\x00\uffff"}
	letters := []rune(alphabets[m.pick(len(alphabets))])
	var out []rune
	for range m.pick(12) {
		out = append(out, letters[m.pick(len(letters))])
	}
	return string(out)
}

// value is a canonical value of the type, without handles.
func (m maker) value(t *component.Type) Value {
	switch t.Kind {
	case component.String:
		return Value{Text: m.text()}
	case component.Flags:
		return Value{Bits: m.bits() & (1<<len(t.Labels) - 1)}
	case component.List:
		return m.list(t.Elems[0])
	case component.Record, component.Tuple:
		v := Value{Elems: make([]Value, len(t.Elems))}
		for i, e := range t.Elems {
			v.Elems[i] = m.value(e)
		}
		return v
	case component.Variant, component.Enum, component.Option, component.Result:
		v := Value{Bits: uint64(m.pick(t.Cases()))}
		if p := t.Case(int(v.Bits)); p != nil {
			v.Elems = []Value{m.value(p)}
		}
		return v
	case component.Char:
		return Value{Bits: uint64([]rune("a\u00e9\u4e2d\U0010ffff")[m.pick(4)])}
	}
	v, _ := scalar(t.Kind, m.bits())
	return v
}

func (m maker) list(elem *component.Type) Value {
	n := m.pick(5)
	if !Packed(elem) {
		v := Value{Elems: make([]Value, n)}
		for i := range v.Elems {
			v.Elems[i] = m.value(elem)
		}
		return v
	}
	var b []byte
	for range n {
		b = AppendPacked(b, elem, m.value(elem))
	}
	return Value{Text: string(b)}
}

func equal(a, b Value) bool {
	if a.Bits != b.Bits || a.Text != b.Text || len(a.Elems) != len(b.Elems) {
		return false
	}
	for i := range a.Elems {
		if !equal(a.Elems[i], b.Elems[i]) {
			return false
		}
	}
	return true
}
