package broker

import (
	"strconv"
	"testing"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// hello5 connects with what p says more than the least.
func hello5(t *testing.T, k *Kernel, l *Listener, p mqtt.Connect) (*Conn, *pipe) {
	t.Helper()
	out := &pipe{room: 1 << 20}
	c := k.Open(1000, l, "127.0.0.1", out)
	p.Version = mqtt.V5
	k.Packet(1000, c, p.Append(nil))
	if c.state != connected {
		t.Fatalf("%s is not connected: % x", p.ClientID, out.buf)
	}
	return c, out
}

// A retained message of the subscriber's own is as little for it as a live one [MQTT-3.8.3-3].
func TestNoLocalHoldsForRetained(t *testing.T) {
	l := &Listener{Name: "t", Limits: DefaultLimits()}
	k := New(Default(), nil, nil)
	c, out := hello5(t, k, l, mqtt.Connect{ClientID: []byte("a")})
	p := mqtt.Publish{Topic: []byte("x"), Payload: []byte("mine"), Retain: true}
	k.Packet(1000, c, p.Append(nil, mqtt.V5))
	subs := []mqtt.Subscription{{Filter: []byte("x"), NoLocal: true}}
	k.Packet(1000, c, mqtt.AppendSubscribe(nil, mqtt.V5, 1, nil, subs))
	if mqtt.TypeOf(out.buf) != mqtt.SUBACK {
		t.Errorf("got % x behind SUBACK", out.buf)
	}
}

// A topic whose message was too large for the client is sent by name afterwards: the client never
// saw an alias for it.
func TestDroppedMessageGivesNoAlias(t *testing.T) {
	l := &Listener{Name: "t", Limits: DefaultLimits()}
	k := New(Default(), nil, nil)
	props := mqtt.Props(nil).AppendUint32(mqtt.MaximumPacketSize, 100).
		AppendUint16(mqtt.TopicAliasMaximum, 10)
	sub, out := hello5(t, k, l, mqtt.Connect{ClientID: []byte("s"), CleanStart: true, Props: props})
	subscribe(k, sub, "x/#", 1)
	pub, _ := dial(t, k, l, "p", mqtt.V311)
	before := out.frames
	for _, q := range []mqtt.QoS{0, 1} {
		k.Packet(1000, pub, publish("x/long", q, make([]byte, 200)))
	}
	if out.frames != before {
		t.Fatal("a message above the Maximum Packet Size was sent")
	}
	k.Packet(1000, pub, publish("x/long", 0, []byte("short")))
	var got mqtt.Publish
	if err := got.Decode(mqtt.V5, out.buf); err != nil || string(got.Topic) != "x/long" {
		t.Errorf("got topic %q, error %v", got.Topic, err)
	}
}

// A delayed will is not sent when the session goes on in time [MQTT-3.1.3-9]; it is when the new
// connection starts the session anew.
func TestTakeOverKeepsADelayedWillBack(t *testing.T) {
	for _, clean := range []bool{false, true} {
		l := &Listener{Name: "t", Limits: DefaultLimits()}
		k := New(Default(), nil, nil)
		watch, out := dial(t, k, l, "watch", mqtt.V311)
		subscribe(k, watch, "will", 0)
		before := out.frames
		p := mqtt.Connect{
			ClientID: []byte("a"), HasWill: true,
			Props: mqtt.Props(nil).AppendUint32(mqtt.SessionExpiryInterval, 600),
			Will: mqtt.Will{
				Topic: []byte("will"), Payload: []byte("gone"),
				Props: mqtt.Props(nil).AppendUint32(mqtt.WillDelayInterval, 10),
			},
		}
		hello5(t, k, l, p)
		again := mqtt.Connect{ClientID: []byte("a"), CleanStart: clean, Props: p.Props}
		hello5(t, k, l, again)
		k.Tick(30_000)
		if sent := out.frames > before; sent != clean {
			t.Errorf("clean start %v: will sent %v", clean, sent)
		}
	}
}

// Clients that throw each other out are told of once a minute, and what is counted is bounded.
func TestStorms(t *testing.T) {
	var x storms
	s := &session{who: &Identity{ClientID: "twin", Address: "10.0.0.1", Listener: "mqtt"}}
	for range 25 {
		x.note(1000, s)
	}
	k := &Kernel{storms: x}
	var seen []Storm
	k.Storms(func(s Storm) { seen = append(seen, s) })
	k.Storms(func(s Storm) { seen = append(seen, s) })
	if len(seen) != 1 || seen[0] != (Storm{"twin", "10.0.0.1", "mqtt", 25}) {
		t.Errorf("%+v", seen)
	}
	for range stormAt {
		k.storms.note(1000+stormWindow, s)
	}
	k.Storms(func(s Storm) { seen = append(seen, s) })
	if len(seen) != 2 || seen[1].TakeOvers != stormAt {
		t.Errorf("after a minute: %+v", seen)
	}
	for i := range 3 * stormsMax {
		for range stormAt {
			k.storms.note(1001+stormWindow, &session{who: &Identity{ClientID: strconv.Itoa(i)}})
		}
	}
	if len(k.storms.counts) > stormsMax || len(k.storms.found) > stormsMax {
		t.Errorf("%d counted, %d found", len(k.storms.counts), len(k.storms.found))
	}
}

// A peer that could not store a message says so with a reason above 127, which is one byte on the
// way, not a uvarint: the publisher must hear it.
func TestFailedAckArrives(t *testing.T) {
	k, out := threeKernels()
	pub := &publication{wait: 1}
	k.sendAck(0, k.asks.put(ask{kind: askPeer, pub: pub}), mqtt.QuotaExceeded)
	k.Peer(1000, 0, out.frames[len(out.frames)-1])
	if k.stats.BadFrames != 0 || pub.reason != mqtt.QuotaExceeded || pub.wait != 0 {
		t.Errorf("bad frames %d, reason %#x, %d things waited for", k.stats.BadFrames,
			byte(pub.reason), pub.wait)
	}
}
