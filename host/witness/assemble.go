package witness

import (
	"encoding/binary"

	"github.com/hpmq/hpmq/host/msglog"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// turn is one page taken apart. Its records wait until the next page of every loop was read: what
// other loops gave them to is in those.
type turn struct {
	page    page
	records []pending
	places  []place // by the number of the message, from page.first on
	// before is the turn before, as long as its records wait.
	before *turn
}

// pending is a record whose steps may not all be known.
type pending struct {
	msglog.Record
	ledger  *ledger
	version mqtt.Version
}

// place is where a message stands: in a record, as what arrived if part is 0, else part-1 of what
// became of it. before: the record is of the turn before, which was taken away in the middle of a
// message. record is -1 if it has no place.
type place struct {
	record, part int32
	before       bool
}

func (t *turn) reset() {
	t.records, t.places = t.records[:0], t.places[:0]
}

// add makes room for a record; its parts use the memory of the last one there.
func (t *turn) add(g *ledger) *pending {
	if n := len(t.records); n < cap(t.records) {
		t.records = t.records[:n+1]
		became := t.records[n].Became[:0]
		t.records[n] = pending{ledger: g}
		t.records[n].Became = became
	} else {
		t.records = append(t.records, pending{ledger: g})
	}
	return &t.records[len(t.records)-1]
}

// find is where the message of a trace stands, and the record; nil if not in this turn.
func (t *turn) find(trace uint64) (place, *pending) {
	n := trace >> loopBits
	if n < t.page.first || n-t.page.first >= uint64(len(t.places)) {
		return place{}, nil
	}
	at := t.places[n-t.page.first]
	switch {
	case at.record < 0, at.before && t.before == nil:
		return place{}, nil
	case at.before:
		return at, &t.before.records[at.record]
	}
	return at, &t.records[at.record]
}

// part is the message of a trace, nil if it is not of this turn.
func (t *turn) part(trace uint64) *msglog.Part {
	at, r := t.find(trace)
	switch {
	case r == nil:
		return nil
	case at.part == 0:
		return &r.Part
	}
	return &r.Became[at.part-1]
}

// steps reads what a loop wrote. It is not from outside: what does not fit is a bug, and ends it.
type steps struct{ b []byte }

func (s *steps) uint() uint64 {
	v, n := binary.Uvarint(s.b)
	s.b = s.b[max(n, 0):]
	return v
}

func (s *steps) int() int64 {
	v, n := binary.Varint(s.b)
	s.b = s.b[max(n, 0):]
	return v
}

func (s *steps) byte() byte {
	v := s.b[0]
	s.b = s.b[1:]
	return v
}

func (s *steps) text() []byte {
	n := s.uint()
	v := s.b[:n:n]
	s.b = s.b[n:]
	return v
}

func (s *steps) body(p *msglog.Part) {
	flags := s.byte()
	p.QoS, p.Retain, p.Held = flags&3, flags&4 != 0, msglog.Held(s.byte())
	p.Topic, p.Size, p.Payload = s.text(), uint32(s.uint()), s.text()
}

// late is a step about a message of another loop, or of the turn before.
type late struct {
	trace     uint64
	outcome   msglog.Outcome // 0: it went
	by, why   []byte
	receivers uint32
	lost      uint32
}

// read takes the page of the turn apart. What is about messages of others is added to rest.
func (t *turn) read(rest []late) []late {
	t.reset()
	for s := (steps{t.page.buf}); len(s.b) > 0; {
		switch kind := s.byte(); kind {
		case stepArrived, stepDenied:
			t.head(&s, kind)
		case stepBecame:
			t.became(&s)
		case stepEnded:
			l := late{trace: s.uint(), outcome: msglog.Outcome(s.byte()), by: s.text()}
			l.why = s.text()
			rest = t.apply(l, rest)
		case stepWent:
			l := late{trace: s.uint(), receivers: uint32(s.uint())}
			l.lost = uint32(s.uint())
			rest = t.apply(l, rest)
		default:
			panic("witness: a step of no kind")
		}
	}
	return rest
}

func (t *turn) head(s *steps, kind byte) {
	r := t.add(t.page.ledgers[s.uint()])
	r.Time = s.int()
	r.Client, r.User, r.Address, r.Tenant = s.text(), s.text(), s.text(), s.text()
	r.version = mqtt.Version(s.byte())
	s.body(&r.Part)
	flags := s.byte()
	r.Replayed, r.Incomplete = flags&extraReplayed != 0, flags&extraIncomplete != 0
	r.Expiry, r.Properties = uint32(s.uint()), s.text()
	if kind == stepDenied {
		r.Outcome, r.Why, r.Held = msglog.Denied, s.text(), msglog.None
		return
	}
	t.places = append(t.places, place{record: int32(len(t.records) - 1)})
}

// became adds a part to the record of which it came.
func (t *turn) became(s *steps) {
	from := s.uint()
	at, r := t.find(from)
	if r == nil && t.before != nil {
		if at, r = t.before.find(from); r != nil {
			at.before = true
		}
	}
	var p msglog.Part
	s.body(&p)
	if r == nil || len(r.Became) >= msglog.PartsMax {
		t.places = append(t.places, place{record: -1})
		return
	}
	r.Became = append(r.Became, p)
	t.places = append(t.places, place{at.record, int32(len(r.Became)), at.before})
}

// apply does what a step says, or leaves it for others.
func (t *turn) apply(l late, rest []late) []late {
	p := t.part(l.trace)
	if p == nil {
		return append(rest, l)
	}
	l.to(p)
	return rest
}

func (l *late) to(p *msglog.Part) {
	if l.outcome != 0 {
		p.Outcome, p.By, p.Why = l.outcome, l.by, l.why
		return
	}
	if p.Outcome == 0 {
		p.Outcome = msglog.Delivered
	}
	p.Receivers += l.receivers
	p.Lost += l.lost
}

// redact asks the component of the ledger about what is held of r.
func (w *Witness) redact(r *pending) {
	who := broker.Identity{
		ClientID: string(r.Client), Username: string(r.User), Address: string(r.Address),
		Listener: r.ledger.book.name, Tenant: string(r.Tenant), Version: r.version,
	}
	w.redactPart(r, &who, &r.Part)
	if r.Held == msglog.Withheld && len(r.Properties) > 0 {
		r.Properties, r.Incomplete = nil, true
	}
	for i := range r.Became {
		w.redactPart(r, &who, &r.Became[i])
	}
}

// redactPart fails closed: what the component does not answer is not kept.
func (w *Witness) redactPart(r *pending, who *broker.Identity, p *msglog.Part) {
	if p.Held != msglog.Whole {
		return
	}
	m := broker.Message{
		Topic: p.Topic, Payload: p.Payload, From: who.ClientID, QoS: mqtt.QoS(p.QoS),
		Retain: p.Retain,
	}
	arrived := p == &r.Part
	if arrived {
		m.Props = r.Properties
	}
	w.redacted = w.redacted[:0]
	v := broker.Drop
	if r.ledger.redactor != nil {
		v = r.ledger.redactor.Transform(broker.Time(r.Time), broker.Upstream, who, &m, &w.redacted)
	}
	switch {
	case v == broker.Keep:
	case v == broker.Replace && len(w.redacted) > 0:
		p.Payload = append([]byte(nil), w.redacted[0].Payload...) // it holds until the next call
		p.Held = msglog.Redacted
		if arrived {
			r.Properties = append([]byte(nil), w.redacted[0].Props...)
		}
	default:
		p.Payload, p.Held = nil, msglog.Withheld
	}
}
