package fuel

// Opcodes the rewrite looks at or writes.
const (
	opUnreachable  = 0x00
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opBrTable      = 0x0e
	opReturn       = 0x0f
	opDrop         = 0x1a
	opSelect       = 0x1b
	opCall         = 0x10
	opCallIndirect = 0x11
	opLocalGet     = 0x20
	opLocalSet     = 0x21
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opMemoryGrow   = 0x40
	opI32Const     = 0x41
	opI64Const     = 0x42
	opI32Eqz       = 0x45
	opI32Ne        = 0x47
	opI32LtS       = 0x48
	opI32GeS       = 0x4e
	opI64LtS       = 0x53
	opI64GeS       = 0x59
	opI32Add       = 0x6a
	opI32Sub       = 0x6b
	opI32And       = 0x71
	opI32Shl       = 0x74
	opI32ShrS      = 0x75
	opI64Add       = 0x7c
	opI64Sub       = 0x7d
	opI64Shl       = 0x86
	opI64ShrU      = 0x88
	opI32WrapI64   = 0xa7
	opI64ExtendS   = 0xac
	opI64ExtendU   = 0xad
	opRefFunc      = 0xd2
	opPrefixMisc   = 0xfc
	opPrefixSIMD   = 0xfd

	typeI32   = 0x7f
	typeI64   = 0x7e
	typeF64   = 0x7c
	typeFunc  = 0x60
	typeEmpty = 0x40
)

// Opcodes behind opPrefixMisc.
const (
	miscMemoryInit = 8
	miscDataDrop   = 9
	miscMemoryCopy = 10
	miscMemoryFill = 11
	miscTableInit  = 12
	miscElemDrop   = 13
	miscTableCopy  = 14
	miscTableGrow  = 15
	miscTableSize  = 16
	miscTableFill  = 17
)

// immediate says what follows an opcode.
type immediate byte

const (
	immRefused immediate = iota // look in refusedOpcode
	immNone
	immBlock
	immLabel
	immLabels
	immIndex // of a table: the engine checks it
	immFunction
	immCallIndirect
	immLocal
	immGlobal
	immMemArg
	immMemory // a memory index, 0
	immI32
	immI64
	imm4
	imm8
	immTypes
	immRefType
	immMisc
	immSIMD
)

// immediateOf is the table of one-byte opcodes of WebAssembly 2.0.
func immediateOf(op byte) immediate {
	switch {
	case op >= 0x45 && op <= 0xc4, op == 0x00, op == 0x01, op == 0x05, op == 0x0b, op == 0x0f,
		op == 0x1a, op == 0x1b, op == 0xd1:
		return immNone
	case op >= 0x02 && op <= 0x04:
		return immBlock
	case op == 0x0c, op == 0x0d:
		return immLabel
	case op == opCall, op == opRefFunc:
		return immFunction
	case op == 0x25, op == 0x26:
		return immIndex
	case op >= 0x20 && op <= 0x22:
		return immLocal
	case op == 0x23, op == 0x24:
		return immGlobal
	case op >= 0x28 && op <= 0x3e:
		return immMemArg
	}
	switch op {
	case 0x0e:
		return immLabels
	case 0x11:
		return immCallIndirect
	case 0x1c:
		return immTypes
	case 0x3f, 0x40:
		return immMemory
	case 0x41:
		return immI32
	case 0x42:
		return immI64
	case 0x43:
		return imm4
	case 0x44:
		return imm8
	case 0xd0:
		return immRefType
	case opPrefixMisc:
		return immMisc
	case opPrefixSIMD:
		return immSIMD
	}
	return immRefused
}

// refusedOpcode names what an opcode outside WebAssembly 2.0 belongs to; nil if nothing known.
func refusedOpcode(op byte) error {
	switch {
	case op >= 0x06 && op <= 0x0a, op == 0x18, op == 0x19, op == 0x1f:
		return unsupported("exception handling", hintExceptions)
	case op == 0x12, op == 0x13:
		return unsupported("tail calls", hintTailCalls)
	case op == 0x14, op == 0x15, op >= 0xd3 && op <= 0xd6, op == 0xfb:
		return unsupported("typed references", hintReferences)
	case op == 0xfe:
		return unsupported("threads (atomic instructions)", hintThreads)
	}
	return nil
}

// refusedType does the same for value types and heap types.
func refusedType(t byte) error {
	switch t {
	case 0x69, 0x74:
		return unsupported("exception handling (exnref)", hintExceptions)
	case 0x63, 0x64, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x71, 0x72, 0x73, 0x77, 0x78:
		return unsupported("typed references", hintReferences)
	}
	return nil
}

func isValueType(t byte) bool {
	return t >= 0x7b && t <= typeI32 || isReferenceType(t)
}

func isReferenceType(t byte) bool { return t == 0x70 || t == 0x6f }

// valueType reads one.
func (r *reader) valueType() byte {
	t := r.byte()
	if r.err == nil && !isValueType(t) {
		if err := refusedType(t); err != nil {
			r.fail(err)
		} else {
			r.malformed("not a value type")
		}
	}
	return t
}

// memArg reads alignment and offset.
func (r *reader) memArg() {
	if align := r.u32(); align >= 0x40 && r.err == nil {
		r.fail(unsupported("multiple memories", hintMemories))
	}
	r.u32()
}

func (r *reader) memoryZero() {
	if r.byte() != 0 && r.err == nil {
		r.fail(unsupported("multiple memories", hintMemories))
	}
}
