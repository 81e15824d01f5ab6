// Package asm writes small WebAssembly modules for tests, so that no test needs a toolchain. It
// knows the binary format and checks nothing: tests of refusals write broken modules with it.
package asm

// Value types and kinds of exports.
const (
	I32     byte = 0x7f
	I64     byte = 0x7e
	F32     byte = 0x7d
	F64     byte = 0x7c
	FuncRef byte = 0x70

	KindFunc   byte = 0
	KindTable  byte = 1
	KindMemory byte = 2
	KindGlobal byte = 3
)

// Module is a module in the making. Methods that add functions return their index; imports must
// come before functions.
type Module struct {
	sections [14][]byte
	counts   [14]uint32
	customs  []byte
	imported uint32
}

// New starts an empty module.
func New() *Module { return &Module{} }

func (m *Module) add(section byte, item []byte) uint32 {
	m.sections[section] = append(m.sections[section], item...)
	m.counts[section]++
	return m.counts[section] - 1
}

// Type adds a function type and returns its index.
func (m *Module) Type(params, results []byte) uint32 {
	return m.add(1, join([]byte{0x60}, Bytes(params), Bytes(results)))
}

// Import adds an imported function.
func (m *Module) Import(module, name string, params, results []byte) uint32 {
	t := m.Type(params, results)
	m.imported++
	return m.add(2, join(Name(module), Name(name), []byte{KindFunc}, U32(t)))
}

// ImportRaw adds an import of another kind; description starts with the kind.
func (m *Module) ImportRaw(module, name string, description ...byte) {
	m.add(2, join(Name(module), Name(name), description))
}

// Func adds a function; locals are their types, the body comes without its end.
func (m *Module) Func(params, results, locals []byte, body ...[]byte) uint32 {
	m.add(3, U32(m.Type(params, results)))
	code := U32(uint32(len(locals)))
	for _, l := range locals {
		code = append(code, 1, l)
	}
	code = join(code, Code(body...), []byte{End})
	return m.imported + m.add(10, Bytes(code))
}

// RawFunc adds a function whose whole body, locals and end included, is given.
func (m *Module) RawFunc(params, results, body []byte) uint32 {
	m.add(3, U32(m.Type(params, results)))
	return m.imported + m.add(10, Bytes(body))
}

// Memory adds a memory of min pages; max 0 leaves it open.
func (m *Module) Memory(low, high uint32) {
	m.add(5, limits(low, high))
	m.Export("memory", KindMemory, 0)
}

// Table adds a table of functions.
func (m *Module) Table(low, high uint32) { m.add(4, append([]byte{FuncRef}, limits(low, high)...)) }

func limits(low, high uint32) []byte {
	if high == 0 {
		return append([]byte{0}, U32(low)...)
	}
	return join([]byte{1}, U32(low), U32(high))
}

// Global adds a global with a constant expression (without its end).
func (m *Module) Global(t byte, mutable bool, init []byte) uint32 {
	mut := byte(0)
	if mutable {
		mut = 1
	}
	return m.add(6, join([]byte{t, mut}, init, []byte{End}))
}

// Export adds one.
func (m *Module) Export(name string, kind byte, index uint32) {
	m.add(7, join(Name(name), []byte{kind}, U32(index)))
}

// ExportFunc adds one of a function.
func (m *Module) ExportFunc(name string, index uint32) { m.Export(name, KindFunc, index) }

// Start sets the start function.
func (m *Module) Start(index uint32) { m.sections[8] = U32(index) }

// Elements fills table 0 from an offset on.
func (m *Module) Elements(offset int32, functions ...uint32) {
	item := join([]byte{0}, I32Const(offset), []byte{End}, U32(uint32(len(functions))))
	for _, f := range functions {
		item = append(item, U32(f)...)
	}
	m.add(9, item)
}

// Data fills the memory from an offset on.
func (m *Module) Data(offset int32, data []byte) {
	m.add(11, join([]byte{0}, I32Const(offset), []byte{End}, Bytes(data)))
}

// Passive adds a data segment for memory.init.
func (m *Module) Passive(data []byte) {
	m.add(11, join([]byte{1}, Bytes(data)))
	m.sections[12] = U32(m.counts[11])
}

// Raw adds an item to a section as it is.
func (m *Module) Raw(section byte, item []byte) { m.add(section, item) }

// Custom adds a custom section at the end.
func (m *Module) Custom(name string, data []byte) {
	m.customs = append(m.customs, 0)
	m.customs = append(m.customs, Bytes(join(Name(name), data))...)
}

// FuncNames adds the name section with names of functions from index 0 on.
func (m *Module) FuncNames(names ...string) {
	body := U32(uint32(len(names)))
	for i, n := range names {
		body = join(body, U32(uint32(i)), Name(n))
	}
	m.Custom("name", append([]byte{1}, Bytes(body)...))
}

// Bytes gives the binary.
func (m *Module) Bytes() []byte {
	out := []byte("\x00asm\x01\x00\x00\x00")
	for _, id := range []byte{1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11} {
		body := m.sections[id]
		if body == nil {
			continue
		}
		if id != 8 && id != 12 {
			body = join(U32(m.counts[id]), body)
		}
		out = join(out, []byte{id}, Bytes(body))
	}
	return append(out, m.customs...)
}

// Types is a list of value types.
func Types(t ...byte) []byte { return t }

// U32 encodes a number.
func U32(v uint32) []byte {
	var b []byte
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

// S64 encodes a signed number.
func S64(v int64) []byte {
	var b []byte
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if (v == 0 && c&0x40 == 0) || (v == -1 && c&0x40 != 0) {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

// Bytes puts the length before b.
func Bytes(b []byte) []byte { return append(U32(uint32(len(b))), b...) }

// Name puts the length before s.
func Name(s string) []byte { return Bytes([]byte(s)) }

func join(parts ...[]byte) []byte {
	var out []byte
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}
