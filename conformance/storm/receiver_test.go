package storm

import (
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/hpmq/hpmq/conformance/load"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// receiver gets all that some publishers say. Its goroutine owns it until it ends; the account is
// looked at after that.
type receiver struct {
	*line
	start time.Time
	book  *book
	tally *tally
	id    int
	out   []byte
	// late is how long messages took, by the window they were sent in.
	late [windows]load.Histogram
	// last counts what the last swap answered.
	last    uint64
	arrived atomic.Uint64 // each once
	done    chan struct{}
}

// run takes messages and acknowledges them until the connection ends.
func (r *receiver) run() {
	defer close(r.done)
	for {
		err := r.fill()
		if err == nil {
			err = r.turn()
		}
		if err == nil {
			continue
		}
		if !errors.Is(err, net.ErrClosed) {
			r.book.fault(disconnected, 1, "receiver %d was disconnected: %v", r.id, err)
		}
		return
	}
}

// turn takes all whole packets of one read, then acknowledges them at once.
func (r *receiver) turn() error {
	now := int64(time.Since(r.start))
	r.out = r.out[:0]
	for {
		frame, err := r.next()
		if err != nil {
			return err
		}
		if frame == nil {
			break
		}
		var p mqtt.Publish
		if mqtt.TypeOf(frame) != mqtt.PUBLISH {
			return fmt.Errorf("%v came", mqtt.TypeOf(frame))
		}
		if err := p.Decode(mqtt.V5, frame); err != nil {
			return err
		}
		if p.Dup {
			r.book.fault(other, 1, "receiver %d: a message is marked as a duplicate", r.id)
		}
		ack := mqtt.Ack{Type: mqtt.PUBACK, PacketID: p.PacketID}
		r.out = ack.Append(r.out, mqtt.V5)
		if m, ok := take(r.book, r.tally, p.Payload); ok {
			r.late[m.window].Add(now - m.sent)
			if m.swap == len(r.tally.spans)-1 {
				r.last++
			}
		}
	}
	r.arrived.Store(r.tally.unique)
	if len(r.out) == 0 {
		return nil
	}
	_, err := r.conn.Write(r.out)
	return err
}

// take reads one payload into the account.
func take(b *book, t *tally, payload []byte) (message, bool) {
	m, ok := parse(payload)
	if !ok {
		b.fault(garbled, 1, "not as the transformer leaves it: %q", payload)
		return m, false
	}
	t.see(&m)
	return m, true
}
