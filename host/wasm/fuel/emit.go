package fuel

import "bytes"

// write applies the edits to the code from the offset on.
func (f *function) write(out []byte, from int) []byte {
	out = f.appendCharge(out, f.edits[0].n)
	if f.calls {
		out = f.appendEnter(out)
	}
	for _, e := range f.edits[1:] {
		out = append(out, f.r.b[from:e.at]...)
		from = e.at
		switch e.kind {
		case editCharge:
			if e.n > 0 {
				out = f.appendCharge(out, e.n)
			}
		case editReturn:
			if f.calls {
				out = appendU32(append(out, opBr), uint32(e.n))
				from++
			}
		case editBulk:
			out = f.appendBulk(out, e.n)
		case editGlobal:
			out = appendU32(out, uint32(e.n))
			from = behindU32(f.r.b, from)
		}
	}
	out = append(out, f.r.b[from:]...)
	if f.calls {
		out = f.appendLeave(out)
	}
	return out
}

// moveGlobals writes a section with other indices of globals.
func moveGlobals(body []byte, moves []edit) []byte {
	out := make([]byte, 0, len(body)+len(moves))
	from := 0
	for _, e := range moves {
		out = appendU32(append(out, body[from:e.at]...), uint32(e.n))
		from = behindU32(body, e.at)
	}
	return append(out, body[from:]...)
}

// behindU32 is where the number that starts at from ends.
func behindU32(b []byte, from int) int {
	for b[from] >= 0x80 {
		from++
	}
	return from + 1
}

// appendCharge writes: fuel -= n; if fuel < 0 { refuel() }. A call here costs less than what it
// does written out: the code around it keeps its registers.
func (f *function) appendCharge(out []byte, n int64) []byte {
	fuel := f.w.fuelIndex()
	out = appendU32(append(out, opGlobalGet), fuel)
	out = append(appendSigned(append(out, opI64Const), n), opI64Sub)
	out = appendU32(append(out, opGlobalSet), fuel)
	return f.appendCheckFuel(out)
}

func (f *function) appendCheckFuel(out []byte) []byte {
	out = appendU32(append(out, opGlobalGet), f.w.fuelIndex())
	out = append(out, opI64Const, 0, opI64LtS, opIf, typeEmpty)
	return append(appendU32(append(out, opCall), f.w.refuelIndex()), opEnd)
}

// appendBulk writes a charge for the i32 on top of the stack, which stays there.
func (f *function) appendBulk(out []byte, shift int64) []byte {
	fuel, operand := f.w.fuelIndex(), f.locals
	out = appendU32(append(out, opLocalTee), operand)
	out = appendU32(append(out, opGlobalGet), fuel)
	out = append(appendU32(append(out, opLocalGet), operand), opI64ExtendU)
	if shift > 0 {
		out = append(appendSigned(append(out, opI64Const), shift), opI64ShrU)
	} else if shift < 0 {
		out = append(appendSigned(append(out, opI64Const), -shift), opI64Shl)
	}
	out = appendU32(append(out, opI64Sub, opGlobalSet), fuel)
	return f.appendCheckFuel(out)
}

// weight is what a frame of this function takes of the depth.
func (f *function) weight() int64 {
	return 1 + int64(f.locals)/localsPerDepth + int64(len(f.r.b)-f.edits[0].at)/bytesPerDepth
}

// appendEnter writes: depth -= weight; if depth < 0 { unreachable }; block (results).
func (f *function) appendEnter(out []byte) []byte {
	depth := f.w.depthIndex()
	out = appendU32(append(out, opGlobalGet), depth)
	out = append(appendSigned(append(out, opI32Const), f.weight()), opI32Sub)
	out = appendU32(append(out, opGlobalSet), depth)
	out = appendU32(append(out, opGlobalGet), depth)
	out = append(out, opI32Const, 0, opI32LtS, opIf, typeEmpty, opUnreachable, opEnd)
	return f.w.appendBlock(out, f.typ.results)
}

// appendLeave writes: depth += weight; end. The end before it closes the wrapper's block.
func (f *function) appendLeave(out []byte) []byte {
	depth := f.w.depthIndex()
	out = appendU32(append(out, opGlobalGet), depth)
	out = append(appendSigned(append(out, opI32Const), f.weight()), opI32Add)
	out = appendU32(append(out, opGlobalSet), depth)
	return append(out, opEnd)
}

// appendBlock opens a block that leaves results, with a new type if there are several.
func (w *rewriter) appendBlock(out, results []byte) []byte {
	switch len(results) {
	case 0:
		return append(out, opBlock, typeEmpty)
	case 1:
		return append(out, opBlock, results[0])
	}
	for i, t := range w.newTypes {
		if bytes.Equal(t.results, results) {
			return appendSigned(append(out, opBlock), int64(len(w.types)+i))
		}
	}
	w.newTypes = append(w.newTypes, funcType{results: results})
	return appendSigned(append(out, opBlock), int64(len(w.types)+len(w.newTypes)-1))
}
