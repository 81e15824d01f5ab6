package fuel

import "strings"

// Section ids of the binary format, in the order sections must come.
const (
	secCustom    = 0
	secType      = 1
	secImport    = 2
	secFunction  = 3
	secTable     = 4
	secMemory    = 5
	secGlobal    = 6
	secExport    = 7
	secStart     = 8
	secElement   = 9
	secCode      = 10
	secData      = 11
	secDataCount = 12
	secTag       = 13
)

// sectionOrder is the order of the known sections: the data count comes before the code.
var sectionOrder = [...]byte{
	secType, secImport, secFunction, secTable, secMemory, secGlobal, secExport, secStart, secElement,
	secDataCount, secCode, secData,
}

var sectionNames = [...]string{
	"custom", "type", "import", "function", "table", "memory", "global", "export", "start",
	"element", "code", "data", "data count",
}

type funcType struct{ params, results []byte }

// rewriter holds what is known of the module so far. Sections are read in their order, so the types
// are known when the functions come, and all globals when the code comes.
type rewriter struct {
	limits   Limits
	sections [secTag][]byte // contents to write, by id; nil for none
	types    []funcType
	newTypes []funcType // behind types, for wrapped functions with several results
	funcs    []uint32   // types of functions, imported ones first
	imported uint32     // functions imported
	globals  uint32
	tables   uint32
	memories uint32
	start    int64 // function, -1 for none
	names    []byte
	out      Module
}

// read takes one section. body aliases the input.
func (w *rewriter) read(id byte, body []byte) error {
	r := &reader{section: sectionNames[id], b: body}
	w.sections[id] = body
	switch id {
	case secType:
		w.readTypes(r)
	case secImport:
		w.readImports(r)
	case secFunction:
		w.readFunctions(r)
	case secTable:
		w.readTables(r)
	case secMemory:
		w.readMemories(r)
	case secGlobal:
		w.readGlobals(r)
	case secExport:
		w.readExports(r)
	case secStart:
		w.readStart(r)
	case secElement:
		w.readElements(r)
	case secDataCount:
		r.u32()
	case secCode:
		w.readCode(r)
	case secData:
		w.readData(r)
	}
	return r.end()
}

func (w *rewriter) readTypes(r *reader) {
	n := r.count("types", w.limits.TypesMax, 3)
	for i := 0; i < n && r.err == nil; i++ {
		form := r.byte()
		if r.err == nil && form != typeFunc {
			r.fail(unsupported("garbage collected types", hintReferences))
			return
		}
		w.types = append(w.types, funcType{params: w.readValueTypes(r), results: w.readValueTypes(r)})
	}
}

func (w *rewriter) readValueTypes(r *reader) []byte {
	n := r.count("values in a type", min(w.limits.LocalsMax, 1000), 1)
	first := r.at
	for i := 0; i < n && r.err == nil; i++ {
		r.valueType()
	}
	if r.err != nil {
		return nil
	}
	return r.b[first:r.at:r.at]
}

func (w *rewriter) readImports(r *reader) {
	n := r.count("imports", w.limits.ImportsMax, 4)
	for i := 0; i < n && r.err == nil; i++ {
		im := Import{Module: r.name(w.limits.NameBytesMax), Name: r.name(w.limits.NameBytesMax), Kind: r.byte()}
		switch im.Kind {
		case KindFunc:
			t := w.addFunction(r)
			im.Params, im.Results = t.params, t.results
		case KindTable:
			w.readTable(r)
			w.tables++
		case KindMemory:
			w.readMemory(r)
		case KindGlobal:
			w.readGlobalType(r)
		case 4:
			r.fail(unsupported("exception handling (tags)", hintExceptions))
		default:
			r.malformed("unknown kind of import")
		}
		w.out.Imports = append(w.out.Imports, im)
	}
	w.imported = uint32(len(w.funcs))
}

// addFunction reads a type index.
func (w *rewriter) addFunction(r *reader) funcType {
	t := r.u32()
	if int64(t) >= int64(len(w.types)) {
		r.malformed("unknown type")
		return funcType{}
	}
	w.funcs = append(w.funcs, t)
	return w.types[t]
}

func (w *rewriter) readFunctions(r *reader) {
	n := r.count("functions", w.limits.FunctionsMax, 1)
	for i := 0; i < n && r.err == nil; i++ {
		w.addFunction(r)
	}
}

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

func (w *rewriter) readTable(r *reader) []byte {
	t := r.byte()
	if r.err == nil && !isReferenceType(t) {
		r.fail(unsupported("tables of typed references or with initial values", hintReferences))
		return nil
	}
	low, high := w.readLimits(r, "table elements", w.limits.TableElementsMax, 1<<32-1)
	return appendLimits([]byte{t}, low, high)
}

func (w *rewriter) readTables(r *reader) {
	n := r.count("tables", w.limits.TablesMax, 3)
	out := appendU32(nil, uint32(n))
	for i := 0; i < n && r.err == nil; i++ {
		out = append(out, w.readTable(r)...)
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

func (w *rewriter) readGlobalType(r *reader) {
	r.valueType()
	if r.byte() > 1 {
		r.malformed("mutability is not 0 or 1")
	}
	w.globals++
}

func (w *rewriter) readGlobals(r *reader) {
	n := r.count("globals", w.limits.GlobalsMax, 4)
	for i := 0; i < n && r.err == nil; i++ {
		w.readGlobalType(r)
		w.readConst(r)
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
			w.readGlobalIndex(r)
		case 0xd0:
			r.referenceType()
		case 0xd2:
			r.u32()
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

// readGlobalIndex keeps the module away from the globals that come behind its own.
func (w *rewriter) readGlobalIndex(r *reader) {
	if i := r.u32(); r.err == nil && i >= w.globals {
		r.malformed("unknown global")
	}
}

func (w *rewriter) readExports(r *reader) {
	n := r.count("exports", w.limits.ExportsMax, 3)
	for i := 0; i < n && r.err == nil; i++ {
		ex := Export{Name: r.name(w.limits.NameBytesMax), Kind: r.byte()}
		index := r.u32()
		switch {
		case r.err != nil:
			return
		case strings.HasPrefix(ex.Name, Reserved):
			r.malformed("the export " + ex.Name + " starts with a reserved prefix")
		case ex.Kind == 4:
			r.fail(unsupported("exception handling (tags)", hintExceptions))
		case ex.Kind > 4:
			r.malformed("unknown kind of export")
		case ex.Kind == KindGlobal && index >= w.globals:
			r.malformed("unknown global")
		case ex.Kind == KindFunc && int64(index) >= int64(len(w.funcs)):
			r.malformed("unknown function")
		case ex.Kind == KindFunc:
			t := w.types[w.funcs[index]]
			ex.Params, ex.Results = t.params, t.results
		}
		w.out.Exports = append(w.out.Exports, ex)
	}
}

// readStart checks what the engine would have: as an export the function may have any type.
func (w *rewriter) readStart(r *reader) {
	index := r.u32()
	if r.err != nil {
		return
	}
	if int64(index) >= int64(len(w.funcs)) {
		r.malformed("unknown function")
		return
	}
	if t := w.types[w.funcs[index]]; len(t.params)+len(t.results) > 0 {
		r.malformed("the start function has parameters or results")
		return
	}
	w.start = int64(index)
	w.out.HasStart = true
	w.sections[secStart] = nil
}

// readElements follows the eight shapes of an element segment, by its flags: bit 0 passive or
// declared, bit 1 explicit table (or, with bit 0, declared), bit 2 expressions.
func (w *rewriter) readElements(r *reader) {
	n := r.count("element segments", w.limits.SegmentsMax, 2)
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
		items := r.count("elements", 1<<20, 1)
		for j := 0; j < items && r.err == nil; j++ {
			if flags&4 != 0 {
				w.readConst(r)
			} else {
				r.u32()
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
			w.readConst(r)
		case 1:
		case 2:
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
