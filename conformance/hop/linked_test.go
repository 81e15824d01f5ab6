package hop

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/cap/config"
	"github.com/hpmq/hpmq/host/cap/history"
	"github.com/hpmq/hpmq/host/cap/kv"
	caplog "github.com/hpmq/hpmq/host/cap/log"
	"github.com/hpmq/hpmq/host/cap/payload"
	"github.com/hpmq/hpmq/host/cap/publish"
	"github.com/hpmq/hpmq/host/cap/wasi"
	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

var roles = []link.Role{
	link.RoleAuthorizer, link.RoleTransformer, link.RoleDeduplicator, link.RoleRouter,
	link.RoleAuthenticator, link.RoleWorker, link.RoleCodec,
}

// functions are what the roles are asked.
var functions = map[link.Role]string{
	link.RoleAuthorizer: "authorize", link.RoleTransformer: "upstream",
	link.RoleDeduplicator: "check", link.RoleRouter: "route",
	link.RoleAuthenticator: "authenticate", link.RoleWorker: "on-message",
	link.RoleCodec: "decode",
}

// still is loops that are in no call.
type still struct{}

func (still) Quiesce(done func()) { done() }

func zero() int64 { return 0 }

// openEngine opens an engine that serves all that guests may import, with the limits of a broker.
func openEngine(t testing.TB, interpreter bool) *wasm.Engine {
	t.Helper()
	cfg := wasm.Default()
	cfg.Interpreter = interpreter
	e, err := wasm.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	lines := caplog.New(caplog.Default(), slog.New(slog.DiscardHandler), zero)
	modules := append(wasi.Modules(func(time.Duration) {}), config.Module(), lines.Module(),
		kv.New(kv.Default()).Module(zero), history.New(history.Default()).Module(),
		publish.New(publish.Default()).Module(), payload.Module())
	for _, m := range modules {
		if err := e.Provide(m); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return e
}

func openLinker(t testing.TB, e *wasm.Engine) *link.Linker {
	t.Helper()
	l, err := link.New(e, link.Default(), link.Ports{
		Read: func(context.Context, string) (link.Artifact, error) {
			return link.Artifact{}, errors.New("each ref brings its code")
		},
		Quiescer: still{}, Log: slog.New(slog.DiscardHandler),
		Now: func() broker.Time { return 0 },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return l
}

func ref(t testing.TB, path string) link.Ref {
	t.Helper()
	code, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return link.Ref{Use: filepath.Base(path), Code: code}
}

// linked asks a component as the kernel does, but for those that are asked beside it, by workers
// and connections: authenticators, workers and codecs are asked by a probe.
type linked struct {
	t      testing.TB
	role   link.Role
	policy broker.Policy
	probe  *link.Probe // for what a policy does not tell
	who    broker.Identity
	msg    broker.Message
	out    []broker.Message
	asked  link.Question
	told   link.Answer
	buf    []byte
}

// link makes a listener of its own for the component.
func linkTo(t testing.TB, l *link.Linker, r link.Role, rf link.Ref) *linked {
	t.Helper()
	if err := l.Link(t.Context(), "main", link.Spec{r: {rf}}); err != nil {
		t.Fatal(err)
	}
	p, err := l.Probe(t.Context(), r, rf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return &linked{t: t, role: r, policy: l.Policy("main", 0), probe: p}
}

// set chooses the question of ask.
func (in *linked) set(q *question) {
	in.who = broker.Identity{
		ClientID: q.ClientID, Username: q.Username, Address: "192.0.2.1", Listener: "main",
		Version: mqtt.V5,
	}
	in.msg = broker.Message{Topic: []byte(q.Topic), Payload: q.Payload, QoS: 1}
	in.asked = link.Question{
		Function: functions[in.role], Who: in.who, Topic: in.msg.Topic, Payload: q.Payload, QoS: 1,
		Credentials: broker.Credentials{
			Identity: in.who, HasUsername: true, HasPassword: true, Password: q.Password,
		},
		State: []byte{},
		Input: append(append([]byte(q.Topic+" "), q.Payload...), '\n'),
	}
}

// ask asks what was set and says if it went well.
func (in *linked) ask() broker.Verdict {
	in.out = in.out[:0]
	switch in.role {
	case link.RoleAuthorizer:
		r := in.policy.Authorize(0, &in.who, broker.ActionPublish, in.msg.Topic, 1)
		return verdict(r == mqtt.Success)
	case link.RoleTransformer:
		return in.policy.Transform(0, broker.Upstream, &in.who, &in.msg, &in.out)
	case link.RoleDeduplicator:
		return verdict(in.policy.Fresh(0, &in.who, &in.msg))
	case link.RoleRouter:
		return in.policy.Route(0, &in.who, &in.msg, &in.out)
	}
	in.tell()
	return verdict(in.told.Case == "allow")
}

// keep asks a transformer on the way down, where it keeps the message.
func (in *linked) keep() {
	if v := in.policy.Transform(0, broker.Downstream, &in.who, &in.msg, &in.out); v != broker.Keep {
		in.t.Fatalf("downstream: %v", v)
	}
}

func verdict(yes bool) broker.Verdict {
	if yes {
		return broker.Keep
	}
	return broker.Drop
}

// tell asks the probe.
func (in *linked) tell() {
	if err := in.probe.Ask(&in.asked, &in.told); err != nil {
		in.t.Fatal(err)
	}
}

// answer is what native answers.
func (in *linked) answer(q *question) []byte {
	in.set(q)
	v := in.ask()
	switch in.role {
	case link.RoleTransformer:
		if v == broker.Replace {
			in.buf = append(append(in.buf[:0], replaceWord...), in.out[0].Payload...)
		}
		return in.buf
	case link.RoleRouter:
		if v == broker.Replace {
			return append([]byte("send:"), in.out[len(in.out)-1].Topic...)
		}
		return deliver
	case link.RoleDeduplicator:
		if v == broker.Keep {
			return news
		}
		return repeat
	case link.RoleWorker:
		return []byte(in.told.Case)
	case link.RoleCodec:
		in.buf = append(in.buf[:0], publishes...)
		return append(in.buf, in.told.Decoded.Requests[0].Message.Topic...)
	}
	if v == broker.Keep {
		return allow
	}
	return deny
}

// fuel is what the question costs the second time: by then a guest has what it keeps.
func (in *linked) fuel() uint64 {
	in.tell()
	in.tell()
	_, _, spent := in.probe.Fuel()
	return spent
}
