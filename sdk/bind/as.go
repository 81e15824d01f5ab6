package bind

import (
	"fmt"
	"strings"

	"github.com/hpmq/hpmq/sdk/wit"
)

// writeAS writes three files for AssemblyScript: what an author imports, the functions that the
// host calls, and a transform for asc that gives these the names of the contracts. Strings cross as
// UTF-8, so that the module is good in both forms.
func writeAS(w *wit.World, o Options) ([]File, error) {
	a := &asWriter{w: w, base: snake(w.Name)}
	if err := bound(w, a.word); err != nil {
		return nil, err
	}
	return []File{
		{a.base + ".ts", a.types(o)},
		{a.base + "_exports.ts", a.exports(o)},
		{a.base + ".mjs", a.transform(o)},
	}, nil
}

// asWriter spells the types of a world in AssemblyScript.
type asWriter struct {
	w    *wit.World
	base string
	// from stands before what the first file exports, in the second.
	from string
}

// scalarsAS are the scalars, by kind; a char is a code point.
var scalarsAS = [...]string{
	"bool", "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "f32", "f64", "u32", "string",
}

// word is what a type is called, and what stands for it in the name of another.
func (a *asWriter) word(t *wit.Type) string {
	if t == nil {
		return "Void"
	}
	t = t.Plain()
	switch {
	case t.Kind <= wit.String:
		return pascal(t.String())
	case t.Name != "" && t.Owner != nil:
		return pascal(t.Owner.Name) + pascal(t.Name)
	case t.Kind == wit.List:
		return "List" + a.word(t.Elem)
	case t.Kind == wit.Option:
		return "Option" + a.word(t.Elem)
	case t.Kind == wit.Result:
		return "Result" + a.word(t.Cases[0].Type) + a.word(t.Cases[1].Type)
	}
	out := "Tuple"
	for _, f := range t.Fields {
		out += a.word(f.Type)
	}
	return out
}

// name is a type as it is written.
func (a *asWriter) name(t *wit.Type) string {
	if t == nil {
		return "void"
	}
	t = t.Plain()
	switch {
	case int(t.Kind) < len(scalarsAS):
		return scalarsAS[t.Kind]
	case t.Kind == wit.Flags:
		return "u32"
	case t.Kind == wit.List && t.Elem.Plain().Kind == wit.U8:
		return "Uint8Array"
	case t.Kind == wit.List:
		return "Array<" + a.name(t.Elem) + ">"
	case t.Kind == wit.Option && a.boxed(t):
		return a.from + a.word(t) + " | null"
	case t.Kind == wit.Option:
		return a.name(t.Elem) + " | null"
	}
	return a.from + a.word(t)
}

// boxed says whether an option needs a class of its own, since its value cannot be null.
func (a *asWriter) boxed(t *wit.Type) bool {
	elem := t.Elem.Plain()
	return scalar(elem) || elem.Kind == wit.Option
}

// zero is a value of a type to begin with, in a variant that has another case.
func (a *asWriter) zero(t *wit.Type) (name, value string) {
	name = a.name(t)
	switch {
	case t.Plain().Kind == wit.Bool:
		return name, "false"
	case scalar(t):
		return name, "0"
	case strings.HasSuffix(name, " | null"):
		return name, "null"
	}
	return name + " | null", "null"
}

const memoryAS = `// Memory of calls: what is allocated for one is free again with the first
// allocation after it.
let last: usize = 0;
let over: bool = false;

export function $finish(): void { over = true; }

export function $room(size: usize): usize {
  if (over) {
    while (last != 0) {
      const before = load<usize>(last);
      heap.free(last);
      last = before;
    }
    over = false;
  }
  const p = heap.alloc(size + 16);
  store<usize>(p, last);
  last = p;
  return p + 16;
}

export function abort(
  message: string | null, file: string | null, line: u32, column: u32,
): void { unreachable(); }

export function $getString(at: usize, size: usize): string {
  return String.UTF8.decodeUnsafe(at, size);
}

export function $putString(at: usize, s: string): void {
  const n = <usize>String.UTF8.byteLength(s);
  const p = $room(n);
  String.UTF8.encodeUnsafe(changetype<usize>(s), s.length, p);
  store<usize>(at, p);
  store<usize>(at, n, 4);
}

export function $getListU8(at: usize, size: usize): Uint8Array {
  const b = new Uint8Array(<i32>size);
  memory.copy(b.dataStart, at, size);
  return b;
}

export function $putListU8(at: usize, b: Uint8Array): void {
  const p = $room(b.length);
  memory.copy(p, b.dataStart, b.length);
  store<usize>(at, p);
  store<usize>(at, b.length, 4);
}
`

// types writes what an author imports.
func (a *asWriter) types(o Options) string {
	t := &text{}
	t.line("// %s\n//", note(o, a.w))
	t.comment("//", headerAS)
	t.line("import \"./%s_exports\";\n\n%s", a.base, memoryAS)
	seen := map[string]bool{}
	for _, ty := range ordered(a.w) {
		if word := a.word(ty); !seen[word] {
			seen[word] = true
			a.declare(t, ty)
			a.load(t, ty)
			a.store(t, ty)
			a.flat(t, ty)
		}
	}
	for _, i := range a.w.Imports {
		a.imports(t, i)
	}
	for _, i := range a.w.Exports {
		a.abstract(t, i)
	}
	return strings.TrimRight(t.String(), "\n") + "\n"
}

const headerAS = `An author extends the classes at the end and gives an object of each to its serve
function, when the module starts. Build with
  asc SOURCE.ts -O3 --transform ./BINDINGS.mjs -o OUT.wasm`

// declare writes a type.
func (a *asWriter) declare(t *text, ty *wit.Type) {
	t.doc(ty.Docs)
	word := a.word(ty)
	switch ty.Kind {
	case wit.Enum:
		a.constants(t, word, ty.Cases, func(i int) string { return fmt.Sprint(i) })
	case wit.Flags:
		a.constants(t, word, ty.Fields, func(i int) string { return fmt.Sprintf("1 << %d", i) })
	case wit.Option:
		if a.boxed(ty) {
			t.line("export class %s {\n  constructor(public value: %s) {}\n}\n", word,
				a.name(ty.Elem))
		}
	case wit.Variant, wit.Result:
		a.cases(t, ty)
	case wit.Record, wit.Tuple:
		t.line("export class %s {\n  constructor(", word)
		t.in(func() {
			t.in(func() {
				for _, f := range ty.Fields {
					t.doc(f.Docs)
					t.line("public %s: %s,", fieldAS(f.Name), a.name(f.Type))
				}
			})
		})
		t.line("  ) {}\n}\n")
	}
}

func (a *asWriter) constants(t *text, word string, list []wit.Field, value func(int) string) {
	t.line("export enum %s {", word)
	t.in(func() {
		for i, f := range list {
			t.doc(f.Docs)
			t.line("%s = %s,", pascal(f.Name), value(i))
		}
	})
	t.line("}\n")
}

// fieldAS is a name that AssemblyScript takes.
func fieldAS(name string) string {
	name = camel(name)
	if name[0] >= '0' && name[0] <= '9' {
		return "f" + name
	}
	switch name {
	case "class", "default", "new", "delete", "function", "return", "const", "let", "var", "enum",
		"export", "import", "if", "else", "for", "while", "do", "switch", "case", "break",
		"continue", "this", "super", "static", "public", "private", "protected", "null", "true",
		"false", "void", "typeof", "instanceof", "in", "is", "as", "type", "declare", "tag":
		return name + "_"
	}
	return name
}

// cases writes a variant or a result: a tag, and a field for each case that has a payload.
func (a *asWriter) cases(t *text, ty *wit.Type) {
	word := a.word(ty)
	t.line("export class %s {", word)
	t.in(func() {
		for _, c := range ty.Cases {
			if c.Type != nil {
				name, zero := a.zero(c.Type)
				t.line("%s: %s = %s;", fieldAS(c.Name), name, zero)
			}
		}
		t.line("private constructor(public tag: u32) {}")
		for i, c := range ty.Cases {
			t.doc(c.Docs)
			a.constructor(t, word, i, c)
		}
	})
	t.line("}\n")
}

func (a *asWriter) constructor(t *text, word string, i int, c wit.Field) {
	if c.Type == nil {
		t.line("static of%s(): %s { return new %s(%d); }", pascal(c.Name), word, word, i)
		return
	}
	t.line("static of%s(value: %s): %s {\n  const made = new %s(%d);\n  made.%s = value;\n"+
		"  return made;\n}", pascal(c.Name), a.name(c.Type), word, word, i, fieldAS(c.Name))
}

// abstract writes the class that an author extends.
func (a *asWriter) abstract(t *text, i *wit.Interface) {
	if len(i.Funcs) == 0 {
		return
	}
	word := pascal(i.Name)
	t.doc(i.ID + ", to be written.\n" + i.Docs)
	t.line("export abstract class %s {", word)
	t.in(func() {
		for _, f := range i.Funcs {
			t.doc(f.Docs)
			t.line("abstract %s%s;", fieldAS(f.Name), a.signature(f))
		}
	})
	t.line("}\n\n%s", strings.ReplaceAll(serveAS, "WORD", word))
}

const serveAS = `let $servedWORD: WORD | null = null;
export function serveWORD(it: WORD): void { $servedWORD = it; }
export function $theWORD(): WORD { return $servedWORD!; }
`

// signature is a function as an author has it.
func (a *asWriter) signature(f *wit.Func) string {
	var params []string
	for _, p := range f.Params {
		params = append(params, fieldAS(p.Name)+": "+a.name(p.Type))
	}
	return "(" + strings.Join(params, ", ") + "): " + a.name(f.Result)
}
