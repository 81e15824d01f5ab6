package guests

import (
	"context"
	"encoding/binary"
	"log/slog"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/hpmq/hpmq/conformance/guests/policy"
	"github.com/hpmq/hpmq/host/cap/config"
	"github.com/hpmq/hpmq/host/cap/history"
	"github.com/hpmq/hpmq/host/cap/kv"
	caplog "github.com/hpmq/hpmq/host/cap/log"
	"github.com/hpmq/hpmq/host/cap/payload"
	"github.com/hpmq/hpmq/host/cap/publish"
	"github.com/hpmq/hpmq/host/cap/wasi"
	"github.com/hpmq/hpmq/host/cap/wasi/state"
	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/host/wasm/component"
	"github.com/hpmq/hpmq/sdk/guest/go/guesttest"
)

func policyEngine(t testing.TB, interpreter bool) *wasm.Engine {
	t.Helper()
	cfg := wasm.Default()
	cfg.FuelMax, cfg.MemoryBytesMax, cfg.Interpreter = generous, memoryMax, interpreter
	return engineOf(t, cfg)
}

// engineOf has all that a guest may import, as the broker has it.
func engineOf(t testing.TB, cfg wasm.Config) *wasm.Engine {
	t.Helper()
	engine, err := wasm.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	now := func() int64 { return 0 }
	lines := caplog.New(caplog.Default(), slog.New(slog.DiscardHandler), now)
	for _, m := range append(wasi.Modules(func(time.Duration) {}),
		config.Module(), history.New(history.Default()).Module(), kv.New(kv.Default()).Module(now),
		lines.Module(), publish.New(publish.Default()).Module(), payload.Module(),
	) {
		if err := engine.Provide(m); err != nil {
			t.Fatal(err)
		}
	}
	return engine
}

// ConfigJSON is the configuration, as host/cap/config asks for it.
func (e *env) ConfigJSON() []byte { return []byte(e.config) }

// WASI is the state of the guest for host/cap/wasi.
func (e *env) WASI() *state.State { return &e.wasi }

// Component is the name for logs.
func (e *env) Component() string { return "policy" }

// Listener is the listener's name for logs.
func (e *env) Listener() string { return "test" }

func openPolicy(t testing.TB, mod *wasm.Module) *instance {
	t.Helper()
	return open(t, mod, guesttest.NewHost())
}

// configurePolicy answers the error of configure, "" without one. After it the guest is asked for
// its argument block if it has one.
func (in *instance) configurePolicy(config string) string {
	in.t.Helper()
	in.env.config = config
	in.begin("lifecycle", "configure")
	at := in.answer("lifecycle", "configure")
	if in.byte(at) != 0 {
		return in.written(at + 4)
	}
	for _, list := range []uint32{at + 4, at + 12} {
		if n := in.word(list + 4); n != 1 || in.written(in.word(list)) != "#" {
			in.t.Errorf("an interest has %d filters, want one, #", n)
		}
	}
	in.post("configure", at)
	if !in.guest.Module().Has("hpmq_arguments") {
		in.size = 0
		return ""
	}
	f, err := in.guest.Func("hpmq_arguments")
	if err != nil {
		in.t.Fatal(err)
	}
	in.stack[0] = uint64(in.size)
	if err := in.guest.Call(f, in.stack[:]); err != nil {
		in.t.Fatal(err)
	}
	in.block = uint32(in.stack[0])
	return ""
}

// begin says which function the arguments to come are for.
func (in *instance) begin(face, name string) {
	in.t.Helper()
	f, err := in.function(face, name)
	if err != nil {
		in.t.Fatal(err)
	}
	in.guest.Use(f)
}

// write passes a string as the guest has them.
func (in *instance) write(s string) {
	in.t.Helper()
	if in.guest.Encoding() != component.UTF16 {
		in.pass(s)
		return
	}
	var b []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	at, err := in.guest.Alloc(uint32(len(b)), 2)
	if err != nil || !in.guest.Memory().Write(at, b) {
		in.t.Fatalf("no room for a string at %#x: %v", at, err)
	}
	in.num(uint64(at))
	in.num(uint64(len(b) / 2))
}

// written lifts the string whose two words are at.
func (in *instance) written(at uint32) string {
	in.t.Helper()
	if in.guest.Encoding() != component.UTF16 {
		return in.text(at)
	}
	b, ok := in.guest.Memory().Read(in.word(at), 2*in.word(at+4))
	if !ok {
		in.t.Fatalf("no string at %#x", at)
	}
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}

// post lets the guest free a result.
func (in *instance) post(name string, at uint32) {
	in.t.Helper()
	if err := in.guest.Post(in.funcs[name], uint64(at)); err != nil {
		in.t.Fatalf("%s: %v", name, err)
	}
}

// ask puts a question to its function; the verdict is authorize's, the outcome that of the others.
func (in *instance) ask(c *policy.Case) (verdict uint32, o policy.Outcome) {
	in.t.Helper()
	face := "transformer"
	if c.Call == "authorize" {
		face = "authorizer"
	}
	in.begin(face, c.Call)
	for _, s := range []string{c.ClientID, c.Username, "192.0.2.1", "tcp", ""} {
		in.write(s)
	}
	if c.Call == "authorize" {
		in.num(uint64(c.Action))
		in.write(c.Topic)
		in.num(uint64(c.QoS))
		return in.answer(face, c.Call), o
	}
	in.write(c.Topic)
	in.pass(string(c.Payload))
	in.num(uint64(c.QoS))
	in.flag(c.Retain)
	at := in.answer(face, c.Call)
	o.Kind = int(in.byte(at))
	if o.Kind == policy.Replace {
		for i := range in.word(at + 8) {
			m := in.word(at+4) + 20*i
			o.Messages = append(o.Messages, policy.Message{
				Topic: in.written(m), Payload: []byte(in.text(m + 8)),
				QoS: byte(in.byte(m + 16)), Retain: in.byte(m+17) != 0,
			})
		}
	}
	in.post(c.Call, at)
	return 0, o
}

func (in *instance) answer(face, call string) uint32 {
	in.t.Helper()
	at, err := in.call(face, call)
	if err != nil {
		in.t.Fatalf("%s#%s: %v", face, call, err)
	}
	return at
}

// judge asks and compares.
func (in *instance) judge(c *policy.Case) {
	in.t.Helper()
	v, o := in.ask(c)
	if v != c.Verdict || !o.Equal(c.Outcome) {
		in.t.Errorf("%s: %s of %.300q on %.80q as %+q:\n got %#x %.300s\nwant %#x %.300s",
			c.About, c.Call, c.Payload, c.Topic, c.ClientID, v, o, c.Verdict, c.Outcome)
	}
}
