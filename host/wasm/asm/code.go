package asm

// Opcodes without immediates.
const (
	Unreachable byte = 0x00
	Nop         byte = 0x01
	Else        byte = 0x05
	End         byte = 0x0b
	Return      byte = 0x0f
	Drop        byte = 0x1a
	I32Eqz      byte = 0x45
	I32LtU      byte = 0x49
	I32Add      byte = 0x6a
	I32Sub      byte = 0x6b
	I32Mul      byte = 0x6c
	I32And      byte = 0x71
	I32Xor      byte = 0x73
	I32Shl      byte = 0x74
	I64Add      byte = 0x7c

	// Empty is the type of a block without results.
	Empty byte = 0x40
)

// Code joins instructions.
func Code(parts ...[]byte) []byte { return join(parts...) }

// Op is instructions without immediates.
func Op(ops ...byte) []byte { return ops }

func op(code byte, v uint32) []byte { return append([]byte{code}, U32(v)...) }

// Block, Loop and If wrap a body; t is a value type or Empty.
func Block(t byte, body ...[]byte) []byte { return wrap(0x02, t, body) }

// Loop see Block.
func Loop(t byte, body ...[]byte) []byte { return wrap(0x03, t, body) }

// If see Block; put Op(Else) into the body.
func If(t byte, body ...[]byte) []byte { return wrap(0x04, t, body) }

func wrap(code, t byte, body [][]byte) []byte {
	return join([]byte{code, t}, Code(body...), []byte{End})
}

// Br leaves l blocks.
func Br(l uint32) []byte { return op(0x0c, l) }

// BrIf see Br.
func BrIf(l uint32) []byte { return op(0x0d, l) }

// BrTable takes the default label last.
func BrTable(labels ...uint32) []byte {
	out := append([]byte{0x0e}, U32(uint32(len(labels)-1))...)
	for _, l := range labels {
		out = append(out, U32(l)...)
	}
	return out
}

// Call calls a function.
func Call(f uint32) []byte { return op(0x10, f) }

// CallIndirect calls through table 0.
func CallIndirect(t uint32) []byte { return append(op(0x11, t), 0) }

// LocalGet and the like name a local or a global.
func LocalGet(i uint32) []byte { return op(0x20, i) }

// LocalSet see LocalGet.
func LocalSet(i uint32) []byte { return op(0x21, i) }

// LocalTee see LocalGet.
func LocalTee(i uint32) []byte { return op(0x22, i) }

// GlobalGet see LocalGet.
func GlobalGet(i uint32) []byte { return op(0x23, i) }

// GlobalSet see LocalGet.
func GlobalSet(i uint32) []byte { return op(0x24, i) }

// I32Const pushes a number.
func I32Const(v int32) []byte { return append([]byte{0x41}, S64(int64(v))...) }

// I64Const pushes a number.
func I64Const(v int64) []byte { return append([]byte{0x42}, S64(v)...) }

// I32Load reads memory at an address on the stack.
func I32Load(offset uint32) []byte { return join([]byte{0x28, 2}, U32(offset)) }

// I32Load8U see I32Load.
func I32Load8U(offset uint32) []byte { return join([]byte{0x2d, 0}, U32(offset)) }

// I32Store writes memory.
func I32Store(offset uint32) []byte { return join([]byte{0x36, 2}, U32(offset)) }

// I64Store writes memory.
func I64Store(offset uint32) []byte { return join([]byte{0x37, 3}, U32(offset)) }

// MemoryGrow takes a number of pages.
func MemoryGrow() []byte { return []byte{0x40, 0} }

// MemorySize answers it in pages.
func MemorySize() []byte { return []byte{0x3f, 0} }

// MemoryFill takes address, value, length.
func MemoryFill() []byte { return []byte{0xfc, 11, 0} }

// MemoryCopy takes to, from, length.
func MemoryCopy() []byte { return []byte{0xfc, 10, 0, 0} }

// MemoryInit takes to, from, length.
func MemoryInit(segment uint32) []byte { return append(join([]byte{0xfc, 8}, U32(segment)), 0) }

// TableGrow takes a reference and a length.
func TableGrow() []byte { return []byte{0xfc, 15, 0} }

// RefNull pushes a null function.
func RefNull() []byte { return []byte{0xd0, FuncRef} }
