package fuel

// readElements follows the eight shapes of an element segment, by its flags: bit 0 passive or
// declared, bit 1 explicit table (or, with bit 0, declared), bit 2 expressions.
func (w *rewriter) readElements(r *reader) {
	n := r.count("element segments", w.limits.SegmentsMax, 2)
	w.out.Forwards = w.out.Forwards && n == 0
	for i := 0; i < n && r.err == nil; i++ {
		flags := r.u32()
		if flags > 7 {
			r.malformed("unknown flags of an element segment")
			return
		}
		if flags&1 == 0 {
			if flags&2 != 0 {
				r.u32()
			}
			w.readConst(r)
		}
		if flags&3 != 0 {
			if flags&4 != 0 {
				r.referenceType()
			} else if r.byte() != 0 {
				r.malformed("unknown kind of element")
			}
		}
		items := r.count("elements", w.limits.ElementsMax, 1)
		w.out.Elements += uint64(items)
		if most := uint64(w.limits.ElementsMax); w.out.Elements > most {
			r.fail(tooMany("elements in all segments", w.out.Elements, most))
		}
		for j := 0; j < items && r.err == nil; j++ {
			if flags&4 != 0 {
				w.readConst(r)
			} else {
				w.expose(w.readFunctionIndex(r))
			}
		}
	}
}

func (w *rewriter) readData(r *reader) {
	n := r.count("data segments", w.limits.SegmentsMax, 2)
	for i := 0; i < n && r.err == nil; i++ {
		flags := r.u32()
		switch flags {
		case 0:
			w.needMemory(r)
			w.readConst(r)
		case 1:
		case 2:
			w.needMemory(r)
			if r.u32() != 0 && r.err == nil {
				r.fail(unsupported("multiple memories", hintMemories))
			}
			w.readConst(r)
		default:
			r.malformed("unknown flags of a data segment")
		}
		r.bytes(r.u32())
	}
}

// readConst skips a constant expression.
func (w *rewriter) readConst(r *reader) {
	for r.err == nil {
		switch op := r.byte(); op {
		case opEnd:
			return
		case opI32Const:
			r.signed(32)
		case opI64Const:
			r.signed(64)
		case 0x43:
			r.bytes(4)
		case 0x44:
			r.bytes(8)
		case opGlobalGet:
			at := r.at
			i := w.readGlobalIndex(r)
			if moved := w.movedGlobal(i); moved != i {
				w.moves = append(w.moves, edit{at: at, kind: editIndex, n: int64(moved)})
			}
		case 0xd0:
			r.referenceType()
		case opRefFunc:
			w.expose(w.readFunctionIndex(r))
		case 0x6a, 0x6b, 0x6c, 0x7c, 0x7d, 0x7e: // extended constants: add, sub, mul
		case opPrefixSIMD:
			if r.u32() != 12 {
				r.malformed("not a constant")
			}
			r.bytes(16)
		default:
			if err := refusedOpcode(op); err != nil {
				r.fail(err)
			} else {
				r.malformed("not a constant")
			}
		}
	}
}

func (r *reader) referenceType() {
	if t := r.byte(); r.err == nil && !isReferenceType(t) {
		r.fail(unsupported("typed references", hintReferences))
	}
}

// readFunctionIndex keeps the module away from the function that comes behind its own.
func (w *rewriter) readFunctionIndex(r *reader) uint32 {
	i := r.u32()
	if r.err == nil && int64(i) >= int64(len(w.funcs)) {
		r.malformed("unknown function")
	}
	return i
}

// readGlobalIndex keeps the module away from the globals that are not its own.
func (w *rewriter) readGlobalIndex(r *reader) uint32 {
	i := r.u32()
	if r.err == nil && i >= w.globals {
		r.malformed("unknown global")
	}
	return i
}
