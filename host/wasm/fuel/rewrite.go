package fuel

import (
	"bytes"
	"fmt"
	"strconv"
)

const header = "\x00asm\x01\x00\x00\x00"

// Rewrite reads a core module and returns it with the counters in. The result does not alias code,
// except for what Import, Export and Custom say. Errors wrap ErrMalformed, ErrLimit or
// ErrUnsupported. The work is linear in the size of the input.
func Rewrite(code []byte, l Limits) (*Module, error) {
	return RewriteWith(code, l, Options{})
}

// Counters says where a module has its counters.
type Counters byte

// The counters are its own, imported from SharedModule, or left out, which only a module that
// forwards may, or one that defines no function.
const (
	Own Counters = iota
	Imported
	Without
)

// Options of RewriteWith; the zero value makes it Rewrite.
type Options struct {
	Counters Counters
	// Rename says what the import at place asks for from now on; nil leaves all as they are.
	Rename func(place int, im Import) Name
	// FixTables takes the room to grow from its tables.
	FixTables bool
}

// RewriteWith is Rewrite in another way.
func RewriteWith(code []byte, l Limits, o Options) (*Module, error) {
	if uint64(len(code)) > uint64(l.ModuleBytesMax) {
		return nil, tooMany("bytes", uint64(len(code)), uint64(l.ModuleBytesMax))
	}
	if len(code) < len(header) || string(code[:4]) != header[:4] {
		return nil, fmt.Errorf("fuel: %w: this is not WebAssembly", ErrMalformed)
	}
	if string(code[:len(header)]) != header {
		if code[6] == 1 {
			return nil, unsupported("the component format", "give the core module instead")
		}
		return nil, fmt.Errorf("fuel: %w: unknown version of WebAssembly", ErrMalformed)
	}
	w := &rewriter{limits: l, start: -1, options: o}
	w.out.Forwards = true
	if err := w.readAll(code); err != nil {
		return nil, err
	}
	w.out.Functions = len(w.funcs) - int(w.imported)
	w.out.Forwards = w.out.Forwards && w.out.Functions > 0 && len(w.out.Imports) == 0
	if o.Counters == Without && w.out.Functions > 0 && !w.out.Forwards {
		return nil, unsupported("more than forwarding", "give it counters")
	}
	w.out.Code = w.write(len(code))
	return &w.out, nil
}

// readAll splits the module into sections and reads each.
func (w *rewriter) readAll(code []byte) error {
	r := &reader{section: "module", b: code, at: len(header)}
	next := 0
	for r.more() {
		id := r.byte()
		body := r.bytes(r.u32())
		if r.err != nil {
			return r.err
		}
		if id == secCustom {
			if err := w.readCustom(body); err != nil {
				return err
			}
			continue
		}
		if id == secTag {
			return unsupported("exception handling (tags)", hintExceptions)
		}
		at := bytes.IndexByte(sectionOrder[next:], id)
		if at < 0 {
			return malformed("module", r.at,
				fmt.Sprintf("section %d is unknown or out of order", id))
		}
		next += at + 1
		if err := w.read(id, body); err != nil {
			return err
		}
	}
	if defined := uint32(len(w.funcs)) - w.imported; defined > 0 && w.sections[secCode] == nil {
		return malformed("module", r.at, "functions without code")
	}
	return r.err
}

func (w *rewriter) readCustom(body []byte) error {
	r := &reader{section: "custom", b: body}
	name := r.name(w.limits.NameBytesMax)
	if r.err != nil {
		return r.err
	}
	if name == "name" {
		w.names = body[r.at:]
		return nil
	}
	w.out.Customs = append(w.out.Customs, Custom{Name: name, Data: body[r.at:]})
	return nil
}

// write puts the sections together again.
func (w *rewriter) write(sizeHint int) []byte {
	w.writeTypes()
	switch w.options.Counters {
	case Own:
		w.addMemory()
		w.writeGlobals()
	case Imported:
		w.addMemory()
		w.writeImports()
	}
	w.writeExports()
	out := make([]byte, 0, sizeHint+sizeHint/4)
	out = append(out, header...)
	for _, id := range sectionOrder {
		if body := w.sections[id]; body != nil {
			out = appendU32(append(out, id), uint32(len(body)))
			out = append(out, body...)
		}
	}
	if names := w.functionNames(); names != nil {
		out = appendBody(append(out, secCustom), append(appendName(nil, "name"), names...))
	}
	return out
}

// extend adds n items to the vector that is a section.
func (w *rewriter) extend(id byte, n uint32, items []byte) {
	if n == 0 {
		return
	}
	r := &reader{b: w.sections[id]}
	had := uint32(0)
	if len(r.b) > 0 {
		had = r.u32()
	}
	out := appendU32(make([]byte, 0, len(r.b)+len(items)+1), had+n)
	out = append(out, r.b[r.at:]...)
	w.sections[id] = append(out, items...)
}

func (w *rewriter) writeTypes() {
	var items []byte
	for _, t := range w.newTypes {
		items = appendU32(append(items, typeFunc), uint32(len(t.params)))
		items = append(items, t.params...)
		items = appendU32(items, uint32(len(t.results)))
		items = append(items, t.results...)
	}
	w.extend(secType, uint32(len(w.newTypes)), items)
}

func (w *rewriter) writeGlobals() {
	w.extend(secGlobal, 2, []byte{
		typeI32, 1, opI32Const, 0, opEnd, // count
		typeI64, 1, opI64Const, 0, opEnd, // rest
	})
}

// countIndex is behind the globals of the module, or behind the imported ones.
func (w *rewriter) countIndex() uint32 {
	if w.options.Counters == Imported {
		return w.importedGlobals
	}
	return w.globals
}

func (w *rewriter) restIndex() uint32 { return w.countIndex() + 1 }

func (w *rewriter) writeExports() {
	var items []byte
	n := uint32(0)
	if w.options.Counters == Own {
		items = appendU32(append(appendName(nil, CountGlobal), KindGlobal), w.countIndex())
		items = appendU32(append(appendName(items, RestGlobal), KindGlobal), w.restIndex())
		n = 2
	}
	if w.start >= 0 {
		items = appendU32(append(appendName(items, StartExport), KindFunc), uint32(w.start))
		n++
	}
	for i, index := range w.numbers {
		name := GlobalExport + strconv.Itoa(i)
		items = appendU32(append(appendName(items, name), KindGlobal), w.movedGlobal(index))
		n++
	}
	w.extend(secExport, n, items)
}
