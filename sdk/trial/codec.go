package trial

import (
	"encoding/json"
	"slices"

	"github.com/hpmq/hpmq/host/codec"
	"github.com/hpmq/hpmq/sdk/cases"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// stateOf is a state as a link has it: nil is what the call before left.
func stateOf(b *cases.Bytes) []byte {
	if b == nil {
		return nil
	}
	return append([]byte{}, *b...)
}

// eventOf is an event of a case as a link has it.
func eventOf(e *cases.Event) codec.Event {
	switch {
	case e.Connected != nil:
		return codec.Event{
			Kind: codec.Connected, Reason: mqtt.ReasonCode(e.Connected.ReasonCode),
			SessionPresent: e.Connected.SessionPresent, ClientID: []byte(e.Connected.ClientID),
			KeepAlive: e.Connected.KeepAlive,
		}
	case e.Deliver != nil:
		m := &e.Deliver.Message
		return codec.Event{Kind: codec.Deliver, ID: e.Deliver.ID, Message: codec.Message{
			Topic: m.Topic, Payload: m.Payload, QoS: mqtt.QoS(m.QoS), Retain: m.Retain,
		}}
	case e.Disconnected != nil:
		return codec.Event{Kind: codec.Disconnected, Reason: mqtt.ReasonCode(*e.Disconnected)}
	}
	results := []*cases.Result{e.Published, e.Subscribed, e.Unsubscribed}
	kinds := []codec.EventKind{codec.Published, codec.Subscribed, codec.Unsubscribed}
	at := slices.IndexFunc(results, func(r *cases.Result) bool { return r != nil })
	if at < 0 {
		return codec.Event{Kind: codec.Pong}
	}
	r := results[at]
	return codec.Event{Kind: kinds[at], ID: r.ID, Reason: mqtt.ReasonCode(r.ReasonCode)}
}

// kept is a state that an answer has, or none.
func kept(has bool, state []byte) *cases.Bytes {
	if !has {
		return nil
	}
	b := cases.Bytes(state)
	return &b
}

func decodedText(d *codec.Decoded) (json.RawMessage, error) {
	out := cases.Decoded{
		State: kept(d.HasState, d.State), Consumed: &d.Consumed, Output: d.Output,
	}
	for i := range d.Requests {
		out.Requests = append(out.Requests, requestOf(&d.Requests[i]))
	}
	if d.Close {
		out.Close = &d.Reason
	}
	return cases.Text(out)
}

func encodedText(e *codec.Encoded) (json.RawMessage, error) {
	return cases.Text(cases.Encoded{
		State: kept(e.HasState, e.State), Output: e.Output, Wait: e.Wait,
	})
}

// requestOf is a request as a case has it.
func requestOf(r *codec.Request) cases.Request {
	subscription := cases.Subscription{Filter: string(r.Filter), QoS: byte(r.QoS), ID: r.ID}
	switch r.Kind {
	case codec.Connect:
		return cases.Request{Connect: connectionOf(&r.Connection)}
	case codec.Publish:
		m := messageOf(&r.Message)
		return cases.Request{Publish: &cases.Publication{Message: m, ID: r.ID}}
	case codec.Subscribe:
		return cases.Request{Subscribe: &subscription}
	case codec.Unsubscribe:
		return cases.Request{Unsubscribe: &subscription}
	case codec.Received:
		return cases.Request{Received: &r.ID}
	case codec.Ping:
		return cases.Request{Word: "ping"}
	default:
		return cases.Request{Word: "disconnect"}
	}
}

func messageOf(m *codec.Message) cases.Message {
	return cases.Message{
		Topic: m.Topic, Payload: m.Payload, QoS: byte(m.QoS), Retain: m.Retain,
	}
}

func connectionOf(c *codec.Connection) *cases.Connection {
	out := &cases.Connection{
		ClientID: string(c.ClientID), CleanStart: c.CleanStart, SessionExpiry: c.SessionExpiry,
		KeepAlive: c.KeepAlive,
	}
	if c.HasUsername {
		name := string(c.Username)
		out.Username = &name
	}
	if c.HasPassword {
		out.Password = kept(true, c.Password)
	}
	if c.HasWill {
		will := messageOf(&c.Will)
		out.Will = &will
	}
	return out
}
