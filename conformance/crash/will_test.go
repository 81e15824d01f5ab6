package crash

import (
	"context"
	"sync"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// willTopic is where the wills of the mortal go.
const willTopic = "w/mortal"

// mortal is a client whose connections have a will each, all another one. Half of them it breaks
// off; the others end with the broker.
type mortal struct {
	client

	mu   sync.Mutex
	due  []lastWord
	n    int
	ctx  context.Context
	over context.CancelFunc
	gone chan struct{}
}

// lastWord is the will of a connection that was let in, in a round.
type lastWord struct{ n, round int }

func newMortal(w *world) *mortal {
	m := &mortal{gone: make(chan struct{})}
	m.ctx, m.over = context.WithCancel(w.ctx)
	m.client = client{
		id: "mortal", version: mqtt.V5, broker: &w.at, packet: func(*link, mqtt.Type, []byte) {},
	}
	m.client.lost = func() { w.ledger.fault("lost", "mortal: its session is lost") }
	m.client.will = func() (string, int) { m.n++; return willTopic, m.n }
	var since time.Time
	m.began = func(*link) {
		since = time.Now()
		m.mu.Lock()
		defer m.mu.Unlock()
		m.due = append(m.due, lastWord{m.n, w.ledger.in()})
	}
	m.idle = func(l *link) {
		if m.n%2 == 0 && time.Since(since) > 50*time.Millisecond {
			_ = l.conn.Close()
		}
	}
	return m
}

func (m *mortal) live() {
	defer close(m.gone)
	m.run(m.ctx)
}

// end breaks the last connection off.
func (m *mortal) end() {
	m.over()
	<-m.gone
}

// settleWills waits for the wills of all connections that were let in and ended without a word. Of
// a will that the device refuses nobody can be told.
func (w *world) settleWills() {
	m := w.mortal
	missing := func(s *subscriber) (list []int) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, x := range m.due {
			if s.wills[x.n] == 0 && !w.failedIn(x.round) && !w.failedIn(x.round+1) {
				list = append(list, x.n)
			}
		}
		return list
	}
	for _, s := range w.subs {
		w.until("wills for "+s.id, func() int { return len(missing(s)) })
		for _, n := range missing(s) {
			w.ledger.fault("lost", "%s: will %d never came", s.id, n)
		}
	}
	w.t.Logf("wills: %d", len(m.due))
}

// failedIn is true for a round in which devices failed.
func (w *world) failedIn(i int) bool {
	if i >= len(w.tally) {
		return false
	}
	x := round{kind: w.tally[i].kind}
	return x.failing()
}
