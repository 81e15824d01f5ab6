//go:build unix

package storm

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// window is in which part of a run a message was sent.
type window int32

const (
	unmeasured window = iota
	calm              // without swaps
	stormy            // with swaps, one after the other
	windows
)

const (
	// openMax is how many messages of one publisher may wait for their PUBACK.
	openMax = 200
	// A publisher says again one message of so many, which is no news, and says one to a topic that
	// is not its own.
	repeatEvery, strayEvery = 20, 100
	beat                    = time.Millisecond
)

// publisher is one session that publishes to one topic. Its pacer owns it.
type publisher struct {
	*line
	raw          syscall.RawConn
	id           int
	topic, stray string

	seq     uint64 // messages with news
	repeats uint64
	strays  uint64
	packets uint64 // sent, all of them
	acked   uint64
	refused uint64
	over    bool // its connection ended
}

// open is how many packets wait for an acknowledgement.
func (p *publisher) open() uint64 { return p.packets - p.acked }

// pacer publishes for some publishers in turn, at a rate. It does not wait for what comes back:
// that is read when a publisher's turn comes.
type pacer struct {
	start time.Time
	book  *book
	pubs  []*publisher
	turn  int
	// rate is messages a second, of this pacer.
	rate *atomic.Int64
	now  *atomic.Int32 // the window
	sent *atomic.Int64 // messages with news, of all pacers
	// held counts turns at which a publisher had too many open.
	held *atomic.Int64
	stop chan struct{}

	out, text []byte
	in        [4096]byte
	got       int
	err       error
	look      func(fd uintptr) bool
}

func (c *pacer) run() {
	c.look = func(fd uintptr) bool {
		c.got, c.err = syscall.Read(int(fd), c.in[c.got:])
		return true
	}
	tick := time.NewTicker(beat)
	defer tick.Stop()
	last, due := time.Now(), 0.0
	for {
		select {
		case <-c.stop:
			return
		case <-tick.C:
		}
		now, rate := time.Now(), float64(c.rate.Load())
		// What a pacer that got no CPU for long is late with is never made up for.
		due = min(due+now.Sub(last).Seconds()*rate, rate/2+1)
		last = now
		for ; due >= 1; due-- {
			c.publish(c.pubs[c.turn%len(c.pubs)])
			c.turn++
		}
	}
}

// publish lets a publisher say its next message.
func (c *pacer) publish(p *publisher) {
	if c.settle(p); p.over {
		return
	}
	if p.open() >= openMax {
		c.held.Add(1)
		return
	}
	c.out = c.out[:0]
	c.text = p.appendText(c.text[:0], int64(time.Since(c.start)), window(c.now.Load()))
	c.say(p, p.topic)
	which := uint64(p.id) + p.seq
	p.seq++
	if which%repeatEvery == 0 {
		p.repeats++
		c.say(p, p.topic)
	}
	if which%strayEvery == 1 {
		p.strays++
		c.say(p, p.stray)
	}
	if _, err := p.conn.Write(c.out); err != nil {
		c.ended(p, err)
		return
	}
	c.sent.Add(1)
}

func (p *publisher) appendText(dst []byte, at int64, w window) []byte {
	dst = strconv.AppendInt(append(dst, `{"p":`...), int64(p.id), 10)
	dst = strconv.AppendUint(append(dst, `,"n":`...), p.seq, 10)
	dst = strconv.AppendInt(append(dst, `,"t":`...), at, 10)
	dst = strconv.AppendInt(append(dst, `,"w":`...), int64(w), 10)
	dst = strconv.AppendUint(append(dst, `,"c":`...), 200+p.seq%50, 10)
	return append(dst, '}')
}

// say appends the text as a PUBLISH.
func (c *pacer) say(p *publisher, topic string) {
	m := mqtt.Publish{QoS: mqtt.AtLeastOnce, PacketID: uint16(p.packets%65535 + 1),
		Topic: []byte(topic), Payload: c.text}
	c.out = m.Append(c.out, mqtt.V5)
	p.packets++
}

// settle reads what has come for a publisher.
func (c *pacer) settle(p *publisher) {
	if p.over {
		return
	}
	for p.open() > 0 {
		kept := copy(c.in[:], p.have)
		c.got = kept
		err := p.raw.Read(c.look)
		n := c.got
		switch {
		case err != nil:
		case errors.Is(c.err, syscall.EAGAIN) || errors.Is(c.err, syscall.EINTR):
			return
		case c.err != nil:
			err = c.err
		case n <= 0:
			err = io.EOF
		default:
			p.have = append(p.have[:0], c.in[:kept+n]...)
			err = c.acknowledged(p)
		}
		if err != nil {
			c.ended(p, err)
			return
		}
	}
}

// acknowledged counts acknowledgements, which must come in the order of the messages
// [MQTT-4.6.0-2].
func (c *pacer) acknowledged(p *publisher) error {
	for {
		frame, err := p.next()
		if err != nil || frame == nil {
			return err
		}
		var ack mqtt.Ack
		if mqtt.TypeOf(frame) != mqtt.PUBACK {
			return fmt.Errorf("%v came", mqtt.TypeOf(frame))
		}
		if err := ack.Decode(mqtt.V5, frame); err != nil {
			return err
		}
		if want := uint16(p.acked%65535 + 1); ack.PacketID != want {
			c.book.fault(other, 1, "publisher %d: PUBACK of %d came, not of %d", p.id, ack.PacketID,
				want)
		}
		p.acked++
		switch {
		case ack.Reason == mqtt.NotAuthorized:
			p.refused++
		case ack.Reason >= mqtt.UnspecifiedError:
			c.book.fault(other, 1, "publisher %d: PUBACK says %v", p.id, ack.Reason)
		}
	}
}

func (c *pacer) ended(p *publisher, err error) {
	p.over = true
	c.book.fault(disconnected, 1, "publisher %d was disconnected: %v", p.id, err)
}
