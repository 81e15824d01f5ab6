// Package codec makes of a connection that does not speak MQTT one that the kernel believes to: it
// has the packets of wit/codec.wit as values, turns them into MQTT 5 and back, and does what a
// client of MQTT does by itself: packet identifiers and the handshakes of QoS 1 and 2.
//
// It does not know sockets, loops, or who translates the bytes: that is a Guest.
package codec

import "github.com/hpmq/hpmq/sdk/mqtt"

// Message is an application message.
type Message struct {
	Topic, Payload []byte
	QoS            mqtt.QoS
	Retain         bool
}

// RequestKind is which case of the variant request of wit/codec.wit a Request is.
type RequestKind uint8

// The kinds, numbered as in the contract.
const (
	Connect RequestKind = iota
	Publish
	Subscribe
	Unsubscribe
	Received
	Ping
	Disconnect
	requestKinds
)

// Request is what a client wants of the broker. Its bytes are the Guest's, until it is called
// again.
type Request struct {
	Kind RequestKind
	// ID is that of publish, subscribe, unsubscribe and received.
	ID uint32
	// Message is of publish.
	Message Message
	// Filter and QoS are of subscribe, Filter of unsubscribe.
	Filter []byte
	QoS    mqtt.QoS
	// Connection is of connect.
	Connection Connection
}

// Connection is what begins a session.
type Connection struct {
	ClientID      []byte
	HasUsername   bool
	Username      []byte
	HasPassword   bool
	Password      []byte
	CleanStart    bool
	SessionExpiry uint32 // seconds
	KeepAlive     uint16 // seconds
	HasWill       bool
	Will          Message
}

// EventKind is which case of the variant event of wit/codec.wit an Event is.
type EventKind uint8

// The kinds, numbered as in the contract.
const (
	Connected EventKind = iota
	Deliver
	Published
	Subscribed
	Unsubscribed
	Pong
	Disconnected
)

// Event is what the broker tells a client. Its bytes are borrowed until the Guest returns.
type Event struct {
	Kind EventKind
	// ID is that of deliver, published, subscribed and unsubscribed.
	ID uint32
	// Reason is of all but deliver and pong.
	Reason mqtt.ReasonCode
	// Message is of deliver.
	Message Message
	// The others are of connected.
	SessionPresent bool
	ClientID       []byte
	KeepAlive      uint16 // seconds
}

// Decoded is what some bytes say. Its bytes are the Guest's, until it is called again.
type Decoded struct {
	HasState bool
	State    []byte
	Consumed int
	Requests []Request
	Output   []byte
	Close    bool
	Reason   string // of Close
}

// Encoded is what an event is in bytes. Its bytes are the Guest's, until it is called again.
type Encoded struct {
	HasState bool
	State    []byte
	Output   []byte
	Wait     bool
}

// Guest translates; it keeps nothing of a connection. now is in milliseconds. What it is given is
// borrowed until return. An error ends the connection. It does not block.
type Guest interface {
	Decode(now int64, state, input []byte, out *Decoded) error
	Encode(now int64, state []byte, what *Event, out *Encoded) error
}
