package http

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hpmq/hpmq/host/cap/abi"
	"github.com/hpmq/hpmq/host/cap/wasi/contract"
	"github.com/hpmq/hpmq/host/cap/wasi/state"
	"github.com/hpmq/hpmq/host/wasm"
)

// FieldsBytesMax bounds names and values of one resource fields, with entryBytes for each entry.
const FieldsBytesMax = 64 << 10

const entryBytes = 64

// fields are headers or trailers.
type fields struct {
	entries []entry
	bytes   int
	frozen  bool // they belong to a request or response
}

// Held is state.Holder's.
func (f *fields) Held() int { return f.bytes }

// freeze is f as a request or response shows it.
func (f *fields) freeze() *fields {
	return &fields{entries: f.entries, bytes: f.bytes, frozen: true}
}

type entry struct{ name, value string }

// headerError is a case of header-error, or ok.
type headerError byte

const (
	invalidSyntax headerError = iota
	forbidden
	immutable
	ok
)

func fieldsKind() state.Kind[fields] { return state.KindOf[fields](TypesInterface, "fields") }

func fieldsCalls() map[string]contract.Call {
	return map[string]contract.Call{
		"[constructor]fields":      newFields,
		"[static]fields.from-list": fromList,
		"[method]fields.get":       getField,
		"[method]fields.has":       hasField,
		"[method]fields.set":       setField,
		"[method]fields.delete":    deleteField,
		"[method]fields.append":    appendField,
		"[method]fields.entries":   allFields,
		"[method]fields.clone":     cloneFields,
	}
}

// constructor()
func newFields(g *wasm.Guest, stack []uint64) { stack[0] = fieldsKind().New(g, &fields{}) }

// listLayout is of list<u8> and string, pairLayout of tuple<string, list<u8>>.
func listLayout() abi.Layout { return abi.Layout{Size: 8, Align: 4} }
func pairLayout() abi.Layout { return abi.Layout{Size: 16, Align: 4} }

// from-list: static func(entries: list<tuple<field-name, field-value>>)
// -> result<fields, header-error>
func fromList(g *wasm.Guest, stack []uint64) {
	list := abi.Elements(g, stack[0], stack[1], pairLayout())
	f, result := &fields{}, ok
	for ; len(list) > 0 && result == ok; list = list[16:] {
		name := abi.Text(g, uint64(abi.Uint32(list)), uint64(abi.Uint32(list[4:])))
		value := abi.Bytes(g, uint64(abi.Uint32(list[8:])), uint64(abi.Uint32(list[12:])))
		result = f.add(g, string(name), string(value))
	}
	area := abi.Area(g, stack[2], 8, 4)
	if result != ok {
		area[0], area[4] = 1, byte(result)
		return
	}
	area[0] = 0
	abi.PutUint32(area[4:], uint32(fieldsKind().New(g, f)))
}

// get: func(name: field-name) -> list<field-value>
func getField(g *wasm.Guest, stack []uint64) {
	f, name := fieldsKind().Get(g, stack[0]), string(abi.Text(g, stack[1], stack[2]))
	f.look(g)
	var list []byte
	for _, e := range f.entries {
		if strings.EqualFold(e.name, name) {
			list = abi.AppendList(g, list, []byte(e.value))
		}
	}
	abi.PutElements(g, stack[3], list, listLayout())
}

// has: func(name: field-name) -> bool
func hasField(g *wasm.Guest, stack []uint64) {
	f, name := fieldsKind().Get(g, stack[0]), string(abi.Text(g, stack[1], stack[2]))
	f.look(g)
	stack[0] = abi.Bool(slices.ContainsFunc(f.entries, func(e entry) bool {
		return strings.EqualFold(e.name, name)
	}))
}

// set: func(name: field-name, value: list<field-value>) -> result<_, header-error>
func setField(g *wasm.Guest, stack []uint64) {
	f, name := fieldsKind().Get(g, stack[0]), string(abi.Text(g, stack[1], stack[2]))
	list := abi.Elements(g, stack[3], stack[4], listLayout())
	next := &fields{}
	result := check(name, "")
	for ; len(list) > 0 && result == ok; list = list[8:] {
		value := abi.Bytes(g, uint64(abi.Uint32(list)), uint64(abi.Uint32(list[4:])))
		result = next.add(g, name, string(value))
	}
	if f.frozen {
		result = immutable
	}
	if result == ok {
		before := f.bytes
		f.remove(g, name)
		for _, e := range next.entries {
			f.add(g, e.name, e.value)
		}
		state.Of(g).Grow(g, f.bytes-before)
	}
	putHeaderError(g, stack[5], result)
}

// delete: func(name: field-name) -> result<_, header-error>
func deleteField(g *wasm.Guest, stack []uint64) {
	f, name := fieldsKind().Get(g, stack[0]), string(abi.Text(g, stack[1], stack[2]))
	result := check(name, "")
	if f.frozen {
		result = immutable
	}
	if result == ok {
		before := f.bytes
		f.remove(g, name)
		state.Of(g).Grow(g, f.bytes-before)
	}
	putHeaderError(g, stack[3], result)
}

// append: func(name: field-name, value: field-value) -> result<_, header-error>
func appendField(g *wasm.Guest, stack []uint64) {
	f, name := fieldsKind().Get(g, stack[0]), string(abi.Text(g, stack[1], stack[2]))
	value := string(abi.Bytes(g, stack[3], stack[4]))
	if f.frozen {
		putHeaderError(g, stack[5], immutable)
		return
	}
	before := f.bytes
	result := f.add(g, name, value)
	state.Of(g).Grow(g, f.bytes-before)
	putHeaderError(g, stack[5], result)
}

// entries: func() -> list<tuple<field-name, field-value>>
func allFields(g *wasm.Guest, stack []uint64) {
	f := fieldsKind().Get(g, stack[0])
	f.look(g)
	var list []byte
	for _, e := range f.entries {
		list = abi.AppendList(g, abi.AppendText(g, list, e.name), []byte(e.value))
	}
	abi.PutElements(g, stack[1], list, pairLayout())
}

// clone: func() -> fields
func cloneFields(g *wasm.Guest, stack []uint64) {
	f := fieldsKind().Get(g, stack[0])
	f.look(g)
	copied := &fields{entries: slices.Clone(f.entries), bytes: f.bytes}
	stack[0] = fieldsKind().New(g, copied)
}

// putHeaderError lowers result<_, header-error>.
func putHeaderError(g *wasm.Guest, ptr uint64, e headerError) {
	area := abi.Area(g, ptr, 2, 1)
	area[0], area[1] = 0, 0
	if e != ok {
		area[0], area[1] = 1, byte(e)
	}
}

// look charges for going through all entries.
func (f *fields) look(g *wasm.Guest) { g.Charge(uint64(len(f.entries)) * entryBytes / 4) }

// add appends an entry if it is good. It traps if there are too many.
func (f *fields) add(g *wasm.Guest, name, value string) headerError {
	if e := check(name, value); e != ok {
		return e
	}
	f.bytes += len(name) + len(value) + entryBytes
	if f.bytes > FieldsBytesMax {
		g.Trap(fmt.Sprintf("makes HTTP fields of %d bytes, may have %d", f.bytes, FieldsBytesMax))
	}
	f.entries = append(f.entries, entry{name, value})
	return ok
}

func (f *fields) remove(g *wasm.Guest, name string) {
	f.look(g)
	f.entries = slices.DeleteFunc(f.entries, func(e entry) bool {
		if !strings.EqualFold(e.name, name) {
			return false
		}
		f.bytes -= len(e.name) + len(e.value) + entryBytes
		return true
	})
}

// hopByHop are the fields that belong to a connection, and so to the host.
func hopByHop() []string {
	return []string{"connection", "host", "http2-settings", "keep-alive", "proxy-authenticate",
		"proxy-authorization", "proxy-connection", "te", "transfer-encoding", "upgrade"}
}

// check looks at an entry as RFC 9110, 5.1 and 5.5.
func check(name, value string) headerError {
	if !isToken(name) || strings.ContainsFunc(value, func(r rune) bool {
		return r < ' ' && r != '\t' || r == 0x7f
	}) {
		return invalidSyntax
	}
	if slices.Contains(hopByHop(), strings.ToLower(name)) {
		return forbidden
	}
	return ok
}

// isToken as RFC 9110, 5.6.2.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}
