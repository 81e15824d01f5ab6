package fuel

// write applies the edits to the code from the offset on.
func (f *function) write(out []byte, from int) []byte {
	out = f.appendEnter(out)
	tests := f.testsAll()
	for _, e := range f.edits[1:] {
		out = append(out, f.r.b[from:e.at]...)
		from = e.at
		switch e.kind {
		case editCharge:
			out = f.appendCharge(out, e.n, tests)
		case editLoop:
			out = f.appendTurn(out, e.n)
		case editLoopIn:
			out = f.appendCharge(out, e.n, true)
		case editCertain:
			out = f.appendCharge(out, e.n, false)
		case editReturn:
			out = appendU32(append(out, opBr), uint32(e.n))
			from++
		case editBulk:
			out = f.appendBulk(out, e.n)
		case editIndex:
			out = appendU32(out, uint32(e.n))
			from = behindU32(f.r.b, from)
		case editCall:
			out = appendU32(append(f.get(out), opCall), uint32(e.n))
			out = f.set(out)
			from = behindU32(f.r.b, from+1)
		case editFlush:
			out = appendU32(append(f.get(out), opGlobalSet), f.w.countIndex())
		case editReload:
			out = f.set(appendU32(append(out, opGlobalGet), f.w.countIndex()))
		}
	}
	out = append(out, f.r.b[from:]...)
	return f.appendLeave(out)
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

// counter is the local that holds the counter: the last parameter.
func (f *function) counter() uint32 { return uint32(len(f.typ.params)) }

func (f *function) get(out []byte) []byte {
	return appendU32(append(out, opLocalGet), f.counter())
}

func (f *function) set(out []byte) []byte {
	return appendU32(append(out, opLocalSet), f.counter())
}

// testsAll tells if each charge must test the counter, and not only those of loops. Without, a path
// from one test to the next passes each of the others once at most, and the paths back through the
// callers add up: see debtMax.
func (f *function) testsAll() bool {
	debt := int64(0)
	for _, e := range f.edits[1:] {
		if e.kind == editCharge {
			debt += e.n
		}
	}
	if f.calls {
		return debt > debtMax
	}
	return debt > chargeMax
}

// appendCharge writes: count -= n; if count is bad { count = settle(count, 0) }. The bad case comes
// second: the engine gives registers out as the first case leaves them.
func (f *function) appendCharge(out []byte, n int64, test bool) []byte {
	if n > chargeMax {
		return f.appendSettleBy(out, n)
	}
	if n > 0 {
		out = append(appendSigned(append(f.get(out), opI32Const), n<<depthBits), opI32Sub)
		out = f.set(out)
	}
	if n == 0 || !test {
		return out
	}
	out = appendSigned(append(f.get(out), opI32Const), badBits)
	out = append(out, opI32And, opI32Eqz, opIf, typeEmpty, opElse)
	return append(f.appendSettleBy(out, 0), opEnd)
}

// appendTurn writes the charge at the start of a loop: count -= n; if count is bad {
// count = settle(count, 0) + n; begin the turn once more }.
func (f *function) appendTurn(out []byte, n int64) []byte {
	if n == 0 || n > chargeMax {
		return f.appendCharge(out, n, true)
	}
	out = append(appendSigned(append(f.get(out), opI32Const), n<<depthBits), opI32Sub)
	out = appendU32(append(out, opLocalTee), f.counter())
	out = append(appendSigned(append(out, opI32Const), badBits), opI32And)
	out = append(out, opI32Const, 0, opI32Ne, opIf, typeEmpty)
	out = append(f.get(out), opI64Const, 0)
	out = appendU32(append(out, opCall), f.w.settleIndex())
	out = append(appendSigned(append(out, opI32Const), n<<depthBits), opI32Add)
	return append(f.set(out), opBr, 1, opEnd)
}

// appendSettleBy writes: count = settle(count, n).
func (f *function) appendSettleBy(out []byte, n int64) []byte {
	out = appendSigned(append(f.get(out), opI64Const), n)
	return f.set(appendU32(append(out, opCall), f.w.settleIndex()))
}

// appendBulk writes a charge for the i32 on top of the stack, which stays there.
func (f *function) appendBulk(out []byte, shift int64) []byte {
	operand := f.locals + 1 // behind the function's own, and the counter
	out = appendU32(append(out, opLocalTee), operand)
	out = append(appendU32(append(f.get(out), opLocalGet), operand), opI64ExtendU)
	if shift > 0 {
		out = append(appendSigned(append(out, opI64Const), shift), opI64ShrU)
	} else if shift < 0 {
		out = append(appendSigned(append(out, opI64Const), -shift), opI64Shl)
	}
	return f.set(appendU32(append(out, opCall), f.w.settleIndex()))
}

// weight is what a frame of this function takes of the depth: nothing if it calls nobody.
func (f *function) weight() int64 {
	if !f.calls {
		return 0
	}
	code := int64(len(f.r.b) - f.edits[0].at)
	return min(1+int64(f.locals)/localsPerDepth+code/bytesPerDepth, depthMax)
}

// appendEnter writes: count -= cost and weight; if count is bad {
// return f(parameters, settle(count, 0) + cost) }; block (results).
//
// To begin once more instead of going on leaves the usual way without a call, so without values to
// save around it. The frame that waits keeps its weight.
func (f *function) appendEnter(out []byte) []byte {
	cost, weight := f.edits[0].n, f.weight()
	if cost > chargeMax {
		out, cost = f.appendSettleBy(out, cost), 0
	}
	cost <<= depthBits
	out = append(appendSigned(append(f.get(out), opI32Const), cost+weight), opI32Sub)
	out = appendU32(append(out, opLocalTee), f.counter())
	out = append(appendSigned(append(out, opI32Const), badBits), opI32And)
	out = append(out, opI32Const, 0, opI32Ne, opIf, typeEmpty)
	for i := uint32(0); i < f.counter(); i++ {
		out = appendU32(append(out, opLocalGet), i)
	}
	out = append(f.get(out), opI64Const, 0)
	out = appendU32(append(out, opCall), f.w.settleIndex())
	out = append(appendSigned(append(out, opI32Const), cost), opI32Add)
	out = appendU32(append(out, opCall), f.w.inner(f.index))
	out = append(appendSigned(append(out, opI32Const), weight), opI32Add, opReturn, opEnd)
	if f.exits {
		out = f.w.appendBlock(out, f.typ.results)
	}
	return out
}

// appendLeave writes what comes behind the function's own end, which closes the block if there is
// one: the results, then count + weight.
func (f *function) appendLeave(out []byte) []byte {
	if !f.exits {
		out = out[:len(out)-1]
	}
	out = f.get(out)
	if w := f.weight(); w > 0 {
		out = append(appendSigned(append(out, opI32Const), w), opI32Add)
	}
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
	return appendSigned(append(out, opBlock), int64(w.newType(funcType{results: results})))
}
