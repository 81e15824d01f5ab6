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
	secType, secImport, secFunction, secTable, secMemory, secGlobal, secExport, secStart,
	secElement, secDataCount, secCode, secData,
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
	newTypes []funcType        // behind types
	known    map[string]uint32 // indices of newTypes
	funcs    []uint32          // types of functions, imported ones first
	imported uint32            // functions imported
	exposes  []bool            // of functions: see expose
	exposed  []uint32          // those of them that the module defines, in order
	ranks    []uint32          // of functions: the place among exposed
	places   []int             // of imported functions among the imports
	globals  uint32
	tables   uint32
	memories uint32
	start    int64 // function, -1 for none
	names    []byte
	out      Module

	options         Options
	importedGlobals uint32   // the first of globals
	numbers         []uint32 // of globals: those that it defines and changes
	moves           []edit   // indices of globals in the constants of the section at hand
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
	if err := r.end(); err != nil || len(w.moves) == 0 {
		return err
	}
	w.sections[id] = moveGlobals(body, w.moves)
	w.moves = nil
	return nil
}

func (w *rewriter) readTypes(r *reader) {
	n := r.count("types", w.limits.TypesMax, 3)
	for i := 0; i < n && r.err == nil; i++ {
		form := r.byte()
		if r.err == nil && form != typeFunc {
			r.fail(unsupported("garbage collected types", hintReferences))
			return
		}
		t := funcType{params: w.readValueTypes(r), results: w.readValueTypes(r)}
		w.types = append(w.types, t)
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

// readGlobalType answers whether the global can be changed and is a number that the host can read.
func (w *rewriter) readGlobalType(r *reader) (number bool) {
	first := r.at
	r.valueType()
	mutable := r.byte()
	if mutable > 1 {
		r.malformed("mutability is not 0 or 1")
	}
	w.globals++
	return r.err == nil && mutable == 1 && r.b[first] >= typeF64
}

func (w *rewriter) readGlobals(r *reader) {
	n := r.count("globals", w.limits.GlobalsMax, 4)
	for i := 0; i < n && r.err == nil; i++ {
		if w.readGlobalType(r) {
			w.numbers = append(w.numbers, w.globals-1)
		}
		w.readConst(r)
	}
}

func (w *rewriter) readExports(r *reader) {
	n := r.count("exports", w.limits.ExportsMax, 3)
	items := appendU32(nil, uint32(n))
	for i := 0; i < n && r.err == nil; i++ {
		ex := Export{Name: r.name(w.limits.NameBytesMax), Kind: r.byte(), Import: -1}
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
		case ex.Kind == KindMemory && index >= w.memories:
			r.malformed("unknown memory")
		case ex.Kind == KindGlobal && index >= w.globals:
			r.malformed("unknown global")
		case ex.Kind == KindFunc && int64(index) >= int64(len(w.funcs)):
			r.malformed("unknown function")
		case ex.Kind == KindFunc:
			t := w.types[w.funcs[index]]
			ex.Params, ex.Results = t.params, t.results
			if index < w.imported {
				ex.Import = w.places[index]
			}
			w.expose(index)
		}
		w.out.Exports = append(w.out.Exports, ex)
		if ex.Kind == KindGlobal {
			index = w.movedGlobal(index)
		}
		items = appendU32(append(appendName(items, ex.Name), ex.Kind), index)
	}
	w.sections[secExport] = items
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
	w.expose(index)
	w.out.Forwards = false
	w.out.HasStart = true
	w.sections[secStart] = nil
}
