package guests

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/conformance/guests/policy"
	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// TestTheLinkerTakesEveryLanguage links the guests in both roles, each swapped for the next, all on
// one listener.
func TestTheLinkerTakesEveryLanguage(t *testing.T) {
	for _, interpreter := range []bool{false, true} {
		l := policyLinker(t, policyEngine(t, interpreter))
		if err := l.Link(t.Context(), "main", link.Spec{}); err != nil {
			t.Fatal(err)
		}
		for name, code := range languages(t) {
			ref := link.Ref{
				Use: name, Code: code, Config: json.RawMessage("{}"),
				OnFault: link.FaultClosed, Limits: link.Limits{Fuel: generous},
			}
			swap(t, l, link.RoleAuthorizer, ref)
			swap(t, l, link.RoleTransformer, ref)
			for _, c := range goldenCases(t) {
				judgeLinked(t, name, l.Policy("main", 0), &c)
			}
			ref.Config = json.RawMessage(`{"fail":1}`)
			_, err := l.Swap(t.Context(), link.Request{
				Listener: "main", Role: link.RoleAuthorizer, Ref: ref,
			})
			if err == nil || !strings.Contains(err.Error(), "told to fail") {
				t.Errorf("%s: a swap to one that fails to configure says %v", name, err)
			}
			noFaults(t, l)
		}
	}
}

func noFaults(t *testing.T, l *link.Linker) {
	t.Helper()
	for _, shown := range l.Show() {
		for _, c := range shown.Components {
			if c.Faults != 0 {
				t.Errorf("%s: %d faults, the last %s", c.Name, c.Faults, c.LastFault)
			}
		}
	}
}

func swap(t *testing.T, l *link.Linker, r link.Role, ref link.Ref) {
	t.Helper()
	_, err := l.Swap(t.Context(), link.Request{Listener: "main", Role: r, Ref: ref})
	if err != nil {
		t.Fatal(err)
	}
}

// judgeLinked asks as the kernel does. A policy is new for each case, so that it remembers nothing.
func judgeLinked(t *testing.T, name string, p broker.Policy, c *policy.Case) {
	t.Helper()
	who := &broker.Identity{ClientID: c.ClientID, Username: c.Username, Listener: "main"}
	switch c.Call {
	case "authorize":
		want := mqtt.ReasonCode(c.Verdict & 0xff)
		if want == 1 {
			want = mqtt.NotAuthorized // the end of the chain
		}
		got := p.Authorize(0, who, broker.Action(c.Action), []byte(c.Topic), mqtt.QoS(c.QoS))
		if got != want {
			t.Errorf("%s: %s: got %v, want %v", name, c.About, got, want)
		}
	case "upstream", "downstream":
		dir := broker.Upstream
		if c.Call == "downstream" {
			// The authorizer is asked first, and lets nobody without a name receive.
			if who.Username = "admin"; c.Outcome.Kind == policy.Drop {
				t.Fatalf("%s: nothing is dropped on the way down", c.About)
			}
			dir = broker.Downstream
		}
		m := &broker.Message{
			Topic: []byte(c.Topic), Payload: c.Payload, QoS: mqtt.QoS(c.QoS), Retain: c.Retain,
		}
		var list []broker.Message
		got := policy.Outcome{Kind: kindOf(p.Transform(0, dir, who, m, &list))}
		for _, m := range list {
			got.Messages = append(got.Messages, policy.Message{
				Topic: string(m.Topic), Payload: m.Payload, QoS: byte(m.QoS), Retain: m.Retain,
			})
		}
		if !got.Equal(c.Outcome) {
			t.Errorf("%s: %s:\n got %.300s\nwant %.300s", name, c.About, got, c.Outcome)
		}
	}
}

func kindOf(v broker.Verdict) int {
	switch v {
	case broker.Keep:
		return policy.Keep
	case broker.Drop:
		return policy.Drop
	}
	return policy.Replace
}

func policyLinker(t *testing.T, e *wasm.Engine) *link.Linker {
	t.Helper()
	l, err := link.New(e, link.Default(), link.Ports{
		Read: func(context.Context, string) (link.Artifact, error) {
			return link.Artifact{}, errors.New("each ref brings its code")
		},
		Quiescer: idle{}, Log: slog.New(slog.DiscardHandler),
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

// idle are loops that are in no call.
type idle struct{}

func (idle) Quiesce(done func()) { done() }
