// Package section knows which custom sections a module or component of WebAssembly has. It does not
// know what stands in them, nor whether the rest is good.
package section

import (
	"encoding/binary"
	"errors"
	"strings"
)

// headerBytes is what a module and a component begin with; sections follow, of the same form.
const headerBytes = 8

// section is one of a module or component; a custom one has a name.
type section struct {
	name   string
	custom bool
	// data is what it holds, whole is that with its head.
	data, whole []byte
}

// next is the first section of b, and what is behind it. False: there is none, or it is cut short.
func next(b []byte) (s section, rest []byte, ok bool) {
	if len(b) == 0 {
		return s, nil, false
	}
	body, rest, ok := counted(b[1:])
	if !ok {
		return s, nil, false
	}
	s = section{custom: b[0] == 0, data: body, whole: b[:len(b)-len(rest)]}
	if s.custom {
		name, data, ok := counted(body)
		if !ok {
			return s, nil, false
		}
		s.name, s.data = string(name), data
	}
	return s, rest, true
}

// counted takes bytes with their number before them, an unsigned LEB128 of 32 bits.
func counted(b []byte) (body, rest []byte, ok bool) {
	n, used := binary.Uvarint(b[:min(len(b), 5)])
	if used <= 0 || n > uint64(len(b)-used) {
		return nil, nil, false
	}
	return b[used : used+int(n)], b[used+int(n):], true
}

// ErrTwice is for code with more than one custom section of a name: who reads another one than
// somebody else does is told something else.
var ErrTwice = errors.New("it has more than one custom section of that name")

// Custom is what the custom section of that name holds, in a component of the outermost one: a part
// of code; nil if there is none. Errors are ErrTwice.
func Custom(code []byte, name string) ([]byte, error) {
	var found []byte
	for s, rest, ok := next(code[min(headerBytes, len(code)):]); ok; s, rest, ok = next(rest) {
		if !s.custom || s.name != name {
			continue
		}
		if found != nil {
			return nil, ErrTwice
		}
		found = s.data[:len(s.data):len(s.data)]
	}
	return found, nil
}

// Manifest is the section in which a module or component says who it is, as JSON. Whoever wants to
// know reads it by Custom, so that all read the same.
const Manifest = "hpmq:manifest"

// worldSection begins the names of the custom sections in which a module says its world.
const worldSection = "component-type"

// SaysWorld says whether a core module names the world itself that it is for.
func SaysWorld(code []byte) bool {
	for s, rest, ok := next(code[min(headerBytes, len(code)):]); ok; s, rest, ok = next(rest) {
		if s.custom && strings.HasPrefix(s.name, worldSection) {
			return true
		}
	}
	return false
}

// debugging begins the names of the custom sections of DWARF.
const debugging = ".debug_"

// WithoutDWARF is a copy of a module without what is for debuggers alone: its functions keep their
// names.
func WithoutDWARF(code []byte) []byte {
	return without(code, func(name string) bool { return strings.HasPrefix(name, debugging) })
}

// without is a copy without the custom sections that drop names.
func without(code []byte, drop func(name string) bool) []byte {
	head := min(headerBytes, len(code))
	out := append([]byte{}, code[:head]...)
	rest := code[head:]
	for s, after, ok := next(rest); ok; s, after, ok = next(rest) {
		if !s.custom || !drop(s.name) {
			out = append(out, s.whole...)
		}
		rest = after
	}
	return append(out, rest...) // what is no section: who runs it will say so
}

// WithCustom is a copy of a module or component with a custom section of that name at its end, in
// the place of any that it has.
func WithCustom(code []byte, name string, data []byte) []byte {
	out := without(code, func(other string) bool { return other == name })
	body := binary.AppendUvarint(nil, uint64(len(name)))
	body = append(append(body, name...), data...)
	out = binary.AppendUvarint(append(out, 0), uint64(len(body)))
	return append(out, body...)
}
