package crash

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hpmq/hpmq/conformance/process"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

var (
	rounds = flag.Int("rounds", 3, "how often the broker is killed")
	seed   = flag.Uint64("seed", 0, "of the moments; 0 takes one from the clock")
)

const (
	publishers = 4
	window     = 16
)

// settings let all wait that is published: what is above a limit is dropped, and not lost.
const settings = `data_dir: %s
loops: 2
admin: {bind: off}
limits: {queue_messages_max: 10000000, queue_bytes_max: 4GiB}
store: {free_bytes_min: 0B}
listeners:
  - name: mqtt
    bind: tcp://127.0.0.1:0
    link: {}
`

// message is one that a publisher sends; it is seq of its publisher and QoS.
type message struct {
	pub, seq int
	qos      mqtt.QoS
}

// outgoing is a message on its way to the broker.
type outgoing struct {
	m        message
	id       uint16
	released bool
}

// publisher sends as fast as it is acknowledged.
type publisher struct {
	client
	n    int
	out  []*outgoing
	next uint16
	seqs [3]int

	mu    sync.Mutex
	acked []message
	stop  bool
	done  bool
}

func newPublisher(n int, broker *where) *publisher {
	p := &publisher{n: n}
	p.client = client{id: fmt.Sprintf("pub-%d", n), broker: broker}
	p.began, p.packet, p.idle = p.again, p.take, p.more
	return p
}

// again sends what was not acknowledged once more, in order.
func (p *publisher) again(conn net.Conn) {
	for _, o := range p.out {
		if o.released {
			send(conn, mqtt.PUBREL, o.id)
		} else {
			p.send(conn, o, true)
		}
	}
	p.more(conn)
}

func (p *publisher) more(conn net.Conn) {
	p.mu.Lock()
	stop := p.stop
	p.done = stop && len(p.out) == 0
	p.mu.Unlock()
	for !stop && len(p.out) < window {
		p.next = p.next%60000 + 1
		q := mqtt.QoS(1 + p.next%2)
		p.seqs[q]++
		o := &outgoing{m: message{p.n, p.seqs[q], q}, id: p.next}
		p.out = append(p.out, o)
		p.send(conn, o, false)
	}
}

func (p *publisher) send(conn net.Conn, o *outgoing, dup bool) {
	m := mqtt.Publish{
		Dup: dup, QoS: o.m.qos, PacketID: o.id, Topic: fmt.Appendf(nil, "c/%d", p.n),
		Payload: fmt.Appendf(nil, "%d %d %d", o.m.pub, o.m.seq, o.m.qos),
	}
	_, _ = conn.Write(m.Append(nil, mqtt.V311))
}

func (p *publisher) take(conn net.Conn, t mqtt.Type, frame []byte) {
	var a mqtt.Ack
	if a.Decode(mqtt.V311, frame) != nil {
		return
	}
	for i, o := range p.out {
		if o.id != a.PacketID {
			continue
		}
		if t != mqtt.PUBCOMP {
			p.mu.Lock()
			p.acked = append(p.acked, o.m)
			p.mu.Unlock()
		}
		if t == mqtt.PUBREC {
			o.released = true
			send(conn, mqtt.PUBREL, o.id)
		} else {
			p.out = append(p.out[:i], p.out[i+1:]...)
		}
		break
	}
	p.more(conn)
}

// subscriber notes what comes.
type subscriber struct {
	client
	received map[uint16]bool
	subbed   chan struct{}

	mu    sync.Mutex
	got   map[message]int
	last  map[message]int // by publisher and QoS, the highest seq
	wrong []string
}

func newSubscriber(id string, broker *where) *subscriber {
	s := &subscriber{
		received: map[uint16]bool{}, subbed: make(chan struct{}), got: map[message]int{},
		last: map[message]int{},
	}
	s.client = client{id: id, broker: broker, packet: s.take, idle: func(net.Conn) {}}
	s.began = func(conn net.Conn) {
		list := []mqtt.Subscription{{Filter: []byte("c/#"), QoS: mqtt.ExactlyOnce}}
		select {
		case <-s.subbed:
		default:
			_, _ = conn.Write(mqtt.AppendSubscribe(nil, mqtt.V311, 1, nil, list))
		}
	}
	return s
}

func (s *subscriber) take(conn net.Conn, t mqtt.Type, frame []byte) {
	switch t {
	case mqtt.SUBACK:
		close(s.subbed)
	case mqtt.PUBREL:
		var a mqtt.Ack
		if a.Decode(mqtt.V311, frame) == nil {
			delete(s.received, a.PacketID)
			send(conn, mqtt.PUBCOMP, a.PacketID)
		}
	case mqtt.PUBLISH:
		var p mqtt.Publish
		if p.Decode(mqtt.V311, frame) != nil {
			return
		}
		if p.QoS == mqtt.AtLeastOnce {
			s.note(&p)
			send(conn, mqtt.PUBACK, p.PacketID)
			return
		}
		if !s.received[p.PacketID] {
			s.received[p.PacketID] = true
			s.note(&p)
		}
		send(conn, mqtt.PUBREC, p.PacketID)
	}
}

func (s *subscriber) note(p *mqtt.Publish) {
	var m message
	if _, err := fmt.Sscan(string(p.Payload), &m.pub, &m.seq, &m.qos); err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.got[m]++; s.got[m] > 1 {
		if m.qos == mqtt.ExactlyOnce {
			s.wrong = append(s.wrong, fmt.Sprintf("%s: %+v came twice", s.id, m))
		}
		return
	}
	key := message{pub: m.pub, qos: m.qos}
	if m.seq < s.last[key] {
		s.wrong = append(s.wrong, fmt.Sprintf("%s: %+v came after %d", s.id, m, s.last[key]))
	}
	s.last[key] = max(s.last[key], m.seq)
}

// missing counts what was acknowledged and has not come.
func (s *subscriber) missing(acked []message) (n int, first message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range acked {
		if s.got[m] == 0 {
			if n++; n == 1 {
				first = m
			}
		}
	}
	return n, first
}

func TestNothingAcknowledgedIsLost(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the real binary")
	}
	n := *seed
	if n == 0 {
		n = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed=%d", n)
	w := newWorld(t, n)
	for round := range *rounds {
		wait := time.Duration(50+w.rnd.IntN(700)) * time.Millisecond
		<-time.After(wait)
		w.broker.Kill()
		t.Logf("round %d: killed after %v, %d acknowledged", round+1, wait, len(w.acked()))
		w.start()
	}
	w.finish()
}

// world is a broker, its clients, and the folder.
type world struct {
	t      *testing.T
	rnd    *rand.Rand
	bin    string
	config string
	broker *process.Broker
	at     where
	pubs   []*publisher
	online *subscriber
	away   *subscriber
	ctx    context.Context
}

func newWorld(t *testing.T, seed uint64) *world {
	bin, _, err := process.Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &world{
		t: t, bin: bin, rnd: rand.New(rand.NewPCG(seed, 0)), ctx: ctx,
		config: filepath.Join(t.TempDir(), "hpmq.yaml"),
	}
	text := fmt.Sprintf(settings, t.TempDir())
	if err := os.WriteFile(w.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		w.broker.Stop()
	})
	w.start()
	w.online, w.away = newSubscriber("online", &w.at), newSubscriber("away", &w.at)
	go w.online.run(ctx)
	short, end := context.WithCancel(ctx)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		w.away.run(short)
	}()
	<-w.online.subbed
	<-w.away.subbed
	end()
	<-gone
	for i := range publishers {
		p := newPublisher(i, &w.at)
		w.pubs = append(w.pubs, p)
		go p.run(ctx)
	}
	return w
}

func (w *world) start() {
	b, err := process.Start(w.t.Context(), w.bin, "--config", w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	w.broker = b
	w.at.set(b.MQTT)
}

func (w *world) acked() (all []message) {
	for _, p := range w.pubs {
		p.mu.Lock()
		all = append(all, p.acked...)
		p.mu.Unlock()
	}
	return all
}

// finish lets all come to rest, and compares.
func (w *world) finish() {
	for _, p := range w.pubs {
		p.mu.Lock()
		p.stop = true
		p.mu.Unlock()
	}
	w.until("publishers", func() (left int) {
		for _, p := range w.pubs {
			p.mu.Lock()
			if !p.done {
				left++
			}
			p.mu.Unlock()
		}
		return left
	})
	go w.away.run(w.ctx)
	acked := w.acked()
	for _, s := range []*subscriber{w.online, w.away} {
		w.until(s.id, func() int {
			n, _ := s.missing(acked)
			return n
		})
		n, first := s.missing(acked)
		s.mu.Lock()
		if n > 0 {
			w.t.Errorf("%s: %d of %d lost, first %+v\n%s", s.id, n, len(acked), first,
				w.broker.Log())
		}
		for i, text := range s.wrong {
			if i < 10 {
				w.t.Error(text)
			}
		}
		w.t.Logf("%s: %d acknowledged, %d lost, %d doubled or out of order", s.id, len(acked), n,
			len(s.wrong))
		s.mu.Unlock()
	}
}

// until waits until nothing is left, as long as it becomes less within a minute.
func (w *world) until(what string, left func() int) {
	end, least := time.Now().Add(time.Minute), 1<<62
	for n := left(); n > 0; n = left() {
		if n < least {
			end, least = time.Now().Add(time.Minute), n
		}
		if time.Now().After(end) {
			w.t.Errorf("%s: not at rest after a minute", what)
			return
		}
		<-time.After(20 * time.Millisecond)
	}
}
