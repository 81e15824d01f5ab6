package guests

import (
	"context"
	"log/slog"
	"testing"

	"github.com/hpmq/hpmq/conformance/guests/policy"
	"github.com/hpmq/hpmq/host/cap/config"
	"github.com/hpmq/hpmq/host/cap/history"
	"github.com/hpmq/hpmq/host/cap/kv"
	caplog "github.com/hpmq/hpmq/host/cap/log"
	"github.com/hpmq/hpmq/host/cap/publish"
	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/sdk/guest/go/guesttest"
)

// policyEngine has all that a guest may import, as the broker has it.
func policyEngine(t testing.TB, interpreter bool) *wasm.Engine {
	t.Helper()
	cfg := wasm.Default()
	cfg.FuelMax, cfg.Interpreter = generous, interpreter
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
	for _, m := range []wasm.HostModule{
		config.Module(), history.New(history.Default()).Module(), kv.New(kv.Default()).Module(now),
		lines.Module(), publish.New(publish.Default()).Module(),
	} {
		if err := engine.Provide(m); err != nil {
			t.Fatal(err)
		}
	}
	return engine
}

// ConfigJSON is the configuration, as host/cap/config asks for it.
func (e *env) ConfigJSON() []byte { return []byte(e.config) }

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
	at, err := in.call("lifecycle", "configure")
	if err != nil {
		in.t.Fatal(err)
	}
	if in.byte(at) != 0 {
		return in.text(at + 4)
	}
	for _, list := range [][]string{in.texts(at + 4), in.texts(at + 12)} {
		if len(list) != 1 || list[0] != "#" {
			in.t.Errorf("an interest is %q", list)
		}
	}
	in.post("lifecycle", "configure", at)
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

// post lets the guest free a result.
func (in *instance) post(face, name string, at uint32) {
	in.t.Helper()
	if err := in.guest.Post(in.funcs[name], uint64(at)); err != nil {
		in.t.Fatalf("%s#%s: %v", face, name, err)
	}
}

// ask puts a question to its function; the verdict is authorize's, the outcome that of the others.
func (in *instance) ask(c *policy.Case) (verdict uint32, o policy.Outcome) {
	in.t.Helper()
	for _, s := range []string{c.ClientID, c.Username, "192.0.2.1", "tcp", ""} {
		in.pass(s)
	}
	if c.Call == "authorize" {
		in.num(uint64(c.Action))
		in.pass(c.Topic)
		in.num(uint64(c.QoS))
		return in.answer("authorizer", c.Call), o
	}
	in.pass(c.Topic)
	in.pass(string(c.Payload))
	in.num(uint64(c.QoS))
	in.flag(c.Retain)
	at := in.answer("transformer", c.Call)
	o.Kind = int(in.byte(at))
	if o.Kind == policy.Replace {
		for i := range in.word(at + 8) {
			m := in.word(at+4) + 20*i
			o.Messages = append(o.Messages, policy.Message{
				Topic: in.text(m), Payload: []byte(in.text(m + 8)),
				QoS: byte(in.byte(m + 16)), Retain: in.byte(m+17) != 0,
			})
		}
	}
	in.post("transformer", c.Call, at)
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
