package wasm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/wasm/asm"
	"github.com/hpmq/hpmq/host/wasm/component"
	"github.com/hpmq/hpmq/host/wasm/fuel"
)

// fixture is a component of package plan's testdata, as toolchains make them.
func fixture(t testing.TB, name string) []byte {
	t.Helper()
	code, err := os.ReadFile("plan/testdata/" + name + ".wasm")
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func component1(t testing.TB, e *Engine, name string) *Module {
	t.Helper()
	m, err := e.Compile(context.Background(), fixture(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// library is what the fixture policy imports: it answers what is known of a key.
type library struct {
	known  map[string]string
	logged []string
}

const libraryName = "test:plan/host@0.1.7"

func (l *library) module() HostModule {
	text := func(g *Guest, at, n uint64) string {
		b, ok := g.Memory().Read(uint32(at), uint32(n))
		g.must(ok, "text")
		return string(b)
	}
	return HostModule{Name: libraryName, Funcs: []HostFunc{
		{Name: "log", Params: []ValueType{I32, I32}, Type: "(line: string)",
			Call: func(g *Guest, stack []uint64) {
				l.logged = append(l.logged, text(g, stack[0], stack[1]))
			}},
		{Name: "look-up", Params: []ValueType{I32, I32, I32},
			Type: "(key: string) -> option<string>",
			Call: func(g *Guest, stack []uint64) {
				out := uint32(stack[2])
				value, ok := l.known[text(g, stack[0], stack[1])]
				if !ok {
					g.must(g.Memory().PutByte(out, 0), "look-up")
					return
				}
				ptr, err := g.Alloc(uint32(len(value)), 1)
				if err != nil {
					g.Trap(err.Error())
				}
				mem := g.Memory()
				n := uint32(len(value))
				g.must(mem.WriteString(ptr, value) && mem.PutByte(out, 1) &&
					mem.PutUint32(out+4, ptr) && mem.PutUint32(out+8, n), "look-up")
			}},
	}}
}

// judge calls the policy's one export, by the canonical ABI.
func judge(g *Guest, f *Func, topic string, payload []byte) (answer string, err error) {
	g.Use(f)
	tp, err := g.Alloc(uint32(len(topic)), 1)
	if err != nil {
		return "", err
	}
	pp, err := g.Alloc(uint32(len(payload)), 1)
	if err != nil {
		return "", err
	}
	mem := g.Memory()
	mem.WriteString(tp, topic)
	mem.Write(pp, payload)
	var stack [4]uint64
	stack[0], stack[1] = uint64(tp), uint64(len(topic))
	stack[2], stack[3] = uint64(pp), uint64(len(payload))
	if err := g.Call(f, stack[:]); err != nil {
		return "", err
	}
	at := uint32(stack[0])
	if some, _ := mem.Byte(at); some != 0 {
		ptr, _ := mem.Uint32(at + 4)
		n, _ := mem.Uint32(at + 8)
		b, _ := mem.Read(ptr, n)
		answer = string(b)
	}
	return answer, g.Post(f, uint64(at))
}

func TestAComponentWithItsShim(t *testing.T) {
	spent := map[bool][]uint64{}
	engines(t, func(t *testing.T, cfg Config) {
		l := &library{known: map[string]string{"a/b": "yes", "long": strings.Repeat("x", 1000)}}
		m := component1(t, open(t, cfg, l.module()), "policy")
		g := guest(t, m, nil, Limits{})
		f := function(t, g, "judge")
		for range 100 { // more than the heap holds, were post-return not called
			for topic, want := range l.known {
				if got, err := judge(g, f, topic, make([]byte, 500)); err != nil || got != want {
					t.Fatalf("%q, %v", got, err)
				}
			}
		}
		if got, err := judge(g, f, "unknown", nil); err != nil || got != "" {
			t.Fatalf("%q, %v", got, err)
		}
		if len(l.logged) != 201 || l.logged[200] != "unknown" {
			t.Errorf("%d lines logged", len(l.logged))
		}
		for n := range 20 {
			if _, err := judge(g, f, strings.Repeat("t", n), make([]byte, 7*n)); err != nil {
				t.Fatal(err)
			}
			spent[cfg.Interpreter] = append(spent[cfg.Interpreter], g.Fuel())
		}
	})
	if !slices.Equal(spent[true], spent[false]) || spent[true][0] == 0 {
		t.Errorf("the interpreter spends %v, the compiler %v", spent[true], spent[false])
	}
}

func TestWhatAComponentSaysOfItself(t *testing.T) {
	var l library
	m := component1(t, open(t, Default(), l.module()), "policy")
	if m.Form() != ComponentForm || len(m.Digest()) != 64 || m.Size() < 1000 ||
		m.MemoryBytesMin()%pageBytes != 0 || m.MemoryBytesMin() == 0 {
		t.Errorf("%s %s %d %d", m.Form(), m.Digest(), m.Size(), m.MemoryBytesMin())
	}
	got := fmt.Sprint(m.Exports(), m.ExportedFuncs(), m.Imports(), m.ImportedFuncs())
	want := "[judge] [{judge (topic: string, payload: list<u8>) -> option<string>}] " +
		"[test:plan/host@0.1.0] [{test:plan/host@0.1.0 log (line: string)} " +
		"{test:plan/host@0.1.0 look-up (key: string) -> option<string>}]"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	params, results, ok := m.Signature("judge")
	if !ok || len(params) != 4 || len(results) != 1 || m.Type("judge") == "" || m.Has("f") {
		t.Errorf("%v %v %v", params, results, ok)
	}
	g := guest(t, m, nil, Limits{})
	if e := function(t, g, "judge").Encoding(); e != component.UTF8 {
		t.Errorf("encoding %v", e)
	}
}

// TestComponentsAreRefusedWithAllThatIsMissing, and told what has another type.
func TestComponentsAreRefusedWithAllThatIsMissing(t *testing.T) {
	var l library
	other := l.module()
	other.Funcs[0].Type = "(line: list<u8>)"
	other.Funcs[1].Params, other.Funcs[1].Type = []ValueType{I32, I64, I32}, ""
	e := open(t, Default(), other)
	for file, want := range map[string]string{
		"policy": "test:plan/host@0.1.0 log (wanted as (line: string), is (line: list<u8>)); " +
			"test:plan/host@0.1.0 look-up (wanted as (i32, i32, i32) -> (), " +
			"is (i32, i64, i32) -> ())",
		"user": "test:plan/blobs@0.1.0 [constructor]blob; " +
			"test:plan/blobs@0.1.0 [method]blob.size; test:plan/blobs@0.1.0 [static]blob.join; " +
			"test:plan/blobs@0.1.0 blob (a resource); test:plan/blobs@0.1.0 live",
	} {
		_, err := e.Compile(context.Background(), fixture(t, file))
		if !errors.Is(err, ErrImports) || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// TestComponentsCallEachOther: values, own and borrow handles go from one to another and back, and
// destructors run.
func TestComponentsCallEachOther(t *testing.T) {
	spent := map[bool]uint64{}
	engines(t, func(t *testing.T, cfg Config) {
		g := guest(t, component1(t, open(t, cfg), "composed"), nil, Limits{})
		f := function(t, g, "run")
		for range 10 {
			g.Use(f)
			at, err := g.Alloc(12, 4)
			if err != nil {
				t.Fatal(err)
			}
			for i, size := range []uint32{10, 20, 300} {
				g.Memory().PutUint32(at+4*uint32(i), size)
			}
			stack := []uint64{uint64(at), 3}
			if err := g.Call(f, stack); err != nil {
				t.Fatal(err)
			}
			size, _ := g.Memory().Uint32(uint32(stack[0]))
			live, _ := g.Memory().Uint32(uint32(stack[0]) + 4)
			if size != 330 || live != 0 {
				t.Errorf("size %d, %d blobs are left", size, live)
			}
			if err := g.Post(f, stack[0]); err != nil {
				t.Fatal(err)
			}
		}
		spent[cfg.Interpreter] = g.Fuel()
	})
	if spent[true] != spent[false] || spent[true] < 1000 {
		t.Errorf("spent %v by interpreter", spent)
	}
}

// TestAComponentsOwnResource is called from outside: the handles are its own.
func TestAComponentsOwnResource(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		g := guest(t, component1(t, open(t, cfg), "store"), nil, Limits{})
		v := visit{Guest: g, t: t}
		const blobs = "test:plan/blobs@0.1.9#" // served by 0.1.0
		constructor := function(t, g, blobs+"[constructor]blob")
		for want := range uint64(3) {
			stack := []uint64{0, 7}
			if err := g.Call(constructor, stack); err != nil || stack[0] != want+1 {
				t.Errorf("handle %d, %v", stack[0], err)
			}
		}
		if n, err := v.do(blobs+"live", 0); err != nil || n != 3 {
			t.Errorf("%d live, %v", n, err)
		}
		if n, err := v.do(blobs+"[method]blob.size", 2); err != nil || n != 7 {
			t.Errorf("size %d, %v", n, err)
		}
	})
}

// TestAResourceOfTheHostInAComponent: what the fixture store does is done by the host.
func TestAResourceOfTheHostInAComponent(t *testing.T) {
	const name = "test:plan/blobs@0.1.0"
	engines(t, func(t *testing.T, cfg Config) {
		var dropped []uint32
		one, two := []ValueType{I32}, []ValueType{I32, I32}
		e := open(t, cfg, HostModule{Name: name,
			Resources: []HostResource{{Name: "blob", Drop: func(_ *Guest, rep uint32) {
				dropped = append(dropped, rep)
			}}},
			Funcs: []HostFunc{
				{Name: "[constructor]blob", Params: two, Results: one,
					Type: "(bytes: list<u8>) -> own<blob>", Call: func(g *Guest, s []uint64) {
						s[0] = uint64(g.NewHandle(name, "blob", uint32(s[1])))
					}},
				{Name: "[method]blob.size", Params: one, Results: one,
					Type: "(self: borrow<blob>) -> u32", Call: func(g *Guest, s []uint64) {
						s[0] = uint64(g.Rep(name, "blob", uint32(s[0])))
					}},
				{Name: "[static]blob.join", Params: two, Results: one,
					Type: "(a: own<blob>, b: borrow<blob>) -> own<blob>",
					Call: func(g *Guest, s []uint64) {
						sum := g.TakeHandle(name, "blob", uint32(s[0]))
						sum += g.Rep(name, "blob", uint32(s[1]))
						s[0] = uint64(g.NewHandle(name, "blob", sum))
					}},
				{Name: "live", Results: one, Type: "() -> u32",
					Call: func(g *Guest, s []uint64) {
						s[0] = uint64(g.NewHandle(name, "blob", 99)) // must not be
					}},
			}})
		m := component1(t, e, "user")
		g := guest(t, m, nil, Limits{})
		f := function(t, g, "run")
		at, _ := g.Alloc(8, 4)
		g.Memory().PutUint32(at, 5)
		g.Memory().PutUint32(at+4, 6)
		err := g.Call(f, []uint64{uint64(at), 2})
		if !errors.Is(err, ErrTrap) || !strings.Contains(err.Error(), "no blob of") {
			t.Errorf("a handle of a type that the function has not: %v", err)
		}
		if got := fmt.Sprint(dropped); got != "[5 6 11]" {
			t.Errorf("dropped %s", got)
		}
	})
}

// TestWhatStandsBesideAnExport: what the core module exports and the component does not.
func TestWhatStandsBesideAnExport(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		for _, form := range []Form{CoreForm, ComponentForm} {
			m := bumping()
			m.ExportFunc("twice", m.Func(i32, i32, none, asm.LocalGet(0), asm.LocalGet(0),
				asm.Op(asm.I32Add)))
			g, f := inForm(t, cfg, form, m, Limits{})
			twice, err := g.Beside(f, "twice")
			if err != nil {
				t.Fatal(err)
			}
			stack := []uint64{21}
			if err := g.Call(twice, stack); err != nil || stack[0] != 42 {
				t.Errorf("%s: %d, %v", form, stack[0], err)
			}
			one := []ValueType{I32}
			if !twice.Is(one, one) || twice.Is(one, nil) {
				t.Errorf("%s: %v", form, twice.signature)
			}
			for _, name := range []string{"thrice", "memory", fuel.CountGlobal, fuel.StartExport} {
				if _, err := g.Beside(f, name); !errors.Is(err, ErrNoExport) {
					t.Errorf("%s: %s: %v", form, name, err)
				}
			}
		}
	})
}
