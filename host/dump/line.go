package dump

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/hpmq/hpmq/host/store"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// The kinds of lines.
const (
	kindHead     = "hpmq-store"
	kindPayload  = "payload"
	kindSession  = "session"
	kindReceived = "received"
	kindFlight   = "flight"
	kindQueued   = "queued"
	kindRetained = "retained"
	kindKV       = "kv"
	kindHistory  = "history"
	kindEnd      = "end"
)

// line is one line. Which fields count, Kind says.
type line struct {
	Kind string `json:"kind"`

	// Of the head, and of the end.
	Version  int    `json:"version,omitempty"`
	Program  string `json:"program,omitempty"`
	Exported string `json:"exported,omitempty"`
	Records  int    `json:"records,omitempty"`

	Client string   `json:"client_id,omitempty"`
	Topic  string   `json:"topic,omitempty"`
	State  *session `json:"state,omitempty"`
	// Estate in place of State: the session ended, what is its is for others of a shared group.
	Estate bool `json:"estate,omitempty"`
	// Raw is a value that cannot be taken apart; it goes back as it is.
	Raw []byte `json:"raw,omitempty"`

	Seq      uint64 `json:"seq,omitempty"`
	PacketID uint16 `json:"packet_id,omitempty"`
	Released bool   `json:"released,omitempty"`

	Head    *head    `json:"delivery,omitempty"`
	RawHead []byte   `json:"raw_delivery,omitempty"`
	Expire  int64    `json:"expire,omitempty"`
	Payload uint64   `json:"payload,omitempty"`
	Sharers uint64   `json:"sharers,omitempty"`
	Message *message `json:"message,omitempty"`

	// Of what components made the broker remember.
	Component string  `json:"component,omitempty"`
	Listener  string  `json:"listener,omitempty"`
	Key       *string `json:"key,omitempty"`
	Counter   *int64  `json:"counter,omitempty"`
	Value     *string `json:"value,omitempty"`
	Base64    []byte  `json:"value_base64,omitempty"`
	TTL       uint64  `json:"ttl,omitempty"`
}

// parse reads a line strictly: what it does not know is an error.
func parse(b []byte) (*line, error) {
	if !utf8.Valid(b) {
		return nil, fmt.Errorf("%w: not UTF-8", ErrRecord)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	var x line
	if err := dec.Decode(&x); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrRecord, err) // not an io.EOF: that is of the stream
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: more than one object", ErrRecord)
	}
	return &x, nil
}

// lineOf writes a record.
func lineOf(p *store.Part) (*line, error) {
	x := &line{}
	if !utf8.ValidString(p.Op.Key) {
		return nil, fmt.Errorf("%w: %q is not UTF-8", ErrRecord, p.Op.Key)
	}
	switch p.Kind {
	case store.PartShared:
		x.Kind, x.Payload, x.Sharers = kindPayload, p.Shared, p.Sharers
		x.setBody(p.Op.Body)
	case store.PartSession:
		x.Kind, x.Client = kindSession, p.Op.Key
		x.setState(p.Op.Value)
	case store.PartReceived:
		x.Kind, x.Client, x.PacketID = kindReceived, p.Op.Key, uint16(p.Op.Seq)
	case store.PartFlight:
		x.Kind, x.Client, x.Seq = kindFlight, p.Op.Key, p.Op.Seq
		id, released, ok := broker.ReadStoredFlight(p.Op.Value)
		if !ok {
			return nil, fmt.Errorf("%w: flight %d of %q", ErrRecord, p.Op.Seq, p.Op.Key)
		}
		x.PacketID, x.Released = id, released
	case store.PartQueued:
		x.Kind, x.Client, x.Seq = kindQueued, p.Op.Key, p.Op.Seq
		x.Expire, x.Payload = int64(p.Op.Expire), p.Shared
		x.setHead(p.Op.Value)
		if p.Shared == 0 {
			x.setBody(p.Op.Body)
		}
	case store.PartRetained:
		x.Kind, x.Topic, x.Expire = kindRetained, p.Op.Key, int64(p.Op.Expire)
		x.setBody(p.Op.Value)
	case store.PartNote:
		return noteLine(&p.Note)
	default:
		return nil, fmt.Errorf("%w: kind %d", ErrRecord, p.Kind)
	}
	return x, nil
}

// setBody writes a message, as it is if that would not come back the same.
func (x *line) setBody(b []byte) {
	if m, ok := broker.ReadStoredMessage(b); ok {
		if w, ok := messageOf(&m); ok && bytes.Equal(w.append(nil), b) {
			x.Message = w
			return
		}
	}
	x.Raw = bytes.Clone(b)
}

func (x *line) setState(b []byte) {
	if x.Estate = string(b) == broker.StoredEstate; x.Estate {
		return
	}
	if s, ok := broker.ReadStoredSession(b); ok {
		if w, ok := sessionOf(&s); ok && bytes.Equal(w.append(nil), b) {
			x.State = w
			return
		}
	}
	x.Raw = bytes.Clone(b)
}

func (x *line) setHead(b []byte) {
	h, ok := broker.ReadStoredHead(b)
	if ok && utf8.ValidString(h.Share) && bytes.Equal(h.Append(nil), b) {
		x.Head = &head{byte(h.QoS), h.Retain, h.Share, h.IDs}
		return
	}
	x.RawHead = bytes.Clone(b)
}

// body is what setBody wrote.
func (x *line) body() ([]byte, error) {
	switch {
	case x.Message != nil && x.Raw == nil:
		if err := x.Message.valid(); err != nil {
			return nil, err
		}
		return x.Message.append(nil), nil
	case x.Message == nil && x.Raw != nil:
		return x.Raw, nil
	}
	return nil, fmt.Errorf("%w: a message, or raw", ErrRecord)
}

// part reads a record. What it answers is the line's.
func (x *line) part() (p store.Part, err error) {
	if x.Expire < 0 || x.Expire > 1<<62 {
		return p, fmt.Errorf("%w: expire %d", ErrRecord, x.Expire)
	}
	p.Op = broker.Op{Key: x.Client, Seq: x.Seq, Expire: broker.Time(x.Expire)}
	switch x.Kind {
	case kindPayload:
		p.Kind, p.Shared, p.Sharers = store.PartShared, x.Payload, x.Sharers
		p.Op.Body, err = x.body()
	case kindSession:
		p.Kind = store.PartSession
		p.Op.Value, err = x.state()
	case kindReceived:
		p.Kind, p.Op.Kind, p.Op.Seq = store.PartReceived, broker.OpReceived, uint64(x.PacketID)
	case kindFlight:
		p.Kind, p.Op.Kind = store.PartFlight, broker.OpFlight
		p.Op.Value = broker.AppendStoredFlight(nil, x.PacketID, x.Released)
	case kindQueued:
		return x.queued(p)
	case kindRetained:
		p.Kind, p.Op.Kind, p.Op.Key = store.PartRetained, broker.OpRetain, x.Topic
		p.Op.Value, err = x.body()
		if err == nil && x.Topic == "" {
			err = fmt.Errorf("%w: no topic", ErrRecord)
		}
	case kindKV, kindHistory:
		p.Kind = store.PartNote
		p.Note, err = x.note()
	default:
		err = fmt.Errorf("%w: kind %q", ErrRecord, x.Kind)
	}
	return p, err
}

func (x *line) state() ([]byte, error) {
	switch {
	case x.Estate && x.State == nil && x.Raw == nil:
		return []byte(broker.StoredEstate), nil
	case x.Estate:
	case x.State != nil && x.Raw == nil:
		if err := x.State.valid(); err != nil {
			return nil, err
		}
		return x.State.append(nil), nil
	case x.State == nil && x.Raw != nil:
		return x.Raw, nil
	}
	return nil, fmt.Errorf("%w: a state, an estate, or raw", ErrRecord)
}

func (x *line) queued(p store.Part) (store.Part, error) {
	p.Kind, p.Op.Kind, p.Shared = store.PartQueued, broker.OpPush, x.Payload
	p.Op.Value = x.RawHead
	if h := x.Head; h != nil {
		if h.QoS > 2 {
			return p, fmt.Errorf("%w: QoS %d", ErrRecord, h.QoS)
		}
		w := broker.StoredHead{
			QoS: mqtt.QoS(h.QoS), Retain: h.Retain, Share: h.Share, IDs: h.SubscriptionIDs,
		}
		p.Op.Value = w.Append(nil)
	}
	if (x.Head == nil) == (x.RawHead == nil) {
		return p, fmt.Errorf("%w: a delivery, or raw_delivery", ErrRecord)
	}
	if x.Payload != 0 {
		return p, nil
	}
	var err error
	p.Op.Body, err = x.body()
	return p, err
}
