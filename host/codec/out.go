package codec

import (
	"fmt"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// Out tells the client what the kernel wrote: whole packets of MQTT 5, borrowed until return. It
// appends to down the bytes for the client, and to up what the kernel is to hear of it. An error
// ends the connection.
func (c *Conn) Out(now int64, packets []byte, up, down *[]byte) error {
	for len(packets) > 0 {
		n, err := mqtt.Frame(packets, 0)
		if err == nil && n == 0 {
			err = errAnswer
		}
		if err == nil {
			err = c.tell(now, packets[:n], up, down)
		}
		if err != nil {
			return err
		}
		packets = packets[n:]
	}
	return nil
}

func (c *Conn) tell(now int64, frame []byte, up, down *[]byte) error {
	switch t := mqtt.TypeOf(frame); t {
	case mqtt.PUBLISH:
		return c.deliver(now, frame, up, down)
	case mqtt.PUBACK, mqtt.PUBREC, mqtt.PUBREL, mqtt.PUBCOMP:
		return c.ack(now, frame, up, down)
	default:
		if err := c.event(frame); err != nil {
			return err
		}
		return c.encode(now, down)
	}
}

// encode asks the guest for the bytes of the event at hand.
func (c *Conn) encode(now int64, down *[]byte) error {
	out := &c.words.encoded
	*out = Encoded{}
	if err := c.guest.Encode(now, c.state, &c.words.event, out); err != nil {
		return err
	}
	c.keep(out.HasState, out.State)
	*down = append(*down, out.Output...)
	return nil
}

func (c *Conn) deliver(now int64, frame []byte, up, down *[]byte) error {
	var p mqtt.Publish
	if err := p.Decode(mqtt.V5, frame); err != nil {
		return err
	}
	c.words.event = Event{Kind: Deliver, ID: uint32(p.PacketID), Message: Message{
		Topic: p.Topic, Payload: p.Payload, QoS: p.QoS, Retain: p.Retain,
	}}
	if err := c.encode(now, down); err != nil || p.QoS == mqtt.AtMostOnce {
		return err
	}
	if !c.words.encoded.Wait {
		c.confirm(p.PacketID, p.QoS, up)
		return nil
	}
	if len(c.untold) >= WaitingMax {
		return ErrWaiting
	}
	if c.untold == nil {
		c.untold = make(map[uint16]mqtt.QoS)
	}
	c.untold[p.PacketID] = p.QoS
	return nil
}

// ack takes a step of a handshake.
func (c *Conn) ack(now int64, frame []byte, up, down *[]byte) error {
	var p mqtt.Ack
	if err := p.Decode(mqtt.V5, frame); err != nil {
		return err
	}
	switch {
	case p.Type == mqtt.PUBREL: // of a delivery; one of an earlier connection too
		a := mqtt.Ack{Type: mqtt.PUBCOMP, PacketID: p.PacketID}
		*up = a.Append(*up, mqtt.V5)
		return nil
	case p.Type == mqtt.PUBREC && !p.Reason.Failed():
		a := mqtt.Ack{Type: mqtt.PUBREL, PacketID: p.PacketID}
		*up = a.Append(*up, mqtt.V5)
		return nil
	}
	if err := c.answer(p.PacketID, p.Reason); err != nil {
		return err
	}
	return c.encode(now, down)
}

// answer makes the event that answers what was asked by that packet identifier.
func (c *Conn) answer(id uint16, reasons ...mqtt.ReasonCode) error {
	a, ok := c.asked[id]
	if !ok || len(reasons) != 1 {
		return fmt.Errorf("%w: %d answers to what was asked as %d", errAnswer, len(reasons), id)
	}
	delete(c.asked, id)
	e := Event{Kind: Published, ID: a.id, Reason: reasons[0]}
	switch a.kind {
	case Subscribe:
		e.Kind = Subscribed
	case Unsubscribe:
		e.Kind = Unsubscribed
	}
	c.words.event = e
	return nil
}

// event makes the event of a packet that needs no handshake.
func (c *Conn) event(frame []byte) error {
	switch t := mqtt.TypeOf(frame); t {
	case mqtt.CONNACK:
		return c.welcome(frame)
	case mqtt.SUBACK:
		var p mqtt.Suback
		if err := p.Decode(mqtt.V5, frame); err != nil {
			return err
		}
		return c.answer(p.PacketID, p.Reasons...)
	case mqtt.UNSUBACK:
		var p mqtt.Unsuback
		if err := p.Decode(mqtt.V5, frame); err != nil {
			return err
		}
		return c.answer(p.PacketID, p.Reasons...)
	case mqtt.PINGRESP:
		c.words.event = Event{Kind: Pong}
		return nil
	case mqtt.DISCONNECT:
		var p mqtt.Disconnect
		err := p.Decode(mqtt.V5, frame)
		c.words.event = Event{Kind: Disconnected, Reason: p.Reason}
		return err
	default:
		return fmt.Errorf("%w: %s", errAnswer, t)
	}
}

func (c *Conn) welcome(frame []byte) error {
	var p mqtt.Connack
	if err := p.Decode(mqtt.V5, frame); err != nil {
		return err
	}
	e := Event{
		Kind: Connected, Reason: p.Reason, SessionPresent: p.SessionPresent,
		ClientID: c.clientID, KeepAlive: c.keepAlive,
	}
	if id, ok := p.Props.Bytes(mqtt.AssignedClientIdentifier); ok {
		e.ClientID = id
	}
	if s, ok := p.Props.Uint16(mqtt.ServerKeepAlive); ok {
		e.KeepAlive = s
	}
	c.clientID, c.words.event = nil, e
	return nil
}
