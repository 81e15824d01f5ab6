package bind

import (
	"fmt"
	"strings"

	"github.com/hpmq/hpmq/sdk/wit"
)

// glue writes the functions between the canonical ABI and those of the header.
func (c *cWriter) glue(o Options, base string) string {
	t := &text{}
	t.line("// %s\n#include \"%s.h\"\n", note(o, c.w), base)
	t.line("%s", strings.ReplaceAll(memoryC, "PREFIX_", c.prefix))
	for _, i := range c.w.Imports {
		for _, f := range i.Funcs {
			c.imported(t, i, f)
		}
	}
	for _, i := range c.w.Exports {
		for _, f := range i.Funcs {
			c.exported(t, i, f)
		}
	}
	return t.String()
}

// memoryC is the memory of a component: what lies above kept is free again with the first
// allocation after a call.
const memoryC = `extern uint8_t __heap_base;
static uintptr_t kept, used, end;
static bool over;

static void *take(size_t align, size_t size) {
  if (kept == 0) {
    kept = used = (uintptr_t)&__heap_base;
    end = (uintptr_t)__builtin_wasm_memory_size(0) << 16;
  }
  if (over) used = kept, over = false;
  uintptr_t at = (used + align - 1) & ~(uintptr_t)(align - 1);
  if (size > ~at) __builtin_trap();
  if (at + size > end) {
    size_t pages = (at + size - end + 0xffff) >> 16;
    if (__builtin_wasm_memory_grow(0, pages) == (size_t)-1) __builtin_trap();
    end += pages << 16;
  }
  used = at + size;
  return (void *)at;
}

void *PREFIX_alloc(size_t size) { return take(8, size); }

// What was allocated in this call before is kept too.
void *PREFIX_keep(size_t size) {
  void *p = take(8, size);
  kept = used;
  return p;
}

__attribute__((export_name("cabi_realloc")))
void *PREFIX_realloc(void *old, size_t old_size, size_t align, size_t size) {
  void *p = take(align, size);
  if (old_size > 0) __builtin_memcpy(p, old, old_size < size ? old_size : size);
  return p;
}

// What a compiler calls where there is no C library.
#define LIBRARY __attribute__((weak, no_builtin))
LIBRARY void *memcpy(void *to, const void *from, size_t n) {
  for (size_t i = 0; i < n; i++) ((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
  return to;
}
LIBRARY void *memmove(void *to, const void *from, size_t n) {
  if ((uintptr_t)to <= (uintptr_t)from) return memcpy(to, from, n);
  while (n-- > 0) ((uint8_t *)to)[n] = ((const uint8_t *)from)[n];
  return to;
}
LIBRARY void *memset(void *to, int c, size_t n) {
  for (size_t i = 0; i < n; i++) ((uint8_t *)to)[i] = (uint8_t)c;
  return to;
}
LIBRARY int memcmp(const void *a, const void *b, size_t n) {
  const uint8_t *x = a, *y = b;
  for (; n > 0; n--, x++, y++)
    if (*x != *y) return *x - *y;
  return 0;
}

// Values whose flat type is that of another case.
#define MAYBE __attribute__((unused)) static inline
MAYBE uint32_t bits_of_f32(float v) { return ((union { float f; uint32_t i; }){v}).i; }
MAYBE uint64_t bits_of_f64(double v) { return ((union { double f; uint64_t i; }){v}).i; }
MAYBE float f32_of_bits(uint32_t v) { return ((union { uint32_t i; float f; }){v}).f; }
MAYBE double f64_of_bits(uint64_t v) { return ((union { uint64_t i; double f; }){v}).f; }
`

// flatsC are the flat types.
var flatsC = [...]string{"uint32_t", "uint64_t", "float", "double"}

// tuple writes the tuple that spilled parameters are passed in.
func (c *cWriter) tuple(f *wit.Func) string {
	var b strings.Builder
	for _, p := range f.Params {
		fmt.Fprintf(&b, "%s %s; ", c.name(p.Type), fieldC(p.Name))
	}
	return "struct { " + b.String() + "}"
}

// signature is a function of the canonical ABI, with parameters a0, a1, …
func (c *cWriter) signature(name string, f *wit.Func, imported bool) string {
	flat, _ := f.FlatParams()
	var params []string
	for i, ty := range flat {
		params = append(params, fmt.Sprintf("%s a%d", flatsC[ty], i))
	}
	result, spilled := f.FlatResult()
	text := "void "
	switch {
	case spilled && imported:
		params = append(params, "void *result")
	case spilled:
		text = "void *"
	case len(result) == 1:
		text = flatsC[result[0]] + " "
	}
	if params == nil {
		params = []string{"void"}
	}
	return text + name + "(" + strings.Join(params, ", ") + ")"
}

// imported writes what an author calls.
func (c *cWriter) imported(t *text, i *wit.Interface, f *wit.Func) {
	low := "import_" + snake(i.Name) + "_" + snake(f.Name)
	t.line("__attribute__((import_module(%q), import_name(%q)))\n%s;\n", i.ID, f.Name,
		c.signature(low, f, true))
	t.line("%s {", c.prototype(i, f))
	t.in(func() { c.callOut(t, low, f) })
	t.line("}\n")
}

// callOut writes the body of a function that an author calls. No name of WIT ends in an underscore,
// so that what is called so here is none of the parameters.
func (c *cWriter) callOut(t *text, low string, f *wit.Func) {
	var args []string
	if _, spilled := f.FlatParams(); spilled {
		t.line("%s args_ = {%s};", c.tuple(f), strings.Join(c.given(f), ", "))
		args = append(args, "(uint32_t)&args_")
	} else {
		for k, p := range f.Params {
			args = append(args, c.lower(p.Type, c.given(f)[k])...)
		}
	}
	flat, spilled := f.FlatResult()
	switch {
	case spilled:
		t.line("%s result_;", c.name(f.Result))
		t.line("%s(%s);\nreturn result_;", low, strings.Join(append(args, "&result_"), ", "))
	case len(flat) == 0:
		t.line("%s(%s);", low, strings.Join(args, ", "))
	default:
		t.line("%s flat_ = %s(%s);", flatsC[flat[0]], low, strings.Join(args, ", "))
		t.line("%s result_;", c.name(f.Result))
		c.lift(t, f.Result, "result_", []string{"flat_"})
		t.line("return result_;")
	}
}

// given are the parameters of an author's function as values.
func (c *cWriter) given(f *wit.Func) []string {
	var out []string
	for _, p := range f.Params {
		if byAddress(p.Type) {
			out = append(out, "*"+fieldC(p.Name))
		} else {
			out = append(out, fieldC(p.Name))
		}
	}
	return out
}

// exported writes what the host calls.
func (c *cWriter) exported(t *text, i *wit.Interface, f *wit.Func) {
	low := "export_" + snake(i.Name) + "_" + snake(f.Name)
	t.line("__attribute__((export_name(%q)))\n%s {", i.ID+"#"+f.Name, c.signature(low, f, false))
	t.in(func() { c.callIn(t, i, f) })
	t.line("}\n")
}

func (c *cWriter) callIn(t *text, i *wit.Interface, f *wit.Func) {
	var args []string
	_, spilled := f.FlatParams()
	if spilled {
		t.line("const %s *args = (const void *)a0;", c.tuple(f))
	}
	at := 0
	for _, p := range f.Params {
		name := fieldC(p.Name)
		if spilled {
			name = "args->" + name
		} else {
			n := len(p.Type.Flatten())
			name = "p_" + name // not what a parameter might be called as well: a0, over, result
			t.line("%s %s;", c.name(p.Type), name)
			c.lift(t, p.Type, name, flatNames(at, n))
			at += n
		}
		if byAddress(p.Type) {
			name = "&" + name
		}
		args = append(args, name)
	}
	call := c.function(i, f) + "(" + strings.Join(args, ", ") + ")"
	flat, inMemory := f.FlatResult()
	switch {
	case inMemory:
		t.line("static %s result;\nresult = %s;\nover = true;\nreturn &result;", c.name(f.Result),
			call)
	case len(flat) == 0:
		t.line("%s;\nover = true;", call)
	default:
		t.line("%s result = %s;\nover = true;", c.name(f.Result), call)
		t.line("return %s;", c.lower(f.Result, "result")[0])
	}
}

// flatNames are the names of n flat parameters.
func flatNames(from, n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("a%d", from+i))
	}
	return out
}

// lift writes statements that make a value of its flat values.
func (c *cWriter) lift(t *text, ty *wit.Type, to string, flats []string) {
	switch ty = ty.Plain(); ty.Kind {
	case wit.String, wit.List:
		elem := "uint8_t"
		if ty.Elem != nil {
			elem = c.name(ty.Elem)
		}
		t.line("%s.ptr = (const %s *)%s;\n%s.len = %s;", to, elem, flats[0], to, flats[1])
	case wit.Record, wit.Tuple:
		for _, f := range ty.Fields {
			n := len(f.Type.Flatten())
			c.lift(t, f.Type, to+"."+fieldC(f.Name), flats[:n])
			flats = flats[n:]
		}
	case wit.Variant, wit.Option, wit.Result:
		c.liftCases(t, ty, to, flats)
	case wit.Bool:
		t.line("%s = %s != 0;", to, flats[0])
	default:
		t.line("%s = (%s)%s;", to, c.name(ty), flats[0])
	}
}

// tagOf is where the discriminant of a value is, payloadOf where the payload of a case is.
func tagOf(ty *wit.Type) string {
	return map[wit.Kind]string{wit.Option: "some", wit.Result: "err"}[ty.Kind]
}

func (c *cWriter) payloadOf(ty *wit.Type, cs wit.Field) string {
	if ty.Kind == wit.Option {
		return ".val"
	}
	return ".val." + fieldC(cs.Name)
}

func (c *cWriter) liftCases(t *text, ty *wit.Type, to string, flats []string) {
	tag := tagOf(ty)
	if tag == "" {
		tag = "tag"
	}
	t.line("%s.%s = %s;", to, tag, flats[0])
	t.line("switch (%s) {", flats[0])
	joined := ty.Flatten()[1:]
	for n, cs := range ty.Cases {
		if cs.Type == nil {
			continue
		}
		var own []string
		for k, want := range cs.Type.Flatten() {
			own = append(own, convertC(flats[1+k], joined[k], want))
		}
		t.line("case %d:", n)
		t.in(func() {
			c.lift(t, cs.Type, to+c.payloadOf(ty, cs), own)
			t.line("break;")
		})
	}
	t.line("}")
}

// convertC is a flat value as another flat type, bit for bit.
func convertC(value string, from, to wit.Flat) string {
	switch {
	case from == to:
		return value
	case from == wit.Float32:
		value = "bits_of_f32(" + value + ")"
	case from == wit.Float64:
		value = "bits_of_f64(" + value + ")"
	}
	switch to {
	case wit.Float32:
		return "f32_of_bits((uint32_t)" + value + ")"
	case wit.Float64:
		return "f64_of_bits(" + value + ")"
	}
	return "(" + flatsC[to] + ")" + value
}

// lower are the flat values of a value, as expressions.
func (c *cWriter) lower(ty *wit.Type, from string) []string {
	if strings.HasPrefix(from, "*") {
		from = "(" + from + ")"
	}
	switch ty = ty.Plain(); ty.Kind {
	case wit.String, wit.List:
		return []string{"(uint32_t)" + from + ".ptr", from + ".len"}
	case wit.Record, wit.Tuple:
		var out []string
		for _, f := range ty.Fields {
			out = append(out, c.lower(f.Type, from+"."+fieldC(f.Name))...)
		}
		return out
	case wit.Variant, wit.Option, wit.Result:
		return c.lowerCases(ty, from)
	}
	return []string{fmt.Sprintf("(%s)%s", flatsC[ty.Flatten()[0]], from)}
}

func (c *cWriter) lowerCases(ty *wit.Type, from string) []string {
	tag := tagOf(ty)
	if tag == "" {
		tag = "tag"
	}
	tag = from + "." + tag
	out := []string{"(uint32_t)" + tag}
	for k, want := range ty.Flatten()[1:] {
		text := "0"
		for n, cs := range ty.Cases {
			if cs.Type == nil {
				continue
			}
			flat := cs.Type.Flatten()
			if k < len(flat) {
				own := c.lower(cs.Type, from+c.payloadOf(ty, cs))[k]
				text = fmt.Sprintf("%s == %d ? %s : %s", tag, n, convertC(own, flat[k], want), text)
			}
		}
		out = append(out, "("+text+")")
	}
	return out
}
