package bind

import (
	"fmt"
	"strings"

	"github.com/hpmq/hpmq/sdk/wit"
)

// inMemory is the type that a scalar has in memory.
func (a *asWriter) inMemory(t *wit.Type) string {
	switch t = t.Plain(); t.Kind {
	case wit.Enum:
		return fmt.Sprintf("u%d", 8*wit.DiscriminantSize(len(t.Cases)))
	case wit.Flags:
		return fmt.Sprintf("u%d", 8*t.Size())
	case wit.Bool:
		return "u8"
	default:
		return scalarsAS[t.Kind]
	}
}

// get is a value at an address.
func (a *asWriter) get(t *wit.Type, at string) string {
	t = t.Plain()
	switch {
	case t.Kind == wit.Bool:
		return "load<u8>(" + at + ") != 0"
	case scalar(t):
		return fmt.Sprintf("<%s>load<%s>(%s)", a.name(t), a.inMemory(t), at)
	case t.Kind == wit.String || t.Kind == wit.List:
		return fmt.Sprintf("%s$get%s(load<usize>(%s), load<usize>(%s, 4))", a.from, a.word(t),
			at, at)
	}
	return a.from + "$get" + a.word(t) + "(" + at + ")"
}

// put is a statement that writes a value.
func (a *asWriter) put(t *wit.Type, at, value string) string {
	t = t.Plain()
	if scalar(t) {
		return fmt.Sprintf("store<%s>(%s, <%s>%s);", a.inMemory(t), at, a.inMemory(t), value)
	}
	return a.from + "$put" + a.word(t) + "(" + at + ", " + value + ");"
}

// sum is an address and an offset.
func sum(at string, offset uint32) string {
	if offset == 0 {
		return at
	}
	return fmt.Sprintf("%s + %d", at, offset)
}

// load writes the function that reads a type of its own.
func (a *asWriter) load(t *text, ty *wit.Type) {
	if scalar(ty) || ty.Kind == wit.List && ty.Elem.Plain().Kind == wit.U8 {
		return
	}
	if ty.Kind == wit.List {
		t.line("export function $get%s(at: usize, n: usize): %s {\n"+
			"  const list = new %s(<i32>n);\n"+
			"  for (let i: i32 = 0; i < <i32>n; i++) list[i] = %s;\n"+
			"  return list;\n}\n", a.word(ty),
			a.name(ty), a.name(ty), a.get(ty.Elem, fmt.Sprintf("at + %d * i", ty.Elem.Size())))
		return
	}
	t.line("export function $get%s(at: usize): %s {", a.word(ty), a.name(ty))
	t.in(func() {
		switch ty.Kind {
		case wit.Record, wit.Tuple:
			var parts []string
			for i, f := range ty.Fields {
				parts = append(parts, a.get(f.Type, sum("at", ty.Offsets()[i])))
			}
			t.line("return new %s(%s);", a.word(ty), strings.Join(parts, ", "))
		default:
			a.made(t, ty, a.tagAt(ty), func(c wit.Field) string {
				return a.get(c.Type, sum("at", ty.PayloadAt()))
			})
		}
	})
	t.line("}\n")
}

func (a *asWriter) tagAt(ty *wit.Type) string {
	return fmt.Sprintf("load<u%d>(at)", 8*wit.DiscriminantSize(len(ty.Cases)))
}

// made writes statements that return a value with a discriminant.
func (a *asWriter) made(t *text, ty *wit.Type, tag string, payload func(wit.Field) string) {
	if ty.Kind == wit.Option {
		value := payload(ty.Cases[1])
		if a.boxed(ty) {
			value = "new " + a.word(ty) + "(" + value + ")"
		}
		t.line("if (%s == 0) return null;\nreturn %s;", tag, value)
		return
	}
	t.line("switch (%s) {", tag)
	t.in(func() {
		for i, c := range ty.Cases {
			value := ""
			if c.Type != nil {
				value = payload(c)
			}
			t.line("case %d: return %s.of%s(%s);", i, a.word(ty), pascal(c.Name), value)
		}
	})
	t.line("}\nreturn unreachable();")
}

// store writes the function that writes a type of its own.
func (a *asWriter) store(t *text, ty *wit.Type) {
	if scalar(ty) || ty.Kind == wit.List && ty.Elem.Plain().Kind == wit.U8 {
		return
	}
	t.line("export function $put%s(at: usize, v: %s): void {", a.word(ty), a.name(ty))
	t.in(func() {
		switch ty.Kind {
		case wit.List:
			t.line("const p = $room(%d * v.length);\n"+
				"for (let i = 0; i < v.length; i++) {\n  %s\n}\n"+
				"store<usize>(at, p);\nstore<usize>(at, v.length, 4);", ty.Elem.Size(),
				a.put(ty.Elem, fmt.Sprintf("p + %d * i", ty.Elem.Size()), "v[i]"))
		case wit.Record, wit.Tuple:
			for i, f := range ty.Fields {
				t.line("%s", a.put(f.Type, sum("at", ty.Offsets()[i]), "v."+fieldAS(f.Name)))
			}
		default:
			t.line("store<u%d>(at, <u%d>%s);", 8*wit.DiscriminantSize(len(ty.Cases)),
				8*wit.DiscriminantSize(len(ty.Cases)), a.tag(ty, "v"))
			a.each(t, ty, "v", func(c wit.Field, value string) {
				t.line("%s", a.put(c.Type, sum("at", ty.PayloadAt()), value))
			})
		}
	})
	t.line("}\n")
}

// tag is the discriminant of a value.
func (a *asWriter) tag(ty *wit.Type, v string) string {
	if ty.Kind == wit.Option {
		return "(" + v + " !== null ? 1 : 0)"
	}
	return v + ".tag"
}

// each writes what is done with the payload of the case that a value has.
func (a *asWriter) each(t *text, ty *wit.Type, v string, do func(c wit.Field, value string)) {
	if ty.Kind == wit.Option {
		value := v
		if a.boxed(ty) {
			value += ".value"
		}
		t.line("if (%s !== null) {", v)
		t.in(func() { do(ty.Cases[1], value) })
		t.line("}")
		return
	}
	for i, c := range ty.Cases {
		if c.Type == nil {
			continue
		}
		value := v + "." + fieldAS(c.Name)
		if name, zero := a.zero(c.Type); zero == "null" && name != a.name(c.Type) {
			value += "!"
		}
		t.line("if (%s.tag == %d) {", v, i)
		t.in(func() { do(c, value) })
		t.line("}")
	}
}

// flatsAS are the flat types.
var flatsAS = [...]string{"u32", "u64", "f32", "f64"}

// flatParams are parameters a0, a1, … of flat types.
func (a *asWriter) flatParams(flat []wit.Flat) []string {
	var out []string
	for i, f := range flat {
		out = append(out, fmt.Sprintf("a%d: %s", i, flatsAS[f]))
	}
	return out
}

// lowSignature is a function of the canonical ABI.
func (a *asWriter) lowSignature(f *wit.Func, imported bool) string {
	flat, _ := f.FlatParams()
	params := a.flatParams(flat)
	result, spilled := f.FlatResult()
	text := "void"
	switch {
	case spilled && imported:
		params = append(params, "$result: usize")
	case spilled:
		text = "usize"
	case len(result) == 1:
		text = flatsAS[result[0]]
	}
	return "(" + strings.Join(params, ", ") + "): " + text
}

// imports writes what an author calls.
func (a *asWriter) imports(t *text, i *wit.Interface) {
	if len(i.Funcs) == 0 {
		return
	}
	t.line("// ---- %s, imported ----", i.ID)
	t.comment("//", i.Docs)
	t.line("")
	for _, f := range i.Funcs {
		low := "import_" + snake(i.Name) + "_" + snake(f.Name)
		t.line("@external(%q, %q)\ndeclare function %s%s;\n", i.ID, f.Name, low,
			a.lowSignature(f, true))
		t.doc(f.Docs)
		t.line("export function %s%s%s {", camel(i.Name), pascal(f.Name), a.signature(f))
		t.in(func() { a.callOut(t, low, f) })
		t.line("}\n")
	}
}

func (a *asWriter) callOut(t *text, low string, f *wit.Func) {
	var args []string
	if _, spilled := f.FlatParams(); spilled {
		tuple := f.ParamsTuple()
		t.line("const $args = $room(%d);", tuple.Size())
		for k, p := range f.Params {
			t.line("%s", a.put(p.Type, sum("$args", tuple.Offsets()[k]), fieldAS(p.Name)))
		}
		args = append(args, "<u32>$args")
	} else {
		for _, p := range f.Params {
			var outs []string
			for _, flat := range p.Type.Flatten() {
				name := fmt.Sprintf("$l%d", len(args))
				t.line("let %s: %s = 0;", name, flatsAS[flat])
				args, outs = append(args, name), append(outs, name)
			}
			a.lower(t, p.Type, fieldAS(p.Name), outs)
		}
	}
	flat, spilled := f.FlatResult()
	switch {
	case spilled:
		t.line("const $result = $room(%d);\n%s(%s);\nreturn %s;", f.Result.Size(), low,
			strings.Join(append(args, "$result"), ", "), a.get(f.Result, "$result"))
	case len(flat) == 0:
		t.line("%s(%s);", low, strings.Join(args, ", "))
	default:
		t.line("const $flat = %s(%s);\nreturn %s;", low, strings.Join(args, ", "),
			a.lift(f.Result, []string{"$flat"}))
	}
}

// lower writes statements that give a value to flat variables.
func (a *asWriter) lower(t *text, ty *wit.Type, v string, outs []string) {
	ty = ty.Plain()
	switch ty.Kind {
	case wit.String, wit.List:
		pair := "p" + outs[0]
		t.line("const %s = $room(8);\n%s", pair, a.put(ty, pair, v))
		t.line("%s = load<u32>(%s);\n%s = load<u32>(%s, 4);", outs[0], pair, outs[1], pair)
	case wit.Record, wit.Tuple:
		for _, f := range ty.Fields {
			n := len(f.Type.Flatten())
			a.lower(t, f.Type, v+"."+fieldAS(f.Name), outs[:n])
			outs = outs[n:]
		}
	case wit.Variant, wit.Option, wit.Result:
		t.line("%s = <u32>%s;", outs[0], a.tag(ty, v))
		joined := ty.Flatten()[1:]
		a.each(t, ty, v, func(c wit.Field, value string) {
			var own []string
			for k, flat := range c.Type.Flatten() {
				name := fmt.Sprintf("c%s", outs[1+k])
				t.line("let %s: %s = 0;", name, flatsAS[flat])
				own = append(own, name)
			}
			a.lower(t, c.Type, value, own)
			for k, flat := range c.Type.Flatten() {
				t.line("%s = %s;", outs[1+k], convertAS(own[k], flat, joined[k]))
			}
		})
	default:
		t.line("%s = <%s>%s;", outs[0], flatsAS[ty.Flatten()[0]], v)
	}
}

// convertAS is a flat value as another flat type, bit for bit.
func convertAS(value string, from, to wit.Flat) string {
	switch {
	case from == to:
		return value
	case from == wit.Float32:
		value, from = "reinterpret<u32>("+value+")", wit.I32
	case from == wit.Float64:
		value, from = "reinterpret<u64>("+value+")", wit.I64
	}
	switch to {
	case wit.Float32:
		return "reinterpret<f32>(<u32>" + value + ")"
	case wit.Float64:
		return "reinterpret<f64>(" + value + ")"
	}
	if from == to {
		return value
	}
	return "<" + flatsAS[to] + ">" + value
}

// lift is a value of its flat values.
func (a *asWriter) lift(ty *wit.Type, flats []string) string {
	ty = ty.Plain()
	switch ty.Kind {
	case wit.Bool:
		return flats[0] + " != 0"
	case wit.String, wit.List:
		return fmt.Sprintf("%s$get%s(%s, %s)", a.from, a.word(ty), flats[0], flats[1])
	case wit.Record, wit.Tuple:
		var parts []string
		for _, f := range ty.Fields {
			n := len(f.Type.Flatten())
			parts = append(parts, a.lift(f.Type, flats[:n]))
			flats = flats[n:]
		}
		return "new " + a.from + a.word(ty) + "(" + strings.Join(parts, ", ") + ")"
	case wit.Variant, wit.Option, wit.Result:
		return a.from + "$flat" + a.word(ty) + "(" + strings.Join(flats, ", ") + ")"
	}
	return "<" + a.name(ty) + ">" + flats[0]
}
