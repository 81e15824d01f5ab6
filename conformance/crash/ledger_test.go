package crash

import (
	"fmt"
	"sync"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// ledger is what was sent and acknowledged, with the moments of it. Moments are numbers of one
// counter for all that happens; 0 is never.
type ledger struct {
	mu    sync.Mutex
	clock int64
	round int
	// failing is a round with devices that fail.
	failing bool
	sent    [][]entry // by publisher and seq
	wrong   []fault
}

// entry is what is known of one message.
type entry struct {
	topic   string
	qos     mqtt.QoS
	empty   bool // of a retained message: it removes the one there is
	first   int64
	last    int64 // when it was sent last
	again   bool  // it was sent more than once
	shaky   bool  // it was sent while a device failed
	relaxed bool  // what acknowledged it may be taken back by a power cut; excused: it was
	excused bool
	acked   int64
	refused bool
	round   int32 // in which it was acknowledged
}

// message is the seq-th of a publisher, from 0.
type message struct{ pub, seq int }

// fault is something that must not be.
type fault struct {
	round int
	kind  string // lost, doubled, reordered, other
	text  string
}

func newLedger(publishers int) *ledger { return &ledger{sent: make([][]entry, publishers)} }

// now is the moment of now.
func (l *ledger) now() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clock++
	return l.clock
}

// send notes a message that is about to be sent for the first time.
func (l *ledger) send(pub int, e entry) message {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clock++
	e.first, e.last, e.shaky = l.clock, l.clock, l.failing
	l.sent[pub] = append(l.sent[pub], e)
	return message{pub, len(l.sent[pub]) - 1}
}

// resend notes that a message is about to be sent again.
func (l *ledger) resend(m message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clock++
	e := &l.sent[m.pub][m.seq]
	e.last, e.again, e.shaky = l.clock, true, e.shaky || l.failing
}

// overtaken is true if e may come behind a later message. A device failed for it and not for the
// later one, which was read before the connection could end: there is no other word for "refused"
// before 5.0, and no order of what was not taken over. The publisher sends both again, unless the
// later one was acknowledged.
func (e *entry) overtaken(by *entry) bool {
	return e.again && e.shaky && (by.acked == 0 || e.last < by.acked)
}

// ack notes what the broker said of a message.
func (l *ledger) ack(m message, refused bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clock++
	e := &l.sent[m.pub][m.seq]
	if refused {
		e.refused = true
		return
	}
	if e.acked == 0 {
		e.acked, e.round = l.clock, int32(l.round)
	}
}

func (l *ledger) get(m message) (entry, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m.pub < 0 || m.pub >= len(l.sent) || m.seq < 0 || m.seq >= len(l.sent[m.pub]) {
		return entry{}, false
	}
	return l.sent[m.pub][m.seq], true
}

// each calls visit for all messages that were sent.
func (l *ledger) each(visit func(m message, e *entry)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for p := range l.sent {
		for s := range l.sent[p] {
			visit(message{p, s}, &l.sent[p][s])
		}
	}
}

// excuse follows a power cut: what was acknowledged at durability interval may be gone, but nothing
// that was acknowledged before something else was sent that was acknowledged at durability sync:
// there is one journal. If the device failed before, what a failed sync left out is gone.
func (l *ledger) excuse(round int, failed bool) {
	safe := int64(0)
	l.each(func(_ message, e *entry) {
		if !e.relaxed && e.acked != 0 && int(e.round) == round {
			safe = max(safe, e.first)
		}
	})
	l.each(func(_ message, e *entry) {
		if e.relaxed && int(e.round) == round && (failed || e.acked > safe) {
			e.excused = true
		}
	})
}

// relaxed counts what was acknowledged at durability interval, and what of it a power cut may have
// taken back.
func (l *ledger) relaxed() (n, excused int) {
	l.each(func(_ message, e *entry) {
		if e.relaxed && e.acked != 0 {
			n++
			if e.excused {
				excused++
			}
		}
	})
	return n, excused
}

// acknowledged counts messages.
func (l *ledger) acknowledged() (n, refused int) {
	l.each(func(_ message, e *entry) {
		if e.acked != 0 {
			n++
		}
		if e.refused {
			refused++
		}
	})
	return n, refused
}

func (l *ledger) fault(kind, format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrong = append(l.wrong, fault{l.round, kind, fmt.Sprintf(format, args...)})
}

// faultIn is fault for a round that is over.
func (l *ledger) faultIn(round int, kind, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrong = append(l.wrong, fault{round, kind, text})
}

func (l *ledger) faults() []fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]fault(nil), l.wrong...)
}

// in is the round of now.
func (l *ledger) in() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.round
}

// enter begins a round.
func (l *ledger) enter(round int, failing bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.round, l.failing = round, failing
}
