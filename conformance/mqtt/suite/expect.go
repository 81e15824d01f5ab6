package suite

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// quiet is how long nothing must come for the suite to believe that nothing will.
const quiet = 300 * time.Millisecond

// Next is the next packet. It is a fault if none comes.
func (c *Client) Next() []byte {
	frame, err := c.next(c.t.run.opts.ExpectTimeout)
	if err != nil {
		c.t.Fatalf("client %d: want a packet, got: %v", c.id, err)
	}
	return frame
}

// Expect is the next packet, which must be of that type.
func (c *Client) Expect(want mqtt.Type) []byte {
	frame, err := c.next(c.t.run.opts.ExpectTimeout)
	if err != nil {
		c.t.Fatalf("client %d: want %s, got: %v", c.id, want, err)
	}
	if got := mqtt.TypeOf(frame); got != want {
		c.t.Fatalf("client %d: want %s, got %s", c.id, want, describe(c.version, frame))
	}
	return frame
}

// Await is the next packet of that type; others that come before are passed over.
func (c *Client) Await(want mqtt.Type) []byte {
	for {
		frame, err := c.next(c.t.run.opts.ExpectTimeout)
		if err != nil {
			c.t.Fatalf("client %d: want %s, got: %v", c.id, want, err)
		}
		if mqtt.TypeOf(frame) == want {
			return frame
		}
	}
}

// decoder is any packet of sdk/mqtt that a server sends.
type decoder interface {
	Decode(v mqtt.Version, frame []byte) error
}

func (c *Client) decode(p decoder, frame []byte) {
	if err := p.Decode(c.version, frame); err != nil {
		c.t.Fatalf("client %d: the server's %s: %v", c.id, mqtt.TypeOf(frame), err)
	}
}

// ReadConnack is the next packet, which must be CONNACK.
func (c *Client) ReadConnack() mqtt.Connack {
	var p mqtt.Connack
	c.decode(&p, c.Expect(mqtt.CONNACK))
	return p
}

// ReadAck is the next packet, which must be the acknowledgement of that type for id; messages that
// come before it are put back behind it: the two directions are independent.
func (c *Client) ReadAck(want mqtt.Type, id uint16) mqtt.Ack {
	var p mqtt.Ack
	c.decode(&p, c.ahead(want))
	if p.PacketID != id {
		c.t.Fatalf("client %d: %s of packet %d, want %d", c.id, want, p.PacketID, id)
	}
	return p
}

// ReadSuback is the next packet, which must be SUBACK for id; messages that come before it are put
// back behind it.
func (c *Client) ReadSuback(id uint16) mqtt.Suback {
	var p mqtt.Suback
	c.decode(&p, c.ahead(mqtt.SUBACK))
	if p.PacketID != id {
		c.t.Fatalf("client %d: SUBACK of packet %d, want %d", c.id, p.PacketID, id)
	}
	return p
}

// ReadUnsuback is like ReadSuback.
func (c *Client) ReadUnsuback(id uint16) mqtt.Unsuback {
	var p mqtt.Unsuback
	c.decode(&p, c.ahead(mqtt.UNSUBACK))
	if p.PacketID != id {
		c.t.Fatalf("client %d: UNSUBACK of packet %d, want %d", c.id, p.PacketID, id)
	}
	return p
}

// beforeMax bounds the messages that come before an acknowledgement.
const beforeMax = 8 << 20

// ahead reads up to the packet of that type and puts the PUBLISHes before it back: a server may
// send them first [MQTT-3.8.4].
func (c *Client) ahead(want mqtt.Type) []byte {
	var before []byte
	for {
		frame := c.Next()
		if mqtt.TypeOf(frame) == want {
			c.have, c.noted = append(before, c.have...), c.noted+len(before)
			return frame
		}
		if mqtt.TypeOf(frame) != mqtt.PUBLISH {
			c.t.Fatalf("client %d: want %s, got %s", c.id, want, describe(c.version, frame))
		}
		before = append(before, frame...)
		if len(before) > beforeMax {
			c.t.Fatalf("client %d: want %s, got %d bytes of messages", c.id, want, len(before))
		}
	}
}

// ReadPublish is the next packet, which must be PUBLISH. It is not acknowledged.
func (c *Client) ReadPublish() mqtt.Publish {
	var p mqtt.Publish
	c.decode(&p, c.Expect(mqtt.PUBLISH))
	return p
}

// ReadMessage is the next packet, which must be PUBLISH; it is acknowledged by its QoS to the end.
func (c *Client) ReadMessage() mqtt.Publish {
	p := c.ReadPublish()
	c.Acknowledge(&p)
	return p
}

// WantMessage is ReadMessage for a message that must have this topic and payload.
func (c *Client) WantMessage(topic, payload string) mqtt.Publish {
	p := c.ReadMessage()
	if string(p.Topic) != topic || string(p.Payload) != payload {
		c.t.Fatalf("client %d: got message %q on %q, want %q on %q", c.id, clip(p.Payload), p.Topic,
			payload, topic)
	}
	return p
}

// Acknowledge answers a PUBLISH by its QoS to the end.
func (c *Client) Acknowledge(p *mqtt.Publish) {
	switch p.QoS {
	case mqtt.AtLeastOnce:
		c.SendPacket(&mqtt.Ack{Type: mqtt.PUBACK, PacketID: p.PacketID})
	case mqtt.ExactlyOnce:
		c.SendPacket(&mqtt.Ack{Type: mqtt.PUBREC, PacketID: p.PacketID})
		c.ReadAck(mqtt.PUBREL, p.PacketID)
		c.SendPacket(&mqtt.Ack{Type: mqtt.PUBCOMP, PacketID: p.PacketID})
	}
}

// Subscribe subscribes and wants the QoS granted.
func (c *Client) Subscribe(filter string, q mqtt.QoS) {
	c.SubscribeWith(nil, mqtt.Subscription{Filter: []byte(filter), QoS: q})
}

// SubscribeWith subscribes with properties and options and wants the QoS granted. A server may
// grant less: then the case has not what it needs.
func (c *Client) SubscribeWith(props mqtt.Props, subs ...mqtt.Subscription) {
	id := c.NextPacketID()
	c.Send(mqtt.AppendSubscribe(nil, c.version, id, props, subs))
	ack := c.ReadSuback(id)
	if len(ack.Reasons) != len(subs) {
		c.t.Fatalf("client %d: %d codes in SUBACK, want %d", c.id, len(ack.Reasons), len(subs))
	}
	for i, r := range ack.Reasons {
		if asked := mqtt.ReasonCode(subs[i].QoS); r < asked {
			c.t.Skipf("the server grants QoS %d where %d is asked for", r, asked)
		} else if r > asked {
			c.t.Fatalf("client %d: SUBACK for %q: %s, want QoS %d", c.id, subs[i].Filter,
				reasonText(r), subs[i].QoS)
		}
	}
}

// Unsubscribe unsubscribes and wants UNSUBACK.
func (c *Client) Unsubscribe(filter string) {
	id := c.NextPacketID()
	c.Send(mqtt.AppendUnsubscribe(nil, c.version, id, nil, [][]byte{[]byte(filter)}))
	c.ReadUnsuback(id)
}

// Publish publishes and waits for the acknowledgements of the QoS, which must say success.
func (c *Client) Publish(p mqtt.Publish) {
	if p.QoS > 0 && p.PacketID == 0 {
		p.PacketID = c.NextPacketID()
	}
	c.SendPacket(&p)
	switch p.QoS {
	case mqtt.AtLeastOnce:
		c.succeeded(c.ReadAck(mqtt.PUBACK, p.PacketID))
	case mqtt.ExactlyOnce:
		c.succeeded(c.ReadAck(mqtt.PUBREC, p.PacketID))
		c.SendPacket(&mqtt.Ack{Type: mqtt.PUBREL, PacketID: p.PacketID})
		c.succeeded(c.ReadAck(mqtt.PUBCOMP, p.PacketID))
	}
}

func (c *Client) succeeded(a mqtt.Ack) {
	if a.Reason.Failed() {
		c.t.Fatalf("client %d: %s says %s", c.id, a.Type, reasonText(a.Reason))
	}
}

// PublishText is Publish of a text.
func (c *Client) PublishText(topic, payload string, q mqtt.QoS) {
	c.Publish(mqtt.Publish{Topic: []byte(topic), Payload: []byte(payload), QoS: q})
}

// Ping sends PINGREQ and wants PINGRESP as the next packet: the connection is open and nothing else
// was sent to it.
func (c *Client) Ping() {
	c.SendPacket(&mqtt.Ping{Type: mqtt.PINGREQ})
	c.Expect(mqtt.PINGRESP)
}

// WantNothing wants that no packet comes. It waits for a moment, so it can pass by luck on a server
// that is slow; put a message that must come behind the one that must not where that is possible.
func (c *Client) WantNothing() {
	c.WantNothingFor(quiet)
}

// WantNothingFor is WantNothing for a time of its own.
func (c *Client) WantNothingFor(d time.Duration) {
	frame, err := c.next(d)
	switch {
	case err == nil:
		c.t.Fatalf("client %d: want nothing, got %s", c.id, describe(c.version, frame))
	case !errors.Is(err, errQuiet):
		c.t.Fatalf("client %d: want an open connection: %v", c.id, err)
	}
}

// WantClosed wants the server to close the connection. In 5.0 it may say DISCONNECT before with one
// of these reasons, any failure if none is named. Packets that were on their way are passed over.
func (c *Client) WantClosed(reasons ...mqtt.ReasonCode) {
	c.WantClosedWithin(c.t.run.opts.ExpectTimeout, reasons...)
}

// WantClosedWithin is WantClosed for a time of its own.
func (c *Client) WantClosedWithin(d time.Duration, reasons ...mqtt.ReasonCode) {
	end := time.Now().Add(d)
	for {
		frame, err := c.next(time.Until(end))
		if errors.Is(err, errQuiet) {
			c.t.Fatalf("client %d: the server did not close the connection", c.id)
		}
		if err != nil {
			return
		}
		if mqtt.TypeOf(frame) == mqtt.DISCONNECT {
			c.checkDisconnect(frame, reasons)
		}
	}
}

func (c *Client) checkDisconnect(frame []byte, reasons []mqtt.ReasonCode) {
	var p mqtt.Disconnect
	if c.version != mqtt.V5 {
		c.t.Fatalf("client %d: a DISCONNECT from the server, which %s does not have", c.id,
			c.version)
	}
	c.decode(&p, frame)
	good := p.Reason.Failed()
	if len(reasons) > 0 {
		good = Fits(p.Reason, reasons)
	}
	if !good {
		c.t.Errorf("client %d: DISCONNECT says %s, want one of %v", c.id, reasonText(p.Reason),
			reasons)
	}
}

// WantRefused wants the CONNECT that was sent to be refused: by CONNACK with one of these reasons
// (any failure if none is named) and the end of the connection, or by that end alone. In 3.x the
// reasons stand for the return codes of mqtt.ReasonCode.Connack3.
func (c *Client) WantRefused(reasons ...mqtt.ReasonCode) {
	frame, err := c.next(c.t.run.opts.ExpectTimeout)
	if errors.Is(err, errQuiet) {
		c.t.Fatalf("client %d: neither CONNACK nor the end of the connection", c.id)
	}
	if err != nil {
		return
	}
	c.checkRefusal(frame, reasons)
	c.WantClosed()
}

// WantRefusedBy is WantRefused where the standard asks for a CONNACK.
func (c *Client) WantRefusedBy(reasons ...mqtt.ReasonCode) {
	c.checkRefusal(c.Expect(mqtt.CONNACK), reasons)
	c.WantClosed()
}

func (c *Client) checkRefusal(frame []byte, reasons []mqtt.ReasonCode) {
	if mqtt.TypeOf(frame) == mqtt.DISCONNECT && c.version == mqtt.V5 {
		c.t.Fatalf("client %d: DISCONNECT before CONNACK [MQTT-3.14.0-1]", c.id)
	}
	var p mqtt.Connack
	if mqtt.TypeOf(frame) != mqtt.CONNACK {
		c.t.Fatalf("client %d: want a refusal, got %s", c.id, describe(c.version, frame))
	}
	c.decode(&p, frame)
	if !p.Reason.Failed() {
		c.t.Fatalf("client %d: CONNACK says %s, want a refusal", c.id, reasonText(p.Reason))
	}
	if p.SessionPresent {
		c.t.Errorf("client %d: a refusal says that a session is present", c.id)
	}
	if len(reasons) > 0 && !slices.ContainsFunc(reasons, func(r mqtt.ReasonCode) bool {
		return c.version == mqtt.V5 && Fits(p.Reason, reasons) ||
			c.version != mqtt.V5 && r.Connack3() == p.Reason.Connack3()
	}) {
		c.t.Errorf("client %d: CONNACK says %s, want one of %v", c.id, reasonText(p.Reason),
			reasons)
	}
}

// Same is a fault if got is not want.
func (t *T) Same(what string, got, want []byte) {
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got % x, want % x", what, clip(got), clip(want))
	}
}
