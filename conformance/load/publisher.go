package load

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

const (
	// batchBytesMax is how much a publisher writes at once.
	batchBytesMax = 64 << 10
	// steps is in how many parts a window is given back: it opens by a part when every subscriber
	// has seen a part.
	steps = 4
)

// publisher sends messages as far as it is allowed to. One goroutine writes, one reads what comes
// back; whoever opens the window wakes the writer.
type publisher struct {
	*peer
	id    uint32
	clock clock
	qos   mqtt.QoS
	// frame is a whole PUBLISH; of it only the packet identifier and the stamp change.
	frame            []byte
	packetAt, bodyAt int
	// step is how many messages pass before the window opens by as many; 0 when a rate leads.
	step        uint64
	subscribers uint32
	// passed counts, for each step, the subscribers that have seen it, in a ring.
	passed [2 * steps]atomic.Uint32

	mu      sync.Mutex
	allowed uint64
	acked   uint64
	// releases are PUBREL packets to be written.
	releases []byte
	stopped  bool

	sent    atomic.Uint64
	refused atomic.Uint64
	wake    chan struct{}
}

func newPublisher(p *peer, cfg *Config, id int, topic string) *publisher {
	m := mqtt.Publish{QoS: cfg.QoS, PacketID: 1, Topic: []byte(topic),
		Payload: make([]byte, cfg.PayloadBytes)}
	pub := &publisher{peer: p, id: uint32(id), qos: cfg.QoS, frame: m.Append(nil, p.v),
		wake: make(chan struct{}, 1)}
	pub.packetAt = mqtt.PublishPacketIDOffset(pub.frame)
	pub.bodyAt = len(pub.frame) - cfg.PayloadBytes
	if cfg.Rate == 0 {
		pub.step = uint64(max(1, cfg.Window/steps))
	}
	return pub
}

// allow lets n more messages go. It does not block.
func (p *publisher) allow(n uint64) {
	p.mu.Lock()
	p.allowed += n
	p.mu.Unlock()
	p.poke()
}

func (p *publisher) poke() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// stop lets nothing new go. What is on its way is still acknowledged; sent is its number.
func (p *publisher) stop() {
	p.mu.Lock()
	p.stopped = true
	p.mu.Unlock()
}

// pass is told by a subscriber that it has seen everything from one message up to another, both as
// counts. The last subscriber to pass a step opens the window by it.
func (p *publisher) pass(from, to uint64) {
	if p.step == 0 {
		return
	}
	for e := from/p.step + 1; e <= to/p.step; e++ {
		slot := &p.passed[e%uint64(len(p.passed))]
		if slot.Add(1) == p.subscribers {
			slot.Store(0)
			p.allow(p.step)
		}
	}
}

// write sends until done is closed or the connection breaks.
func (p *publisher) write(done <-chan struct{}) error {
	batch := make([]byte, 0, batchBytesMax+len(p.frame))
	for {
		batch = p.take(batch[:0])
		if len(batch) == 0 {
			select {
			case <-p.wake:
			case <-done:
				return nil
			}
			continue
		}
		if _, err := p.conn.Write(batch); err != nil {
			return fmt.Errorf("load: publish: %w", err)
		}
	}
}

// take appends what may go now: releases first, then new messages.
func (p *publisher) take(dst []byte) []byte {
	p.mu.Lock()
	dst = append(dst, p.releases...)
	p.releases = p.releases[:0]
	limit := p.allowed
	if p.qos > mqtt.AtMostOnce {
		limit = min(limit, p.acked+uint64(p.receiveMax))
	}
	from := p.sent.Load()
	to := from
	if room := batchBytesMax - len(dst); !p.stopped && from < limit && room > 0 {
		to = min(limit, from+uint64((room+len(p.frame)-1)/len(p.frame)))
		p.sent.Store(to) // before stop can return: what is counted by then is all that comes
	}
	p.mu.Unlock()
	if from == to {
		return dst
	}
	now := p.clock.now()
	for ; from < to; from++ {
		dst = p.appendMessage(dst, from, now)
	}
	return dst
}

func (p *publisher) appendMessage(dst []byte, seq uint64, now int64) []byte {
	at := len(dst)
	dst = append(dst, p.frame...)
	if p.packetAt > 0 {
		id := uint16(seq%65535 + 1)
		dst[at+p.packetAt], dst[at+p.packetAt+1] = byte(id>>8), byte(id)
	}
	putStamp(dst[at+p.bodyAt:], stamp{publisher: p.id, seq: seq, sent: now})
	return dst
}

// read takes acknowledgements until the connection ends.
func (p *publisher) read() error {
	for {
		if err := p.fill(); err != nil {
			return err
		}
		if err := p.acknowledged(); err != nil {
			return err
		}
		p.poke()
	}
}

func (p *publisher) acknowledged() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		frame, err := p.next()
		if err != nil || frame == nil {
			return err
		}
		var ack mqtt.Ack
		switch mqtt.TypeOf(frame) {
		case mqtt.PUBACK, mqtt.PUBREC, mqtt.PUBCOMP:
			err = ack.Decode(p.v, frame)
		case mqtt.DISCONNECT:
			err = fmt.Errorf("load: publisher %d was disconnected", p.id)
		}
		if err != nil {
			return err
		}
		p.count(&ack)
	}
}

func (p *publisher) count(ack *mqtt.Ack) {
	switch {
	case ack.Type == 0:
	case ack.Reason >= mqtt.UnspecifiedError:
		p.refused.Add(1)
		p.acked++
	case ack.Type == mqtt.PUBREC:
		release := mqtt.Ack{Type: mqtt.PUBREL, PacketID: ack.PacketID}
		p.releases = release.Append(p.releases, p.v)
	default:
		p.acked++
	}
}
