package fuel

import "strings"

// Name is what an import asks for.
type Name struct{ Module, Name string }

// sharedGlobals are the counters, in the order of their indices.
var sharedGlobals = [...]struct {
	name string
	kind byte
}{{CountGlobal, typeI32}, {RestGlobal, typeI64}}

func (w *rewriter) readImports(r *reader) {
	n := r.count("imports", w.limits.ImportsMax, 4)
	var items []byte
	for i := 0; i < n && r.err == nil; i++ {
		names := w.limits.NameBytesMax
		im := Import{Module: r.name(names), Name: r.name(names)}
		first := r.at
		w.readImport(r, &im)
		if r.err != nil {
			return
		}
		w.out.Imports = append(w.out.Imports, im)
		name := Name{Module: im.Module, Name: im.Name}
		if w.options.Rename != nil {
			name = w.options.Rename(i, im)
		}
		items = append(appendName(appendName(items, name.Module), name.Name), r.b[first:r.at]...)
	}
	w.imported, w.importedGlobals = uint32(len(w.funcs)), w.globals
	w.sections[secImport] = append(appendU32(nil, uint32(n)), items...)
}

// readImport reads what is behind the names.
func (w *rewriter) readImport(r *reader, im *Import) {
	if strings.HasPrefix(im.Module, Reserved) {
		r.malformed("the import module " + im.Module + " starts with a reserved prefix")
	}
	switch im.Kind = r.byte(); im.Kind {
	case KindFunc:
		t := w.addFunction(r)
		im.Params, im.Results = t.params, t.results
		w.places = append(w.places, len(w.out.Imports))
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
}

// movedGlobal is the index that a global of the module has in the new one: the counters come
// behind the imported ones if they are imported too.
func (w *rewriter) movedGlobal(index uint32) uint32 {
	if w.options.Counters == Imported && index >= w.importedGlobals {
		return index + uint32(len(sharedGlobals))
	}
	return index
}

// writeImports adds the counters of a shared budget.
func (w *rewriter) writeImports() {
	var items []byte
	for _, g := range sharedGlobals {
		items = append(appendName(appendName(items, SharedModule), g.name), KindGlobal, g.kind, 1)
	}
	w.extend(secImport, uint32(len(sharedGlobals)), items)
}
