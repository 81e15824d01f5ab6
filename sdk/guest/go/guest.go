// Package guest holds the words that all roles of an HPMQ component written in Go share: who is on
// the other side, what goes by, what the component wants to be asked about.
//
// It does not know the roles (package authorizer, transformer, … beside it, one export each) nor
// the capabilities (package log, kv, …, one import each): a component imports only the packages
// of what it is and of what it needs, and so its .wasm has no other export or import. See
// README.md.
package guest

// QoS is the quality of service of a message [MQTT-4.3].
type QoS uint8

// The values are those of the WIT enum hpmq:broker/types.qos.
const (
	AtMostOnce QoS = iota
	AtLeastOnce
	ExactlyOnce
)

// Identity is who is on the other side of a connection. Its strings are borrowed: they hold until
// the call that brought them returns (strings.Clone keeps one).
type Identity struct {
	ClientID string
	// Username is empty when the client gave none.
	Username string
	// Address is the remote address without the port.
	Address string
	// Listener is the name of the listener the connection came in by.
	Listener string
	// Tenant is empty unless an authenticator set one.
	Tenant string
}

// Message is an application message on its way through the broker. In an argument its bytes are
// borrowed until return; in an answer they must hold until the next call.
type Message struct {
	Topic   string
	Payload []byte
	QoS     QoS
	Retain  bool
}

// Body is a payload that stays with the broker: a component looks at what it needs of it. It holds
// until the call that brought it returns.
type Body interface {
	// Size is in bytes.
	Size() uint64
	// Read is count bytes from offset on: fewer at the end, none behind it, and 64 KiB at once at
	// most. They are borrowed: they hold as long as the Body.
	Read(offset uint64, count uint32) []byte
	// Fingerprint is a hash of all of it, the same for equal payloads; see wit/payload.wit.
	Fingerprint() uint64
}

// AppendBody appends all of b to dst.
func AppendBody(dst []byte, b Body) []byte {
	for at, size := uint64(0), b.Size(); at < size; {
		piece := b.Read(at, 64<<10)
		if len(piece) == 0 {
			break
		}
		dst = append(dst, piece...)
		at += uint64(len(piece))
	}
	return dst
}

// Lent is a Message whose payload has more than 16 KiB and stays with the broker.
type Lent struct {
	Topic   string
	Payload Body
	QoS     QoS
	Retain  bool
}

// Interest is the topic filters a component wants to be asked about; "#" alone is every topic. A
// message that matches none costs no call. The host may ask about more.
type Interest struct {
	// Inbound is for messages on their way in, for subscriptions and for wills.
	Inbound []string
	// Outbound is for messages on their way out.
	Outbound []string
}

// Everything is the interest of a component that wants to be asked about each message on its way
// in.
func Everything() Interest { return Interest{Inbound: []string{"#"}} }
