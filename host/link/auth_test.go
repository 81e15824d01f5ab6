package link

import (
	"sync"
	"testing"
	"time"

	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// door is an Authenticator with its answers.
type door struct {
	h       *house
	auth    broker.Authenticator
	answers chan answered
}

type answered struct {
	token broker.Token
	grant broker.Grant
}

func (h *house) door() *door {
	d := &door{h: h, answers: make(chan answered, 100)}
	d.auth = h.linker.Authenticator("main", 0, func(t broker.Token, g broker.Grant) {
		d.answers <- answered{t, g}
	})
	return d
}

// ask waits for the answer.
func (d *door) ask(c broker.Credentials) broker.Grant {
	d.h.t.Helper()
	if c.Identity.Version == 0 {
		c.Identity.Version = mqtt.V5
	}
	if g, ok := d.auth.Authenticate(42, &c); ok {
		return g
	}
	select {
	case a := <-d.answers:
		if a.token != 42 {
			d.h.t.Errorf("token %d", a.token)
		}
		return a.grant
	case <-time.After(2 * time.Minute):
		d.h.t.Fatal("no answer")
		return broker.Grant{}
	}
}

func login(name, password string) broker.Credentials {
	return broker.Credentials{
		Identity:    broker.Identity{ClientID: "dev1", Username: name, Listener: "main"},
		HasUsername: name != "", HasPassword: password != "", Password: []byte(password),
	}
}

func TestAuthenticator(t *testing.T) {
	h := newHouse(t, nil)
	h.link(Spec{RoleAuthenticator: {ref("authenticator", "")}})
	d := h.door()
	g := d.ask(login("alice", "secret"))
	if g.Reason != mqtt.Success || g.Username != "Alice" || g.Tenant != "wonderland" ||
		g.ExpiresIn != 60 {
		t.Errorf("alice: %+v", g)
	}
	if g := d.ask(login("alice", "wrong")); g.Reason != mqtt.BadUserNameOrPassword {
		t.Errorf("wrong password: %+v", g)
	}
	if !h.logged("refused dev1: wrong") {
		t.Error("the text of the refusal is not logged")
	}
	if g := d.ask(login("", "")); g.Reason != mqtt.NotAuthorized {
		t.Errorf("the end of the chain: %+v", g)
	}
}

func TestAuthenticatorChainAndFaults(t *testing.T) {
	for _, c := range []struct {
		name  string
		chain []Ref
		who   string
		want  mqtt.ReasonCode
	}{
		{"next", []Ref{ref("authenticator", "only-"), ref("authenticator", "")}, "alice", 0},
		{"first", []Ref{ref("authenticator", "only-"), ref("authenticator", "")}, "local1", 0},
		{"closed", []Ref{ref("authenticator", "call:trap")}, "alice", mqtt.ServerUnavailable},
		{"loop", []Ref{ref("authenticator", "call:loop")}, "alice", mqtt.ServerUnavailable},
		{"open", []Ref{with(ref("authenticator", "call:trap"), FaultOpen)}, "alice", 0},
		{"open, then one that denies", []Ref{
			with(ref("authenticator", "call:trap"), FaultOpen), ref("authenticator", "only-"),
		}, "alice", mqtt.NotAuthorized},
		{"verdict", []Ref{ref("authenticator", "garbage:verdict")}, "al", mqtt.ServerUnavailable},
		{"reason", []Ref{ref("authenticator", "garbage:reason")}, "al", mqtt.ServerUnavailable},
		{"riddle", []Ref{ref("authenticator", "garbage:challenge")}, "al", mqtt.ServerUnavailable},
		{"nobody", nil, "alice", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t, func(c *Config) { c.AuthLimits.Fuel = 10_000_000 })
			h.link(Spec{RoleAuthenticator: c.chain})
			if g := h.door().ask(login(c.who, "secret")); g.Reason != c.want {
				t.Errorf("%v, want %v", g.Reason, c.want)
			}
		})
	}
}

func TestEnhancedAuthentication(t *testing.T) {
	h := newHouse(t, nil)
	h.link(Spec{RoleAuthenticator: {ref("authenticator", "")}})
	d := h.door()
	c := login("bob", "")
	c.Method = "RIDDLE"
	if g := d.ask(c); g.Reason != mqtt.ContinueAuthentication || string(g.Data) != "why?" {
		t.Fatalf("step 0: %+v", g)
	}
	c.Step, c.Data = 1, []byte("because")
	if g := d.ask(c); g.Reason != mqtt.Success || string(g.Data) != "done" {
		t.Errorf("step 1: %+v", g)
	}
	c.Data = []byte("no idea")
	if g := d.ask(c); g.Reason != mqtt.NotAuthorized {
		t.Errorf("wrong answer: %+v", g)
	}
}

func TestAMethodNobodyKnows(t *testing.T) {
	h := newHouse(t, nil)
	h.link(Spec{})
	c := login("bob", "")
	c.Method = "RIDDLE"
	if g := h.door().ask(c); g.Reason != mqtt.BadAuthenticationMethod {
		t.Errorf("%+v", g)
	}
}

// blocked is a listener whose one worker answers nobody until release is called.
func blocked(t *testing.T, change func(*Config)) (d *door, release func()) {
	h := newHouse(t, func(c *Config) {
		c.AuthWorkers, c.AuthQueueMax = 1, 2
		if change != nil {
			change(c)
		}
	})
	h.link(Spec{RoleAuthenticator: {ref("authenticator", "")}})
	d = h.door()
	hold, taken := make(chan struct{}), make(chan struct{})
	first := h.linker.Authenticator("main", 0, func(broker.Token, broker.Grant) {
		close(taken)
		<-hold
	})
	c := login("alice", "secret")
	first.Authenticate(1, &c)
	<-taken
	return d, sync.OnceFunc(func() { close(hold) })
}

func TestAFullQueueIsBusy(t *testing.T) {
	d, release := blocked(t, nil)
	defer release()
	c := login("alice", "secret")
	for i := range 2 {
		if g, ok := d.auth.Authenticate(42, &c); ok {
			t.Fatalf("question %d is answered at once: %+v", i, g)
		}
	}
	if g, ok := d.auth.Authenticate(42, &c); !ok || g.Reason != mqtt.ServerBusy {
		t.Errorf("the third: %+v, %v", g, ok)
	}
	release()
	for range 2 {
		if a := <-d.answers; a.grant.Reason != mqtt.Success {
			t.Errorf("queued: %+v", a.grant)
		}
	}
}

func TestWhoWaitedTooLongIsRefused(t *testing.T) {
	d, release := blocked(t, func(c *Config) { c.AuthTimeout = time.Nanosecond })
	defer release()
	c := login("alice", "secret")
	d.auth.Authenticate(42, &c)
	release()
	if a := <-d.answers; a.grant.Reason != mqtt.ServerBusy {
		t.Errorf("%+v", a.grant)
	}
}

func TestSwapOfAnAuthenticatorUnderQuestions(t *testing.T) {
	h := newHouse(t, nil)
	h.link(Spec{RoleAuthenticator: {ref("authenticator", "")}})
	var asking sync.WaitGroup
	done := make(chan struct{})
	for range 3 {
		asking.Add(1)
		go func() {
			defer asking.Done()
			d := h.door()
			for {
				select {
				case <-done:
					return
				default:
				}
				if g := d.ask(login("alice", "secret")); g.Reason != mqtt.Success {
					t.Errorf("%+v", g)
					return
				}
			}
		}()
	}
	for range 30 {
		h.swap(RoleAuthenticator, ref("authenticator", "v"))
	}
	close(done)
	asking.Wait()
}

// TestAnOldChainIsNotTheAnswer: who read the table before two swaps asks the chain of now.
func TestAnOldChainIsNotTheAnswer(t *testing.T) {
	h := newHouse(t, nil)
	h.link(Spec{RoleAuthenticator: {ref("authenticator", "")}})
	d := h.door()
	d.ask(login("alice", "secret")) // starts the workers
	ls, err := h.linker.find("main")
	if err != nil {
		t.Fatal(err)
	}
	old, who := ls.table.Load(), login("alice", "secret")
	for range 2 {
		h.swap(RoleAuthenticator, ref("authenticator", "v"))
	}
	h.eventually("the end of the first", func() bool {
		e := old.chains[RoleAuthenticator].entries[0]
		e.use.RLock()
		defer e.use.RUnlock()
		return e.closed
	})
	if g, ok := ls.auth.Load().ask(old, 0, &who); ok {
		t.Errorf("a chain of the past answers %+v", g)
	}
	if g := d.ask(who); g.Reason != mqtt.Success {
		t.Errorf("%+v", g)
	}
}
