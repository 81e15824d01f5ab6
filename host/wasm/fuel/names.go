package fuel

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// functionNameBytesMax cuts what a stack trace shows; C++ and Rust have longer names.
const functionNameBytesMax = 200

// FrameName is what the functions that the rewrite adds are called in a stack trace: all of them
// contain it, and no function of the module does.
const FrameName = Reserved + "frame"

// functionNames gives the body of a new name section with the names of functions; nil when there
// are none. Code that moved behind the others keeps its name, or gets that of its index, and what
// stands in its old place is not the module's.
func (w *rewriter) functionNames() []byte {
	names := w.readNames()
	if w.options.Counters != Without && w.sections[secCode] != nil {
		if names == nil {
			names = make(map[uint32][]byte)
		}
		for rank, index := range w.exposed {
			name, had := names[index]
			if !had {
				name = strconv.AppendUint([]byte("$"), uint64(index), 10)
			}
			names[uint32(len(w.funcs)+rank)] = name
			names[index] = []byte(FrameName)
		}
		names[w.settleIndex()] = []byte(FrameName)
	}
	if len(names) == 0 {
		return nil
	}
	items := appendU32(nil, uint32(len(names)))
	for i := range w.settleIndex() + 1 {
		if name, had := names[i]; had {
			items = appendName(appendU32(items, i), string(name))
		}
	}
	return appendBody([]byte{1}, items)
}

// readNames reads the name section; nil when it is broken, for names are a courtesy.
func (w *rewriter) readNames() map[uint32][]byte {
	r := &reader{section: "name", b: w.names}
	for r.more() {
		id := r.byte()
		body := r.bytes(r.u32())
		if r.err != nil || id > 1 {
			return nil
		}
		if id == 1 {
			return w.readFunctionNames(body)
		}
	}
	return nil
}

func (w *rewriter) readFunctionNames(body []byte) map[uint32][]byte {
	r := &reader{section: "name", b: body}
	n := r.count("names", uint32(len(w.funcs)), 2)
	names := make(map[uint32][]byte, n)
	next := uint32(0)
	for i := 0; i < n && r.err == nil; i++ {
		index := r.u32()
		name := r.bytes(r.u32())
		if r.err != nil || index < next || int64(index) >= int64(len(w.funcs)) {
			return nil
		}
		next = index + 1
		if len(name) > functionNameBytesMax {
			name = bytes.ToValidUTF8(name[:functionNameBytesMax], nil)
		}
		if utf8.Valid(name) && !bytes.Contains(name, []byte(Reserved)) {
			names[index] = name
		}
	}
	if r.err != nil {
		return nil
	}
	return names
}
