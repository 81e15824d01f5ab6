package fuel

// misc skips the rest of an instruction behind opPrefixMisc.
func (f *function) misc(at int) {
	r := f.r
	op := r.u32()
	f.operandsMisc(op)
	switch {
	case op <= 7:
	case op == miscMemoryInit:
		r.u32()
		r.memoryZero()
		f.w.needMemory(r)
		f.charge(at, byteShift)
	case op == miscMemoryCopy:
		r.memoryZero()
		r.memoryZero()
		f.w.needMemory(r)
		f.charge(at, byteShift)
	case op == miscMemoryFill:
		r.memoryZero()
		f.w.needMemory(r)
		f.charge(at, byteShift)
	case op == miscTableInit, op == miscTableCopy:
		r.u32()
		r.u32()
		f.charge(at, elementShift)
	case op == miscTableGrow, op == miscTableFill:
		r.u32()
		f.charge(at, elementShift)
	case op == miscDataDrop, op == miscElemDrop, op == miscTableSize:
		r.u32()
	default:
		f.refuse(opPrefixMisc)
	}
}

// simd skips the rest of an instruction behind opPrefixSIMD.
func (f *function) simd() {
	r := f.r
	op := r.u32()
	f.operandsSIMD(op)
	switch {
	case op <= 11, op == 92, op == 93:
		r.memArg()
		f.w.needMemory(r)
	case op == 12, op == 13:
		r.bytes(16)
	case op >= 21 && op <= 34:
		r.byte()
	case op >= 84 && op <= 91:
		r.memArg()
		f.w.needMemory(r)
		r.byte()
	case op > 255 && r.err == nil:
		r.fail(unsupported("relaxed SIMD", hintRelaxed))
	}
}
