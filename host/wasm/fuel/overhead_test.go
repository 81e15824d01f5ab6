package fuel

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/tetratelabs/wazero"
)

// workloads are what testdata/kernels.c exports.
var workloads = []string{"calls", "hash", "sort", "matrix", "scan"}

// kernel is one of the workloads: as it is, or with the counters in.
type kernel struct {
	b  *testing.B
	fn api.Function
	in *bounded // nil without counters
}

func openKernels(b *testing.B, r wazero.Runtime, code []byte, counted bool) []kernel {
	mod, err := r.InstantiateWithConfig(context.Background(), code,
		wazero.NewModuleConfig().WithName(""))
	if err != nil {
		b.Fatal(err)
	}
	var out []kernel
	for _, name := range workloads {
		k := kernel{b: b, fn: mod.ExportedFunction(name)}
		if counted {
			k.in = newBounded(b, mod, mod)
		}
		out = append(out, k)
	}
	return out
}

// run answers the result, the time and the fuel spent.
func (k kernel) run() (result uint64, took time.Duration, spent uint64) {
	const budget = 1 << 40
	if k.in != nil {
		k.in.arm(250_000, budget, 1000)
	}
	var stack [1]uint64
	begin := time.Now()
	if err := k.fn.CallWithStack(context.Background(), stack[:]); err != nil {
		k.b.Fatal(err)
	}
	took = time.Since(begin)
	if k.in != nil {
		left, _ := k.in.left()
		spent = uint64(budget - left)
	}
	return stack[0], took, spent
}

// BenchmarkOverhead prints what counting costs each kernel: the ratio of the best times of both,
// taken in turn.
func BenchmarkOverhead(b *testing.B) {
	code, err := os.ReadFile("testdata/kernels.wasm")
	if err != nil {
		b.Fatal(err)
	}
	counted, err := Rewrite(code, DefaultLimits())
	if err != nil {
		b.Fatal(err)
	}
	for _, interpreter := range []bool{false, true} {
		r := newRuntime(b, interpreter)
		bare := openKernels(b, r, code, false)
		with := openKernels(b, r, counted.Code, true)
		for i, name := range workloads {
			b.Run(fmt.Sprintf("interpreter=%v/%s", interpreter, name), func(b *testing.B) {
				best := [2]time.Duration{time.Hour, time.Hour}
				var fuel uint64
				for b.Loop() {
					x, t, _ := bare[i].run()
					y, u, spent := with[i].run()
					if x != y {
						b.Fatalf("%d with counters, %d without", y, x)
					}
					best[0], best[1], fuel = min(best[0], t), min(best[1], u), spent
				}
				b.ReportMetric(float64(best[0]), "ns-bare")
				b.ReportMetric(float64(best[1]), "ns-counted")
				b.ReportMetric(float64(best[1])/float64(best[0]), "ratio")
				b.ReportMetric(float64(fuel), "fuel")
			})
		}
	}
}
