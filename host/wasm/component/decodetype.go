package component

import "fmt"

// Opcodes of types.
const (
	opBool      = 0x7f // and down to
	opString    = 0x73
	opRecord    = 0x72
	opVariant   = 0x71
	opList      = 0x70
	opTuple     = 0x6f
	opFlags     = 0x6e
	opEnum      = 0x6d
	opOption    = 0x6b
	opResult    = 0x6a
	opOwn       = 0x69
	opBorrow    = 0x68
	opFixedList = 0x67
	opStream    = 0x66
	opFuture    = 0x65
	opErrorCtx  = 0x64
	opMap       = 0x63
	opAsyncFunc = 0x43
	opInstance  = 0x42
	opComponent = 0x41
	opFunc      = 0x40
	opResource  = 0x3f
)

// readType reads a type that stands depth components and types deep.
func readType(r *reader, depth int) Def {
	if depth > r.limits.NestingMax {
		r.fail("more than %d types in each other", r.limits.NestingMax)
		return &DefType{}
	}
	switch op := r.byte(); op {
	case opFunc:
		return &DefType{Type: readFuncType(r)}
	case opComponent:
		return &DefType{Type: &ComponentTypeDef{Decls: readDecls(r, depth+1, true)}}
	case opInstance:
		return &DefType{Type: &InstanceTypeDef{Decls: readDecls(r, depth+1, false)}}
	case opResource:
		return &DefType{Type: readResourceType(r)}
	case opAsyncFunc:
		r.failWith(notServed("async function type", buildSync))
	default:
		return &DefType{Type: readValueType(r, op)}
	}
	return &DefType{}
}

func readResourceType(r *reader) *ResourceTypeDef {
	d := &ResourceTypeDef{}
	switch b := r.byte(); b {
	case 0x7f:
	case 0x7e:
		r.failWith(notServed("resource with a rep of 64 bits (memory64)", buildWasm32))
	default:
		r.fail("0x%02x is no representation of a resource", b)
	}
	if r.flag("destructor of a resource") {
		i := r.u32()
		d.Dtor = &i
	}
	return d
}

func readFuncType(r *reader) *FuncTypeDef {
	d := &FuncTypeDef{}
	for n := r.count(); n > 0 && r.err == nil; n-- {
		d.Names = append(d.Names, r.name())
		d.Params = append(d.Params, readValueRef(r))
	}
	switch b := r.byte(); b {
	case 0x00:
		ref := readValueRef(r)
		d.Result = &ref
	case 0x01:
		r.want(0x00, "number of named results")
	default:
		r.fail("0x%02x begins no result of a function", b)
	}
	return d
}

// primitive answers which kind an opcode stands for.
func primitive(op byte) (Kind, bool) {
	if op < opString || op > opBool {
		return 0, false
	}
	return Bool + Kind(opBool-op), true
}

// readValueRef reads a value type where it is used.
func readValueRef(r *reader) ValueRef {
	op := r.peek()
	if k, ok := primitive(op); ok {
		r.byte()
		return ValueRef{Primitive: true, Kind: k}
	}
	if op == opErrorCtx {
		r.failWith(notServed("error-context type", buildSync))
	}
	return ValueRef{Index: r.index()}
}

func readOptionalRef(r *reader) *ValueRef {
	if !r.flag("payload of a type") {
		return nil
	}
	ref := readValueRef(r)
	return &ref
}

func readRef(r *reader) *ValueRef {
	ref := readValueRef(r)
	return &ref
}

// readValueType reads what follows op.
func readValueType(r *reader, op byte) *ValueTypeDef {
	if k, ok := primitive(op); ok {
		return &ValueTypeDef{Kind: k}
	}
	switch op {
	case opRecord:
		return readLabeled(r, Record, readRef)
	case opVariant:
		return readLabeled(r, Variant, func(r *reader) *ValueRef {
			ref := readOptionalRef(r)
			r.want(0x00, "end of a variant's case")
			return ref
		})
	case opFlags:
		return &ValueTypeDef{Kind: Flags, Labels: vec(r, (*reader).name)}
	case opEnum:
		return &ValueTypeDef{Kind: Enum, Labels: vec(r, (*reader).name)}
	case opTuple:
		return &ValueTypeDef{Kind: Tuple, Refs: vec(r, readRef)}
	case opList:
		return &ValueTypeDef{Kind: List, Refs: []*ValueRef{readRef(r)}}
	case opOption:
		return &ValueTypeDef{Kind: Option, Refs: []*ValueRef{readRef(r)}}
	case opResult:
		ok, err := readOptionalRef(r), readOptionalRef(r)
		return &ValueTypeDef{Kind: Result, Refs: []*ValueRef{ok, err}}
	case opOwn:
		return &ValueTypeDef{Kind: Own, Type: r.u32()}
	case opBorrow:
		return &ValueTypeDef{Kind: Borrow, Type: r.u32()}
	}
	refuseType(r, op)
	return &ValueTypeDef{}
}

func readLabeled(r *reader, k Kind, read func(*reader) *ValueRef) *ValueTypeDef {
	d := &ValueTypeDef{Kind: k}
	for n := r.count(); n > 0 && r.err == nil; n-- {
		d.Labels = append(d.Labels, r.name())
		d.Refs = append(d.Refs, read(r))
	}
	return d
}

// refuseType names a type that is not served.
func refuseType(r *reader, op byte) {
	switch op {
	case opStream:
		r.failWith(notServed("stream type", buildSync))
	case opFuture:
		r.failWith(notServed("future type", buildSync))
	case opErrorCtx:
		r.failWith(notServed("error-context type", buildSync))
	case opFixedList:
		r.failWith(notServed("list type of fixed length", "write list<T> or a tuple in the WIT"))
	case opMap:
		r.failWith(notServed("map type", "write list<tuple<K, V>> in the WIT"))
	default:
		r.fail("0x%02x begins no type", op)
	}
}

// Declarations within component and instance types.
const (
	declCoreType byte = iota
	declType
	declAlias
	declImport
	declExport
)

func readDecls(r *reader, depth int, imports bool) []Def {
	return vec(r, func(r *reader) Def {
		switch b := r.byte(); {
		case b == declCoreType:
			return readCoreType(r)
		case b == declType:
			return readType(r, depth)
		case b == declAlias:
			return readDeclAlias(r)
		case b == declImport && imports:
			return readImport(r)
		case b == declExport:
			name, implements := readExternName(r)
			d := &ExportDecl{Name: name, Type: readExternType(r)}
			checkImplements(r, implements, d.Type.Sort)
			return d
		default:
			r.fail("0x%02x begins no declaration of this type", b)
			return nil
		}
	})
}

// readDeclAlias reads an alias within a type: only types and instances have a place there.
func readDeclAlias(r *reader) Def {
	d := readAlias(r).(*DefAlias)
	ok := false
	switch d.Kind {
	case AliasExport:
		ok = d.Sort == TypeSort || d.Sort == Instance
	case AliasOuter:
		ok = d.Sort == TypeSort || d.Sort == CoreType
	}
	if !ok {
		r.failWith(fmt.Errorf("alias of %s within a type: only types and instances", d.Sort))
	}
	return d
}
