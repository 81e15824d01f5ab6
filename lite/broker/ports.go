package broker

import "github.com/hpmq/hpmq/sdk/mqtt"

// Time is milliseconds since the Unix epoch on a clock that never goes back. It is an argument of
// every call that brings something in; the kernel owns no clock.
type Time int64

// Token names a question the kernel asked of a port; the answer brings it back.
type Token uint64

// PeerID names another kernel: another loop of this process (a near node), later another node.
// Peers are numbered from 0; a kernel knows its own number from Config.Self.
type PeerID uint16

// Sink is the way out to one connection. The kernel calls it only from inside a call of its own.
type Sink interface {
	// Write queues one encoded control packet. p is borrowed until return.
	Write(p []byte)
	// Room is how many bytes may still be queued. 0 is a moment's wait, for a rate: until
	// Kernel.Writable all messages wait in the session. Below 0 the connection is slow: until
	// Writable QoS 0 is dropped, QoS 1 and 2 wait.
	Room() int
	// Held is the last millisecond, on the kernel's clock, in which what the client sends was held
	// back on this side, 0 for never: silence up to then is not the client's.
	Held() int64
	// Close sends what is queued, then closes the connection. Kernel.Closed must not follow.
	Close()
}

// Store keeps what must outlive the kernel. Several kernels may share one: what they ask for takes
// effect in the order it was asked, whoever asked. It answers by event; a store that can answer at
// once does so from inside the call and returns true, and no event follows.
type Store interface {
	// Write asks for a batch to be kept, all or none; b and the bytes in it are borrowed until
	// return. True: done. False: Kernel.Written brings the token back, in the order the writes
	// were asked for, with an error if nothing was kept. Under token 0 nobody waits: no answer
	// comes, and the batch is kept with or before those that follow it.
	Write(t Token, b *Batch) bool
	// Read asks for records: all that was asked to be kept before is in them. Kernel.Read brings
	// them, by event unless the answer is passed to visit before Read returns true. Bytes given to
	// visit are borrowed until it returns.
	Read(t Token, q Query, visit func(Record)) bool
}

// Batch is what is kept together or not at all.
type Batch struct {
	Ops []Op
	// Relaxed lets the answer come before the batch is safe from a power cut.
	Relaxed bool
	// Group, if it is not 0, names batches of several kernels that are kept together or not at
	// all. It is whole when the Shares of those that came add up to GroupWhole.
	Group uint64
	Share uint64
}

// GroupWhole is the sum of all shares of a group.
const GroupWhole = 1 << 62

// OpKind says what an Op does.
type OpKind uint8

const (
	// OpRetain keeps Value as the retained message of topic Key [MQTT-3.3.1-5].
	OpRetain OpKind = iota + 1
	// OpUnretain removes the retained message of topic Key [MQTT-3.3.1-6].
	OpUnretain
	// OpPutSession keeps Value as the state of session Num, whose client identifier is Key,
	// without its messages.
	OpPutSession
	// OpDropSession removes session Num and all that belongs to it. Seq 0 says that there never
	// was anything but its state.
	OpDropSession
	// OpPush adds an encoded message to the queue of session Num under Seq: Value, which is the
	// session's own, then Body, the message. Ops of one batch whose Body is the same memory have
	// the same message.
	OpPush
	// OpPop removes Seq from the queue of session Num.
	OpPop
	// OpFlight keeps Value as how far the delivery of Seq is; OpPop removes it too.
	OpFlight
	// OpHead says that nothing below Seq is in the queue of session Num any more.
	OpHead
	// OpReceived keeps packet identifier Seq of session Num as received, not yet released (QoS 2).
	OpReceived
	// OpReleased removes packet identifier Seq of session Num.
	OpReleased
	// OpCount, in an answer only, is how many messages are in a queue from Query.From on: Seq of
	// them, of Bytes.
	OpCount
	// OpMore, in an answer only, and its last record: there is more, behind topic Key or Seq. With
	// a Key, Seq is Query.AsOf of the next page.
	OpMore
)

// Op is one change of what a Store keeps.
type Op struct {
	Kind  OpKind
	Num   uint32 // a session; 0 is none
	Key   string
	Seq   uint64
	Value []byte
	Body  []byte
	Bytes uint64
	// Expire is when the record is of no more use, 0 for never.
	Expire Time
}

// Query asks a Store for records. With Filter: the retained messages whose topic matches it, in the
// order of the Store, behind topic After. Without: the queue of session Num from Seq From on; with
// Whole all OpReceived and OpFlight before it, each of these with its OpPush behind it and not
// among the rest, and an OpCount first.
type Query struct {
	Filter string
	After  string
	Num    uint32
	From   uint64
	Whole  bool
	// Max and BytesMax bound the answer, but for what Whole adds; at least one record comes. Max 0
	// asks for none of the queue.
	Max      int
	BytesMax int
	// AsOf, of a Filter, is the Seq of the OpMore before: what was retained after the first page
	// was asked for is left out of all pages; its subscriber gets it as it is published. 0 asks
	// for the first.
	AsOf uint64
}

// Record is one thing a Store kept, as the Op that put it there.
type Record = Op

// Peers is the way to the other kernels. Frames between two kernels arrive whole and in order.
type Peers interface {
	// Send brings frame to Kernel.Peer of the peer. frame is borrowed until return.
	Send(to PeerID, frame []byte)
}

// Identity is who is on the other side of a connection. It does not change after CONNECT.
type Identity struct {
	ClientID string
	Username string
	// Address is the remote address without the port.
	Address string
	// Listener is the name of the listener the connection came in by.
	Listener string
	Tenant   string
	Version  mqtt.Version
}

// Action is what a client wants to do, or have done to it.
type Action uint8

// The values are those of the WIT enum hpmq:broker/authorizer.action.
const (
	ActionPublish Action = iota
	ActionSubscribe
	ActionWill
	ActionDeliver
)

// Direction is the way of a message: up from a device to the broker or down from the broker to it.
type Direction uint8

const (
	Upstream Direction = iota
	Downstream
)

// Credentials are what a client showed of itself in CONNECT or AUTH. Bytes are borrowed until
// Authenticate returns.
type Credentials struct {
	Identity           Identity
	HasUsername        bool
	HasPassword        bool
	Password           []byte
	CertificateSubject string
	Method             string
	Data               []byte
	// Step is 0 for CONNECT, then counts the AUTH packets of the exchange.
	Step uint32
}

// Grant is the answer of an Authenticator. Reason Success allows, ContinueAuthentication goes on
// with Data, any other refuses.
type Grant struct {
	Reason    mqtt.ReasonCode
	Username  string
	Tenant    string
	Data      []byte
	ExpiresIn uint32 // seconds, 0 for no limit
}

// Authenticator judges who may connect. Slow: it may answer by event.
type Authenticator interface {
	// Authenticate answers at once with true, or later through Kernel.Authenticated with the token.
	Authenticate(t Token, c *Credentials) (Grant, bool)
}

// Verdict is what a Policy makes of a message.
type Verdict uint8

const (
	// Keep lets the message go on as it is.
	Keep Verdict = iota
	// Drop ends its way; its publisher still gets the acknowledgement.
	Drop
	// Replace sends what was appended to out on in its place.
	Replace
)

// Policy judges what the clients of one listener may do and what becomes of their messages. It is
// fast: it answers at once. A nil Policy allows and keeps everything. The kernel calls in the order
// Authorize, Transform up, Fresh, Route, then for each receiver Transform down.
type Policy interface {
	// Authorize answers mqtt.Success, or the reason why not. topic is a name, or for
	// ActionSubscribe a filter, of a shared subscription what follows "$share/group/"; borrowed
	// until return.
	Authorize(now Time, who *Identity, a Action, topic []byte, q mqtt.QoS) mqtt.ReasonCode
	// Transform appends to out what is to go on in place of m if it answers Replace. What it
	// appends is the Policy's and holds until the next Transform of the same direction.
	Transform(now Time, d Direction, who *Identity, m *Message, out *[]Message) Verdict
	// Fresh is false for a message that is repeated or unchanged and must not be delivered.
	Fresh(now Time, who *Identity, m *Message) bool
	// Route appends to out where m goes if it answers Replace (with payload and properties of m).
	// What it appends is the Policy's and holds until the next Route.
	Route(now Time, who *Identity, m *Message, out *[]Message) Verdict
	// Share says how the members of a shared subscription take turns.
	Share(group, filter string) Strategy
}

// Strategy is how the members of a shared subscription take turns [MQTT-4.8.2].
type Strategy uint8

// The values are those of the WIT enum hpmq:broker/router.strategy.
const (
	RoundRobin Strategy = iota
	Random
	Sticky
	TopicHash
)

// Presence is told who comes and goes. who is borrowed until return; neither may call the kernel.
type Presence interface {
	// Came is after the CONNACK that accepts a client.
	Came(who *Identity)
	// Went is at the end of such a connection, however it ends.
	Went(who *Identity)
}

// Listener is what the connections of one listener have in common. Its fields are set before the
// first connection and read by the kernel; Auth, Policy and Presence may be nil.
type Listener struct {
	Name     string
	Auth     Authenticator
	Policy   Policy
	Presence Presence
	Limits   Limits
	// Durability says when what its clients are told is true.
	Durability Durability
}

// Durability says when what a client is told is true, of a kernel that is Durable.
type Durability uint8

const (
	// DurableSync acknowledges what a power cut cannot take back.
	DurableSync Durability = iota
	// DurableInterval acknowledges what the Store has; a power cut takes the last moments back.
	DurableInterval
	// DurableMemory keeps no sessions of the listener's clients.
	DurableMemory
)
