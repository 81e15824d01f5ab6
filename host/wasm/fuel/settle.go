package fuel

// appendSettle writes the function that takes n units when the counter alone does not tell if they
// are there, and gives the counter back. In words:
//
//	depth = low bits of count, with their sign
//	left = fuel in count - n
//	if left >= 0 && depth >= 0 { return left and depth }
//	rest += left
//	if rest < 0 { rest++; count = -1 fuel and depth; unreachable }
//	if depth < 0 { count = no fuel and depth; unreachable }
//	memory.grow 0                    // out of native code, and back
//	left = min(rest, slice)
//	rest -= left
//	return left and depth
//
// Growing by nothing is how a module leaves native code without an import. In there the Go runtime
// cannot stop the thread, and a garbage collection that waits for it holds the whole process. A
// module without a memory is given an empty one for that.
func (w *rewriter) appendSettle(out []byte) []byte {
	s := settle{w: w, out: []byte{2, 1, typeI32, 1, typeI64}} // locals: depth, left
	s.at(opLocalGet, settleCount).i32(opI32Const, 32-depthBits).op(opI32Shl)
	s.i32(opI32Const, 32-depthBits).op(opI32ShrS).at(opLocalSet, settleDepth)
	s.at(opLocalGet, settleCount).at(opLocalGet, settleDepth).op(opI32Sub)
	s.i32(opI32Const, depthBits).op(opI32ShrS, opI64ExtendS)
	s.at(opLocalGet, settleUnits).op(opI64Sub).at(opLocalSet, settleLeft)

	s.at(opLocalGet, settleLeft).op(opI64Const, 0, opI64GeS)
	s.at(opLocalGet, settleDepth).op(opI32Const, 0, opI32GeS, opI32And, opIf, typeEmpty)
	s.packed().op(opReturn, opEnd)

	s.at(opGlobalGet, w.restIndex()).at(opLocalGet, settleLeft).op(opI64Add)
	s.at(opLocalSet, settleLeft)
	s.at(opLocalGet, settleLeft).op(opI64Const, 0, opI64LtS, opIf, typeEmpty)
	s.at(opLocalGet, settleLeft).op(opI64Const, 1, opI64Add).at(opGlobalSet, w.restIndex())
	s.op(opI64Const).signed(-1).at(opLocalSet, settleLeft).packed()
	s.at(opGlobalSet, w.countIndex()).op(opUnreachable, opEnd)

	s.at(opLocalGet, settleDepth).op(opI32Const, 0, opI32LtS, opIf, typeEmpty)
	s.at(opLocalGet, settleLeft).at(opGlobalSet, w.restIndex())
	s.at(opLocalGet, settleDepth).at(opGlobalSet, w.countIndex()).op(opUnreachable, opEnd)

	slice := int64(min(max(w.limits.SliceFuel, 1), SliceMax))
	s.op(opI32Const, 0, opMemoryGrow, 0, opDrop)
	s.at(opLocalGet, settleLeft).op(opI64Const).signed(slice)
	s.at(opLocalGet, settleLeft).op(opI64Const).signed(slice).op(opI64LtS, opSelect)
	// The slice stays on the stack while the rest is told.
	s.at(opLocalSet, settleUnits)
	s.at(opLocalGet, settleLeft).at(opLocalGet, settleUnits).op(opI64Sub)
	s.at(opGlobalSet, w.restIndex())
	s.at(opLocalGet, settleUnits).at(opLocalSet, settleLeft).packed().op(opEnd)
	return appendBody(out, s.out)
}

// Parameters and locals of the function.
const (
	settleCount = iota
	settleUnits
	settleDepth
	settleLeft
)

// settle is the function's body so far.
type settle struct {
	w   *rewriter
	out []byte
}

//go:noinline
func (s *settle) op(ops ...byte) *settle {
	s.out = append(s.out, ops...)
	return s
}

// at writes an instruction with an index.
//
//go:noinline
func (s *settle) at(op byte, index uint32) *settle {
	s.out = appendU32(append(s.out, op), index)
	return s
}

//go:noinline
func (s *settle) i32(op byte, n int64) *settle { return s.op(op).signed(n) }

//go:noinline
func (s *settle) signed(n int64) *settle {
	s.out = appendSigned(s.out, n)
	return s
}

// packed puts left and depth on the stack as a counter.
//
//go:noinline
func (s *settle) packed() *settle {
	s.at(opLocalGet, settleLeft).op(opI32WrapI64).i32(opI32Const, depthBits).op(opI32Shl)
	return s.at(opLocalGet, settleDepth).op(opI32Add)
}
