package publish

import (
	"slices"
	"strconv"
	"time"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// quiet is how long nothing must come for these cases to believe that nothing will.
const quiet = 400 * time.Millisecond

// modern are the versions for cases about what 3.1 leaves open.
func modern() []mqtt.Version { return []mqtt.Version{mqtt.V311, mqtt.V5} }

// message is a PUBLISH of a text.
func message(topic, payload string, q mqtt.QoS) mqtt.Publish {
	return mqtt.Publish{Topic: []byte(topic), Payload: []byte(payload), QoS: q}
}

// keep publishes a retained text. The server has it when keep returns.
func keep(pub *suite.Client, topic, payload string, q mqtt.QoS) {
	p := message(topic, payload, q)
	p.Retain = true
	pub.Publish(p)
	if q == mqtt.AtMostOnce {
		pub.Ping()
	}
}

// subscriber is a client with one subscription.
func subscriber(t *suite.T, filter string, q mqtt.QoS, options ...suite.Option) *suite.Client {
	c := t.Connect(options...)
	c.Subscribe(filter, q)
	return c
}

// keeper is a client whose session outlives its connection.
func keeper(t *suite.T, options ...suite.Option) *suite.Client {
	c := t.Connect(append([]suite.Option{suite.Keeping}, options...)...)
	v, said := c.Connack.Props.Uint32(mqtt.SessionExpiryInterval)
	if said && v < 10 {
		t.Skipf("the server keeps sessions for %d s", v)
	}
	return c
}

// resume connects again to the session of a client.
func resume(t *suite.T, c *suite.Client, options ...suite.Option) *suite.Client {
	again := t.Connect(append([]suite.Option{suite.Named(c.ID), suite.Keeping}, options...)...)
	if t.Version() != mqtt.V31 && !again.Connack.SessionPresent {
		t.Fatalf("the session is gone: Session Present is 0")
	}
	return again
}

// receiving sets the client's Receive Maximum, in 5.0 only.
func receiving(n uint16) suite.Option {
	return suite.WithProps(func(p mqtt.Props) mqtt.Props {
		return p.AppendUint16(mqtt.ReceiveMaximum, n)
	})
}

// until reads and acknowledges messages up to the one that says end, and answers those before it.
func until(c *suite.Client, end string) []mqtt.Publish {
	var before []mqtt.Publish
	for {
		p := c.ReadMessage()
		if string(p.Payload) == end {
			return before
		}
		before = append(before, p)
	}
}

// wantOnly wants the messages before end to have these payloads.
func wantOnly(t *suite.T, c *suite.Client, end string, want ...string) {
	if got := payloads(until(c, end)); !slices.Equal(got, want) {
		t.Errorf("before %q: got messages %q, want %q", end, got, want)
	}
}

func payloads(list []mqtt.Publish) []string {
	var all []string
	for i := range list {
		all = append(all, string(list[i].Payload))
	}
	return all
}

// inFlight reads messages without acknowledging them until no more come: one at least, since no
// server may have a window of none.
func inFlight(t *suite.T, c *suite.Client) []mqtt.Publish {
	list := []mqtt.Publish{c.ReadPublish()}
	for {
		frame, _ := c.Poll(quiet)
		if frame == nil {
			return list
		}
		var p mqtt.Publish
		if err := p.Decode(t.Version(), frame); err != nil {
			t.Fatalf("want PUBLISH: %v", err)
		}
		list = append(list, p)
	}
}

// acknowledge sends acknowledgements of that type for all of list in one write.
func acknowledge(c *suite.Client, kind mqtt.Type, list []mqtt.Publish) {
	var b []byte
	for i := range list {
		ack := mqtt.Ack{Type: kind, PacketID: list[i].PacketID}
		b = ack.Append(b, c.Version())
	}
	c.Send(b)
}

// numbers are the texts of from to to-1.
func numbers(from, to int) []string {
	var all []string
	for i := from; i < to; i++ {
		all = append(all, strconv.Itoa(i))
	}
	return all
}

// batch publishes p with each of the payloads, as many at a time as the server takes.
func batch(t *suite.T, c *suite.Client, p mqtt.Publish, payloads []string) {
	for chunk := range slices.Chunk(payloads, min(200, int(t.Server().ReceiveMax))) {
		var b []byte
		var sent []mqtt.Publish
		for _, text := range chunk {
			p.Payload = []byte(text)
			if p.QoS > mqtt.AtMostOnce {
				p.PacketID = c.NextPacketID()
			}
			b, sent = p.Append(b, t.Version()), append(sent, p)
		}
		c.Send(b)
		switch p.QoS {
		case mqtt.AtLeastOnce:
			collect(t, c, mqtt.PUBACK, sent)
		case mqtt.ExactlyOnce:
			collect(t, c, mqtt.PUBREC, sent)
			acknowledge(c, mqtt.PUBREL, sent)
			collect(t, c, mqtt.PUBCOMP, sent)
		}
	}
}

// collect wants one acknowledgement of that type for each of sent, in any order.
func collect(t *suite.T, c *suite.Client, kind mqtt.Type, sent []mqtt.Publish) {
	open := make(map[uint16]bool, len(sent))
	for i := range sent {
		open[sent[i].PacketID] = true
	}
	for range sent {
		var a mqtt.Ack
		if err := a.Decode(t.Version(), c.Expect(kind)); err != nil {
			t.Fatalf("the server's %s: %v", kind, err)
		}
		if !open[a.PacketID] {
			t.Fatalf("%s for packet %d, which is not open", kind, a.PacketID)
		}
		if a.Reason.Failed() {
			t.Fatalf("%s for packet %d says 0x%02X", kind, a.PacketID, byte(a.Reason))
		}
		delete(open, a.PacketID)
	}
}

// top is the highest QoS that the server offers.
func top(t *suite.T) mqtt.QoS { return t.Server().QoSMax }
