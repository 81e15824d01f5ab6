package gate

import "sync/atomic"

// Tally counts the connections that came by one ListenerConfig, and knows when the last of them has
// left: who keeps something for them may let go of it then. It is safe for concurrent use.
type Tally struct {
	n       atomic.Int64 // and one more while offered
	offered atomic.Bool
	gone    func()
}

// NewTally answers a tally for one ListenerConfig, in one call of Listen or Update. gone is called
// once, when the terms are offered no more and no connection by them is left; on any goroutine, and
// it must not block. It is not called for what Listen or Update refused.
func NewTally(gone func()) *Tally { return &Tally{gone: gone} }

// Connections is how many there are now, those included whose handshake is not over.
func (t *Tally) Connections() int {
	n := t.n.Load()
	if t.offered.Load() {
		n--
	}
	return int(max(n, 0))
}

// offer counts the listener itself.
func (t *Tally) offer() {
	if t != nil {
		t.offered.Store(true)
		t.n.Add(1)
	}
}

// withdraw undoes offer.
func (t *Tally) withdraw() {
	if t != nil {
		t.offered.Store(false)
		t.drop()
	}
}

// hold counts one more, unless the last has left already.
func (t *Tally) hold() bool {
	if t == nil {
		return true
	}
	for {
		n := t.n.Load()
		if n == 0 {
			return false
		}
		if t.n.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// drop counts one less.
func (t *Tally) drop() {
	if t != nil && t.n.Add(-1) == 0 {
		t.gone()
	}
}
