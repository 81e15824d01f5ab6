// Package codec is the role hpmq:broker/codec: what a component that translates another protocol
// into requests to the broker answers to. It knows the words of the role and its exports; what the
// bytes mean, the Handler knows.
package codec

import guest "github.com/hpmq/hpmq/sdk/guest/go"

// Bounds that the host holds a codec to.
const (
	// StateBytesMax is the largest state of a connection.
	StateBytesMax = 4096
	// RequestsMax is how many requests one Decode may answer; what is left of the input comes again
	// at once.
	RequestsMax = 256
)

// RequestKind is which case of the WIT variant hpmq:broker/codec.request a Request is.
type RequestKind uint32

// The values are those of the variant.
const (
	// Connect begins a session: it comes first, and once.
	Connect RequestKind = iota
	// Publish sends Message. At QoS 0 there is no answer, else Published.
	Publish
	// Subscribe asks for Filter, with at most QoS. The answer is Subscribed.
	Subscribe
	// Unsubscribe ends it. The answer is Unsubscribed.
	Unsubscribe
	// Received says that the client has the message that Deliver brought with ID.
	Received
	// Ping is answered by Pong.
	Ping
	// Disconnect is the end, without a will.
	Disconnect
)

// Request is what a client wants of the broker. Its bytes must hold until the next call. Strings
// are UTF-8; the broker judges topics and filters.
type Request struct {
	Kind RequestKind
	// ID is any number that the answer is to come with; of Received that of the message.
	ID uint32
	// Message is of Publish.
	Message guest.Message
	// Filter is of Subscribe and Unsubscribe, QoS of Subscribe.
	Filter string
	QoS    guest.QoS
	// Connection is of Connect.
	Connection Connection
}

// Connection is what begins a session.
type Connection struct {
	// ClientID is empty if the broker is to make one.
	ClientID    string
	HasUsername bool
	Username    string
	HasPassword bool
	Password    []byte
	CleanStart  bool
	// SessionExpiry is seconds that the session stays after the connection.
	SessionExpiry uint32
	// KeepAlive is seconds in which the client says something, 0 for no limit.
	KeepAlive uint16
	// Will is what is published if the connection ends without Disconnect; nil: nothing.
	Will *guest.Message
}

// Decoded is what bytes of a client say. Its bytes must hold until the next call.
type Decoded struct {
	// State is what the next call is given; nil leaves it as it is.
	State []byte
	// Consumed is how many bytes of the input that was.
	Consumed int
	Requests []Request
	// Output is for the client.
	Output []byte
	// Close ends the connection, for Reason.
	Close  bool
	Reason string
}

// EventKind is which case of the WIT variant hpmq:broker/codec.event an Event is.
type EventKind uint32

// The values are those of the variant.
const (
	Connected EventKind = iota
	Deliver
	Published
	Subscribed
	Unsubscribed
	Pong
	Disconnected
)

// Event is what the broker tells a client, borrowed until return.
type Event struct {
	Kind EventKind
	// ID is that of the request; of Deliver what Received must say, 0 at QoS 0.
	ID uint32
	// Reason is a reason code of MQTT 5: of all but Deliver and Pong.
	Reason uint8
	// Message is of Deliver.
	Message guest.Message
	// The others are of Connected.
	SessionPresent bool
	ClientID       string
	KeepAlive      uint16
}

// Failed says whether Reason is that of a refusal.
func (e *Event) Failed() bool { return e.Reason >= 0x80 }

// Encoded is what an event is in bytes. Its bytes must hold until the next call.
type Encoded struct {
	// State is what the next call is given; nil leaves it as it is.
	State []byte
	// Output is for the client.
	Output []byte
	// Wait says of a Deliver above QoS 0 that a Received will follow.
	Wait bool
}

// Handler answers the role. It keeps nothing of a connection: that is in state, empty at first.
// What it is given is borrowed until return.
type Handler interface {
	// Configure reads the configuration, JSON text. An error is a text for the operator. The
	// interest is not looked at.
	Configure(config string) (guest.Interest, error)
	// Decode reads what a client sent; input begins where the last Consumed ended.
	Decode(state, input []byte, out *Decoded)
	// Encode writes what the broker tells a client.
	Encode(state []byte, e *Event, out *Encoded)
}
