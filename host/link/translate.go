package link

import (
	"encoding/binary"

	"github.com/hpmq/hpmq/host/codec"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// Bounds of what a codec answers, see wit/codec.wit.
const (
	codecStateBytesMax = 4096
	codecRequestsMax   = 256
)

// event passes the variant event: its case, and 7 flat parameters of which most use few.
func (in *instance) event(e *codec.Event) {
	in.num(uint64(e.Kind))
	end := in.used + 7
	switch e.Kind {
	case codec.Connected:
		in.num(uint64(e.Reason))
		in.flag(e.SessionPresent)
		text(in, e.ClientID)
		in.num(uint64(e.KeepAlive))
	case codec.Deliver:
		m := &e.Message
		in.message(&broker.Message{
			Topic: m.Topic, Payload: m.Payload, QoS: m.QoS, Retain: m.Retain,
		})
		in.num(uint64(e.ID))
	case codec.Published, codec.Subscribed, codec.Unsubscribed:
		in.num(uint64(e.ID))
		in.num(uint64(e.Reason))
	case codec.Disconnected:
		in.num(uint64(e.Reason))
	}
	for in.used < end {
		in.num(0)
	}
}

// Sizes of the results in guest memory.
const (
	decodedSize = 44 // state 12, consumed, requests, output, close 12
	encodedSize = 24 // state 12, output, wait
	requestSize = 72 // discriminant, connection 68
)

// encode calls the export and copies its answer out of the guest.
func (c *Codec) encode(
	in *instance, state []byte, what *codec.Event, out *codec.Encoded,
) error {
	in.begin(codecEncode)
	in.data(state)
	in.event(what)
	ptr, err := in.call()
	if err != nil {
		return err
	}
	b, err := in.area(ptr, encodedSize, 4)
	if err != nil {
		return err
	}
	if out.HasState, out.State, err = c.state(in, b); err != nil {
		return err
	}
	if out.Output, err = c.output(in, b[12:]); err != nil {
		return err
	}
	out.Wait = b[20] != 0
	return in.post(ptr)
}

// decode does so for an input.
func (c *Codec) decode(in *instance, state, input []byte, out *codec.Decoded) error {
	in.begin(codecDecode)
	in.data(state)
	in.data(input)
	ptr, err := in.call()
	if err != nil {
		return err
	}
	b, err := in.area(ptr, decodedSize, 4)
	if err != nil {
		return err
	}
	if out.HasState, out.State, err = c.state(in, b); err != nil {
		return err
	}
	consumed := binary.LittleEndian.Uint32(b[12:])
	if int64(consumed) > int64(len(input)) {
		return garbage("%d bytes consumed of %d", consumed, len(input))
	}
	out.Consumed = int(consumed)
	if err := c.requests(in, b[16:], out); err != nil {
		return err
	}
	if out.Output, err = c.output(in, b[24:]); err != nil {
		return err
	}
	if out.Close = b[32] != 0; out.Close {
		why, err := in.text(b[36:], ownErrorMax)
		if err != nil {
			return err
		}
		out.Reason = string(why)
	}
	return in.post(ptr)
}

// state is the option<list<u8>> at b.
func (c *Codec) state(in *instance, b []byte) (has bool, state []byte, err error) {
	if b[0] == 0 {
		return false, nil, nil
	}
	if state, err = in.bytes(b[4:]); err != nil {
		return false, nil, err
	}
	if len(state) > codecStateBytesMax {
		return false, nil, garbage("a state of %d bytes, at most %d are kept", len(state),
			codecStateBytesMax)
	}
	return true, c.bytes.keep(state), nil
}

// output is the bytes for the client: a message may double by what stands for its bytes.
func (c *Codec) output(in *instance, b []byte) ([]byte, error) {
	out, err := in.bytes(b)
	if err != nil {
		return nil, err
	}
	if limit := 2 * c.ls.linker.cfg.MessageBytesMax; len(out) > limit {
		return nil, garbage("%d bytes for the client, at most %d are taken", len(out), limit)
	}
	return c.bytes.keep(out), nil
}

func (c *Codec) requests(in *instance, b []byte, out *codec.Decoded) error {
	list, err := in.list(b, requestSize, 4)
	if err != nil {
		return err
	}
	if n := len(list) / requestSize; n > codecRequestsMax {
		return garbage("%d requests at once, at most %d are taken", n, codecRequestsMax)
	}
	for ; len(list) > 0; list = list[requestSize:] {
		r := codec.Request{Kind: codec.RequestKind(list[0])}
		if err := c.request(in, list[4:requestSize], &r); err != nil {
			return err
		}
		out.Requests = append(out.Requests, r)
	}
	return nil
}

// request is the case of the variant at b.
func (c *Codec) request(in *instance, b []byte, r *codec.Request) (err error) {
	switch r.Kind {
	case codec.Connect:
		return c.connection(in, b, &r.Connection)
	case codec.Publish:
		r.ID = binary.LittleEndian.Uint32(b[20:])
		return c.message(in, b, &r.Message)
	case codec.Subscribe:
		if r.QoS, err = qosOf(b[8]); err != nil {
			return err
		}
		r.ID = binary.LittleEndian.Uint32(b[12:])
		r.Filter, err = c.text(in, b)
	case codec.Unsubscribe:
		r.ID = binary.LittleEndian.Uint32(b[8:])
		r.Filter, err = c.text(in, b)
	case codec.Received:
		r.ID = binary.LittleEndian.Uint32(b)
	case codec.Ping, codec.Disconnect:
	default:
		return garbage("a request of kind %d", r.Kind)
	}
	return err
}

func (c *Codec) connection(in *instance, b []byte, v *codec.Connection) (err error) {
	if v.ClientID, err = c.text(in, b); err != nil {
		return err
	}
	if v.HasUsername = b[8] != 0; v.HasUsername {
		if v.Username, err = c.text(in, b[12:]); err != nil {
			return err
		}
	}
	if v.HasPassword = b[20] != 0; v.HasPassword {
		if v.Password, err = c.data(in, b[24:], mqtt.TextBytesMax); err != nil {
			return err
		}
	}
	v.CleanStart = b[32] != 0
	v.SessionExpiry = binary.LittleEndian.Uint32(b[36:])
	v.KeepAlive = binary.LittleEndian.Uint16(b[40:])
	if v.HasWill = b[44] != 0; !v.HasWill {
		return nil
	}
	if err := c.message(in, b[48:], &v.Will); err != nil {
		return err
	}
	if len(v.Will.Payload) > mqtt.TextBytesMax {
		return garbage("a will of %d bytes", len(v.Will.Payload))
	}
	return nil
}

// message is the record message at b. The broker itself judges the topic: a client's mistake is not
// one of the guest.
func (c *Codec) message(in *instance, b []byte, m *codec.Message) (err error) {
	if m.Topic, err = c.text(in, b); err != nil {
		return err
	}
	if m.Payload, err = c.data(in, b[8:], c.ls.linker.cfg.MessageBytesMax); err != nil {
		return err
	}
	m.Retain = b[17] != 0
	m.QoS, err = qosOf(b[16])
	return err
}

func qosOf(b byte) (mqtt.QoS, error) {
	if b > byte(mqtt.ExactlyOnce) {
		return 0, garbage("quality of service %d", b)
	}
	return mqtt.QoS(b), nil
}

// text is a string of MQTT.
func (c *Codec) text(in *instance, b []byte) ([]byte, error) {
	s, err := in.text(b, mqtt.TextBytesMax)
	return c.bytes.keep(s), err
}

func (c *Codec) data(in *instance, b []byte, limit int) ([]byte, error) {
	s, err := in.bytes(b)
	if err == nil && len(s) > limit {
		err = garbage("%d bytes, at most %d are taken", len(s), limit)
	}
	return c.bytes.keep(s), err
}
