package link

import (
	"bytes"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/cap/wasi/state"
	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// alone makes a guest of e without a pool, configured, whose arguments are given room one by one or
// all by one entry.
func alone(t *testing.T, e *entry, all bool) *instance {
	t.Helper()
	in := &instance{entry: e, wasi: state.State{Settings: e.wasi}}
	g, err := e.module.Instantiate(t.Context(), in, wasm.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	in.guest = g
	for i, x := range e.speaks.role.exports {
		if in.fns[i], err = g.Func(x.name); err != nil {
			t.Fatal(err)
		}
	}
	if all {
		err = in.batch()
	}
	if err == nil {
		err = in.configure(e.linker.cfg.InterestMax)
	}
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// anyText is a string of n characters of 1 to 4 bytes.
func anyText(r *rand.Rand, n int) string {
	var b strings.Builder
	for range n {
		b.WriteRune([]rune("aZ/ü€𝄞")[r.IntN(6)])
	}
	return b.String()
}

// anyMessage has fields that are empty now and then, and a payload that is huge now and then.
func anyMessage(r *rand.Rand) (broker.Identity, broker.Message) {
	text := func() string { return anyText(r, max(0, r.IntN(40)-10)) }
	who := broker.Identity{
		ClientID: text(), Username: text(), Address: text(), Listener: text(), Tenant: text(),
	}
	m := broker.Message{Topic: []byte("a" + text()), QoS: mqtt.QoS(r.IntN(3))}
	switch r.IntN(8) {
	case 0:
	case 1:
		m.Payload = []byte(anyText(r, 20_000))
	default:
		m.Payload = []byte(anyText(r, r.IntN(300)))
	}
	return who, m
}

// argued is the bytes of identity, topic and payload as they stand in the guest, whose strings are
// UTF-8.
func argued(in *instance) (all []byte) {
	for i := 0; i < 14; i += 2 {
		b, _ := in.guest.Memory().Read(uint32(in.stack[i]), uint32(in.stack[i+1]))
		all = append(append(all, b...), 0)
	}
	return all
}

// askedAlike passes the same to both and compares what the guests have and do then.
func askedAlike(t *testing.T, single, batched *instance, who *broker.Identity, m *broker.Message) {
	t.Helper()
	var memories [2][]byte
	var results, fuel [2]uint64
	for i, in := range []*instance{single, batched} {
		in.begin(0)
		in.identity(who)
		in.message(m)
		in.settle()
		if in.err != nil {
			t.Fatal(in.err)
		}
		memories[i], _ = in.guest.Memory().Read(0, in.guest.Memory().Size())
		if in.entry.role == RoleDeduplicator { // that guest has the time in its memory
			memories[i] = argued(in)
		}
	}
	if single.stack != batched.stack {
		t.Fatalf("passed %v, one by one %v", batched.stack, single.stack)
	}
	if !bytes.Equal(memories[0], memories[1]) {
		t.Fatal("the memories are not the same")
	}
	for i, in := range []*instance{single, batched} {
		v, err := in.number()
		if err != nil {
			t.Fatal(err)
		}
		results[i], fuel[i] = uint64(v), in.guest.Fuel()
	}
	if results[0] != results[1] || fuel[0] != fuel[1] {
		t.Fatalf("answered %v for %v", results, fuel)
	}
}

// TestArgumentsAreTheSameInABatch: in each form and encoding, with an allocator that goes up and
// that of a C library.
func TestArgumentsAreTheSameInABatch(t *testing.T) {
	for name, use := range map[string]struct {
		path string
		role Role
	}{
		"core":          {"transformer.wasm", RoleTransformer},
		"component":     {"components/transformer.wasm", RoleTransformer},
		"utf16":         {"components/utf16.wasm", RoleTransformer},
		"compact utf16": {"components/compact-utf16.wasm", RoleTransformer},
		"C library":     {"components/libc.wasm", RoleDeduplicator},
	} {
		t.Run(name, func(t *testing.T) {
			code, err := os.ReadFile("testdata/" + use.path)
			if err != nil {
				t.Fatal(err)
			}
			h, rf := newHouse(t, nil), ref("any", "")
			rf.Code, rf.Env = code, map[string]string{"PLACE": "here"}
			h.link(Spec{use.role: {rf}})
			e := h.guest(use.role).Env().(*instance).entry
			single, batched := alone(t, e, false), alone(t, e, true)
			r := rand.New(rand.NewPCG(3, 4))
			for range 100 {
				who, m := anyMessage(r)
				askedAlike(t, single, batched, &who, &m)
			}
		})
	}
}

// TestARecordInABatch: what a credentials record points to is there, with and without a batch.
func TestARecordInABatch(t *testing.T) {
	for _, path := range []string{"authenticator.wasm", "components/authenticator.wasm"} {
		code, err := os.ReadFile("testdata/" + path)
		if err != nil {
			t.Fatal(err)
		}
		h, rf := newHouse(t, nil), ref("any", "")
		rf.Code = code
		h.link(Spec{RoleAuthenticator: {rf}})
		e := h.linker.listener("main").table.Load().chains[RoleAuthenticator].entries[0]
		single, batched := alone(t, e, false), alone(t, e, true)
		r := rand.New(rand.NewPCG(5, 6))
		for range 50 {
			text := func() string { return anyText(r, max(0, r.IntN(30)-10)) }
			who := broker.Credentials{
				Identity:    broker.Identity{ClientID: text(), Username: text(), Address: text()},
				HasUsername: r.IntN(2) == 0, HasPassword: r.IntN(2) == 0, Password: []byte(text()),
				CertificateSubject: text(), Method: text(), Data: []byte(text()), Step: r.Uint32(),
			}
			presentedAlike(t, single, batched, &who)
		}
	}
}

func presentedAlike(t *testing.T, single, batched *instance, who *broker.Credentials) {
	t.Helper()
	var memories [2][]byte
	for i, in := range []*instance{single, batched} {
		in.begin(0)
		if _, err := in.present(who); err != nil {
			t.Fatal(err)
		}
		memories[i], _ = in.guest.Memory().Read(0, in.guest.Memory().Size())
	}
	if !bytes.Equal(memories[0], memories[1]) || single.guest.Fuel() != batched.guest.Fuel() {
		t.Fatalf("%+v: not the same", who)
	}
}
