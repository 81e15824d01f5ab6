package bind

import (
	"fmt"
	"strings"

	"github.com/hpmq/hpmq/sdk/wit"
)

// exports writes the functions that the host calls.
func (a *asWriter) exports(o Options) string {
	t := &text{}
	t.line("// %s\nimport * as it from \"./%s\";\n\n%s", note(o, a.w), a.base, reallocAS)
	a.from = "it."
	defer func() { a.from = "" }()
	for _, i := range a.w.Exports {
		for _, f := range i.Funcs {
			a.area(t, i, f)
			t.line("export function %s%s {", a.exported(i, f), a.lowSignature(f, false))
			t.in(func() { a.callIn(t, i, f) })
			t.line("}\n")
		}
	}
	return strings.TrimRight(t.String(), "\n") + "\n"
}

const reallocAS = `export function cabi_realloc(
  old: usize, oldSize: usize, align: usize, size: usize,
): usize {
  const p = it.$room(size);
  if (oldSize > 0) memory.copy(p, old, min(oldSize, size));
  return p;
}
`

// area writes where a result stands until the next call.
func (a *asWriter) area(t *text, i *wit.Interface, f *wit.Func) {
	if _, spilled := f.FlatResult(); spilled {
		t.line("const area_%s = memory.data(%d, 8);\n", a.exported(i, f), f.Result.Size())
	}
}

// callIn writes the body of such a function.
func (a *asWriter) callIn(t *text, i *wit.Interface, f *wit.Func) {
	var args []string
	_, spilled := f.FlatParams()
	offsets, at := f.ParamsTuple().Offsets(), 0
	for k, p := range f.Params {
		if spilled {
			args = append(args, a.get(p.Type, sum("a0", offsets[k])))
			continue
		}
		n := len(p.Type.Flatten())
		args = append(args, a.lift(p.Type, flatNames(at, n)))
		at += n
	}
	call := fmt.Sprintf("it.$the%s().%s(%s)", pascal(i.Name), fieldAS(f.Name),
		strings.Join(args, ", "))
	flat, inMemory := f.FlatResult()
	switch {
	case inMemory:
		area := "area_" + a.exported(i, f)
		t.line("const result = %s;\n%s\nit.$finish();\nreturn %s;", call,
			a.put(f.Result, area, "result"), area)
	case len(flat) == 0:
		t.line("%s;\nit.$finish();", call)
	default:
		t.line("const result = %s;\nlet out: %s = 0;", call, flatsAS[flat[0]])
		a.lower(t, f.Result, "result", []string{"out"})
		t.line("it.$finish();\nreturn out;")
	}
}

// flat writes the function that makes a value with a discriminant of its flat values.
func (a *asWriter) flat(t *text, ty *wit.Type) {
	switch ty.Kind {
	case wit.Variant, wit.Option, wit.Result:
	default:
		return
	}
	all := ty.Flatten()
	t.line("export function $flat%s(%s): %s {", a.word(ty), strings.Join(a.flatParams(all), ", "),
		a.name(ty))
	t.in(func() {
		a.made(t, ty, "a0", func(c wit.Field) string {
			var own []string
			for k, want := range c.Type.Flatten() {
				own = append(own, convertAS(fmt.Sprintf("a%d", k+1), all[k+1], want))
			}
			return a.lift(c.Type, own)
		})
	})
	t.line("}\n")
}
