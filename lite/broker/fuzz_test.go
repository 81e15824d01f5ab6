package broker

import (
	"bytes"
	"testing"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// sent is a Peers that keeps copies of what a kernel sent.
type sent struct{ frames [][]byte }

func (s *sent) Send(_ PeerID, f []byte) { s.frames = append(s.frames, append([]byte(nil), f...)) }

func threeKernels() (*Kernel, *sent) {
	cfg := Default()
	cfg.Peers, cfg.Self = 3, 1
	out := &sent{}
	return New(cfg, nil, out), out
}

// FuzzPeer throws bytes at a kernel as if a peer had sent them: nothing may panic, and the kernel
// must still work afterwards.
func FuzzPeer(f *testing.F) {
	k, out := threeKernels()
	l := &Listener{Name: "f", Limits: DefaultLimits()}
	conn := k.Open(1000, l, "127.0.0.1", &pipe{room: 1 << 20})
	for _, id := range []string{"a", "b", "c"} {
		hi := mqtt.Connect{Version: mqtt.V5, ClientID: []byte(id)}
		k.Packet(1000, k.Open(1000, l, "127.0.0.1", &pipe{room: 1 << 20}), hi.Append(nil))
	}
	k.Closed(1000, conn)
	for _, fr := range out.frames {
		f.Add(fr, fr)
	}
	s := fullSession()
	hand := appendString([]byte{peerHandover, 1}, "x")
	f.Add(appendSession(append(hand, 1, 0, 0, 0), s), appendString([]byte{peerLast}, "x"))
	m := Message{Topic: []byte("a/b"), Payload: []byte("x"), QoS: 1}
	f.Add(appendMessage([]byte{peerMessage, 1}, &m), appendString([]byte{peerAdded, 1}, "a/+"))
	f.Add(appendMessage(append(appendString([]byte{peerShared, 1}, "$share/g/a"), 0), &m),
		appendString([]byte{peerGroup, 1}, "$share/g/a"))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		k, _ := threeKernels()
		l := &Listener{Name: "f", Limits: DefaultLimits()}
		for _, fr := range [][]byte{one, two, one} {
			k.Peer(1000, 0, fr)
			k.Peer(1100, 2, fr)
		}
		k.Tick(5000)
		c := k.Open(5000, l, "127.0.0.1", &pipe{room: 1 << 20})
		hi := mqtt.Connect{Version: mqtt.V5, CleanStart: true, ClientID: []byte("z")}
		k.Packet(5000, c, hi.Append(nil))
		k.Shutdown(6000, mqtt.ServerShuttingDown)
	})
}

func fullSession() *session {
	s := &session{expiry: 60, who: &Identity{ClientID: "x"}}
	s.busy().received = map[uint16]*publication{4: nil, 9: nil}
	m := (&Message{Topic: []byte("a/b"), Payload: []byte("p"), QoS: 2, From: "y"}).Keep()
	for i := range 3 {
		o := s.work.flight.add()
		o.m, o.qos, o.state = m, 2, slotPublished
		o.sent = i > 0
	}
	s.work.queue.push(queued{m: m, qos: 1, ids: []uint32{3, 4}, share: "$share/g/a"})
	return s
}

// FuzzSession checks that a session that decodes encodes to what it was.
func FuzzSession(f *testing.F) {
	f.Add(appendSession(nil, fullSession()))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := reader{b: b}
		cs, ok := r.session("x")
		if !ok || len(cs.subs) > 0 {
			return // subscriptions are placed by a kernel
		}
		once := appendSession(nil, cs.sess)
		r = reader{b: once}
		again, ok := r.session("x")
		if !ok {
			t.Fatalf("does not decode again: % x", once)
		}
		if twice := appendSession(nil, again.sess); !bytes.Equal(once, twice) {
			t.Fatalf("once % x\ntwice % x", once, twice)
		}
	})
}

// FuzzPackets throws a byte stream at a connected client's place.
func FuzzPackets(f *testing.F) {
	subs := []mqtt.Subscription{{Filter: []byte("a/#"), QoS: 2}}
	stream := mqtt.AppendSubscribe(nil, mqtt.V5, 1, nil, subs)
	p := mqtt.Publish{QoS: 2, PacketID: 3, Topic: []byte("a/b"), Payload: []byte("x"), Retain: true}
	stream = p.Append(stream, mqtt.V5)
	rel := mqtt.Ack{Type: mqtt.PUBREL, PacketID: 3}
	f.Add(rel.Append(stream, mqtt.V5), byte(5), true)
	f.Add([]byte{0xe0, 0}, byte(4), false)
	f.Fuzz(func(t *testing.T, b []byte, v byte, clean bool) {
		version := mqtt.Version(3 + v%3)
		l := &Listener{Name: "f", Limits: DefaultLimits()}
		k := New(Default(), nil, nil)
		c := k.Open(1000, l, "127.0.0.1", &pipe{room: 1 << 20})
		hi := mqtt.Connect{Version: version, CleanStart: clean, ClientID: []byte("z")}
		k.Packet(1000, c, hi.Append(nil))
		for c.state != closed && len(b) > 0 {
			n, err := mqtt.Frame(b, 1<<16)
			if n == 0 || err != nil {
				break
			}
			k.Packet(1000, c, b[:n])
			b = b[n:]
		}
		k.Tick(100_000)
		k.Closed(100_000, c)
	})
}
