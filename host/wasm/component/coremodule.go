package component

// Sections of a core module, numbered as in the binary format.
const (
	coreSectionCustom   = 0
	coreSectionType     = 1
	coreSectionImport   = 2
	coreSectionFunction = 3
	coreSectionTable    = 4
	coreSectionMemory   = 5
	coreSectionGlobal   = 6
	coreSectionExport   = 7
	coreSectionTag      = 13
)

// coreModule is what the sections say that imports and exports depend on.
type coreModule struct {
	CoreModuleType
	types []CoreFuncType
	// funcs are by the index of their type. The other spaces are by core sort. All begin with what
	// is imported.
	funcs  []uint32
	spaces [4][]CoreExtern
}

// readCoreModule reads what a core module imports and exports. Code, segments and the start
// function are skipped.
func readCoreModule(code []byte, b *budget) (*CoreModuleType, error) {
	r := &reader{code: code, budget: b}
	r.preamble(coreLayer, "a core module")
	m := &coreModule{}
	last := 0
	for r.more() {
		id := r.byte()
		s := r.sub(r.u32())
		if id == coreSectionCustom {
			s.name()
			s.pos = len(s.code)
		} else if rank := coreSectionRank(id); rank <= last {
			s.fail("section %d is not known, or out of order", id)
		} else {
			last = rank
			m.section(s, id)
		}
		r.done(s, "a section of a core module")
	}
	if r.err != nil {
		return nil, r.err
	}
	return &m.CoreModuleType, m.unique()
}

// coreSectionRank is the place of a section in their order, 0 for one that is not known.
func coreSectionRank(id byte) int {
	order := [...]int{1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 13: 6, 6: 7, 7: 8, 8: 9, 9: 10, 12: 11, 10: 12,
		11: 13}
	if int(id) >= len(order) {
		return 0
	}
	return order[id]
}

func (m *coreModule) section(r *reader, id byte) {
	switch id {
	case coreSectionType:
		m.types = vec(r, readModuleFuncType)
	case coreSectionImport:
		m.Imports = vec(r, m.readImport)
	case coreSectionFunction:
		m.defineFuncs(r)
	case coreSectionTable:
		m.define(r, CoreTable, func(e *CoreExtern) {
			if r.peek() == 0x40 {
				r.failWith(notServed("table with an initial value", buildNoGC))
			}
			e.Elem, e.Table = readTableType(r)
		})
	case coreSectionMemory:
		m.define(r, CoreMemory, func(e *CoreExtern) { e.Memory = readMemoryType(r) })
	case coreSectionGlobal:
		m.define(r, CoreGlobal, func(e *CoreExtern) {
			e.Global, e.Mut = readGlobalType(r)
			skipConst(r)
		})
	case coreSectionExport:
		m.Exports = vec(r, m.readExport)
	case coreSectionTag:
		r.failWith(notServed("core tag (exception handling)", "build without wasm exceptions"))
	default:
		r.pos = len(r.code)
	}
}

func readModuleFuncType(r *reader) CoreFuncType {
	switch r.peek() {
	case 0x4e, 0x4f, 0x50, 0x5e, 0x5f:
		r.failWith(notServed("core type of the GC proposal", buildNoGC))
	}
	return readCoreFuncType(r)
}

// define reads the definitions of a section.
func (m *coreModule) define(r *reader, s Sort, read func(*CoreExtern)) {
	for n := r.count(); n > 0 && r.err == nil; n-- {
		e := CoreExtern{Sort: s}
		read(&e)
		m.spaces[s] = append(m.spaces[s], e)
	}
}

// functionsMax is how many functions a core module may have, by the implementation limits of the
// JavaScript embedding. They are no items: big modules have many.
const functionsMax = 1_000_000

func (m *coreModule) defineFuncs(r *reader) {
	n := r.u32()
	if n > functionsMax {
		r.fail("a core module of %d functions, at most %d are served", n, functionsMax)
	}
	for ; n > 0 && r.err == nil; n-- {
		m.addFunc(r, r.u32())
	}
}

func (m *coreModule) addFunc(r *reader, i uint32) {
	if int64(i) >= int64(len(m.types)) {
		r.fail("core type %d of %d: index out of bounds", i, len(m.types))
		return
	}
	m.funcs = append(m.funcs, i)
}

func (m *coreModule) readImport(r *reader) CoreImport {
	i := CoreImport{Module: r.name(), CoreExtern: CoreExtern{Name: r.name()}}
	index := readCoreExtern(r, &i.CoreExtern)
	if i.Sort != CoreFunc {
		m.spaces[i.Sort] = append(m.spaces[i.Sort], i.CoreExtern)
		return i
	}
	if m.addFunc(r, index); r.err == nil {
		i.Func = m.types[index]
	}
	return i
}

func (m *coreModule) readExport(r *reader) CoreExtern {
	name, sort, index := r.name(), readCoreSort(r), r.u32()
	if sort == CoreFunc && int64(index) < int64(len(m.funcs)) {
		return CoreExtern{Name: name, Func: m.types[m.funcs[index]]}
	}
	if sort == CoreFunc || sort > CoreGlobal || int64(index) >= int64(len(m.spaces[sort])) {
		r.fail("export %q of %s %d: index out of bounds", name, sort, index)
		return CoreExtern{}
	}
	e := m.spaces[sort][index]
	e.Name = name
	return e
}

// skipConst reads a constant expression.
func skipConst(r *reader) {
	for r.err == nil {
		switch op := r.byte(); op {
		case 0x0b: // end
			return
		case 0x41, 0x42: // i32.const, i64.const
			for r.byte()&0x80 != 0 && r.err == nil {
			}
		case 0x43: // f32.const
			r.bytes(4)
		case 0x44: // f64.const
			r.bytes(8)
		case 0x23, 0xd2: // global.get, ref.func
			r.u32()
		case 0xd0: // ref.null
			r.byte()
		case 0xfd: // v128.const
			r.want(0x0c, "vector instruction of a constant expression")
			r.bytes(16)
		case 0x6a, 0x6b, 0x6c, 0x7c, 0x7d, 0x7e: // add, sub, mul
		default:
			r.fail("0x%02x is no instruction of a constant expression", op)
		}
	}
}
