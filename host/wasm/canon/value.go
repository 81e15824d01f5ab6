package canon

import (
	"encoding/binary"
	"fmt"

	"github.com/hpmq/hpmq/host/wasm/component"
)

// Value is a value of a component, lifted, so without memory. It is read together with its type,
// and not changed once made: copies share what is below.
type Value struct {
	// Bits are, of an integer, itself, sign extended; of a bool, 0 or 1; of a float, its IEEE bits;
	// of a char, its scalar; of flags, a bit a label; of a variant, enum, option or result, the
	// index of the case, "none" and "ok" being 0; of own and borrow, the representation.
	Bits uint64
	// Text is a string in UTF-8. Of a list of numbers, bools or chars it is the elements as they
	// stand in memory, one after the other, little endian: see Packed.
	Text string
	// Elems are fields of a record, elements of a tuple or of any other list; of a case with a
	// payload, the payload.
	Elems []Value
}

// Packed says whether lists of this type keep their elements in Text.
func Packed(elem *component.Type) bool { return elem.Kind <= component.Char }

// Len is the number of elements of a list of this type.
func (v Value) Len(list *component.Type) int {
	if elem := list.Elems[0]; Packed(elem) {
		return len(v.Text) / int(elem.Size())
	}
	return len(v.Elems)
}

// At is element i of a list of this type.
func (v Value) At(list *component.Type, i int) Value {
	elem := list.Elems[0]
	if !Packed(elem) {
		return v.Elems[i]
	}
	size := int(elem.Size())
	var raw [8]byte
	copy(raw[:], v.Text[i*size:(i+1)*size])
	return Value{Bits: extend(elem.Kind, binary.LittleEndian.Uint64(raw[:]))}
}

// AppendPacked appends an element of a packed list.
func AppendPacked(dst []byte, elem *component.Type, v Value) []byte {
	var raw [8]byte
	binary.LittleEndian.PutUint64(raw[:], v.Bits)
	return append(dst, raw[:elem.Size()]...)
}

// The NaNs that stand for all others.
const (
	nan32 = 0x7fc00000
	nan64 = 0x7ff8000000000000
)

// extend makes Bits of the low bits of raw. Bits above the width of the kind are dropped.
func extend(k component.Kind, raw uint64) uint64 {
	switch k {
	case component.S8:
		return uint64(int8(raw))
	case component.U8:
		return uint64(uint8(raw))
	case component.S16:
		return uint64(int16(raw))
	case component.U16:
		return uint64(uint16(raw))
	case component.S32:
		return uint64(int32(raw))
	case component.S64, component.U64, component.F64:
		return raw
	}
	return uint64(uint32(raw))
}

// scalar is a number, bool or char of the low bits of raw.
func scalar(k component.Kind, raw uint64) (Value, error) {
	bits := extend(k, raw)
	switch k {
	case component.Bool:
		bits = min(bits, 1)
	case component.F32:
		if bits&0x7fffffff > 0x7f800000 {
			bits = nan32
		}
	case component.F64:
		if bits&^(1<<63) > 0x7ff0000000000000 {
			bits = nan64
		}
	case component.Char:
		if bits > 0x10ffff || bits>>11 == 0xd800>>11 {
			return Value{}, fmt.Errorf("canon: %#x is not a char", bits)
		}
	}
	return Value{Bits: bits}, nil
}

// packed is the elements of a packed list, each made canonical. It copies src.
func packed[T string | []byte](elem *component.Type, src T) (string, error) {
	switch elem.Kind {
	case component.Bool, component.F32, component.F64, component.Char:
	default:
		return string(src), nil
	}
	size := int(elem.Size())
	var dst []byte // a copy, once an element is not canonical
	for at := 0; at+size <= len(src); at += size {
		var raw [8]byte
		copy(raw[:], src[at:at+size])
		bits := binary.LittleEndian.Uint64(raw[:])
		v, err := scalar(elem.Kind, bits)
		if err != nil {
			return "", err
		}
		if v.Bits == bits {
			continue
		}
		if dst == nil {
			dst = []byte(src)
		}
		binary.LittleEndian.PutUint64(raw[:], v.Bits)
		copy(dst[at:at+size], raw[:])
	}
	if dst != nil {
		return string(dst), nil
	}
	return string(src), nil
}
