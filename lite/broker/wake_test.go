package broker

import (
	"slices"
	"testing"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// ledger is a Store that answers at once and knows all that was written.
type ledger struct{ ops []Op }

func (l *ledger) Write(_ Token, b *Batch) bool {
	for _, op := range b.Ops {
		op.Value = slices.Clone(op.Value)
		l.ops = append(l.ops, op)
	}
	return true
}

func (l *ledger) Read(Token, Query, func(Record)) bool { return true }

// sessionsAfter is how many sessions a kernel has at end that starts at now over what op wrote.
func sessionsAfter(t *testing.T, cfg Config, op Op, now, end Time) int {
	t.Helper()
	k := New(cfg, &ledger{}, nil)
	if err := k.Restore(now, &op); err != nil {
		t.Fatal(err)
	}
	k.Restored(now)
	k.Begin(now)
	k.Tick(end)
	return int(k.Stats().Sessions)
}

// A clean start publishes a will that waits and drops the session, in two writes. A kernel that
// ends between them leaves the session without the will, and nothing is due of it.
func TestAWillThatIsGoneIsNotDue(t *testing.T) {
	l := &Listener{Name: "t", Limits: DefaultLimits()}
	cfg, kept := Default(), &ledger{}
	cfg.Durable = true
	k := New(cfg, kept, nil)
	p := mqtt.Connect{Version: mqtt.V5, CleanStart: true, ClientID: []byte("a"), HasWill: true}
	p.Props = p.Props.AppendUint32(mqtt.SessionExpiryInterval, 60)
	p.Will = mqtt.Will{Topic: []byte("w")}
	p.Will.Props = p.Will.Props.AppendUint32(mqtt.WillDelayInterval, 5)
	c := k.Open(1000, l, "127.0.0.1", &pipe{room: 1 << 20})
	k.Packet(1000, c, p.Append(nil))
	k.Closed(1000, c)
	from := len(kept.ops)
	p.HasWill = false
	k.Packet(1000, k.Open(1000, l, "127.0.0.1", &pipe{room: 1 << 20}), p.Append(nil))
	for _, op := range kept.ops[from:] {
		if op.Kind != OpPutSession {
			continue
		}
		if n := sessionsAfter(t, cfg, op, 1000, 10_000); n != 1 {
			t.Errorf("%d sessions, want 1", n)
		}
	}
	if len(kept.ops) == from {
		t.Error("nothing was written")
	}
}

// A will that is due with the end of its session is kept before the session is dropped: a kernel
// that ends between the two writes leaves one of them.
func TestAWillIsKeptBeforeItsSessionGoes(t *testing.T) {
	l := &Listener{Name: "t", Limits: DefaultLimits()}
	cfg, kept := Default(), &ledger{}
	cfg.Durable = true
	k := New(cfg, kept, nil)
	p := mqtt.Connect{Version: mqtt.V5, CleanStart: true, ClientID: []byte("a"), HasWill: true}
	p.Props = p.Props.AppendUint32(mqtt.SessionExpiryInterval, 5)
	p.Will = mqtt.Will{Topic: []byte("w"), Payload: []byte("x"), QoS: 1, Retain: true}
	p.Will.Props = p.Will.Props.AppendUint32(mqtt.WillDelayInterval, 10)
	c := k.Open(1000, l, "127.0.0.1", &pipe{room: 1 << 20})
	k.Packet(1000, c, p.Append(nil))
	k.Closed(1000, c)
	k.Tick(8_000) // the session has expired, the delay has not passed
	at := func(kind OpKind) int {
		return slices.IndexFunc(kept.ops, func(o Op) bool { return o.Kind == kind })
	}
	will, drop := at(OpRetain), at(OpDropSession)
	if will < 0 || drop < will {
		t.Errorf("the will is write %d, the drop %d", will, drop)
	}
	k.Packet(9000, k.Open(9000, l, "127.0.0.1", &pipe{room: 1 << 20}), p.Append(nil))
	from := len(kept.ops)
	p.CleanStart = false
	p.Props = nil // no session expiry: it ends with its connection
	c = k.Open(9000, l, "127.0.0.1", &pipe{room: 1 << 20})
	k.Packet(9000, c, p.Append(nil))
	k.Closed(9500, c)
	gone := false
	for _, op := range kept.ops[from:] {
		if gone = op.Kind == OpRetain || gone; !gone || op.Kind != OpPutSession {
			continue
		}
		if n := sessionsAfter(t, cfg, op, 10_000, 11_000); n != 0 {
			t.Errorf("%d sessions live on", n)
		}
	}
	if !gone {
		t.Error("no will was kept")
	}
}

// slowReader is a Store that answers what was asked for when the test says so.
type slowReader struct {
	ledger
	asked  Token
	filter string
}

func (s *slowReader) Read(t Token, q Query, _ func(Record)) bool {
	s.asked, s.filter = t, q.Filter
	return false
}

// What was retained does not come behind the message that took its place: the topic is read again.
func TestOldRetainedStaysBehindNoNews(t *testing.T) {
	for qos := mqtt.AtMostOnce; qos <= mqtt.ExactlyOnce; qos++ {
		l := &Listener{Name: "t", Limits: DefaultLimits()}
		kept := &slowReader{}
		k := New(Default(), kept, nil)
		out := &pipe{room: 1 << 20}
		p := mqtt.Connect{Version: mqtt.V5, ClientID: []byte("a"), CleanStart: true}
		c := k.Open(0, l, "127.0.0.1", out)
		k.Packet(0, c, p.Append(nil))
		k.Packet(0, c, mqtt.AppendSubscribe(nil, mqtt.V5, 1, nil,
			[]mqtt.Subscription{{Filter: []byte("+"), QoS: mqtt.AtLeastOnce}}))
		m := mqtt.Publish{
			Topic: []byte("t"), Payload: []byte("new"), Retain: true, QoS: qos, PacketID: 1,
		}
		k.Packet(0, c, m.Append(nil, mqtt.V5))
		record := func(topic string, origin PeerID, num uint64) Record {
			x := Message{
				Topic: []byte(topic), Payload: []byte("old"), Retain: true, origin: origin,
				num: num,
			}
			return Record{Kind: OpRetain, Key: topic, Value: appendMessage(nil, &x)}
		}
		read := func(want uint64, recs ...Record) {
			t.Helper()
			before := k.Stats().MessagesSent
			k.Read(0, kept.asked, recs, nil)
			if n := k.Stats().MessagesSent - before; n != want {
				t.Errorf("QoS %d: %d messages, want %d", qos, n, want)
			}
		}
		read(1, record("t", 1, 7), record("u", 1, 8)) // u alone
		if kept.filter != "t" {
			t.Fatalf("QoS %d: %q is read", qos, kept.filter)
		}
		read(1, record("t", 1, 9)) // the Store has another one behind it
		if k.newer.reads != 0 {
			t.Errorf("%d reads are left", k.newer.reads)
		}
		k.Packet(0, c, mqtt.AppendSubscribe(nil, mqtt.V5, 2, nil,
			[]mqtt.Subscription{{Filter: []byte("+")}}))
		m.PacketID = 2
		k.Packet(0, c, m.Append(nil, mqtt.V5))
		read(0, record("t", 0, k.seq)) // which came as it was published
	}
}
