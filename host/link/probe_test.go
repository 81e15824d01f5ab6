package link

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/hpmq/hpmq/host/codec"
	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/lite/broker"
)

func probe(t *testing.T, h *house, r Role, rf Ref) *Probe {
	t.Helper()
	p, err := h.linker.Probe(t.Context(), r, rf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close) // before that of the house
	return p
}

// What is kept is compiled once for all probes, and let go of in the end.
func TestWhatIsKeptStaysCompiled(t *testing.T) {
	h := newHouse(t, nil)
	rf := shipped(t, "router-rules", "{}")
	letGo, err := h.linker.Keep(t.Context(), rf.Code)
	if err != nil {
		t.Fatal(err)
	}
	var had *module
	for range 2 {
		p, err := h.linker.Probe(t.Context(), RoleRouter, rf)
		if err != nil {
			t.Fatal(err)
		}
		if mod := p.entry.module; had != nil && mod != had {
			t.Error("it was compiled again")
		} else {
			had = mod
		}
		p.Close()
	}
	letGo()
	if n := len(h.linker.modules.held); n != 0 {
		t.Errorf("%d modules are kept", n)
	}
}

// TestAProbeAnswersAsTheContract: what a broker has no use for is there too.
func TestAProbeAnswersAsTheContract(t *testing.T) {
	h := newHouse(t, nil)
	anonymous := broker.Credentials{Identity: broker.Identity{ClientID: "d", Address: "10.0.0.7"}}
	for _, c := range []struct {
		use, config string
		role        Role
		q           Question
		want        string
	}{
		{"authorizer-rules", `{"rules":[{"effect":"deny","topics":["x"]}]}`, RoleAuthorizer,
			Question{Function: "authorize", Topic: []byte("x")}, "deny 0x87 topic 0 [] "},
		{"transformer-json", `{"rules":[{"filter":"a","steps":[{"const":{"u":"C"}}]}]}`,
			RoleTransformer, Question{Function: "upstream", Topic: []byte("a"),
				Payload: []byte(`{"t":1}`)}, `replace 0x0  0 [a={"t":1,"u":"C"}] `},
		{"transformer-json", "{}", RoleTransformer, Question{Function: "downstream",
			Topic: []byte("a")}, "keep 0x0  0 [] "},
		{"deduplicator-window", `{"rules":[{"filter":"a","window_ms":1000}]}`, RoleDeduplicator,
			Question{Function: "check", Topic: []byte("a")}, "news 0x0  0 [] "},
		{"router-rules", `{"rules":[{"filter":"a","redirect":"b","copies":["c"]}]}`, RoleRouter,
			Question{Function: "route", Topic: []byte("a"), Payload: []byte("p")},
			"send 0x0  0 [b=p c=p] region"},
		{"router-rules", "{}", RoleRouter, Question{Function: "share", Group: "g", Filter: "a"},
			"round-robin 0x0  0 [] "},
		{"authenticator-file", "{}", RoleAuthenticator,
			Question{Function: "authenticate", Credentials: anonymous}, "deny 0x87  0 [] "},
	} {
		p := probe(t, h, c.role, shipped(t, c.use, c.config))
		var a Answer
		for range 2 { // a deduplicator has seen it then
			if err := p.Ask(&c.q, &a); err != nil {
				t.Fatalf("%s: %v", c.use, err)
			}
			got := fmt.Sprintf("%s %#x %s %d [%s] %s", a.Case, uint8(a.Reason), a.Scope, a.Seconds,
				texts(a.Messages), a.Reach)
			if got != c.want {
				t.Errorf("%s %s:\n got %s\nwant %s", c.use, c.q.Function, got, c.want)
			}
			if c.role == RoleDeduplicator {
				c.want = "repeated 0x0  0 [] "
			}
		}
		start, configure, question := p.Fuel()
		if start == 0 || configure == 0 || question == 0 || p.Memory() == 0 {
			t.Errorf("%s: fuel %d, %d, %d, memory %d", c.use, start, configure, question,
				p.Memory())
		}
		if err := p.Ask(&Question{Function: "nothing"}, &a); err == nil {
			t.Errorf("%s has a function of no contract", c.use)
		}
	}
}

func TestAProbeTellsAFault(t *testing.T) {
	h := newHouse(t, nil)
	var a Answer
	trapping := probe(t, h, RoleTransformer, ref("transformer", ""))
	err := trapping.Ask(&Question{Function: "upstream", Topic: []byte("trap/x")}, &a)
	if !errors.Is(err, wasm.ErrTrap) {
		t.Errorf("a trap: %v", err)
	}
	garbage := probe(t, h, RoleTransformer, ref("transformer", "garbage:outcome"))
	err = garbage.Ask(&Question{Function: "upstream", Topic: []byte("x")}, &a)
	if !errors.Is(err, ErrGarbage) {
		t.Errorf("garbage: %v", err)
	}
	if err = garbage.Ask(&Question{Function: "upstream", Topic: []byte("x")}, &a); err == nil {
		t.Error("a dead guest answers")
	}
	var step *StepError
	_, err = h.linker.Probe(t.Context(), RoleTransformer, ref("transformer", "configure:error"))
	if !errors.As(err, &step) || step.Step != StepConfigure {
		t.Errorf("configure: %v", err)
	}
}

func TestAnInspectionNeedsNoGrant(t *testing.T) {
	h := newHouse(t, nil)
	code, err := os.ReadFile("testdata/transformer-history.wasm")
	if err != nil {
		t.Fatal(err)
	}
	in, err := h.linker.Inspect(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	want := []Import{
		{Name: "hpmq:broker/config@0.1.0", Capability: "config", Always: true},
		{Name: "hpmq:broker/history@0.1.0", Capability: "history"},
	}
	if !slices.Equal(in.Imports, want) || !slices.Equal(in.Roles, []Role{RoleTransformer}) {
		t.Errorf("got %+v, %v", in.Imports, in.Roles)
	}
	unknown, err := os.ReadFile("testdata/unknown-import.wasm")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = h.linker.Inspect(t.Context(), unknown); !errors.Is(err, wasm.ErrImports) {
		t.Errorf("an unknown import: %v", err)
	}
}

// TestAProbedCodecIsOneConnection: what it left is its state, unless the question has one.
func TestAProbedCodecIsOneConnection(t *testing.T) {
	p := probe(t, newHouse(t, nil), RoleCodec, ref("codec", ""))
	var a Answer
	for i, c := range []struct{ given, left string }{{"", "A"}, {"", "B"}, {"K", "L"}, {"", "M"}} {
		q := Question{Function: "decode", Input: []byte("0")}
		if c.given != "" {
			q.State = []byte(c.given)
		}
		if err := p.Ask(&q, &a); err != nil {
			t.Fatal(err)
		}
		if got := string(a.Decoded.State); got != c.left || a.Decoded.Consumed != 1 {
			t.Errorf("%d: state %q, want %q: %+v", i, got, c.left, a.Decoded)
		}
	}
	q := Question{Function: "encode", State: []byte{}, Event: codec.Event{Kind: codec.Pong}}
	if err := p.Ask(&q, &a); err != nil || string(a.Encoded.State) != "A" {
		t.Errorf("%v: %+v", err, a.Encoded)
	}
	if !p.Wants("decode", []byte("any")) {
		t.Error("the interest of a codec is looked at")
	}
	q.Event = codec.Event{Kind: codec.Deliver}
	q.Event.Message.Payload = make([]byte, p.entry.linker.cfg.MessageBytesMax+1)
	if err := p.Ask(&q, &a); !errors.Is(err, errTooLarge) {
		t.Errorf("a giant: %v", err)
	}
}
