package wasm

import (
	"reflect"

	"github.com/tetratelabs/wazero/api"
)

// Memory is a guest's linear memory. Offsets and lengths are bytes; every method checks bounds and
// says false if they are crossed. The zero Memory is empty.
type Memory struct{ mem api.Memory }

// memoryOf is the memory of c, nil if it has none: what the engine answers then is not.
func memoryOf(c api.Module) api.Memory {
	if mem := c.Memory(); !reflect.ValueOf(mem).IsNil() {
		return mem
	}
	return nil
}

// Size in bytes.
func (m Memory) Size() uint32 {
	if m.mem == nil {
		return 0
	}
	return m.mem.Size()
}

// Read gives a view of n bytes: not a copy. It holds until the guest is called again or closed.
func (m Memory) Read(ptr, n uint32) ([]byte, bool) {
	if m.mem == nil {
		return nil, n == 0 && ptr == 0
	}
	return m.mem.Read(ptr, n)
}

// Write copies b into the memory.
func (m Memory) Write(ptr uint32, b []byte) bool {
	return m.mem != nil && m.mem.Write(ptr, b)
}

// WriteString copies s into the memory.
func (m Memory) WriteString(ptr uint32, s string) bool {
	return m.mem != nil && m.mem.WriteString(ptr, s)
}

// Byte reads one.
func (m Memory) Byte(ptr uint32) (byte, bool) {
	if m.mem == nil {
		return 0, false
	}
	return m.mem.ReadByte(ptr)
}

// PutByte writes one.
func (m Memory) PutByte(ptr uint32, v byte) bool {
	return m.mem != nil && m.mem.WriteByte(ptr, v)
}

// Uint16 reads a little-endian number.
func (m Memory) Uint16(ptr uint32) (uint16, bool) {
	if m.mem == nil {
		return 0, false
	}
	return m.mem.ReadUint16Le(ptr)
}

// PutUint16 writes a little-endian number.
func (m Memory) PutUint16(ptr uint32, v uint16) bool {
	return m.mem != nil && m.mem.WriteUint16Le(ptr, v)
}

// Uint32 reads a little-endian number.
func (m Memory) Uint32(ptr uint32) (uint32, bool) {
	if m.mem == nil {
		return 0, false
	}
	return m.mem.ReadUint32Le(ptr)
}

// PutUint32 writes a little-endian number.
func (m Memory) PutUint32(ptr, v uint32) bool {
	return m.mem != nil && m.mem.WriteUint32Le(ptr, v)
}

// Uint64 reads a little-endian number.
func (m Memory) Uint64(ptr uint32) (uint64, bool) {
	if m.mem == nil {
		return 0, false
	}
	return m.mem.ReadUint64Le(ptr)
}

// PutUint64 writes a little-endian number.
func (m Memory) PutUint64(ptr uint32, v uint64) bool {
	return m.mem != nil && m.mem.WriteUint64Le(ptr, v)
}
