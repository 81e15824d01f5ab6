package wit

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
)

func everything(t testing.TB) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/all.json")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func world(t *testing.T) *World {
	t.Helper()
	w, err := Parse(everything(t), "everything")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWhatIsThere(t *testing.T) {
	w := world(t)
	var names []string
	for _, i := range w.Interfaces() {
		for _, f := range i.Funcs {
			names = append(names, i.ID+"#"+f.Name)
		}
	}
	const a = "test:all/"
	want := []string{
		a + "host@1.2.0#turn", a + "host@1.2.0#wide", a + "host@1.2.0#plain",
		a + "host@1.2.0#nothing", a + "host@1.2.0#swap", a + "host@1.2.0#taken",
		a + "guest@1.2.0#turn-back", a + "guest@1.2.0#wide", a + "guest@1.2.0#plain",
		a + "guest@1.2.0#nothing", a + "guest@1.2.0#swap", a + "guest@1.2.0#taken",
		a + "guest@1.2.0#colours",
	}
	if !slices.Equal(names, want) || w.Package != "test:all@1.2.0" {
		t.Errorf("got %q", names)
	}
	colour := named(t, w, "colour")
	if colour.Docs != "What is what." || colour.Owner.Name != "shapes" ||
		colour.Cases[2].Name != "dark-blue" {
		t.Errorf("got %+v", colour)
	}
}

// named is a type of the interface shapes.
func named(t *testing.T, w *World, name string) *Type {
	t.Helper()
	for _, i := range w.Interfaces() {
		for _, ty := range i.Types {
			if ty.Name == name {
				return ty.Plain()
			}
		}
	}
	t.Fatalf("no type %s", name)
	return nil
}

// TestLayout: figures by hand, from the rules of the canonical ABI.
func TestLayout(t *testing.T) {
	w := world(t)
	for _, c := range []struct {
		name        string
		size, align uint32
		flat        []Flat
		offsets     []uint32
	}{
		{"colour", 1, 1, []Flat{I32}, nil},
		{"rights", 1, 1, []Flat{I32}, []uint32{}},
		{"point", 24, 8, []Flat{Float32, Float64, I32}, []uint32{0, 8, 16}},
		{"value", 16, 8, []Flat{I32, I64, I32}, nil},
		{"pair", 12, 4, []Flat{I32, I32, I32}, []uint32{0, 8}},
		{"deep", 56, 8, nil, []uint32{0, 16, 40, 48, 49}},
	} {
		ty := named(t, w, c.name)
		if ty.Size() != c.size || ty.Align() != c.align {
			t.Errorf("%s: size %d, align %d", c.name, ty.Size(), ty.Align())
		}
		if c.flat != nil && !slices.Equal(ty.Flatten(), c.flat) {
			t.Errorf("%s: flat %v", c.name, ty.Flatten())
		}
		if ty.Kind != Flags && !slices.Equal(ty.Offsets(), c.offsets) {
			t.Errorf("%s: offsets %v", c.name, ty.Offsets())
		}
	}
	for _, f := range w.Imports[0].Funcs {
		_, params := f.FlatParams()
		_, result := f.FlatResult()
		if params != (f.Name == "wide") || result != (f.Name != "plain" && f.Name != "nothing") {
			t.Errorf("%s: params in memory %v, result %v", f.Name, params, result)
		}
	}
}

func TestWhatCannotBeBoundIsNamed(t *testing.T) {
	const pack = `"packages":[{"name":"a:b"}]}`
	for text, says := range map[string]string{
		`x`:  "invalid",
		`[]`: "cannot unmarshal",
		`{"worlds":[{"name":"w","package":0}],` + pack:                     "",
		`{"worlds":[{"name":"w","package":1}]}`:                            "not what wasm-tools",
		`{"worlds":[{"name":"v"}]}`:                                        "there are v",
		`{"worlds":[{"name":"w","imports":{"f":{"function":{}}}}],` + pack: "f is no interface",
		`{"types":[{"kind":{"list":7}}]}`:                                  "not what wasm-tools",
		`{"types":[{"kind":{"list":0}}]}`:                                  "holds itself",
		`{"interfaces":[{"types":{"a":3},"functions":{}}]}`:                "not what wasm-tools",
	} {
		_, err := Parse([]byte(text), "w")
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", text, err, says)
		}
	}
}

// TestAWorldWithoutItIsRead: what cannot be bound is in the way of those worlds alone that need it.
func TestAWorldWithoutItIsRead(t *testing.T) {
	for inside, says := range map[string]string{
		`"types":{"a":0},"functions":{}|{"name":"a","kind":"resource"}`:    "type a: types as",
		`"functions":{}|{"kind":"resource"}`:                               "",
		`"types":{"a":0},"functions":{}|{"kind":{"list":"error-context"}}`: `"error-context"`,
		`"functions":{"f":{"kind":"freestanding","result":0}}|` +
			`{"kind":{"handle":{"borrow":1}}}`: "handle",
		`"functions":{"f":{"kind":"freestanding","params":[{"name":"p",` +
			`"type":1}]}}|` +
			`{"kind":{"stream":1}},{"kind":{"option":0}}`: "stream",
		`"functions":{"f":{"kind":{"method":1}}}|`: "function : methods",
	} {
		functions, types, _ := strings.Cut(inside, "|")
		text := `{"worlds":[{"name":"w","package":0,"exports":{"i":{"interface":{"id":0}}}},` +
			`{"name":"v","package":0}],"packages":[{"name":"a:b"}],"interfaces":[{"name":"i",` +
			functions + `}],"types":[` + types + `]}`
		_, err := Parse([]byte(text), "w")
		if (err == nil) != (says == "") || says != "" && (!errors.Is(err, ErrUnbound) ||
			!strings.Contains(err.Error(), says)) {
			t.Errorf("%s: %v, want %q", text, err, says)
		}
		if _, err := Parse([]byte(text), "v"); err != nil {
			t.Errorf("%s: the other world: %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"worlds":[{"name":"w","package":0,"exports":{"i":{"interface":{"id":0}}}}],` +
		`"packages":[{"name":"a:b"}],"interfaces":[{"name":"i","functions":{"f":{"name":"f",` +
		`"kind":"freestanding","params":[{"name":"a","type":0}],"result":1}}}],` +
		`"types":[{"kind":{"list":1}},{"kind":{"variant":{"cases":[{"name":"x","type":"u8"}]}}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		w, err := Parse(text, "")
		if err != nil {
			return
		}
		for _, i := range w.Interfaces() {
			for _, fn := range i.Funcs {
				fn.FlatParams()
				fn.FlatResult()
				fn.ParamsTuple().Size()
			}
		}
	})
}

// TestAWorldOfSeveralVersions: by its name it is that of the folder's own package, the last one.
func TestAWorldOfSeveralVersions(t *testing.T) {
	text := []byte(`{"packages":[{"name":"a:b@0.1.0"},{"name":"a:b@0.2.0"},{"name":"c:d"}],` +
		`"worlds":[{"name":"w","package":0},{"name":"v","package":2},{"name":"w","package":1}]}`)
	for name, want := range map[string]string{
		"w": "a:b@0.2.0", "a:b/w@0.1.0": "a:b@0.1.0", "a:b/w@0.2.0": "a:b@0.2.0", "c:d/v": "c:d",
		"a:b/w@0.3.0": "", "": "", "x": "",
	} {
		w, err := Parse(text, name)
		of, _ := PackageOf(text, name)
		if of != want || (err == nil) != (want != "") || err == nil && w.Package != want {
			t.Errorf("%q is of %q: %v", name, of, err)
		}
	}
}
