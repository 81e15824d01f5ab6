package component

// readCoreSort reads one of the core sorts.
func readCoreSort(r *reader) Sort {
	b := r.byte()
	if b == 0x04 {
		r.failWith(notServed("core tag (exception handling)", "build without wasm exceptions"))
		return CoreFunc
	}
	s, ok := coreSort(b)
	if !ok {
		r.fail("0x%02x is no core sort", b)
	}
	return s
}

func coreSort(b byte) (Sort, bool) {
	switch b {
	case 0x00, 0x01, 0x02, 0x03:
		return Sort(b), true
	case 0x10, 0x11, 0x12:
		return CoreType + Sort(b-0x10), true
	}
	return 0, false
}

// readSort reads one of all sorts.
func readSort(r *reader) Sort {
	switch b := r.byte(); b {
	case 0x00:
		return readCoreSort(r)
	case 0x01:
		return Func
	case 0x02:
		r.failWith(notServed("value definitions", buildPlain))
	case 0x03:
		return TypeSort
	case 0x04:
		return ComponentSort
	case 0x05:
		return Instance
	default:
		r.fail("0x%02x is no sort", b)
	}
	return Func
}

func readCoreInstance(r *reader) Def {
	d := &DefCoreInstance{}
	switch b := r.byte(); b {
	case 0x00:
		d.Module = r.u32()
		d.Args = vec(r, func(r *reader) CoreArg {
			name := r.name()
			r.want(0x12, "sort of a core instantiation argument")
			return CoreArg{Name: name, Instance: r.u32()}
		})
	case 0x01:
		d.Inline = true
		d.Exports = vec(r, func(r *reader) CoreExport {
			return CoreExport{Name: r.name(), Sort: readCoreSort(r), Index: r.u32()}
		})
	default:
		r.fail("0x%02x begins no core instance", b)
	}
	return d
}

func readInstance(r *reader) Def {
	d := &DefInstance{}
	switch b := r.byte(); b {
	case 0x00:
		d.Component = r.u32()
		d.Args = vec(r, func(r *reader) Arg {
			return Arg{Name: r.name(), Sort: readSort(r), Index: r.u32()}
		})
	case 0x01:
		d.Inline = true
		d.Exports = vec(r, func(r *reader) InlineExport {
			name, implements := readExternName(r)
			e := InlineExport{Name: name, Sort: readSort(r), Index: r.u32()}
			checkImplements(r, implements, e.Sort)
			return e
		})
	default:
		r.fail("0x%02x begins no instance", b)
	}
	return d
}

func readAlias(r *reader) Def {
	d := &DefAlias{Sort: readSort(r)}
	switch b := r.byte(); b {
	case 0x00:
		d.Kind = AliasExport
		d.Instance, d.Name = r.u32(), r.name()
		if d.Sort < Func && d.Sort != CoreModule {
			r.fail("instances export no %s", d.Sort)
		}
	case 0x01:
		d.Kind = AliasCoreExport
		d.Instance, d.Name = r.u32(), r.name()
		if d.Sort > CoreGlobal {
			r.fail("core instances export no %s", d.Sort)
		}
	case 0x02:
		d.Kind = AliasOuter
		d.Count, d.Index = r.u32(), r.u32()
		switch d.Sort {
		case CoreModule, CoreType, TypeSort, ComponentSort:
		default:
			r.fail("outer alias of %s: only modules, types and components", d.Sort)
		}
	default:
		r.fail("0x%02x is no target of an alias", b)
	}
	return d
}

// attribute kinds of an extern name.
const (
	attrImplements byte = iota
	attrVersionSuffix
	attrExternalID
)

// readExternName reads the name of an import or export. Attributes are checked where they stand
// and then forgotten: they take no part in linking. implements is "" if there is none.
func readExternName(r *reader) (name string, implements *string) {
	kind := r.byte()
	if kind > 0x02 {
		r.fail("0x%02x begins no name of an import or export", kind)
	}
	name = r.name()
	if kind != 0x02 {
		return name, nil
	}
	var seen [3]bool
	for n := r.count(); n > 0 && r.err == nil; n-- {
		attr := r.byte()
		if attr > attrExternalID || seen[attr] {
			r.fail("attribute 0x%02x of a name is not known, or there twice", attr)
			break
		}
		seen[attr] = true
		text := r.name()
		switch attr {
		case attrVersionSuffix:
			r.failWith(notServed("canonical interface names (versionsuffix)", buildPlain))
		case attrImplements:
			implements = &text
			if !isInterfaceName(text) || isInterfaceName(name) {
				r.fail("%q implements %q: not a plain name with an interface", name, text)
			}
		}
	}
	return name, implements
}

// checkImplements refuses the attribute where the item is no instance.
func checkImplements(r *reader, implements *string, s Sort) {
	if implements != nil && s != Instance {
		r.fail("only an instance implements an interface, this is of the sort %s", s)
	}
}

func readImport(r *reader) Def {
	name, implements := readExternName(r)
	d := &DefImport{Name: name, Type: readExternType(r)}
	checkImplements(r, implements, d.Type.Sort)
	return d
}

func readExport(r *reader) Def {
	name, implements := readExternName(r)
	d := &DefExport{Name: name, Sort: readSort(r), Index: r.u32()}
	checkImplements(r, implements, d.Sort)
	if r.flag("type of an export") {
		t := readExternType(r)
		d.Type = &t
	}
	return d
}

func readExternType(r *reader) ExternType {
	switch b := r.byte(); b {
	case 0x00:
		r.want(0x11, "sort of a core import or export")
		return ExternType{Sort: CoreModule, Index: r.u32()}
	case 0x01:
		return ExternType{Sort: Func, Index: r.u32()}
	case 0x02:
		r.failWith(notServed("value definitions", buildPlain))
	case 0x03:
		return readTypeBound(r)
	case 0x04:
		return ExternType{Sort: ComponentSort, Index: r.u32()}
	case 0x05:
		return ExternType{Sort: Instance, Index: r.u32()}
	default:
		r.fail("0x%02x is no kind of an import or export", b)
	}
	return ExternType{}
}

func readTypeBound(r *reader) ExternType {
	switch b := r.byte(); b {
	case 0x00:
		return ExternType{Sort: TypeSort, Bound: BoundEq, Index: r.u32()}
	case 0x01:
		return ExternType{Sort: TypeSort, Bound: BoundSub}
	default:
		r.fail("0x%02x is no bound of a type", b)
	}
	return ExternType{}
}
