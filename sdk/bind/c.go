package bind

import (
	"fmt"
	"strings"

	"github.com/hpmq/hpmq/sdk/wit"
)

// writeC writes a header and glue for wasm32. A value in the header lies in memory as the canonical
// ABI has it, so that only flat parameters need glue.
func writeC(w *wit.World, o Options) ([]File, error) {
	prefix, _, _ := strings.Cut(w.Package, ":")
	c := &cWriter{w: w, prefix: snake(prefix) + "_"}
	if err := bound(w, c.word); err != nil {
		return nil, err
	}
	base := snake(w.Name)
	return []File{
		{base + ".h", c.header(o)},
		{base + ".c", c.glue(o, base)},
	}, nil
}

// cWriter spells the types of a world in C.
type cWriter struct {
	w      *wit.World
	prefix string
}

// scalarsC are the scalars, by kind.
var scalarsC = [...]string{
	"bool", "int8_t", "uint8_t", "int16_t", "uint16_t", "int32_t", "uint32_t", "int64_t",
	"uint64_t", "float", "double", "uint32_t",
}

// word is what stands for a type in the name of another.
func (c *cWriter) word(t *wit.Type) string {
	if t == nil {
		return "void"
	}
	t = t.Plain()
	switch {
	case t.Kind <= wit.String:
		return t.String()
	case t.Name != "" && t.Owner != nil:
		return snake(t.Owner.Name) + "_" + snake(t.Name)
	case t.Kind == wit.List:
		return "list_" + c.word(t.Elem)
	case t.Kind == wit.Option:
		return "option_" + c.word(t.Elem)
	case t.Kind == wit.Result:
		return "result_" + c.word(t.Cases[0].Type) + "_" + c.word(t.Cases[1].Type)
	}
	words := []string{"tuple"}
	for _, f := range t.Fields {
		words = append(words, c.word(f.Type))
	}
	return strings.Join(words, "_")
}

// name is the type as it is written.
func (c *cWriter) name(t *wit.Type) string {
	if t == nil {
		return "void"
	}
	if t = t.Plain(); int(t.Kind) < len(scalarsC) {
		return scalarsC[t.Kind]
	}
	return c.prefix + c.word(t)
}

func (c *cWriter) header(o Options) string {
	t := &text{}
	guard := strings.ToUpper(c.prefix + snake(c.w.Name) + "_H")
	t.line("// %s", note(o, c.w))
	t.line("//")
	t.comment("//", headerC)
	t.line("#ifndef %s\n#define %s\n\n#include <stdbool.h>\n#include <stddef.h>\n"+
		"#include <stdint.h>\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n", guard, guard)
	t.line("// Text in UTF-8, without a zero at its end.")
	t.line("typedef struct {\n  const uint8_t *ptr;\n  size_t len;\n} %sstring;\n", c.prefix)
	t.line("// %sTEXT is a literal: %sTEXT(\"up\").", strings.ToUpper(c.prefix),
		strings.ToUpper(c.prefix))
	t.line("#define %sTEXT(literal) \\\n  ((%sstring){(const uint8_t *)(\"\" literal), "+
		"sizeof(literal) - 1})\n", strings.ToUpper(c.prefix), c.prefix)
	seen := map[string]bool{}
	for _, ty := range ordered(c.w) {
		if name := c.name(ty); !seen[name] {
			seen[name] = true
			c.declare(t, ty)
		}
	}
	t.line("// Room that holds until the call returns, aligned to 8.\nvoid *%salloc(size_t size);",
		c.prefix)
	t.line("// Room that holds for ever.\nvoid *%skeep(size_t size);\n", c.prefix)
	c.prototypes(t)
	t.line("#ifdef __cplusplus\n}\n#endif\n\n#endif")
	return t.String()
}

// headerC stands at the start of a header.
const headerC = `An author writes the functions that are marked "to be written", and may call those
that are imported. C needs no library for it; C++, D, Nim and Zig take it as C. Build with
  clang --target=wasm32 -O2 -mbulk-memory -nostdlib -Wl,--no-entry -Wl,--strip-all
What is passed is borrowed: it holds until the call returns. What is returned must hold until then
too: literals, parts of what was passed, what alloc or keep gave, static variables.`

// declare writes a type.
func (c *cWriter) declare(t *text, ty *wit.Type) {
	name := c.name(ty)
	t.comment("//", ty.Docs)
	switch ty.Kind {
	case wit.List:
		t.line("typedef struct {\n  const %s *ptr;\n  size_t len;\n} %s;\n", c.name(ty.Elem), name)
	case wit.Option:
		t.line("typedef struct {\n  bool some;\n  %s val;\n} %s;\n", c.name(ty.Elem), name)
	case wit.Result:
		c.declareUnion(t, ty, "bool err;")
	case wit.Variant:
		c.constants(t, ty, ty.Cases)
		c.declareUnion(t, ty, c.discriminant(ty)+" tag;")
	case wit.Enum:
		t.line("typedef %s %s;", c.discriminant(ty), name)
		c.constants(t, ty, ty.Cases)
	case wit.Flags:
		t.line("typedef uint%d_t %s;", 8*ty.Size(), name)
		c.flags(t, ty)
	default: // record, tuple
		t.line("typedef struct {")
		t.in(func() {
			for _, f := range ty.Fields {
				t.comment("//", f.Docs)
				t.line("%s %s;", c.name(f.Type), fieldC(f.Name))
			}
		})
		t.line("} %s;\n", name)
	}
}

func (c *cWriter) discriminant(ty *wit.Type) string {
	return fmt.Sprintf("uint%d_t", 8*wit.DiscriminantSize(len(ty.Cases)))
}

// fieldC is a field's name that C takes.
func fieldC(name string) string {
	name = snake(name)
	if name[0] >= '0' && name[0] <= '9' {
		return "f" + name
	}
	switch name {
	case "default", "register", "int", "long", "short", "char", "float", "double", "void", "if",
		"else", "for", "while", "do", "switch", "case", "break", "continue", "return", "goto",
		"const", "volatile", "static", "extern", "struct", "union", "enum", "typedef", "signed",
		"unsigned", "sizeof", "auto", "inline", "restrict", "bool", "class", "new", "delete",
		"this", "template", "namespace", "operator", "public", "private", "protected":
		return name + "_"
	}
	return name
}

func (c *cWriter) declareUnion(t *text, ty *wit.Type, first string) {
	t.line("typedef struct {\n  %s", first)
	t.in(func() {
		var with []wit.Field
		for _, cs := range ty.Cases {
			if cs.Type != nil {
				with = append(with, cs)
			}
		}
		if with == nil {
			return
		}
		t.line("union {")
		t.in(func() {
			for _, cs := range with {
				if ty.Kind == wit.Variant {
					t.comment("//", cs.Docs)
				}
				t.line("%s %s;", c.name(cs.Type), fieldC(cs.Name))
			}
		})
		t.line("} val;")
	})
	t.line("} %s;\n", c.name(ty))
}

func (c *cWriter) constants(t *text, ty *wit.Type, cases []wit.Field) {
	t.line("enum {")
	t.in(func() {
		for i, cs := range cases {
			t.comment("//", cs.Docs)
			t.line("%s_%s = %d,", strings.ToUpper(c.name(ty)), upper(cs.Name), i)
		}
	})
	t.line("};")
	if ty.Kind == wit.Enum {
		t.line("")
	}
}

func (c *cWriter) flags(t *text, ty *wit.Type) {
	t.line("enum {")
	t.in(func() {
		for i, f := range ty.Fields {
			t.comment("//", f.Docs)
			t.line("%s_%s = 1u << %d,", strings.ToUpper(c.name(ty)), upper(f.Name), i)
		}
	})
	t.line("};\n")
}

// prototypes writes the functions that are imported, then those to be written.
func (c *cWriter) prototypes(t *text) {
	for _, part := range []struct {
		title string
		list  []*wit.Interface
	}{{"imported", c.w.Imports}, {"to be written", c.w.Exports}} {
		for _, i := range part.list {
			if len(i.Funcs) == 0 {
				continue
			}
			t.line("// ---- %s, %s ----", i.ID, part.title)
			t.comment("//", i.Docs)
			t.line("")
			for _, f := range i.Funcs {
				t.comment("//", f.Docs)
				t.line("%s;\n", c.prototype(i, f))
			}
		}
	}
}

// prototype is a function as an author sees it.
func (c *cWriter) prototype(i *wit.Interface, f *wit.Func) string {
	var params []string
	for _, p := range f.Params {
		params = append(params, c.param(p))
	}
	if params == nil {
		params = []string{"void"}
	}
	result := "void "
	if f.Result != nil {
		result = c.name(f.Result) + " "
	}
	return result + c.function(i, f) + "(" + strings.Join(params, ", ") + ")"
}

func (c *cWriter) function(i *wit.Interface, f *wit.Func) string {
	return c.prefix + snake(i.Name) + "_" + snake(f.Name)
}

// byAddress says whether a parameter is passed by its address: what is larger than a string.
func byAddress(t *wit.Type) bool {
	t = t.Plain()
	return !scalar(t) && t.Kind != wit.String && t.Kind != wit.List
}

func (c *cWriter) param(p wit.Field) string {
	if byAddress(p.Type) {
		return "const " + c.name(p.Type) + " *" + fieldC(p.Name)
	}
	return c.name(p.Type) + " " + fieldC(p.Name)
}
