package guests

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/components"
	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/sdk/guest/go/guesttest"
	"github.com/hpmq/hpmq/sdk/section"
)

func TestDefaultComponentsAnswerAsTheirSources(t *testing.T) {
	engine := newEngine(t)
	for _, name := range components.Names() {
		t.Run(name, func(t *testing.T) {
			code, ok := components.Default(name)
			if !ok {
				t.Fatal("not embedded; run tools/components.sh")
			}
			mod := compile(t, engine, code)
			said, err := section.Custom(code, section.Manifest)
			if err != nil || !strings.Contains(string(said), `"name":"`+name+`"`) {
				t.Errorf("the manifest in the module is %s, %v", said, err)
			}
			dir := filepath.Join("../../components", name, "testdata")
			guesttest.Run(t, dir, func(t *testing.T, h *guesttest.Host) guesttest.Target {
				return open(t, mod, h)
			})
		})
	}
}

func TestTheGuestOfTheSuiteAnswersAsItsSource(t *testing.T) {
	const dir = "../mqtt/enhanced"
	code, err := os.ReadFile(filepath.Join(dir, "enhanced.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	mod := compile(t, newEngine(t), code)
	guesttest.Run(t, filepath.Join(dir, "testdata"),
		func(t *testing.T, h *guesttest.Host) guesttest.Target { return open(t, mod, h) })
}

// TestMemoryStaysFlat asks one instance very often, with small and large payloads: what a guest
// does not free would show as pages.
func TestMemoryStaysFlat(t *testing.T) {
	in, c := linked(t, "transformer-json", vendor)
	large := `{"t":1,"x":"` + strings.Repeat("y", 100<<10) + `"}`
	small := c.Payload
	ask := func(rounds int) uint32 {
		for i := range rounds {
			c.Payload = small
			if i%50 == 0 {
				c.Payload = guesttest.Text(large)
			}
			if _, err := in.Do(c); err != nil {
				t.Fatal(err)
			}
		}
		return in.guest.Memory().Size()
	}
	before := ask(500)
	if after := ask(20000); after != before {
		t.Errorf("memory grew from %d to %d bytes", before, after)
	}
}

func TestHostileGuestsAreContained(t *testing.T) {
	engine := newEngine(t)
	for name, want := range map[string]error{
		"loop": wasm.ErrFuel, "trap": wasm.ErrTrap, "memory": wasm.ErrTrap,
		"recurse": wasm.ErrDepth,
		"garbage": nil,
	} {
		code, err := os.ReadFile("../../components/testdata/hostile-" + name + ".wasm")
		if err != nil {
			t.Fatal(err)
		}
		g, err := compile(t, engine, code).Instantiate(t.Context(), nil, wasm.Limits{Fuel: 1e6})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		defer g.Close()
		f, err := g.Func("hpmq:broker/transformer@0.1.0#upstream")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := g.Call(f, make([]uint64, 16)); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", name, err, want)
		}
	}
}

// vendor is a configuration of three steps.
const vendor = `{"rules":[{"filter":"dev/+/up","steps":[{"rename":{"t":"temperature"}},` +
	`{"scale":{"temperature":{"factor":0.1}}},{"const":{"unit":"C"}}]}]}`

// linked is a configured default component and a call for it.
func linked(t testing.TB, name, config string) (*instance, *guesttest.Call) {
	t.Helper()
	code, ok := components.Default(name)
	if !ok {
		t.Fatalf("no component %s", name)
	}
	in := open(t, compile(t, newEngine(t), code), guesttest.NewHost())
	in.size = 4 << 10 // as the broker has it
	if _, err := in.Configure(config); err != nil {
		t.Fatal(err)
	}
	return in, &guesttest.Call{
		Function: "upstream", Topic: "dev/7/up", Action: "publish",
		Who: guesttest.Who{ClientID: "device-7", Username: "joe", Address: "192.0.2.1",
			Listener: "tcp"},
		Payload: `{"t":215,"h":48,"b":3.61,"id":"0x0015BC001A","seq":44121,` +
			`"status":{"ok":true,"code":[0,1]},"x":[1]}`,
	}
}

// BenchmarkCall measures a call of each component, with fuel and depth, without lifting the answer.
func BenchmarkCall(b *testing.B) {
	for _, c := range []struct{ name, face, function, config string }{
		{"authorizer-rules", "authorizer", "authorize",
			`{"rules":[{"effect":"deny","clients":["x*"]},` +
				`{"effect":"allow","topics":["dev/7/#"]}]}`},
		{"transformer-json", "transformer", "upstream", vendor},
		{"deduplicator-window", "deduplicator", "check", `{"rules":[{"window_ms":1000}]}`},
		{"router-rules", "router", "route", `{"rules":[{"filter":"dev/+/up","copies":["c/{2}"]}]}`},
		{"router-rules", "router", "route", `{}`}, // what a call costs that does nothing
	} {
		b.Run(c.name, func(b *testing.B) {
			in, call := linked(b, c.name, c.config)
			b.ReportAllocs()
			b.SetBytes(int64(len(call.Payload)))
			for b.Loop() {
				in.who(&call.Who)
				switch c.face {
				case "authorizer":
					in.num(0)
					in.pass(call.Topic)
					in.num(0)
				case "router":
					in.pass(call.Topic)
					in.num(0)
					in.num(0)
				default:
					in.pass(call.Topic)
					in.pass(string(call.Payload))
					in.num(0)
					in.num(0)
				}
				if _, err := in.call(c.face, c.function); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
