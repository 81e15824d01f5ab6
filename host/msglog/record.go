package msglog

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Outcome is what became of a message.
type Outcome uint8

const (
	// Delivered went on to whoever was subscribed, be it nobody.
	Delivered Outcome = iota + 1
	// Suppressed was called no news by a deduplicator.
	Suppressed
	// Dropped was ended by a transformer or a router.
	Dropped
	// Denied was not allowed.
	Denied
	outcomeCount
)

var outcomeNames = [outcomeCount]string{"", "delivered", "suppressed", "dropped", "denied"}

// String is the word of the API.
func (o Outcome) String() string {
	if o < outcomeCount {
		return outcomeNames[o]
	}
	return "unknown"
}

// ParseOutcome reads the word of the API; the empty word is 0, any outcome.
func ParseOutcome(s string) (Outcome, error) {
	for o, name := range outcomeNames {
		if s == name {
			return Outcome(o), nil
		}
	}
	return 0, fmt.Errorf("msglog: %q is no outcome: delivered, suppressed, dropped, denied", s)
}

// Held says what a record has of a payload.
type Held uint8

const (
	// Same is the payload of what the part came from.
	Same Held = iota
	// Whole is all of it.
	Whole
	// Cut is how it begins: it is longer than the log keeps.
	Cut
	// None: the log keeps no payloads.
	None
	// Redacted is what a component made of it.
	Redacted
	// Withheld: the component wants it not kept, or could not be asked.
	Withheld
	heldCount
)

var heldNames = [heldCount]string{"same", "whole", "cut", "none", "redacted", "withheld"}

// String is the word of the API.
func (h Held) String() string {
	if h < heldCount {
		return heldNames[h]
	}
	return "unknown"
}

// Part is a message and what became of it.
type Part struct {
	Topic   []byte
	Payload []byte
	// Size is that of the payload as it was, whatever is held of it.
	Size    uint32
	Held    Held
	QoS     uint8
	Retain  bool
	Outcome Outcome
	// By is the component that ended its way, Why its reason; both may be empty.
	By, Why []byte
	// Receivers are the sessions it was given to, Lost the times it was dropped on the way to one:
	// slow, full, too large or refused.
	Receivers, Lost uint32
}

// Record is one message as it arrived and what was made of it. The bytes of one that is visited are
// borrowed until the visit returns.
type Record struct {
	// ID grows from record to record, also over a restart.
	ID uint64
	// Time is when it arrived, in milliseconds since the Unix epoch.
	Time     int64
	Listener string // not kept: it is that of the Log
	Client   []byte
	User     []byte
	Address  []byte
	Tenant   []byte
	// Properties are those of MQTT 5 that go on with a message, as on the wire; Incomplete: they
	// were more than is kept, or must not be kept. Expiry is the interval in seconds, 0 for never.
	Properties []byte
	Incomplete bool
	Expiry     uint32
	// Replayed: it was published once more from a log.
	Replayed bool
	// Part is what arrived. If Became is not empty, its outcome is the best of those.
	Part
	// Became is what transformers and routers put in its place.
	Became []Part
}

// PartsMax bounds Record.Became.
const PartsMax = 4096

// ErrDamaged says that bytes are not what a Log wrote.
var ErrDamaged = errors.New("msglog: damaged")

// Settle makes the outcome of a record with parts the best of theirs: delivered, then suppressed,
// then dropped.
func (r *Record) Settle() {
	if len(r.Became) == 0 {
		return
	}
	best := &r.Became[0]
	r.Receivers, r.Lost = 0, 0
	for i := range r.Became {
		p := &r.Became[i]
		r.Receivers += p.Receivers
		r.Lost += p.Lost
		if p.Outcome < best.Outcome {
			best = p
		}
	}
	r.Outcome, r.By, r.Why = best.Outcome, best.By, best.Why
}

func appendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

func appendPart(dst []byte, p *Part) []byte {
	flags := p.QoS & 3
	if p.Retain {
		flags |= 4
	}
	dst = append(dst, flags, byte(p.Outcome), byte(p.Held))
	dst = appendBytes(dst, p.Topic)
	dst = binary.AppendUvarint(dst, uint64(p.Size))
	dst = appendBytes(dst, p.Payload)
	dst = appendBytes(dst, p.By)
	dst = appendBytes(dst, p.Why)
	dst = binary.AppendUvarint(dst, uint64(p.Receivers))
	return binary.AppendUvarint(dst, uint64(p.Lost))
}

// appendRecord encodes r without its length.
func appendRecord(dst []byte, r *Record) []byte {
	dst = binary.AppendUvarint(dst, r.ID)
	dst = binary.AppendVarint(dst, r.Time)
	for _, b := range [...][]byte{r.Client, r.User, r.Address, r.Tenant} {
		dst = appendBytes(dst, b)
	}
	dst = appendPart(dst, &r.Part)
	dst = binary.AppendUvarint(dst, uint64(len(r.Became)))
	for i := range r.Became {
		dst = appendPart(dst, &r.Became[i])
	}
	return r.appendExtra(dst)
}

// What the flags of an extra say.
const (
	extraReplayed = 1 << iota
	extraIncomplete
	extraEnd
)

// appendExtra encodes what most records do not have.
func (r *Record) appendExtra(dst []byte) []byte {
	var flags byte
	if r.Replayed {
		flags |= extraReplayed
	}
	if r.Incomplete {
		flags |= extraIncomplete
	}
	if flags == 0 && r.Expiry == 0 && len(r.Properties) == 0 {
		return dst
	}
	return appendBytes(binary.AppendUvarint(append(dst, flags), uint64(r.Expiry)), r.Properties)
}

func (r *Record) extra(in *reader) {
	r.Replayed, r.Incomplete, r.Expiry, r.Properties = false, false, 0, nil
	if in.bad || len(in.b) == 0 {
		return
	}
	flags := in.byte(extraEnd)
	r.Replayed, r.Incomplete = flags&extraReplayed != 0, flags&extraIncomplete != 0
	r.Expiry, r.Properties = uint32(in.uint(1<<32-1)), in.bytes()
}

// reader takes a record apart; bad once something was missing.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) uint(most uint64) uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > most {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) int() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) byte(below byte) byte {
	if len(r.b) == 0 || r.b[0] >= below {
		r.bad, r.b = true, nil
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *reader) bytes() []byte {
	n := int(r.uint(uint64(len(r.b))))
	if n > len(r.b) { // the length itself took bytes
		r.bad, r.b = true, nil
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) part(p *Part) {
	const most32 = 1<<32 - 1
	flags := r.byte(8)
	p.QoS, p.Retain = flags&3, flags&4 != 0
	p.Outcome = Outcome(r.byte(byte(outcomeCount)))
	p.Held = Held(r.byte(byte(heldCount)))
	p.Topic = r.bytes()
	p.Size = uint32(r.uint(most32))
	p.Payload, p.By, p.Why = r.bytes(), r.bytes(), r.bytes()
	p.Receivers, p.Lost = uint32(r.uint(most32)), uint32(r.uint(most32))
}

// decode fills r with what b says; r aliases b.
func (r *Record) decode(b []byte) error {
	in := reader{b: b}
	r.ID, r.Time = in.uint(1<<64-1), in.int()
	for _, f := range [...]*[]byte{&r.Client, &r.User, &r.Address, &r.Tenant} {
		*f = in.bytes()
	}
	in.part(&r.Part)
	n := in.uint(PartsMax)
	r.Became = r.Became[:0]
	for range n {
		if in.bad {
			break
		}
		r.Became = append(r.Became, Part{})
		in.part(&r.Became[len(r.Became)-1])
	}
	r.extra(&in)
	if in.bad || len(in.b) > 0 {
		return fmt.Errorf("%w: a record", ErrDamaged)
	}
	return nil
}
