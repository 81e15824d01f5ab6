package crash

import (
	"fmt"
	"sync"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// repeater sends the same again and again, at QoS 2. A deduplicator remembers in kv what it has
// seen: each comes once, however often the broker was killed meanwhile.
type repeater struct {
	client
	ledger   *ledger
	id       uint16
	x        int // what is on its way
	released bool
	on       bool // something is
	count    int

	mu    sync.Mutex
	acked []int64 // by what was sent, when it was acknowledged first; 0 is never
	stop  bool
	done  bool
}

// backMax is how far back a repeat goes.
const backMax = 40

func newRepeater(w *world) *repeater {
	r := &repeater{ledger: w.ledger}
	r.client = client{
		id: "repeater", version: mqtt.V311, broker: &w.at, began: r.again, packet: r.take,
		idle: r.more, lost: func() { w.ledger.fault("lost", "repeater: its session is lost") },
	}
	return r
}

func (r *repeater) again(l *link) {
	switch {
	case r.on && r.released:
		l.ack(mqtt.PUBREL, r.id)
	case r.on:
		r.send(l, true)
	default:
		r.more(l)
	}
}

// more sends something new, or twice as often what was acknowledged before.
func (r *repeater) more(l *link) {
	if r.on {
		return
	}
	r.mu.Lock()
	r.done = r.stop
	n := len(r.acked)
	if r.stop {
		r.mu.Unlock()
		return
	}
	if r.count++; r.count%3 == 1 {
		r.acked = append(r.acked, 0)
		r.x = n
	} else {
		r.x = max(0, n-1-r.count*7%backMax)
	}
	r.mu.Unlock()
	r.id, r.on, r.released = r.id%60000+1, true, false
	r.send(l, false)
}

func (r *repeater) send(l *link, dup bool) {
	m := mqtt.Publish{
		Dup: dup, QoS: mqtt.ExactlyOnce, PacketID: r.id, Topic: []byte("d/once"),
		Payload: fmt.Appendf(nil, "%d", r.x),
	}
	l.out = m.Append(l.out, l.v)
}

func (r *repeater) take(l *link, t mqtt.Type, frame []byte) {
	var a mqtt.Ack
	if a.Decode(l.v, frame) != nil || !r.on || a.PacketID != r.id {
		return
	}
	if t == mqtt.PUBREC {
		r.mu.Lock()
		if r.acked[r.x] == 0 {
			r.acked[r.x] = r.ledger.now()
		}
		r.mu.Unlock()
		r.released = true
		l.ack(mqtt.PUBREL, r.id)
		return
	}
	r.on = false
	r.more(l)
}

func (r *repeater) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stop = true
}

func (r *repeater) ended() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.done
}

// judge counts what of all that was acknowledged has not come to s, and what came more than once.
func (r *repeater) judge(s *subscriber) (lost, doubled []int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	for x, acked := range r.acked {
		switch n := s.once[x]; {
		case n > 1:
			doubled = append(doubled, x)
		case n == 0 && acked != 0:
			lost = append(lost, x)
		}
	}
	return lost, doubled
}

// settleOnce waits for what the repeater sent, and notes what came never or twice.
func (w *world) settleOnce(s *subscriber) {
	w.until(s.id+" once", func() int {
		lost, _ := w.again.judge(s)
		return len(lost)
	})
	lost, doubled := w.again.judge(s)
	for _, x := range lost {
		w.ledger.fault("lost", "%s: repeated message %d never came", s.id, x)
	}
	for _, x := range doubled {
		w.ledger.fault("doubled", "%s: repeated message %d came %d times", s.id, x, s.once[x])
	}
}
