package subscribe

import (
	"slices"
	"strings"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// endOf is a topic of one level that belongs to this run of the case and that no filter of it
// matches but # and its own. A message on it comes behind all that the case looks for.
func endOf(t *suite.T) string { return "end-" + strings.ReplaceAll(t.Topic(""), "/", "-") }

// usual is QoS 1, or less if the server offers no more.
func usual(t *suite.T) mqtt.QoS { return min(mqtt.AtLeastOnce, t.Server().QoSMax) }

// sub is a subscription without options.
func sub(filter string, q mqtt.QoS) mqtt.Subscription {
	return mqtt.Subscription{Filter: []byte(filter), QoS: q}
}

// ask sends SUBSCRIBE and answers the codes of SUBACK, one for each filter.
func ask(t *suite.T, c *suite.Client, props mqtt.Props, subs ...mqtt.Subscription,
) []mqtt.ReasonCode {
	id := c.NextPacketID()
	c.Send(mqtt.AppendSubscribe(nil, c.Version(), id, props, subs))
	ack := c.ReadSuback(id)
	if len(ack.Reasons) != len(subs) {
		t.Fatalf("%d codes in SUBACK for %d filters", len(ack.Reasons), len(subs))
	}
	return ack.Reasons
}

// unsubscribe sends UNSUBSCRIBE and answers UNSUBACK.
func unsubscribe(c *suite.Client, filters ...string) mqtt.Unsuback {
	id := c.NextPacketID()
	list := make([][]byte, len(filters))
	for i, f := range filters {
		list[i] = []byte(f)
	}
	c.Send(mqtt.AppendUnsubscribe(nil, c.Version(), id, nil, list))
	return c.ReadUnsuback(id)
}

// listen connects a client that subscribes to the filters and to the end, with QoS q.
func listen(t *suite.T, q mqtt.QoS, filters ...string) *suite.Client {
	c := t.Connect()
	for _, f := range append(filters, endOf(t)) {
		c.Subscribe(f, q)
	}
	return c
}

// until takes messages up to one on the topic, and then what comes before the answer to a PINGREQ:
// messages on several topics have no order among them. It answers all but those on the topic, and
// acknowledges them by their QoS to the end.
func until(t *suite.T, c *suite.Client, topic string) []mqtt.Publish {
	var got []mqtt.Publish
	asked, answered, open := false, false, 0
	for !answered || open > 0 {
		frame := c.Next()
		switch mqtt.TypeOf(frame) {
		case mqtt.PUBLISH:
			p := take(t, c, frame)
			if p.QoS == mqtt.ExactlyOnce {
				open++
			}
			if string(p.Topic) != topic {
				got = append(got, p)
			} else if !asked {
				asked = true
				c.SendPacket(&mqtt.Ping{Type: mqtt.PINGREQ})
			}
		case mqtt.PUBREL:
			release(t, c, frame)
			open--
		case mqtt.PINGRESP:
			answered = true
		default:
			t.Fatalf("got %s while waiting for messages", mqtt.TypeOf(frame))
		}
	}
	return got
}

// take decodes a PUBLISH and gives its first acknowledgement.
func take(t *suite.T, c *suite.Client, frame []byte) mqtt.Publish {
	var p mqtt.Publish
	if err := p.Decode(c.Version(), frame); err != nil {
		t.Fatalf("the server's PUBLISH: %v", err)
	}
	switch p.QoS {
	case mqtt.AtLeastOnce:
		c.SendPacket(&mqtt.Ack{Type: mqtt.PUBACK, PacketID: p.PacketID})
	case mqtt.ExactlyOnce:
		c.SendPacket(&mqtt.Ack{Type: mqtt.PUBREC, PacketID: p.PacketID})
	}
	return p
}

// release answers a PUBREL.
func release(t *suite.T, c *suite.Client, frame []byte) {
	var a mqtt.Ack
	if err := a.Decode(c.Version(), frame); err != nil {
		t.Fatalf("the server's PUBREL: %v", err)
	}
	c.SendPacket(&mqtt.Ack{Type: mqtt.PUBCOMP, PacketID: a.PacketID})
}

// gather has the publisher say the end, with QoS q, and answers what the others got before it.
func gather(t *suite.T, pub *suite.Client, q mqtt.QoS, c *suite.Client) []mqtt.Publish {
	pub.PublishText(endOf(t), "end", q)
	return until(t, c, endOf(t))
}

// payloads are the payloads of messages, sorted.
func payloads(got []mqtt.Publish) []string {
	texts := make([]string, len(got))
	for i := range got {
		texts[i] = string(got[i].Payload)
	}
	slices.Sort(texts)
	return texts
}

// wantPayloads wants exactly these messages, in any order. Who says who got them.
func wantPayloads(t *suite.T, who string, got []mqtt.Publish, want ...string) {
	slices.Sort(want)
	if texts := payloads(got); !slices.Equal(texts, want) {
		t.Errorf("%s got the messages %q, want %q", who, texts, want)
	}
}

// retain publishes a retained message.
func retain(t *suite.T, c *suite.Client, topic, payload string) {
	c.Publish(mqtt.Publish{Topic: []byte(topic), Payload: []byte(payload), QoS: usual(t),
		Retain: true})
}

// settle waits until what pub published has gone to those who were there: a server may acknowledge
// a message before that, and a subscription made in between gets it as live and as retained.
func settle(t *suite.T, pub *suite.Client) {
	pub.Subscribe(endOf(t), usual(t))
	gather(t, pub, usual(t), pub)
	pub.Unsubscribe(endOf(t))
}

// fold joins claims.
func fold(claims ...string) string { return strings.Join(claims, " ") }
