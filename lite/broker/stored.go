package broker

import "github.com/hpmq/hpmq/sdk/mqtt"

// What a Store keeps, taken apart for programs that look at a store while no kernel runs. A kernel
// uses none of it.

// StoredSession is the state of a session: Value of an OpPutSession.
type StoredSession struct {
	// Who has all but the client identifier, which is the Key.
	Who    Identity
	Expiry uint32 // seconds, Never
	// ExpireAt and WillAt are when it ends and its will is due, 0 while it is connected.
	ExpireAt, WillAt Time
	Connected        bool
	Will             *StoredWill
	Subscriptions    []StoredSubscription
}

// StoredWill is the will of a session.
type StoredWill struct {
	Message StoredMessage
	Delay   uint32 // seconds
	// Lifetime, seconds, counts from the publication, if Expires.
	Lifetime uint32
	Expires  bool
}

// StoredSubscription is one, by its filter as it was sent.
type StoredSubscription struct {
	Filter            string
	ID                uint32
	QoS               mqtt.QoS
	NoLocal           bool
	RetainAsPublished bool
	RetainHandling    byte
}

// StoredMessage is a message with where it was published, and its number there.
type StoredMessage struct {
	Message
	Origin PeerID
	Number uint64
}

// StoredHead is what is the session's own of a message that waits: Value of an OpPush.
type StoredHead struct {
	QoS    mqtt.QoS
	Retain bool
	Share  string
	IDs    []uint32
}

// StoredEstate is the state of a session that ended and left messages to a shared group. Its client
// may have another session, and other estates.
const StoredEstate = estateMark

// ReadStoredSession takes the state of a session apart; what it answers is its own.
func ReadStoredSession(value []byte) (StoredSession, bool) {
	r := reader{b: value}
	s := session{who: &Identity{}}
	subs := r.record(&s, nil)
	if !r.whole() {
		return StoredSession{}, false
	}
	x := StoredSession{Who: *s.who, Expiry: s.expiry}
	if a := s.away; a != nil {
		x.ExpireAt, x.WillAt, x.Connected = a.expireAt, a.willAt, a.connected
	}
	if w := s.will; w != nil {
		x.Will = &StoredWill{stored(&w.msg), w.delay, w.lifetime, w.expires}
	}
	for _, c := range subs {
		x.Subscriptions = append(x.Subscriptions, StoredSubscription{
			c.full, c.id, mqtt.QoS(c.opts & 3), c.opts&4 != 0, c.opts&8 != 0, c.opts >> 4,
		})
	}
	return x, true
}

// Append encodes the state, its subscriptions in the order of their filters.
func (x *StoredSession) Append(dst []byte) []byte {
	s := session{who: &x.Who, expiry: x.Expiry}
	if x.ExpireAt != 0 || x.WillAt != 0 {
		a := s.absence()
		a.expireAt, a.willAt = x.ExpireAt, x.WillAt
	}
	if x.Connected {
		s.conn = &Conn{}
	}
	if w := x.Will; w != nil {
		s.will = &will{w.Message.message(), w.Delay, w.Lifetime, w.Expires}
	}
	for _, c := range x.Subscriptions {
		if s.subs == nil {
			s.subs = &subscriptions{}
		}
		if s.subs.get(c.Filter) == nil {
			s.subs.put(&subscription{
				full: c.Filter, id: c.ID, qos: c.QoS, noLocal: c.NoLocal,
				published: c.RetainAsPublished, handling: c.RetainHandling & 3,
			})
		}
	}
	return s.appendRecord(dst)
}

func stored(m *Message) StoredMessage { return StoredMessage{*m, m.origin, m.num} }

func (x *StoredMessage) message() Message {
	m := x.Message
	m.origin, m.num = x.Origin, x.Number
	return m
}

// ReadStoredMessage takes a message apart: Body of an OpPush, Value of an OpRetain. Its bytes stay
// those of b.
func ReadStoredMessage(b []byte) (StoredMessage, bool) {
	var m Message
	ok := readMessage(b, &m)
	return stored(&m), ok
}

// Append encodes the message.
func (x *StoredMessage) Append(dst []byte) []byte {
	m := x.message()
	return appendMessage(dst, &m)
}

// ReadStoredHead takes apart what is the session's own.
func ReadStoredHead(b []byte) (StoredHead, bool) {
	r := reader{b: b}
	e := r.head()
	return StoredHead{e.qos, e.retain, e.share, e.ids}, r.whole()
}

// Append encodes what is the session's own.
func (x *StoredHead) Append(dst []byte) []byte {
	return appendHead(dst, &queued{qos: x.QoS, retain: x.Retain, share: x.Share, ids: x.IDs})
}

// ReadStoredFlight takes an OpFlight apart: under which packet identifier a QoS 2 message is sent,
// and whether its receiver has it.
func ReadStoredFlight(b []byte) (id uint16, released, ok bool) {
	id, state, ok := readFlight(b)
	return id, state == slotToRelease, ok
}

// AppendStoredFlight encodes what ReadStoredFlight reads.
func AppendStoredFlight(dst []byte, id uint16, released bool) []byte {
	o := outgoing{id: id}
	if released {
		o.state = slotKept
	}
	return appendFlight(dst, &o)
}
