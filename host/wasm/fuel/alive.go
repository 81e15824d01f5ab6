package fuel

import "fmt"

// alive adds up, from above, the values that are alive wherever control flow forks or joins: the
// locals, and the operands on the stack. A compiler keeps them in tables of a row per value and a
// column per place, so what it needs for a function grows with the sum and not with the bytes.
type alive struct {
	height int // operands on the stack
	sum    uint64
}

// aliveSquare: from this many values at once on a place counts twice and more, for the registers
// are shared out in a time that grows with the square.
const aliveSquare = 2048

// flow counts the values alive at n places of control flow here.
func (f *function) flow(n int) {
	if f.dead {
		return
	}
	v := uint64(f.locals) + uint64(f.alive.height) + 1
	f.alive.sum += uint64(n) * (v + v*v/aliveSquare)
	if most := f.w.limits.AliveMax; f.alive.sum > uint64(most) {
		f.r.fail(tooAlive(fmt.Sprintf("function %d", f.index), f.alive.sum, most))
	}
}

// oneResult is the type of any block with one: only how many matters.
var oneResult = []byte{typeI32}

// pop and push change the height. In dead code it may be wrong until the end of the block, and
// that code is not compiled.
func (f *function) pop(n int) { f.alive.height = max(f.alive.height-n, 0) }

func (f *function) push(n int) { f.alive.height += n }

// operands follows the stack over an instruction, before structure does. The type of
// a block or a call is in typed.
func (f *function) operands(op byte) {
	switch op {
	case opIf, opBrIf, opBrTable, opCallIndirect:
		f.pop(1)
	}
	switch op {
	case opCall, opCallIndirect:
		f.pop(len(f.typed.params))
		f.push(len(f.typed.results))
	case opBlock, opLoop, opIf, opBr, opBrIf, opBrTable, opReturn:
		f.flow(1)
	case opElse, opEnd:
		f.flow(1)
		if len(f.blocks) == 0 {
			return
		}
		b := f.blocks[len(f.blocks)-1]
		f.alive.height = b.base + len(b.typ.results)
		if op == opElse {
			f.alive.height = b.base + len(b.typ.params)
		}
	default:
		f.plain(op)
	}
}

// plain is operands for an instruction of one byte and its immediates.
func (f *function) plain(op byte) {
	switch {
	case op == opLocalGet, op == opGlobalGet, op == 0x3f, op >= opI32Const && op <= 0x44,
		op == 0xd0, op == opRefFunc:
		f.push(1)
	case op == opDrop, op == opLocalSet, op == opGlobalSet, takesTwo(op):
		f.pop(1)
	case op == opSelect, op == 0x1c, op == 0x26, op >= 0x36 && op <= 0x3e: // table.set, stores
		f.pop(2)
	}
}

// takesTwo tells a comparison or an arithmetic instruction that makes one value of two.
func takesTwo(op byte) bool {
	return op >= 0x46 && op <= 0x4f || op >= 0x51 && op <= 0x66 || op >= 0x6a && op <= 0x78 ||
		op >= 0x7c && op <= 0x8a || op >= 0x92 && op <= 0x98 || op >= 0xa0 && op <= 0xa6
}

// operandsMisc is operands for an instruction behind opPrefixMisc.
func (f *function) operandsMisc(op uint32) {
	switch op {
	case miscMemoryInit, miscMemoryCopy, miscMemoryFill, miscTableInit, miscTableCopy,
		miscTableFill:
		f.pop(3)
	case miscTableGrow:
		f.pop(1)
	case miscTableSize:
		f.push(1)
	}
}

// operandsSIMD is operands for an instruction behind opPrefixSIMD.
func (f *function) operandsSIMD(op uint32) {
	switch {
	case op == 12: // v128.const
		f.push(1)
	case op == 11, op == 82, op >= 88 && op <= 91: // stores, bitselect
		f.pop(2)
	case !simdTakesOne(op):
		f.pop(1)
	}
}

// simdTakesOne tells an instruction that makes one value of one.
func simdTakesOne(op uint32) bool {
	switch {
	case op <= 10, op >= 15 && op <= 22, op == 24, op == 25, op == 27, op == 29, op == 31,
		op == 33, op == 77, op == 83, op >= 92 && op <= 100: // loads, splats, lanes out of it
		return true
	case op >= 103 && op <= 106, op == 116, op == 117, op == 122, op >= 124 && op <= 127,
		op == 148: // rounding, sums of pairs
		return true
	case op >= 128 && op <= 223: // the same in each shape of integers: abs, tests, extensions
		i := op & 31
		return i <= 1 || i == 3 || i == 4 || i >= 7 && i <= 10
	}
	return op == 224 || op == 225 || op == 227 || op == 236 || op == 237 || op == 239 || op >= 248
}
