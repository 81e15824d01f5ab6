package wasm

import (
	"context"
	"fmt"
	"testing"

	"github.com/hpmq/hpmq/host/wasm/component"
	"github.com/hpmq/hpmq/host/wasm/plan"
)

// stubs serve whatever a component imports: functions answer 0, whatever the type.
func stubs(t testing.TB, code []byte) []HostModule {
	t.Helper()
	c, err := component.Decode(code, component.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Make(c, plan.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	var all []HostModule
	for _, name := range p.ImportedInstances {
		m := HostModule{Name: name}
		for i := range p.Imports {
			if im := &p.Imports[i]; im.Instance == name {
				s := flat(im.Type, true)
				m.Funcs = append(m.Funcs, HostFunc{
					Name: im.Name, Params: s.params, Results: s.results, Type: im.Type.String(),
					Call: func(_ *Guest, stack []uint64) { clear(stack) },
				})
			}
		}
		for _, r := range p.Resources {
			if r.Import == name+"#"+r.Name {
				m.Resources = append(m.Resources, HostResource{Name: r.Name})
			}
		}
		all = append(all, m)
	}
	return all
}

// BenchmarkJudge is a call of a component in C through the whole canonical ABI: two allocations,
// arguments written, the call with two imports through the shim, one of which allocates, the
// answer read, post-return.
func BenchmarkJudge(b *testing.B) {
	for _, interpreter := range []bool{false, true} {
		b.Run(fmt.Sprintf("interpreter=%v", interpreter), func(b *testing.B) {
			cfg := Default()
			cfg.Interpreter = interpreter
			e := open(b, cfg, stubs(b, fixture(b, "policy"))...)
			g := guest(b, component1(b, e, "policy"), nil, Limits{})
			f := function(b, g, "judge")
			topic, payload := "sensors/kitchen/temperature/mean", make([]byte, 256)
			b.ReportAllocs()
			b.SetBytes(int64(len(topic) + len(payload)))
			for b.Loop() {
				if _, err := judge(g, f, topic, payload); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(g.Fuel()), "fuel/op")
		})
	}
}

func BenchmarkComponentInstantiate(b *testing.B) {
	for _, name := range []string{"policy", "composed", "preview1"} {
		b.Run(name, func(b *testing.B) {
			e := open(b, Default(), stubs(b, fixture(b, name))...)
			m := component1(b, e, name)
			b.ReportAllocs()
			for b.Loop() {
				g, err := m.Instantiate(context.Background(), nil, Limits{})
				if err != nil {
					b.Fatal(err)
				}
				g.Close()
			}
		})
	}
}

func BenchmarkComponentCompile(b *testing.B) {
	for _, name := range []string{"policy", "preview1"} {
		b.Run(name, func(b *testing.B) {
			e := open(b, Default(), stubs(b, fixture(b, name))...)
			code := fixture(b, name)
			for b.Loop() {
				m, err := e.Compile(context.Background(), code)
				if err != nil {
					b.Fatal(err)
				}
				m.Close(context.Background())
			}
		})
	}
}
