// Package fields takes a JSON object apart into its fields, as text, without allocation: what a
// component does with each payload. It knows where JSON values begin and end and whether they are
// well-formed [RFC 8259]; it does not decode them.
package fields

import "slices"

// DepthMax is how deep objects and lists may lie in each other.
const DepthMax = 64

// Field is one member of an object.
type Field struct {
	// Name is what stands between the quotes, escapes included.
	Name string
	// Value is the JSON text of the value.
	Value string
}

// Split appends the fields of the JSON object text to dst. False says that text is not one, or lies
// deeper than DepthMax; then what was appended is of no use. The fields alias text.
func Split(dst []Field, text string) ([]Field, bool) {
	i := space(text, 0)
	if i >= len(text) || text[i] != '{' {
		return dst, false
	}
	i = space(text, i+1)
	if i < len(text) && text[i] == '}' {
		return dst, space(text, i+1) == len(text)
	}
	for {
		nameEnd := quoted(text, i)
		start := colon(text, nameEnd)
		end := value(text, start)
		if end < 0 {
			return dst, false
		}
		dst = append(dst, Field{Name: text[i+1 : nameEnd-1], Value: text[start:end]})
		i = space(text, end)
		if i >= len(text) || text[i] != ',' {
			break
		}
		i = space(text, i+1)
	}
	return dst, i < len(text) && text[i] == '}' && space(text, i+1) == len(text)
}

// Valid reports whether text is one JSON value.
func Valid(text string) bool {
	i := value(text, space(text, 0))
	return i >= 0 && space(text, i) == len(text)
}

// Find is the index of the field called name, -1 when there is none. Of two with one name it is the
// last, as in most readers of JSON.
func Find(list []Field, name string) int {
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].Name == name {
			return i
		}
	}
	return -1
}

// Append writes list as a JSON object.
func Append(dst []byte, list []Field) []byte {
	size := 2
	for i := range list {
		size += len(list[i].Name) + len(list[i].Value) + len(`"":,`)
	}
	at := len(dst)
	dst = slices.Grow(dst, size)[:at+size]
	dst[at] = '{'
	for i := range list {
		f := &list[i]
		if i > 0 {
			at++
			dst[at] = ','
		}
		dst[at+1] = '"'
		at += 2 + put(dst[at+2:], f.Name)
		dst[at], dst[at+1] = '"', ':'
		at += 1 + put(dst[at+2:], f.Value)
	}
	dst[at+1] = '}'
	return dst[:at+2]
}

// put is copy. In a guest the instruction that copies memory costs as much as a loop over some 24
// bytes, and most names and values are shorter.
func put(dst []byte, s string) int {
	if len(s) > 24 || len(s) > len(dst) {
		return copy(dst, s)
	}
	for i := range len(s) {
		dst[i] = s[i]
	}
	return len(s)
}
