package component

// ShapeBytesMax is the longest text of a type. A longer one is cut there and ends in "…", so that
// it equals no text that was written by hand.
const ShapeBytesMax = 64 << 10

// String is the name of the kind in WIT.
func (k Kind) String() string {
	names := [...]string{"bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64",
		"char", "string", "record", "variant", "list", "tuple", "flags", "enum", "option",
		"result", "own", "borrow"}
	if int(k) >= len(names) {
		return "unknown"
	}
	return names[k]
}

// String is the type by its structure, as in WIT but for names: "record{a: string, b: list<u8>}",
// "variant{allow(u32), next}", "enum{a, b}", "flags{a}", "result<_, string>", "own<NAME>". Types
// with the same text are the same, if the text is not cut and the names of resources are.
func (t *Type) String() string {
	var s shape
	s.typ(t)
	return s.done()
}

// String is the type by its structure: "(topic: string, payload: list<u8>) -> option<string>".
func (f *FuncType) String() string {
	var s shape
	s.text("(")
	for i, p := range f.Params {
		s.sep(i)
		s.text(f.Names[i])
		s.text(": ")
		s.typ(p)
	}
	s.text(")")
	if f.Result != nil {
		s.text(" -> ")
		s.typ(f.Result)
	}
	return s.done()
}

// shape writes up to ShapeBytesMax bytes. Each type writes at least one, which bounds the work.
type shape struct{ b []byte }

func (s *shape) full() bool { return len(s.b) > ShapeBytesMax }

func (s *shape) text(t string) {
	if !s.full() {
		s.b = append(s.b, t...)
	}
}

func (s *shape) sep(i int) {
	if i > 0 {
		s.text(", ")
	}
}

func (s *shape) done() string {
	if s.full() {
		return string(s.b[:ShapeBytesMax]) + "…"
	}
	return string(s.b)
}

func (s *shape) typ(t *Type) {
	if s.full() {
		return
	}
	s.text(t.Kind.String())
	switch t.Kind {
	case Record, Variant, Flags, Enum:
		s.labels(t)
	case List, Option, Tuple:
		s.elems(t.Elems)
	case Result:
		s.result(t)
	case Own, Borrow:
		s.text("<" + t.Resource.Name + ">")
	}
}

func (s *shape) labels(t *Type) {
	s.text("{")
	for i, l := range t.Labels {
		if s.full() {
			return
		}
		s.sep(i)
		s.text(l)
		s.labelled(t, i)
	}
	s.text("}")
}

func (s *shape) labelled(t *Type, i int) {
	switch {
	case t.Kind == Record:
		s.text(": ")
		s.typ(t.Elems[i])
	case t.Kind == Variant && t.Elems[i] != nil:
		s.text("(")
		s.typ(t.Elems[i])
		s.text(")")
	}
}

func (s *shape) elems(elems []*Type) {
	s.text("<")
	for i, e := range elems {
		if s.full() {
			return
		}
		s.sep(i)
		s.typ(e)
	}
	s.text(">")
}

func (s *shape) result(t *Type) {
	ok, err := t.Elems[0], t.Elems[1]
	switch {
	case ok == nil && err == nil:
		return
	case err == nil:
		s.elems([]*Type{ok})
		return
	}
	s.text("<")
	if ok == nil {
		s.text("_")
	} else {
		s.typ(ok)
	}
	s.text(", ")
	s.typ(err)
	s.text(">")
}
