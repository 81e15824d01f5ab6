package bind

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/host/wasm/canon"
	"github.com/hpmq/hpmq/host/wasm/component"
	"github.com/hpmq/hpmq/host/wasm/wave"
	"github.com/hpmq/hpmq/sdk/wit"
)

// typeOf is a type as the engine has it.
func typeOf(t *wit.Type) *component.Type {
	if t == nil {
		return nil
	}
	t = t.Plain()
	out := &component.Type{Kind: map[wit.Kind]component.Kind{
		wit.List: component.List, wit.Option: component.Option, wit.Result: component.Result,
		wit.Tuple: component.Tuple, wit.Record: component.Record, wit.Variant: component.Variant,
		wit.Enum: component.Enum, wit.Flags: component.Flags,
	}[t.Kind]}
	if t.Kind <= wit.String {
		out.Kind = component.Kind(t.Kind) // both begin with the scalars, in the order of the spec
		return out
	}
	if t.Kind == wit.List || t.Kind == wit.Option {
		out.Elems = []*component.Type{typeOf(t.Elem)}
		return out
	}
	for _, f := range slices.Concat(t.Fields, t.Cases) {
		if t.Kind != wit.Tuple && t.Kind != wit.Result {
			out.Labels = append(out.Labels, f.Name)
		}
		if t.Kind != wit.Enum && t.Kind != wit.Flags {
			out.Elems = append(out.Elems, typeOf(f.Type))
		}
	}
	return out
}

func funcOf(f *wit.Func) *component.FuncType {
	out := &component.FuncType{Result: typeOf(f.Result)}
	for _, p := range f.Params {
		out.Names = append(out.Names, p.Name)
		out.Params = append(out.Params, typeOf(p.Type))
	}
	return out
}

// TestLayoutsAgree: those of package wit, which the bindings are made of, and those of the engine.
func TestLayoutsAgree(t *testing.T) {
	for _, ty := range ordered(world(t)) {
		theirs := typeOf(ty)
		if ty.Size() != theirs.Size() || ty.Align() != theirs.Align() {
			t.Errorf("%v: size %d, align %d; the engine has %d, %d", ty, ty.Size(), ty.Align(),
				theirs.Size(), theirs.Align())
		}
		flat, _ := theirs.Flat()
		for i, f := range ty.Flatten() {
			if i < len(flat) && flat[i] != byte(0x7f-f) {
				t.Errorf("%v: flat %v, the engine has %x", ty, ty.Flatten(), flat)
			}
		}
	}
}

// memory is that of a guest, for package canon.
type memory struct{ g *wasm.Guest }

func (m memory) Bytes() []byte {
	b, _ := m.g.Memory().Read(0, m.g.Memory().Size())
	return b
}

func (m memory) Realloc(align, size uint32) (uint32, error) { return m.g.Alloc(size, align) }

// echo is the host of a guest: it says back the first parameter, or what fits the result.
type echo struct {
	heard []string
}

func (e *echo) call(g *wasm.Guest, f *component.FuncType, stack []uint64) {
	side := &canon.Side{Memory: memory{g}}
	call := canon.NewCall(canon.DefaultLimits())
	var params []canon.Value
	var err error
	if len(f.Params) > 0 {
		if params, err = side.LiftParams(call, f, stack); err != nil {
			g.Trap(err.Error())
		}
	}
	for i, p := range params {
		e.heard = append(e.heard, string(wave.Append(nil, f.Params[i], p)))
	}
	if f.Result == nil {
		return
	}
	answer := ""
	switch f.Result.Kind {
	case component.Option:
		at := slices.IndexFunc(f.Params, func(p *component.Type) bool {
			return p.Kind == f.Result.Elems[0].Kind
		})
		if at < 0 {
			at = len(e.heard) - 1
		}
		answer = "some(" + e.heard[at] + ")"
	case component.Result:
		answer = "ok(" + e.heard[0] + ")"
	default:
		answer = e.heard[0]
	}
	v, err := wave.Parse(f.Result, answer)
	if err == nil {
		err = side.LowerResult(call, f, v, stack)
	}
	if err != nil {
		g.Trap(answer + ": " + err.Error())
	}
}

func flats(core []byte) []wasm.ValueType {
	var out []wasm.ValueType
	for _, b := range core {
		out = append(out, wasm.ValueType(b))
	}
	return out
}

// guest is a guest of the bindings of a language.
func guest(t *testing.T, language string, w *wit.World, e *echo) *wasm.Guest {
	t.Helper()
	code, err := os.ReadFile("testdata/everything-" + language + ".wasm")
	if err != nil {
		t.Fatal(err)
	}
	engine, err := wasm.Open(wasm.Default())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close(t.Context()) })
	host := wasm.HostModule{Name: w.Imports[len(w.Imports)-1].ID}
	for _, f := range w.Imports[len(w.Imports)-1].Funcs {
		ty := funcOf(f)
		params, results := ty.Flatten(true)
		host.Funcs = append(host.Funcs, wasm.HostFunc{
			Name: f.Name, Params: flats(params), Results: flats(results),
			Call: func(g *wasm.Guest, stack []uint64) { e.call(g, ty, stack) },
		})
	}
	if err := engine.Provide(host); err != nil {
		t.Fatal(err)
	}
	module, err := engine.Compile(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	g, err := module.Instantiate(t.Context(), nil, wasm.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

// invoke calls an export with values as WAVE and answers what it gave.
func invoke(g *wasm.Guest, id string, f *wit.Func, params []string) (string, error) {
	ty := funcOf(f)
	var values []canon.Value
	for i, text := range params {
		v, err := wave.Parse(ty.Params[i], text)
		if err != nil {
			return "", err
		}
		values = append(values, v)
	}
	export, err := g.Func(id + "#" + f.Name)
	if err != nil {
		return "", err
	}
	side := &canon.Side{Memory: memory{g}}
	call := canon.NewCall(canon.DefaultLimits())
	stack := make([]uint64, 20)
	if len(values) > 0 {
		if err := side.LowerParams(call, ty, values, stack); err != nil {
			return "", err
		}
	}
	if err := g.Call(export, stack); err != nil || ty.Result == nil {
		return "", err
	}
	v, err := side.LiftResult(call, ty, stack)
	if err != nil {
		return "", err
	}
	return string(wave.Append(nil, ty.Result, v)), nil
}

const (
	deepA = `{maybe: some([("a", 1), ("", 255)]), outcome: ok(text("é")), kept: [[1, 2], []], ` +
		`rights: {read, run-it}, class: true}`
	deepB = `{maybe: none, outcome: err(dark-blue), kept: [], rights: {}, class: false}`
)

// trip is a call of an export: what it is given must come to the host as it is, and back.
type trip struct {
	name   string
	params []string
	result string
}

func (c *trip) run(t *testing.T, g *wasm.Guest, exports *wit.Interface, e *echo) {
	t.Helper()
	e.heard = nil
	at := slices.IndexFunc(exports.Funcs, func(f *wit.Func) bool { return f.Name == c.name })
	got, err := invoke(g, exports.ID, exports.Funcs[at], c.params)
	if err != nil {
		t.Fatalf("%s(%s): %v", c.name, strings.Join(c.params, ", "), err)
	}
	c.check(t, e.heard, got)
}

func (c *trip) check(t *testing.T, heard []string, got string) {
	t.Helper()
	if got != c.result {
		t.Errorf("%s(%s):\n got %s\nwant %s", c.name, strings.Join(c.params, ", "), got, c.result)
	}
	if c.name != "colours" && !slices.Equal(heard, c.params) {
		t.Errorf("%s: the host heard\n     %q\nwant %q", c.name, heard, c.params)
	}
}

func trips() []trip {
	out := []trip{
		{"wide", []string{deepA, deepB, "7"}, "some(7)"},
		{"wide", []string{deepB, deepA, "4294967295"}, "some(4294967295)"},
		{"plain", []string{"-128", "65535", "-9223372036854775808", "1.5", "-0.25", "'é'", "true",
			"dark-blue", "{write, run-it}"}, "-128"},
		{"nothing", nil, ""},
		{"swap", []string{`("größe", 200)`}, `ok(("größe", 200))`},
		{"colours", []string{"[green, dark-blue, red]"}, `["green", "dark-blue", "red"]`},
		{"colours", []string{"[]"}, `[]`},
		{"taken", []string{`"a"`, "[1, 2]", "3", "some(4)", "5", "6", "7", "8", "9"}, `some("a")`},
	}
	for _, v := range []string{
		"nil", "whole(-9007199254740993)", "part(1.25)", "exact(-2.5e+300)", "small(65535)",
		`text("")`, `text("a\nb")`, "many([])",
		"many([{x: 1, y: 2, tag: 'x'}, {x: -0.5, y: 1e+10, tag: '😀'}])",
	} {
		out = append(out, trip{"turn-back", []string{v}, v})
	}
	return out
}

func TestRoundTrip(t *testing.T) {
	w := world(t)
	exports := w.Exports[len(w.Exports)-1]
	for _, language := range Languages() {
		t.Run(language, func(t *testing.T) {
			e := &echo{}
			g := guest(t, language, w, e)
			for range 50 { // memory is used again
				for _, c := range trips() {
					c.run(t, g, exports, e)
				}
			}
			if n := g.Memory().Size(); n > 4<<20 {
				t.Errorf("memory grew to %d bytes", n)
			}
		})
	}
}
