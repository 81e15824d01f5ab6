package dump

import (
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// session is the state of a session.
type session struct {
	Version       byte           `json:"version"`
	Username      string         `json:"username,omitempty"`
	Address       string         `json:"address,omitempty"`
	Listener      string         `json:"listener,omitempty"`
	Tenant        string         `json:"tenant,omitempty"`
	Expiry        uint32         `json:"expiry"`
	ExpireAt      int64          `json:"expire_at,omitempty"`
	WillAt        int64          `json:"will_at,omitempty"`
	Connected     bool           `json:"connected,omitempty"`
	Will          *will          `json:"will,omitempty"`
	Subscriptions []subscription `json:"subscriptions,omitempty"`
}

type will struct {
	Message  message `json:"message"`
	Delay    uint32  `json:"delay,omitempty"`
	Lifetime *uint32 `json:"lifetime,omitempty"`
}

type subscription struct {
	Filter            string `json:"filter"`
	ID                uint32 `json:"id,omitempty"`
	QoS               byte   `json:"qos,omitempty"`
	NoLocal           bool   `json:"no_local,omitempty"`
	RetainAsPublished bool   `json:"retain_as_published,omitempty"`
	RetainHandling    byte   `json:"retain_handling,omitempty"`
}

// head is what is the session's own of a message.
type head struct {
	QoS             byte     `json:"qos"`
	Retain          bool     `json:"retain,omitempty"`
	Share           string   `json:"share,omitempty"`
	SubscriptionIDs []uint32 `json:"subscription_ids,omitempty"`
}

type message struct {
	Topic      string     `json:"topic"`
	Payload    *string    `json:"payload,omitempty"`
	Base64     []byte     `json:"payload_base64,omitempty"`
	QoS        byte       `json:"qos,omitempty"`
	Retain     bool       `json:"retain,omitempty"`
	Expire     int64      `json:"expire,omitempty"`
	From       string     `json:"from,omitempty"`
	Origin     uint16     `json:"origin,omitempty"`
	Number     uint64     `json:"number,omitempty"`
	Properties []property `json:"properties,omitempty"`
	// RawProperties are those of which one has no words here.
	RawProperties []byte `json:"raw_properties,omitempty"`
}

// property is one by its name in the standard, in order. Key is that of a user property.
type property struct {
	Name   string `json:"name"`
	Key    string `json:"key,omitempty"`
	Value  string `json:"value,omitempty"`
	Base64 []byte `json:"value_base64,omitempty"`
}

// forwarded are the properties that messages in a store have.
var forwarded = [...]mqtt.PropID{
	mqtt.PayloadFormatIndicator, mqtt.ContentType, mqtt.ResponseTopic, mqtt.CorrelationData,
	mqtt.UserProperty,
}

// messageOf is false for one that has no words here.
func messageOf(m *broker.StoredMessage) (*message, bool) {
	w := &message{
		Topic: string(m.Topic), QoS: byte(m.QoS), Retain: m.Retain, Expire: int64(m.Expire),
		From: m.From, Origin: uint16(m.Origin), Number: m.Number,
	}
	if utf8.Valid(m.Payload) {
		text := string(m.Payload)
		w.Payload = &text
	} else {
		w.Base64 = slices.Clone(m.Payload)
	}
	if !w.describe(m.Props) {
		w.Properties, w.RawProperties = nil, slices.Clone([]byte(m.Props))
	}
	return w, utf8.ValidString(w.Topic) && utf8.ValidString(w.From)
}

// describe is false if a property has no words here.
func (w *message) describe(props mqtt.Props) bool {
	ok := true
	props.Each(func(id mqtt.PropID, v []byte) bool {
		p := property{Name: id.String()}
		switch id {
		case mqtt.PayloadFormatIndicator:
			p.Value = strconv.Itoa(int(v[0]))
		case mqtt.UserProperty:
			props := mqtt.Props(append([]byte{byte(id)}, v...))
			props.Users(func(key, value []byte) bool {
				p.Key, p.Value = string(key), string(value)
				return false
			})
			ok = ok && utf8.ValidString(p.Key) && utf8.ValidString(p.Value)
		case mqtt.CorrelationData:
			p.Base64 = slices.Clone(v)
		case mqtt.ContentType, mqtt.ResponseTopic:
			p.Value = string(v)
			ok = ok && utf8.Valid(v)
		default:
			ok = false
		}
		w.Properties = append(w.Properties, p)
		return ok
	})
	return ok && slices.Equal(w.props(), props)
}

// props encodes the properties.
func (w *message) props() (out mqtt.Props) {
	if w.RawProperties != nil {
		return w.RawProperties
	}
	for i := range w.Properties {
		p := &w.Properties[i]
		switch id := p.id(); id {
		case mqtt.PayloadFormatIndicator:
			n, _ := strconv.ParseUint(p.Value, 10, 8) // valid has looked
			out = out.AppendByte(id, byte(n))
		case mqtt.UserProperty:
			out = out.AppendUser([]byte(p.Key), []byte(p.Value))
		case mqtt.CorrelationData:
			out = out.AppendBytes(id, p.Base64)
		default:
			out = out.AppendBytes(id, []byte(p.Value))
		}
	}
	return out
}

func (p *property) id() mqtt.PropID {
	for _, id := range forwarded {
		if id.String() == p.Name {
			return id
		}
	}
	return 0
}

func (p *property) valid() error {
	id := p.id()
	_, err := strconv.ParseUint(p.Value, 10, 8)
	switch {
	case id == 0:
		return fmt.Errorf("%w: property %q", ErrRecord, p.Name)
	case id == mqtt.PayloadFormatIndicator && err != nil:
		return fmt.Errorf("%w: property %s: %w", ErrRecord, p.Name, err)
	case max(len(p.Key), len(p.Value), len(p.Base64)) > 65535:
		return fmt.Errorf("%w: property %s is too long", ErrRecord, p.Name)
	}
	return nil
}

// valid says what is wrong with a message that was read.
func (w *message) valid() error {
	switch {
	case w.Topic == "" || len(w.Topic) > 65535:
		return fmt.Errorf("%w: a topic of %d bytes", ErrRecord, len(w.Topic))
	case w.QoS > 2:
		return fmt.Errorf("%w: QoS %d", ErrRecord, w.QoS)
	case w.Payload != nil && w.Base64 != nil:
		return fmt.Errorf("%w: a payload, or payload_base64", ErrRecord)
	case w.Expire < 0 || w.Expire > 1<<62:
		return fmt.Errorf("%w: expire %d", ErrRecord, w.Expire)
	}
	for i := range w.Properties {
		if err := w.Properties[i].valid(); err != nil {
			return err
		}
	}
	return nil
}

func (w *message) stored() broker.StoredMessage {
	payload := w.Base64
	if w.Payload != nil {
		payload = []byte(*w.Payload)
	}
	return broker.StoredMessage{
		Message: broker.Message{
			Topic: []byte(w.Topic), Payload: payload, Props: w.props(), From: w.From,
			Expire: broker.Time(w.Expire), QoS: mqtt.QoS(w.QoS), Retain: w.Retain,
		},
		Origin: broker.PeerID(w.Origin), Number: w.Number,
	}
}

// append encodes the message as the store has it.
func (w *message) append(dst []byte) []byte {
	m := w.stored()
	return m.Append(dst)
}

// sessionOf is false for one that has no words here.
func sessionOf(s *broker.StoredSession) (*session, bool) {
	w := &session{
		Version: byte(s.Who.Version), Username: s.Who.Username, Address: s.Who.Address,
		Listener: s.Who.Listener, Tenant: s.Who.Tenant, Expiry: s.Expiry,
		ExpireAt: int64(s.ExpireAt), WillAt: int64(s.WillAt), Connected: s.Connected,
	}
	ok := utf8.ValidString(w.Username + w.Address + w.Listener + w.Tenant)
	if s.Will != nil {
		m, fine := messageOf(&s.Will.Message)
		ok = ok && fine
		w.Will = &will{Message: *m, Delay: s.Will.Delay}
		if s.Will.Expires {
			w.Will.Lifetime = &s.Will.Lifetime
		}
	}
	for _, c := range s.Subscriptions {
		ok = ok && utf8.ValidString(c.Filter)
		w.Subscriptions = append(w.Subscriptions, subscription{
			c.Filter, c.ID, byte(c.QoS), c.NoLocal, c.RetainAsPublished, c.RetainHandling,
		})
	}
	return w, ok
}

// valid says what is wrong with a session that was read.
func (w *session) valid() error {
	if w.ExpireAt < 0 || w.ExpireAt > 1<<62 || w.WillAt < 0 || w.WillAt > 1<<62 {
		return fmt.Errorf("%w: expire_at, will_at", ErrRecord)
	}
	for _, c := range w.Subscriptions {
		if c.Filter == "" || c.QoS > 2 || c.RetainHandling > 2 || c.ID > mqtt.VarIntMax {
			return fmt.Errorf("%w: subscription %q", ErrRecord, c.Filter)
		}
	}
	if w.Will != nil {
		return w.Will.Message.valid()
	}
	return nil
}

// append encodes the state as the store has it.
func (w *session) append(dst []byte) []byte {
	s := broker.StoredSession{
		Who: broker.Identity{
			Version: mqtt.Version(w.Version), Username: w.Username, Address: w.Address,
			Listener: w.Listener, Tenant: w.Tenant,
		},
		Expiry: w.Expiry, ExpireAt: broker.Time(w.ExpireAt), WillAt: broker.Time(w.WillAt),
		Connected: w.Connected,
	}
	if w.Will != nil {
		s.Will = &broker.StoredWill{Message: w.Will.Message.stored(), Delay: w.Will.Delay}
		if l := w.Will.Lifetime; l != nil {
			s.Will.Lifetime, s.Will.Expires = *l, true
		}
	}
	for _, c := range w.Subscriptions {
		s.Subscriptions = append(s.Subscriptions, broker.StoredSubscription{
			Filter: c.Filter, ID: c.ID, QoS: mqtt.QoS(c.QoS), NoLocal: c.NoLocal,
			RetainAsPublished: c.RetainAsPublished, RetainHandling: c.RetainHandling,
		})
	}
	return s.Append(dst)
}
