package wave

import (
	"fmt"
	"math"
	"strconv"
	"unicode"

	"github.com/hpmq/hpmq/host/wasm/canon"
	"github.com/hpmq/hpmq/host/wasm/component"
)

// Append writes a value of type t. The value must be of the type, as whatever canon lifted is.
func Append(dst []byte, t *component.Type, v canon.Value) []byte {
	switch t.Kind {
	case component.Bool:
		return strconv.AppendBool(dst, v.Bits != 0)
	case component.S8, component.S16, component.S32, component.S64:
		return strconv.AppendInt(dst, int64(v.Bits), 10)
	case component.U8, component.U16, component.U32, component.U64:
		return strconv.AppendUint(dst, v.Bits, 10)
	case component.F32:
		return appendFloat(dst, float64(math.Float32frombits(uint32(v.Bits))), 32)
	case component.F64:
		return appendFloat(dst, math.Float64frombits(v.Bits), 64)
	case component.Char:
		return appendQuoted(dst, string(rune(v.Bits)), '\'')
	case component.String:
		return appendQuoted(dst, v.Text, '"')
	case component.Own, component.Borrow:
		return fmt.Appendf(dst, "%s(%d)", t.Resource.Name, v.Bits)
	}
	return appendCompound(dst, t, v)
}

func appendCompound(dst []byte, t *component.Type, v canon.Value) []byte {
	switch t.Kind {
	case component.List:
		dst = append(dst, '[')
		for i := range v.Len(t) {
			dst = Append(sep(dst, i), t.Elems[0], v.At(t, i))
		}
		return append(dst, ']')
	case component.Tuple:
		dst = append(dst, '(')
		for i, e := range t.Elems {
			dst = Append(sep(dst, i), e, v.Elems[i])
		}
		return append(dst, ')')
	case component.Record:
		dst = append(dst, '{')
		for i, e := range t.Elems {
			dst = append(append(sep(dst, i), t.Labels[i]...), ": "...)
			dst = Append(dst, e, v.Elems[i])
		}
		return append(dst, '}')
	case component.Flags:
		return appendFlags(dst, t, v)
	}
	return appendCase(dst, t, v)
}

func sep(dst []byte, i int) []byte {
	if i > 0 {
		dst = append(dst, ", "...)
	}
	return dst
}

func appendFlags(dst []byte, t *component.Type, v canon.Value) []byte {
	dst = append(dst, '{')
	n := 0
	for i, l := range t.Labels {
		if v.Bits>>i&1 != 0 {
			dst = append(sep(dst, n), l...)
			n++
		}
	}
	return append(dst, '}')
}

// keyword says whether a case must be marked with %, so that it is not taken for something else.
func keyword(label string) bool {
	switch label {
	case "true", "false", "inf", "nan", "some", "none", "ok", "err":
		return true
	}
	return false
}

// label is the name of a case, and whether it is a keyword because the type says so.
func label(t *component.Type, i int) (name string, own bool) {
	switch t.Kind {
	case component.Option:
		return [...]string{"none", "some"}[i], true
	case component.Result:
		return [...]string{"ok", "err"}[i], true
	}
	return t.Labels[i], false
}

func appendCase(dst []byte, t *component.Type, v canon.Value) []byte {
	name, own := label(t, int(v.Bits))
	if !own && keyword(name) {
		dst = append(dst, '%')
	}
	dst = append(dst, name...)
	if p := t.Case(int(v.Bits)); p != nil {
		dst = append(Append(append(dst, '('), p, v.Elems[0]), ')')
	}
	return dst
}

func appendFloat(dst []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "nan"...)
	case math.IsInf(f, 1):
		return append(dst, "inf"...)
	case math.IsInf(f, -1):
		return append(dst, "-inf"...)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, bits)
}

func appendQuoted(dst []byte, s string, quote byte) []byte {
	dst = append(dst, quote)
	for _, r := range s {
		switch {
		case r == rune(quote) || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case !unicode.IsPrint(r):
			dst = fmt.Appendf(dst, `\u{%x}`, r)
		default:
			dst = append(dst, string(r)...)
		}
	}
	return append(dst, quote)
}
