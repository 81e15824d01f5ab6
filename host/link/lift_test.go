package link

import (
	"encoding/binary"
	"testing"
	"unicode/utf8"

	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
	"github.com/hpmq/hpmq/sdk/topic"
)

// words are little-endian; at(n) is the address of byte n, see raw in guest.c.
func words(list ...uint32) []byte {
	var b []byte
	for _, w := range list {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return b
}

func at(n uint32) uint32 { return 0xa5a50000 | n }

// rawPolicy links a guest that answers with the bytes it is given.
func rawPolicy(f *testing.F, r Role) (*house, broker.Policy) {
	h := newHouse(f, func(c *Config) {
		c.Pool.DeathsMax, c.Pool.BuildsPerSecond, c.Pool.BuildsBurst = 1<<20, 1e6, 1<<20
	})
	return h, h.one(r, with(ref(r.String(), "raw"), FaultClosed))
}

// checkMessages fails on what no guest may bring in.
func checkMessages(t *testing.T, cfg *Config, out []broker.Message) {
	for _, m := range out {
		if !topic.ValidName(m.Topic) || !utf8.Valid(m.Topic) || m.QoS > mqtt.ExactlyOnce ||
			len(m.Topic)+len(m.Payload) > cfg.MessageBytesMax {
			t.Errorf("let in: %.200q %d bytes, QoS %d", m.Topic, len(m.Payload), m.QoS)
		}
	}
	if len(out) > cfg.MessagesMax {
		t.Errorf("%d messages", len(out))
	}
}

func FuzzLiftTransformer(f *testing.F) {
	f.Add(words(0))
	f.Add(words(1))
	f.Add(append(words(2, at(12), 1, at(32), 3, at(35), 2, 1), "a/bxy"...))
	f.Add(append(words(2, at(12), 2, at(32), 3, at(35), 2, 1), "a/bxy"...))
	f.Add(words(2, at(12), 0xffffffff))
	f.Add(words(2, 0xfffffff0, 1))
	h, p := rawPolicy(f, RoleTransformer)
	f.Fuzz(func(t *testing.T, b []byte) {
		var out []broker.Message
		m := &broker.Message{Topic: []byte("a"), Payload: b}
		v := p.Transform(h.clock.now(), broker.Upstream, &device, m, &out)
		if (v == broker.Replace) != (len(out) > 0) {
			t.Errorf("verdict %d with %d messages", v, len(out))
		}
		checkMessages(t, &h.linker.cfg, out)
	})
}

func FuzzLiftRouter(f *testing.F) {
	f.Add(words(0))
	f.Add(append(words(2, 0, 0, at(24), 3, 1), "a/b"...))
	f.Add(append(words(2, at(24), 1, at(32), 1, 0, at(32), 3), "a/b"...))
	f.Add(words(2, at(24), 0x20000000, 0, 0, 0))
	h, p := rawPolicy(f, RoleRouter)
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 || b[0] == '$' {
			return // nobody is asked
		}
		var out []broker.Message
		m := &broker.Message{Topic: b, Payload: []byte("x")}
		v := p.Route(h.clock.now(), &device, m, &out)
		if (v == broker.Replace) != (len(out) > 0) {
			t.Errorf("verdict %d with %d messages", v, len(out))
		}
		for i := range out {
			if &out[i].Topic[0] == &m.Topic[0] {
				out[i].Topic = []byte("as-it-came")
			}
		}
		checkMessages(t, &h.linker.cfg, out)
	})
}

func FuzzLiftVerdict(f *testing.F) {
	f.Add(words(0, at(32), 1, at(32), 1, 60, at(32), 1, 'x'))
	f.Add(words(1, 0x87, at(32), 1, 'x'))
	f.Add(words(2, at(32), 1, 0, 0, 0, 0, 0, 'x'))
	f.Add(words(3))
	h := newHouse(f, func(c *Config) {
		c.Pool.DeathsMax, c.Pool.BuildsPerSecond, c.Pool.BuildsBurst = 1<<20, 1e6, 1<<20
	})
	h.link(Spec{RoleAuthenticator: {ref("authenticator", "raw")}})
	d := h.door()
	f.Fuzz(func(t *testing.T, b []byte) {
		c := login("bob", "")
		c.Identity.Version, c.Method, c.Data = mqtt.V5, "RAW", b
		g, ok := d.auth.Authenticate(1, &c)
		if !ok {
			g = (<-d.answers).grant
		}
		decided := g.Reason == mqtt.Success || g.Reason.Failed()
		switch {
		case !decided && g.Reason != mqtt.ContinueAuthentication:
			t.Errorf("reason %v", g.Reason)
		case !utf8.ValidString(g.Username) || !utf8.ValidString(g.Tenant):
			t.Errorf("grant %+v", g)
		}
	})
}

func TestAnArenaKeepsWhatItGave(t *testing.T) {
	var a arena
	var kept [][]byte
	for i := range 5000 {
		kept = append(kept, a.keep([]byte{byte(i), byte(i >> 8), 7}))
	}
	for i, b := range kept {
		if string(b) != string([]byte{byte(i), byte(i >> 8), 7}) {
			t.Fatalf("%d: % x", i, b)
		}
	}
}
