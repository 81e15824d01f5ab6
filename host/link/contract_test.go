package link

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/host/wasm/component"
	"github.com/hpmq/hpmq/host/wasm/plan"
)

// worlds is the folder with the empty components of the worlds of served()[i], which
// tools/wit-check.sh makes of wit/, and of wit/deps/hpmq-broker-0.1, and holds equal to them.
func worlds(i int) string {
	if i == 0 {
		return "testdata/worlds/"
	}
	return "testdata/worlds/" + track(served()[i].version) + "/"
}

// world is the plan of one of them.
func world(t *testing.T, file string) *plan.Plan {
	t.Helper()
	code, err := os.ReadFile(file + ".wasm")
	if err != nil {
		t.Fatal(err)
	}
	c, err := component.Decode(code, component.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Make(c, plan.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestContractsAreThoseOfWIT compares what this package asks of a component, name by name and type
// by type, with the world of each role, in each version.
func TestContractsAreThoseOfWIT(t *testing.T) {
	for i, c := range served() {
		for r := range roleCount {
			asked := append(slices.Clone(c.lifecycle.exports), c.roles[r].exports...)
			compareExports(t, worlds(i)+r.String()+"-component", asked)
			if lent := c.lent[r].exports; lent != nil {
				compareExports(t, worlds(i)+r.String()+"-by-handle-component",
					append(asked, lent...))
			}
		}
	}
}

func compareExports(t *testing.T, name string, asked []export) {
	t.Helper()
	p := world(t, name)
	if len(asked) != len(p.Exports) {
		t.Errorf("%s: %d functions are asked, it has %d", name, len(asked), len(p.Exports))
	}
	for _, e := range p.Exports {
		name := e.Instance + "#" + e.Name
		i := slices.IndexFunc(asked, func(x export) bool { return x.name == name })
		if i < 0 {
			t.Errorf("nobody asks %s", name)
			continue
		}
		if got := e.Lifted.Type.String(); got != asked[i].typ {
			t.Errorf("%s: in wit/ it is\n%s\nhere\n%s", name, got, asked[i].typ)
		}
		params, results := e.Lifted.Type.Flatten(false)
		core := append(slices.Clone(params), results...)
		if len(params) != asked[i].params || len(results) != asked[i].results() ||
			strings.Trim(string(core), "\x7f") != "" {
			t.Errorf("%s: flat, it is %x -> %x", name, params, results)
		}
	}
}

// TestCapabilitiesAreThoseOfWIT does so with what the host gives to guests.
func TestCapabilitiesAreThoseOfWIT(t *testing.T) {
	given := map[string]wasm.HostFunc{}
	for _, m := range newHouse(t, nil).capabilities() {
		for _, f := range m.Funcs {
			given[m.Name+"#"+f.Name] = f
		}
	}
	// What a guest is lent needs no grant, and stands in the worlds of those who get it.
	wanted := map[string]plan.Import{}
	for i := range served() {
		imports := append(world(t, worlds(i)+"capabilities").Imports,
			world(t, worlds(i)+"transformer-by-handle-component").Imports...)
		for _, im := range imports {
			wanted[im.Instance+"#"+im.Name] = im
		}
	}
	for name, im := range wanted {
		f := given[name]
		if got := im.Type.String(); got != f.Type {
			t.Errorf("%s: in wit/ it is\n%s\nin the host\n%s", name, got, f.Type)
		}
		params, results := im.Type.Flatten(true)
		if !slices.Equal(bytesOf(f.Params), params) || !slices.Equal(bytesOf(f.Results), results) {
			t.Errorf("%s: flat, it is %x -> %x", name, params, results)
		}
		delete(given, name)
	}
	for name := range given {
		if strings.HasPrefix(name, wasiPackages) || strings.HasPrefix(name, wasiModule) {
			continue // held to its own WIT by package wasi; preview 1 has none
		}
		t.Errorf("%s is not in wit/", name)
	}
}

func bytesOf(types []wasm.ValueType) []byte {
	var out []byte
	for _, t := range types {
		out = append(out, byte(t))
	}
	return out
}
