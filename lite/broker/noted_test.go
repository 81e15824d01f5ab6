package broker

import (
	"bytes"
	"slices"
	"testing"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// laggard is a Store that has answered no Write yet.
type laggard struct{ ledger }

func (l *laggard) Write(t Token, b *Batch) bool {
	l.ledger.Write(t, b)
	return t == 0
}

// record is a Sink that keeps all payloads it is given.
type record struct {
	pipe
	got []string
}

func (r *record) Write(b []byte) {
	var p mqtt.Publish
	if mqtt.TypeOf(b) == mqtt.PUBLISH && p.Decode(mqtt.V5, b) == nil {
		r.got = append(r.got, string(p.Payload))
	}
	r.pipe.Write(b)
}

// A message whose judging noted something is kept together with the note. One that came after it
// and noted nothing does not get to another kernel's clients first.
func TestWhatIsNotedIsNotOvertaken(t *testing.T) {
	noted := false
	boxes := &[2]nearBox{}
	l := &Listener{Name: "t", Limits: DefaultLimits()}
	var k [2]*Kernel
	for i := range k {
		c := Default()
		c.Self, c.Peers, c.Durable = PeerID(i), 2, true
		c.Noted = func() bool { return noted && i == 0 }
		k[i] = New(c, &laggard{}, near{PeerID(i), boxes})
	}
	talk := func() {
		for range 8 {
			boxes[0].bring(k[0])
			boxes[1].bring(k[1])
		}
	}
	open := func(k *Kernel, id string, out Sink) *Conn {
		c := k.Open(1, l, "127.0.0.1", out)
		p := mqtt.Connect{Version: mqtt.V5, CleanStart: true, ClientID: []byte(id)}
		k.Packet(1, c, p.Append(nil))
		talk()
		if c.state != connected {
			t.Fatalf("%s is not connected", id)
		}
		return c
	}
	out := &record{pipe: pipe{room: 1 << 20}}
	sub := open(k[1], "sub", out)
	k[1].Packet(1, sub, mqtt.AppendSubscribe(nil, mqtt.V5, 1, nil,
		[]mqtt.Subscription{{Filter: []byte("t"), QoS: mqtt.ExactlyOnce}}))
	talk()
	pub := open(k[0], "pub", &pipe{room: 1 << 20})
	for qos := mqtt.AtLeastOnce; qos <= mqtt.ExactlyOnce; qos++ {
		out.got = nil
		for i, text := range []string{"first", "second"} {
			noted = i == 0
			p := mqtt.Publish{
				Topic: []byte("t"), Payload: []byte(text), QoS: qos,
				PacketID: uint16(qos)<<8 | uint16(i+1),
			}
			k[0].Packet(1, pub, p.Append(nil, mqtt.V5))
			talk()
		}
		if len(out.got) != 2 || out.got[0] != "first" {
			t.Errorf("QoS %d: %q", qos, out.got)
		}
	}
}

// early is a port to peers that notes whether the Store was asked first.
type early struct {
	near
	kept  *ledger
	asked *[]bool
}

func (e early) Send(to PeerID, frame []byte) {
	if frame[0] == peerMessage {
		*e.asked = append(*e.asked, len(e.kept.ops) > 0)
	}
	e.near.Send(to, frame)
}

// A peer has a message that is retained when the Store was asked to keep it, so that nobody who
// subscribes there is shown what it replaces alone.
func TestPeersGetWhatIsRetainedBehindTheWrite(t *testing.T) {
	boxes, kept, asked := &[2]nearBox{}, &ledger{}, []bool(nil)
	c := Default()
	c.Peers = 2
	k := New(c, kept, early{near{0, boxes}, kept, &asked})
	k.subs.Put("t", &audience{filter: "t", peers: 1 << 1})
	k.begin(nil, 0)
	k.spread(&Message{Topic: []byte("t"), Payload: []byte("x"), Retain: true})
	k.end()
	if len(asked) != 1 || !asked[0] {
		t.Errorf("asked before: %v", asked)
	}
}

// grouped is a Store that notes what share of which group each write had.
type grouped struct {
	ledger
	shares map[uint64]uint64
	writes []Batch
}

func (g *grouped) Write(t Token, b *Batch) bool {
	if b.Group != 0 {
		g.shares[b.Group] += b.Share
	}
	g.writes = append(g.writes, Batch{Group: b.Group, Ops: append([]Op(nil), b.Ops...)})
	return g.ledger.Write(t, b)
}

// last is the group of the last write that had such an op.
func (g *grouped) last(kind OpKind) (group uint64) {
	for _, b := range g.writes {
		for _, op := range b.Ops {
			if op.Kind == kind {
				group = b.Group
			}
		}
	}
	return group
}

// TestAWillIsKeptTogetherWithItsSession: a kill between the writes of two kernels must not leave
// the session without the will, and the peer's subscribers without it too.
func TestAWillIsKeptTogetherWithItsSession(t *testing.T) {
	boxes, shares := &[2]nearBox{}, map[uint64]uint64{}
	l := &Listener{Name: "t", Limits: DefaultLimits()}
	var k [2]*Kernel
	var kept [2]*grouped
	for i := range k {
		c := Default()
		c.Self, c.Peers, c.Durable = PeerID(i), 2, true
		kept[i] = &grouped{shares: shares}
		k[i] = New(c, kept[i], near{PeerID(i), boxes})
	}
	talk := func() {
		for range 8 {
			boxes[0].bring(k[0])
			boxes[1].bring(k[1])
		}
	}
	open := func(k *Kernel, p *mqtt.Connect) *Conn {
		c := k.Open(1, l, "127.0.0.1", &pipe{room: 1 << 20})
		p.Version, p.CleanStart = mqtt.V5, true
		p.Props = p.Props.AppendUint32(mqtt.SessionExpiryInterval, 60)
		k.Packet(1, c, p.Append(nil))
		talk()
		return c
	}
	sub := open(k[1], &mqtt.Connect{ClientID: []byte("sub")})
	k[1].Packet(1, sub, mqtt.AppendSubscribe(nil, mqtt.V5, 1, nil,
		[]mqtt.Subscription{{Filter: []byte("t"), QoS: mqtt.AtLeastOnce}}))
	talk()
	k[0].Closed(1, open(k[0], &mqtt.Connect{ClientID: []byte("mortal"), HasWill: true,
		Will: mqtt.Will{Topic: []byte("t"), Payload: []byte("a last word"),
			QoS: mqtt.AtLeastOnce}}))
	talk()
	push := kept[1].last(OpPush)
	if push == 0 || shares[push] != GroupWhole {
		t.Errorf("the will is in group %d with shares %d of %d", push, shares[push],
			uint64(GroupWhole))
	}
	for _, b := range kept[0].writes { // what comes later stands behind in the Store
		without := slices.ContainsFunc(b.Ops, func(op Op) bool {
			return op.Kind == OpPutSession && !bytes.Contains(op.Value, []byte("a last word"))
		})
		if without {
			if b.Group != push {
				t.Errorf("the session without the will is in group %d, that in %d", b.Group, push)
			}
			return
		}
	}
	t.Error("the session is never without the will")
}

// lazy is a Store that answers no Write while it lags.
type lazy struct {
	ledger
	lags bool
}

func (l *lazy) Write(t Token, b *Batch) bool {
	l.ledger.Write(t, b)
	return t == 0 || !l.lags
}

// TestAWillIsKeptBeforeItIsPromised, also that of a session that goes on.
func TestAWillIsKeptBeforeItIsPromised(t *testing.T) {
	kept := &lazy{}
	cfg := Default()
	cfg.Durable = true
	k, l := New(cfg, kept, nil), &Listener{Name: "t", Limits: DefaultLimits()}
	open := func(will bool) *Conn {
		p := mqtt.Connect{Version: mqtt.V5, ClientID: []byte("a"), HasWill: will}
		if will {
			p.Will = mqtt.Will{Topic: []byte("t"), Payload: []byte("a last word")}
		}
		p.Props = p.Props.AppendUint32(mqtt.SessionExpiryInterval, 60)
		c := k.Open(1, l, "127.0.0.1", &pipe{room: 1 << 20})
		k.Packet(1, c, p.Append(nil))
		return c
	}
	k.Closed(1, open(true))
	kept.lags = true
	for _, will := range []bool{false, true} {
		if c := open(will); (c.state == admitting) != will {
			t.Errorf("with a will: %v, state %d", will, c.state)
		}
	}
}
