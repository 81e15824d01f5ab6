package fuel

// readLimits reads minimum and maximum; max is cut to limit and is never absent.
func (w *rewriter) readLimits(r *reader, what string, limit, most uint32) (low, high uint32) {
	flags := r.byte()
	switch {
	case r.err != nil:
	case flags >= 4 && flags <= 7:
		r.fail(unsupported("64-bit "+what, hintMemory64))
	case flags == 2 || flags == 3:
		r.fail(unsupported("threads (shared "+what+")", hintThreads))
	case flags > 7:
		r.malformed("unknown flags of limits")
	}
	low, high = r.u32(), most
	if flags == 1 {
		high = r.u32()
	}
	if r.err != nil {
		return 0, 0
	}
	if low > high || high > most {
		r.malformed("limits are out of order")
	} else if low > limit {
		r.fail(tooMany(what, uint64(low), uint64(limit)))
	}
	return low, min(high, limit)
}

func appendLimits(dst []byte, low, high uint32) []byte {
	return appendU32(appendU32(append(dst, 1), low), high)
}

func (w *rewriter) readTable(r *reader) (t byte, low, high uint32) {
	t = r.byte()
	if r.err == nil && !isReferenceType(t) {
		r.fail(unsupported("tables of typed references or with initial values", hintReferences))
		return 0, 0, 0
	}
	low, high = w.readLimits(r, "table elements", w.limits.TableElementsMax, 1<<32-1)
	return t, low, high
}

func (w *rewriter) readTables(r *reader) {
	n := r.count("tables", w.limits.TablesMax, 3)
	out := appendU32(nil, uint32(n))
	for i := 0; i < n && r.err == nil; i++ {
		t, low, high := w.readTable(r)
		if w.options.FixTables {
			high = low
		}
		w.out.TableElementsMin += uint64(low)
		w.out.TableElementsMax += uint64(high)
		out = appendLimits(append(out, t), low, high)
		w.tables++
	}
	if r.err == nil && w.tables > w.limits.TablesMax {
		r.fail(tooMany("tables", uint64(w.tables), uint64(w.limits.TablesMax)))
	}
	w.sections[secTable] = out
}

func (w *rewriter) readMemory(r *reader) []byte {
	low, high := w.readLimits(r, "memory pages", w.limits.MemoryPagesMax, 1<<16)
	w.memories++
	if r.err == nil && w.memories > 1 {
		r.fail(unsupported("multiple memories", hintMemories))
	}
	w.out.HasMemory, w.out.MemoryPagesMin = true, low
	return appendLimits(nil, low, high)
}

func (w *rewriter) readMemories(r *reader) {
	n := r.count("memories", 100, 2)
	out := appendU32(nil, uint32(n))
	for i := 0; i < n && r.err == nil; i++ {
		out = append(out, w.readMemory(r)...)
	}
	w.sections[secMemory] = out
}

// needMemory keeps a module without a memory away from the one that the rewrite adds.
func (w *rewriter) needMemory(r *reader) {
	if w.memories == 0 && r.err == nil {
		r.malformed("unknown memory")
	}
}

// addMemory gives a module that counts a memory of no pages, if it has none: see appendRefuel.
func (w *rewriter) addMemory() {
	if w.memories == 0 && w.sections[secCode] != nil {
		w.sections[secMemory] = appendLimits([]byte{1}, 0, 0)
	}
}
