package crash

import (
	"fmt"
	"sync"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

const (
	publishers = 4
	window     = 16
	topics     = 3 // of a publisher below c/
	kept       = 4 // retained topics of a publisher and QoS
)

// outgoing is a message on its way to the broker.
type outgoing struct {
	m        message
	id       uint16
	released bool
}

// publisher sends as fast as it is acknowledged.
type publisher struct {
	client
	n      int
	ledger *ledger
	out    []*outgoing
	next   uint16
	count  int

	// relaxed is one of the listener whose durability is interval, which does not hurry.
	relaxed bool

	mu   sync.Mutex
	stop bool
	done bool
}

func newPublisher(n int, broker *where, l *ledger) *publisher {
	p := &publisher{n: n, ledger: l}
	p.client = client{id: fmt.Sprintf("pub-%d", n), broker: broker, version: mqtt.V311}
	if n%2 == 1 {
		p.version = mqtt.V5
	}
	p.began, p.packet, p.idle = p.again, p.take, p.more
	p.lost = func() { l.fault("lost", "%s: its session is lost", p.id) }
	return p
}

// newRelaxed is the publisher behind the others.
func newRelaxed(broker *where, l *ledger) *publisher {
	p := newPublisher(publishers, broker, l)
	p.relaxed = true
	return p
}

// again sends what was not acknowledged once more, in order.
func (p *publisher) again(l *link) {
	for _, o := range p.out {
		if o.released {
			l.ack(mqtt.PUBREL, o.id)
		} else {
			p.ledger.resend(o.m)
			p.send(l, o, true)
		}
	}
	p.more(l)
}

func (p *publisher) more(l *link) {
	p.mu.Lock()
	stop := p.stop
	p.done = stop && len(p.out) == 0
	p.mu.Unlock()
	for !stop && len(p.out) < window {
		p.next = p.next%60000 + 1
		o := &outgoing{m: p.ledger.send(p.n, p.choose()), id: p.next}
		p.out = append(p.out, o)
		p.send(l, o, false)
	}
}

// choose says what comes next: of eight messages one is JSON that a component changes, and two are
// retained.
func (p *publisher) choose() entry {
	p.count++
	n := p.count
	if p.relaxed {
		return entry{
			qos: mqtt.AtLeastOnce, relaxed: true, topic: fmt.Sprintf("c/%d/%d", p.n, n%topics),
		}
	}
	e := entry{qos: mqtt.QoS(1 + n%2)}
	switch n / 2 % 8 {
	case 0:
		e.topic = fmt.Sprintf("c/%d/j", p.n)
	case 3, 6:
		e.topic = fmt.Sprintf("r/%d/%d/%d", p.n, e.qos, n/16%kept)
		e.empty = n/64%3 == 0
	default:
		e.topic = fmt.Sprintf("c/%d/%d", p.n, n/2%topics)
	}
	return e
}

func (p *publisher) send(l *link, o *outgoing, dup bool) {
	e, _ := p.ledger.get(o.m)
	m := mqtt.Publish{
		Dup: dup, QoS: e.qos, PacketID: o.id, Topic: []byte(e.topic), Retain: e.topic[0] == 'r',
	}
	switch {
	case e.topic[len(e.topic)-1] == 'j':
		m.Payload = fmt.Appendf(nil, `{"m":"%d %d"}`, o.m.pub, o.m.seq)
	case !e.empty:
		m.Payload = fmt.Appendf(nil, "%d %d", o.m.pub, o.m.seq)
	}
	l.out = m.Append(l.out, l.v)
}

func (p *publisher) take(l *link, t mqtt.Type, frame []byte) {
	var a mqtt.Ack
	if a.Decode(l.v, frame) != nil {
		return
	}
	for i, o := range p.out {
		if o.id != a.PacketID {
			continue
		}
		p.inOrder(o, t)
		refused := a.Reason >= mqtt.UnspecifiedError
		if t != mqtt.PUBCOMP {
			p.ledger.ack(o.m, refused)
		}
		if t == mqtt.PUBREC && !refused {
			o.released = true
			l.ack(mqtt.PUBREL, o.id)
		} else {
			p.out = append(p.out[:i], p.out[i+1:]...)
		}
		break
	}
	if !p.relaxed {
		p.more(l)
	}
}

// inOrder sees that nothing before o still waits for what came for it [MQTT-4.6.0-2]
// [MQTT-4.6.0-3].
func (p *publisher) inOrder(o *outgoing, t mqtt.Type) {
	mine, _ := p.ledger.get(o.m)
	for _, x := range p.out {
		e, _ := p.ledger.get(x.m)
		switch {
		case x == o || t == mqtt.PUBCOMP:
			return
		case e.qos == mine.qos && !x.released:
			p.ledger.fault("reordered", "%s: %v for %+v, before %+v", p.id, t, o.m, x.m)
			return
		}
	}
}

func (p *publisher) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop = true
}

func (p *publisher) ended() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done
}
