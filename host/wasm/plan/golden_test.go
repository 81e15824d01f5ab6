package plan_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/wasm/component"
	"github.com/hpmq/hpmq/host/wasm/plan"
)

var rewrite = flag.Bool("rewrite", false, "write the golden plans anew")

// binaries are the components of testdata; tools/fixtures.sh makes them.
func binaries(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/*.wasm")
	if err != nil || len(files) == 0 {
		t.Fatalf("no components: %v", err)
	}
	out := map[string][]byte{}
	for _, f := range files {
		if out[f], err = os.ReadFile(f); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// TestGolden makes plans of real components: by hand, adapted from WASI preview 1, with a resource
// of their own, composed of two.
func TestGolden(t *testing.T) {
	for file, code := range binaries(t) {
		c, err := component.Decode(code, component.DefaultLimits())
		if err != nil {
			t.Fatal(file, err)
		}
		p, err := plan.Make(c, plan.DefaultLimits())
		if err != nil {
			t.Fatal(file, err)
		}
		golden := strings.TrimSuffix(file, ".wasm") + ".txt"
		if *rewrite {
			if err := os.WriteFile(golden, []byte(p.Text()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Text(); got != string(want) {
			t.Errorf("%s: got:\n%s\nwant:\n%s", golden, got, want)
		}
	}
}

// FuzzMake checks that Make neither panics nor runs away, whether what it is given is valid or not,
// and that its indices are within the plan.
func FuzzMake(f *testing.F) {
	for _, code := range binaries(f) {
		f.Add(code)
	}
	l := component.DefaultLimits()
	l.BytesMax, l.WorkMax = 1<<20, 100_000
	f.Fuzz(func(t *testing.T, code []byte) {
		c, err := component.Decode(code, l)
		if err != nil {
			return
		}
		p, err := plan.Make(c, plan.DefaultLimits())
		if (p == nil) == (err == nil) {
			t.Fatalf("%v, %v", p, err)
		}
		if err == nil {
			checkIndices(t, p)
			p.Text()
		}
	})
}

func checkIndices(t *testing.T, p *plan.Plan) {
	for i, in := range p.Instances {
		for _, a := range in.Args {
			checkDef(t, p, &a.Def)
			if a.Def.Instance >= i {
				t.Fatalf("instance %d imports from %d, which is not made yet", i, a.Def.Instance)
			}
		}
	}
	for _, tr := range p.Trampolines {
		o := tr.Options
		for _, d := range []*plan.CoreDef{o.Memory, o.Realloc, o.PostReturn} {
			checkDef(t, p, d)
		}
		if tr.Caller >= p.Components || tr.Import >= len(p.Imports) {
			t.Fatalf("%+v is out of range", tr)
		}
	}
	for _, r := range p.Resources {
		checkDef(t, p, r.Dtor)
	}
	for _, e := range p.Exports {
		if e.Lifted != nil {
			checkDef(t, p, &e.Lifted.Core)
		}
	}
}

func checkDef(t *testing.T, p *plan.Plan, d *plan.CoreDef) {
	if d != nil && (d.Instance >= len(p.Instances) ||
		d.Instance < 0 && (d.Trampoline >= len(p.Trampolines) || d.Sort != component.CoreFunc)) {
		t.Fatalf("%+v is out of range", d)
	}
}
