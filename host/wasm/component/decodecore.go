package component

// Opcodes of core types.
const (
	opCoreFunc   = 0x60
	opCoreModule = 0x50
	coreI32      = 0x7f
	coreI64      = 0x7e
	coreF32      = 0x7d
	coreF64      = 0x7c
	coreV128     = 0x7b
	coreFuncRef  = 0x70
	coreExtern   = 0x6f
	coreExn      = 0x69
	coreNoExn    = 0x74
)

const buildNoGC = "build without the GC and typed function references proposals"

// coreDecl is a declaration of a core module type, as it stands in the binary.
type coreDecl struct {
	kind   byte
	typ    *CoreFuncType // declares a type
	outer  [2]uint32     // declares an alias: count and index
	module string        // imports
	extern CoreExtern
	index  uint32 // the function's type
}

const (
	coreDeclImport byte = iota
	coreDeclType
	coreDeclAlias
	coreDeclExport
)

func readCoreType(r *reader) Def {
	switch op := r.peek(); op {
	case opCoreFunc:
		f := readCoreFuncType(r)
		return &DefCoreType{Func: &f}
	case opCoreModule:
		r.byte()
		return &DefCoreType{Module: &CoreModuleType{decls: vec(r, readCoreDecl)}}
	case 0x65:
		r.failWith(notServed("shared core type (threads)", buildThreads))
	case 0x00, 0x4e, 0x4f, 0x5e, 0x5f:
		r.failWith(notServed("core type of the GC proposal", buildNoGC))
	default:
		r.fail("0x%02x begins no core type", op)
	}
	return &DefCoreType{}
}

func readCoreDecl(r *reader) coreDecl {
	d := coreDecl{kind: r.byte()}
	switch d.kind {
	case coreDeclImport:
		d.module = r.name()
		d.extern.Name = r.name()
		d.index = readCoreExtern(r, &d.extern)
	case coreDeclType:
		f := readCoreFuncType(r)
		d.typ = &f
	case coreDeclAlias:
		r.want(0x10, "sort of an alias in a module type")
		r.want(0x01, "target of an alias in a module type")
		d.outer = [2]uint32{r.u32(), r.u32()}
	case coreDeclExport:
		d.extern.Name = r.name()
		d.index = readCoreExtern(r, &d.extern)
	default:
		r.fail("0x%02x begins no declaration of a module type", d.kind)
	}
	return d
}

func readCoreFuncType(r *reader) CoreFuncType {
	r.want(opCoreFunc, "core function type")
	return CoreFuncType{Params: readCoreValTypes(r), Results: readCoreValTypes(r)}
}

func readCoreValTypes(r *reader) []byte { return vec(r, readCoreValType) }

func readCoreValType(r *reader) byte {
	b := r.byte()
	switch b {
	case coreI32, coreI64, coreF32, coreF64, coreV128, coreFuncRef, coreExtern:
	case coreExn, coreNoExn:
		r.failWith(notServed("exnref (exception handling)", "build without wasm exceptions"))
	case 0x63, 0x64, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x71, 0x72, 0x73:
		r.failWith(notServed("core reference type of the GC proposal", buildNoGC))
	default:
		r.fail("0x%02x is no core value type", b)
	}
	return b
}

// readCoreExtern reads the type of a core import or export; of a function it returns the index.
func readCoreExtern(r *reader, e *CoreExtern) uint32 {
	switch b := r.byte(); b {
	case 0x00:
		e.Sort = CoreFunc
		return r.u32()
	case 0x01:
		e.Sort = CoreTable
		e.Elem, e.Table = readTableType(r)
	case 0x02:
		e.Sort = CoreMemory
		e.Memory = readMemoryType(r)
	case 0x03:
		e.Sort = CoreGlobal
		e.Global, e.Mut = readGlobalType(r)
	case 0x04:
		r.failWith(notServed("core tag (exception handling)", "build without wasm exceptions"))
	default:
		r.fail("0x%02x is no kind of a core import or export", b)
	}
	return 0
}

func readTableType(r *reader) (elem byte, l CoreLimits) {
	elem = readCoreValType(r)
	if elem != coreFuncRef && elem != coreExtern && r.err == nil {
		r.fail("table of 0x%02x, which is no reference", elem)
	}
	l = readLimits(r, 1<<32-1)
	return elem, l
}

const memoryPagesMax = 1 << 16

func readMemoryType(r *reader) CoreLimits { return readLimits(r, memoryPagesMax) }

// readLimits reads limits of which none is above most.
func readLimits(r *reader, most uint64) CoreLimits {
	var l CoreLimits
	flags := r.byte()
	switch {
	case flags > 0x0f:
		r.fail("0x%02x begins no limits", flags)
	case flags&0x08 != 0:
		r.failWith(notServed("custom page sizes", "build with pages of 64 KiB"))
	case flags&0x04 != 0:
		r.failWith(notServed("memory64", buildWasm32))
	case flags&0x02 != 0:
		r.failWith(notServed("shared memory (threads)", buildThreads))
	}
	l.Min = uint64(r.u32())
	if flags&0x01 != 0 {
		l.HasMax, l.Max = true, uint64(r.u32())
	}
	if l.Min > most || l.Max > most || l.HasMax && l.Max < l.Min {
		r.fail("limits of %d to %d: at most %d, in order", l.Min, l.Max, most)
	}
	return l
}

func readGlobalType(r *reader) (typ byte, mut bool) {
	typ = readCoreValType(r)
	return typ, r.flag("mutability of a global")
}
