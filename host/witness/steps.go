package witness

import (
	"encoding/binary"
	"sync"

	"github.com/hpmq/hpmq/host/msglog"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// The steps of a message as they wait, each a kind and then what the functions below append.
const (
	stepArrived = iota + 1
	stepDenied
	stepBecame
	stepEnded
	stepWent
)

// loopBits of a trace name the loop, the others count its messages.
const loopBits = 6

// page is the steps of one loop since it was last looked at.
type page struct {
	buf []byte
	// first is the number of the first message in it.
	first uint64
	// ledgers are what its records are kept by.
	ledgers []*ledger
}

func (p *page) reset() {
	clear(p.ledgers)
	p.buf, p.ledgers = p.buf[:0], p.ledgers[:0]
}

// ledger is the place of l among the ledgers of the page.
func (p *page) ledger(l *ledger) uint64 {
	for i, x := range p.ledgers {
		if x == l {
			return uint64(i)
		}
	}
	p.ledgers = append(p.ledgers, l)
	return uint64(len(p.ledgers) - 1)
}

// loop is where the steps of one loop wait. The loop alone adds; the lock is for the moment in
// which the page is taken away.
type loop struct {
	number uint64
	max    int
	wake   chan<- struct{}

	mu    sync.Mutex
	page  page
	given uint64 // messages numbered
}

// take gives the page away for an empty one.
func (l *loop) take(empty page) page {
	empty.reset()
	l.mu.Lock()
	defer l.mu.Unlock()
	full := l.page
	l.page = empty
	l.page.first = l.given + 1
	return full
}

// numberLocked is the trace of the next message.
func (l *loop) numberLocked() uint64 {
	l.given++
	return l.given<<loopBits | l.number
}

// nudgeLocked wakes the goroutine when much waits.
func (l *loop) nudgeLocked(before int) {
	if half := l.max / 2; before < half && len(l.page.buf) >= half {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// arrived notes a message; its trace is 0 if there was no room.
func (l *loop) arrived(g *ledger, now broker.Time, who *broker.Identity, m *broker.Message) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.roomLocked(g, m) {
		return 0
	}
	before := len(l.page.buf)
	l.headLocked(stepArrived, g, now, who)
	l.messageLocked(g, m)
	l.extraLocked(g, now, m)
	l.nudgeLocked(before)
	return l.numberLocked()
}

// denial is a message that is not allowed.
type denial struct {
	topic []byte
	qos   mqtt.QoS
	why   string
}

// denied notes a message that is not allowed. Its payload is not known.
func (l *loop) denied(g *ledger, now broker.Time, who *broker.Identity, d denial) {
	m := &broker.Message{Topic: d.topic, QoS: d.qos, From: who.ClientID}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.roomLocked(g, m) {
		return
	}
	before := len(l.page.buf)
	l.headLocked(stepDenied, g, now, who)
	l.messageLocked(g, m)
	l.extraLocked(g, now, m)
	l.page.buf = appendText(l.page.buf, d.why)
	l.nudgeLocked(before)
}

// became notes a message that came of that of a trace, with the same payload or another, and
// answers its own. Without room its payload is left out.
func (l *loop) became(g *ledger, trace uint64, m *broker.Message, same bool) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := &l.page
	before := len(p.buf)
	p.buf = binary.AppendUvarint(append(p.buf, stepBecame), trace)
	if len(p.buf)+len(m.Topic)+len(m.Payload) > 2*l.max {
		l.bodyLocked(m, msglog.Withheld, nil)
	} else if same {
		l.bodyLocked(m, msglog.Same, nil)
	} else {
		l.messageLocked(g, m)
	}
	l.nudgeLocked(before)
	return l.numberLocked()
}

// ended notes what ended the way of a message.
func (l *loop) ended(trace uint64, o msglog.Outcome, by, why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := append(l.page.buf, stepEnded)
	b = append(binary.AppendUvarint(b, trace), byte(o))
	l.page.buf = appendText(appendText(b, by), why)
}

// went is broker.Kernel.OnTrace. Other loops may bring many messages: there is a bound.
func (l *loop) went(t broker.Traced) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.page.buf) > 3*l.max {
		return
	}
	b := binary.AppendUvarint(append(l.page.buf, stepWent), t.Trace)
	b = binary.AppendUvarint(b, uint64(t.Receivers))
	l.page.buf = binary.AppendUvarint(b, t.Lost)
}

// stepBytes is what a step has beside texts and payload, at most.
const stepBytes = 64

// roomLocked says whether a message can be noted, and counts it if not.
func (l *loop) roomLocked(g *ledger, m *broker.Message) bool {
	n := len(l.page.buf) + len(m.Topic) + len(m.From) + stepBytes
	if g.payload != None {
		n += min(len(m.Payload), g.payloadMax) + min(len(m.Props), PropertiesBytesMax)
	}
	if n > l.max {
		g.book.missed.Add(1)
		return false
	}
	return true
}

func (l *loop) headLocked(kind byte, g *ledger, now broker.Time, who *broker.Identity) {
	p := &l.page
	p.buf = append(p.buf, kind)
	p.buf = binary.AppendUvarint(p.buf, p.ledger(g))
	p.buf = binary.AppendVarint(p.buf, int64(now))
	for _, s := range [...]string{who.ClientID, who.Username, who.Address, who.Tenant} {
		p.buf = appendText(p.buf, s)
	}
	p.buf = append(p.buf, byte(who.Version))
}

// messageLocked appends m with what g keeps of its payload.
func (l *loop) messageLocked(g *ledger, m *broker.Message) {
	switch {
	case g.payload == None:
		l.bodyLocked(m, msglog.None, nil)
	case len(m.Payload) <= g.payloadMax:
		l.bodyLocked(m, msglog.Whole, m.Payload)
	case g.payload == Redacted: // part of it tells the component nothing
		l.bodyLocked(m, msglog.Withheld, nil)
	default:
		l.bodyLocked(m, msglog.Cut, m.Payload[:g.payloadMax])
	}
}

// PropertiesBytesMax bounds what is kept of the properties of a message: all of them or none.
const PropertiesBytesMax = 8 << 10

// ReplayMark is the user property of a message that is published once more from a log.
const ReplayMark = "hpmq-replay"

// What the flags of the extra of a message say.
const (
	extraReplayed   = 1
	extraIncomplete = 2
)

// extraLocked appends what of m is in neither topic nor payload.
func (l *loop) extraLocked(g *ledger, now broker.Time, m *broker.Message) {
	var flags byte
	kept := m.Props
	if len(kept) > 0 && (g.payload == None || len(kept) > PropertiesBytesMax) {
		flags, kept = extraIncomplete, nil
	}
	m.Props.Users(func(name, _ []byte) bool {
		if string(name) == ReplayMark {
			flags |= extraReplayed
		}
		return flags&extraReplayed == 0
	})
	var expiry uint64
	if m.Expire != 0 { // as an interval, in whole seconds
		expiry = uint64(max(m.Expire-now+999, 1000) / 1000)
	}
	b := binary.AppendUvarint(append(l.page.buf, flags), min(expiry, 1<<32-1))
	l.page.buf = appendText(b, []byte(kept))
}

func (l *loop) bodyLocked(m *broker.Message, held msglog.Held, payload []byte) {
	flags := byte(m.QoS)
	if m.Retain {
		flags |= 4
	}
	b := append(l.page.buf, flags, byte(held))
	b = appendText(b, m.Topic)
	b = binary.AppendUvarint(b, uint64(len(m.Payload)))
	l.page.buf = appendText(b, payload)
}

func appendText[T string | []byte](dst []byte, s T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}
