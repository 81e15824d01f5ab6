package fuel

// appendRefuel writes the function that is called when fuel is below zero. In words:
//
//	if fuel + rest < 0 { unreachable }
//	memory.grow 0                    // out of native code, and back
//	rest += fuel
//	fuel = min(rest, slice)
//	rest -= fuel
//
// Growing by nothing is how a module leaves native code without an import. In there the Go runtime
// cannot stop the thread, and a garbage collection that waits for it holds the whole process. A
// module without a memory is given an empty one for that.
func (w *rewriter) appendRefuel(out []byte) []byte {
	fuel, rest := w.fuelIndex(), w.restIndex()
	get := func(b []byte, global uint32) []byte { return appendU32(append(b, opGlobalGet), global) }
	set := func(b []byte, global uint32) []byte { return appendU32(append(b, opGlobalSet), global) }
	slice := func(b []byte) []byte {
		return appendSigned(append(b, opI64Const), int64(w.limits.SliceFuel))
	}
	b := []byte{0} // no locals
	b = append(get(get(b, fuel), rest), opI64Add, opI64Const, 0, opI64LtS,
		opIf, typeEmpty, opUnreachable, opEnd)
	b = append(b, opI32Const, 0, opMemoryGrow, 0, opDrop)
	b = set(append(get(get(b, fuel), rest), opI64Add), rest)
	b = get(slice(b), rest)
	b = set(append(get(slice(b), rest), opI64LtS, opSelect), fuel)
	b = set(append(get(get(b, rest), fuel), opI64Sub), rest)
	b = append(b, opEnd)

	w.newTypes = append(w.newTypes, funcType{})
	w.extend(secFunction, 1, appendU32(nil, uint32(len(w.types)+len(w.newTypes)-1)))
	return append(appendU32(out, uint32(len(b))), b...)
}
