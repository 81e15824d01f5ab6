package contract

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/wasm/component"
	"github.com/hpmq/hpmq/host/wasm/plan"
)

// wit is what a component imports that a standard tool made of the WIT of a version: all of it.
func wit(t *testing.T, version string) []plan.Import {
	t.Helper()
	code, err := os.ReadFile("../testdata/imports-" + version + ".wasm")
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
	for _, in := range p.ImportedInstances {
		if find(All(), strings.TrimSuffix(in, "@"+version)) == nil {
			t.Errorf("the table has no %s", in)
		}
	}
	return p.Imports
}

func find(all []Interface, name string) *Interface {
	i := slices.IndexFunc(all, func(in Interface) bool { return in.Name == name })
	if i < 0 {
		return nil
	}
	return &all[i]
}

// letters are core types as the table has them.
func letters(types []byte) string {
	var b strings.Builder
	for _, t := range types {
		b.WriteByte(map[byte]byte{
			component.I32: 'i', component.I64: 'I', component.F32Core: 'f', component.F64Core: 'F',
		}[t])
	}
	return b.String()
}

// The table is what the WIT says, neither more nor less; an older WIT has a part of it.
func TestTheTableIsTheWIT(t *testing.T) {
	for _, version := range []string{"0.2.0", Version} {
		all := All()
		for _, im := range wit(t, version) {
			in := find(all, strings.TrimSuffix(im.Instance, "@"+version))
			if in == nil {
				continue // wit said so
			}
			i := slices.IndexFunc(in.Functions, func(f Function) bool { return f.Name == im.Name })
			if i < 0 {
				t.Errorf("the table has no %s of %s", im.Name, im.Instance)
				continue
			}
			params, results := im.Type.Flatten(true)
			want := Function{im.Name, letters(params), letters(results), im.Type.String()}
			if f := in.Functions[i]; f != want {
				t.Errorf("%s: the table has\n\t%+v, the WIT\n\t%+v", im.Instance, f, want)
			}
			in.Functions = slices.Delete(in.Functions, i, i+1)
		}
		later := remaining(all)
		if version == Version && later != nil {
			t.Errorf("the WIT has not %v", later)
		}
		t.Logf("%d functions of the table are later than %s: %v", len(later), version, later)
	}
}

func remaining(all []Interface) (names []string) {
	for _, in := range all {
		for _, f := range in.Functions {
			names = append(names, in.Name+"#"+f.Name)
		}
	}
	return names
}
