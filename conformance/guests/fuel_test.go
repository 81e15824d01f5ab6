package guests

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/components"
	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/guesttest"
)

var rewrite = flag.Bool("rewrite", false, "write testdata/fuel.txt anew")

const fuelFile = "testdata/fuel.txt"

// metered notes what each call of a guest spends.
type metered struct {
	*instance
	to *strings.Builder
}

func (m metered) Configure(config string) (guest.Interest, error) {
	in, err := m.instance.Configure(config)
	fmt.Fprintf(m.to, " %d", m.guest.Fuel())
	return in, err
}

func (m metered) Do(c *guesttest.Call) (any, error) {
	got, err := m.instance.Do(c)
	fmt.Fprintf(m.to, " %d", m.guest.Fuel())
	return got, err
}

// fuelOfAll is a line for each golden case of the default components: what starting, configuring
// and each call spent.
func fuelOfAll(t *testing.T, interpreter bool) string {
	var lines strings.Builder
	engine := newEngineOf(t, interpreter)
	for _, name := range components.Names() {
		code, _ := components.Default(name)
		mod := compile(t, engine, code)
		open := func(t *testing.T, h *guesttest.Host) guesttest.Target {
			in := open(t, mod, h)
			_, example, _ := strings.Cut(t.Name(), name+"/")
			fmt.Fprintf(&lines, "%s %s: %d", name, example, in.guest.Fuel())
			t.Cleanup(func() { lines.WriteByte('\n') })
			return metered{in, &lines}
		}
		t.Run(name, func(t *testing.T) {
			guesttest.Run(t, filepath.Join("../../components", name, "testdata"), open)
		})
	}
	return lines.String()
}

// The same input spends the same fuel: on compiler and interpreter, in each run, on every processor
// (make fuel-arm64 runs this test on another). The figures change with the components and with the
// rewrite of package fuel: -rewrite notes them anew.
func TestFuelIsTheSameEverywhere(t *testing.T) {
	if *rewrite {
		if err := os.WriteFile(fuelFile, []byte(fuelOfAll(t, false)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(fuelFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, interpreter := range []bool{false, true} {
		t.Run(fmt.Sprintf("interpreter=%v", interpreter), func(t *testing.T) {
			got := []byte(fuelOfAll(t, interpreter))
			if bytes.Equal(got, want) {
				return
			}
			a, b := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
			for i := range min(len(a), len(b)) {
				if a[i] != b[i] {
					t.Errorf("got  %s\nwant %s", a[i], b[i])
				}
			}
			if len(a) != len(b) {
				t.Errorf("%d cases, %s has %d: run it with -rewrite", len(a), fuelFile, len(b))
			}
		})
	}
}
