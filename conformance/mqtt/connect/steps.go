package connect

import (
	"slices"
	"time"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// slack is what a busy server gets beside the time of the standard.
const slack = 3 * time.Second

// since311 are the versions that have numbered statements: 3.1 leaves what they say open.
func since311() []mqtt.Version { return []mqtt.Version{mqtt.V311, mqtt.V5} }

// all are the versions there are.
func all() []mqtt.Version { return []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5} }

// highest is the highest QoS that the server offers.
func highest(t *suite.T) mqtt.QoS { return min(mqtt.ExactlyOnce, t.Server().QoSMax) }

// keep connects with a session that outlives the connection and resumes the one there is.
func keep(t *suite.T, id string, more ...suite.Option) *suite.Client {
	return keepFor(t, id, 60, more...)
}

// keepFor is keep with that Session Expiry Interval in 5.0. It skips the case if the server says
// that it keeps sessions for a much shorter time.
func keepFor(t *suite.T, id string, seconds uint32, more ...suite.Option) *suite.Client {
	resume := func(p *mqtt.Connect) { p.CleanStart = false }
	options := []suite.Option{suite.Named(id), resume, expiry(seconds)}
	c := t.Connect(append(options, more...)...)
	if s, said := c.Connack.Props.Uint32(mqtt.SessionExpiryInterval); said && s < min(seconds, 60) {
		t.Skipf("the server keeps sessions for %d s, the case needs more", s)
	}
	return c
}

// expiry asks for a Session Expiry Interval, in 5.0 only.
func expiry(seconds uint32) suite.Option {
	return suite.WithProps(func(p mqtt.Props) mqtt.Props {
		return p.AppendUint32(mqtt.SessionExpiryInterval, seconds)
	})
}

// clean connects by that client identifier with Clean Start or CleanSession 1. The session ends
// with the connection.
func clean(t *suite.T, id string, more ...suite.Option) *suite.Client {
	return t.Connect(append([]suite.Option{suite.Named(id)}, more...)...)
}

// wantPresent judges Session Present, which 3.1 does not have.
func wantPresent(t *suite.T, c *suite.Client, want bool) {
	if t.Version() != mqtt.V31 && c.Connack.SessionPresent != want {
		t.Errorf("CONNACK says Session Present %t, want %t", c.Connack.SessionPresent, want)
	}
}

// witness is a client that sees what is published on topic.
func witness(t *suite.T, topic string) *suite.Client {
	w := t.Connect()
	w.Subscribe(topic, highest(t))
	return w
}

// wantUnseen wants that the witness of topic has nothing to see: a message of its own, sent now, is
// the next one.
func wantUnseen(w *suite.Client, topic string) {
	w.SendPacket(&mqtt.Publish{Topic: []byte(topic), Payload: []byte("sentinel")})
	w.WantMessage(topic, "sentinel")
}

// wantStillUnseen is wantUnseen for what a server may do a moment later than the step before.
func wantStillUnseen(t *suite.T, w *suite.Client, topic string, d time.Duration) {
	t.Wait(d)
	wantUnseen(w, topic)
}

// wantUnsubscribed wants that c is not subscribed to topic: of two messages that another client
// publishes, the one on a topic that c subscribes to now comes first.
func wantUnsubscribed(t *suite.T, c *suite.Client, topic string) {
	own := t.Topic("own")
	c.Subscribe(own, 0)
	p := t.Connect()
	p.PublishText(topic, "stray", min(1, highest(t)))
	p.PublishText(own, "sentinel", 0)
	c.WantMessage(own, "sentinel")
	c.Ping()
}

// collect reads n messages, acknowledges each to the end, and answers their payloads in the order
// in which they came. A message that comes again with the DUP flag counts once.
func collect(t *suite.T, c *suite.Client, n int) []string {
	var texts []string
	open := make(map[uint16]bool) // QoS 2 messages whose PUBREL is due
	for len(texts) < n || len(open) > 0 {
		frame := c.Next()
		switch mqtt.TypeOf(frame) {
		case mqtt.PUBLISH:
			p := decodePublish(t, frame)
			if again := open[p.PacketID] && p.QoS == mqtt.ExactlyOnce; !again {
				texts = append(texts, string(p.Payload))
			}
			if p.QoS < mqtt.ExactlyOnce {
				c.Acknowledge(&p)
				break
			}
			c.SendPacket(&mqtt.Ack{Type: mqtt.PUBREC, PacketID: p.PacketID})
			open[p.PacketID] = true
		case mqtt.PUBREL:
			var a mqtt.Ack
			if err := a.Decode(t.Version(), frame); err != nil {
				t.Fatalf("the server's PUBREL: %v", err)
			}
			c.SendPacket(&mqtt.Ack{Type: mqtt.PUBCOMP, PacketID: a.PacketID})
			delete(open, a.PacketID)
		default:
			t.Fatalf("want messages, got %s", mqtt.TypeOf(frame))
		}
	}
	return texts
}

func decodePublish(t *suite.T, frame []byte) mqtt.Publish {
	var p mqtt.Publish
	if err := p.Decode(t.Version(), frame); err != nil {
		t.Fatalf("the server's PUBLISH: %v", err)
	}
	return p
}

// wantTexts wants the same texts in any order.
func wantTexts(t *suite.T, got []string, want ...string) {
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		t.Errorf("got messages %q, want %q", got, want)
	}
}

// letIn is true for a CONNACK that lets a client in, by its bytes. A frame may be nil.
func letIn(frame []byte) bool {
	return len(frame) > 3 && mqtt.TypeOf(frame) == mqtt.CONNACK && frame[3] == 0
}
