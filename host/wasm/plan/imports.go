package plan

import (
	"errors"
	"fmt"

	"github.com/hpmq/hpmq/host/wasm/component"
)

var errModule = errors.New("a core module ends within its imports")

// moduleImports reads the imports of a core module, without their types.
func moduleImports(code []byte) ([]component.CoreImport, error) {
	if len(code) < 8 {
		return nil, errModule
	}
	r := &importReader{b: code[8:]}
	for len(r.b) > 0 && !r.bad {
		id := r.byte()
		body := r.bytes(r.u32())
		if id == 2 && !r.bad {
			return (&importReader{b: body}).imports()
		}
	}
	if r.bad {
		return nil, errModule
	}
	return nil, nil
}

// importReader reads; after an error it gives zeros.
type importReader struct {
	b   []byte
	bad bool
}

func (r *importReader) imports() ([]component.CoreImport, error) {
	var out []component.CoreImport
	for range r.u32() {
		i := component.CoreImport{Module: string(r.bytes(r.u32()))}
		i.Name = string(r.bytes(r.u32()))
		kind := r.byte()
		if kind > byte(component.CoreGlobal) {
			return nil, fmt.Errorf("a core module imports %q of a kind that is not served", i.Name)
		}
		i.Sort = component.Sort(kind)
		r.importType(kind)
		if r.bad {
			return nil, errModule
		}
		out = append(out, i)
	}
	return out, nil
}

func (r *importReader) importType(kind byte) {
	switch component.Sort(kind) {
	case component.CoreFunc:
		r.u32()
	case component.CoreGlobal:
		r.bytes(2)
	case component.CoreTable:
		r.byte()
		r.limits()
	case component.CoreMemory:
		r.limits()
	}
}

func (r *importReader) limits() {
	flags := r.byte()
	r.u32()
	if flags&1 != 0 {
		r.u32()
	}
}

func (r *importReader) byte() byte {
	b := r.bytes(1)
	if len(b) == 0 {
		return 0
	}
	return b[0]
}

func (r *importReader) bytes(n uint32) []byte {
	if r.bad || uint64(n) > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *importReader) u32() uint32 {
	var v uint32
	for shift := 0; shift < 35; shift += 7 {
		c := r.byte()
		v |= uint32(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
	r.bad = true
	return 0
}
