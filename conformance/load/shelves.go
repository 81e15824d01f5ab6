package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// settle leaves a session that wants its topic.
func (s *storing) settle(ctx context.Context, i int) error {
	p, err := s.session(ctx, i)
	if err != nil {
		return err
	}
	err = p.subscribe(s.topic(i), mqtt.AtLeastOnce)
	return errors.Join(err, p.conn.Close())
}

func (s *storing) session(ctx context.Context, i int) (*peer, error) {
	return dial(ctx, &s.cfg.Config, fmt.Sprintf("%s-s%d", s.run, i), nil)
}

func (s *storing) topic(i int) string { return fmt.Sprintf("%s/%d", s.run, i) }

// pour publishes what publisher p has to, a window at a time.
func (s *storing) pour(ctx context.Context, p int, h *Histogram) error {
	c := s.cfg.Config
	c.Keep = false
	conn, err := dial(ctx, &c, fmt.Sprintf("%s-p%d", s.run, p), nil)
	if err != nil {
		return err
	}
	defer conn.conn.Close()
	topics := make([][]byte, s.cfg.Sessions)
	for i := range topics {
		topics[i] = []byte(s.topic(i))
	}
	x := &pouring{storing: s, peer: conn, p: p, sent: make([]atomic.Int64, 65536)}
	x.count, x.each = s.cfg.Sessions*s.cfg.Rounds, s.cfg.Sessions
	x.topic = func(i int) []byte { return topics[(i+p)%len(topics)] }
	return x.run(ctx, h)
}

// run writes and reads until all is acknowledged.
func (x *pouring) run(ctx context.Context, h *Histogram) error {
	conn := x.peer.conn
	x.window = make(chan struct{}, min(x.cfg.Window, x.receiveMax))
	wrote := make(chan error, 1)
	go func() { wrote <- x.write(ctx) }()
	err := x.read(ctx, h)
	if err != nil {
		conn.Close()
	}
	return errors.Join(err, <-wrote)
}

// pouring is one publisher.
type pouring struct {
	*storing
	*peer
	p      int
	count  int
	each   int // messages of one round
	topic  func(i int) []byte
	retain bool
	sent   []atomic.Int64 // when, by packet identifier
	window chan struct{}
}

// write sends as far as the window is open.
func (x *pouring) write(ctx context.Context) error {
	payload := make([]byte, x.cfg.PayloadBytes)
	batch := make([]byte, 0, batchBytesMax)
	for i := range x.count {
		select {
		case x.window <- struct{}{}:
		default:
			if _, err := x.conn.Write(batch); err != nil {
				return fmt.Errorf("load: publish: %w", err)
			}
			batch = batch[:0]
			select {
			case x.window <- struct{}{}:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		id, now := uint16(i%65535+1), x.clock.now()
		x.sent[id].Store(now)
		putStamp(payload, stamp{uint32(x.p), uint64(i / x.each), now})
		m := mqtt.Publish{QoS: mqtt.AtLeastOnce, PacketID: id, Payload: payload,
			Topic: x.topic(i), Retain: x.retain}
		batch = m.Append(batch, x.v)
		if len(batch) >= batchBytesMax/2 {
			if _, err := x.conn.Write(batch); err != nil {
				return fmt.Errorf("load: publish: %w", err)
			}
			batch = batch[:0]
		}
	}
	_, err := x.conn.Write(batch)
	return err
}

// read takes all acknowledgements.
func (x *pouring) read(ctx context.Context, h *Histogram) error {
	for n := 0; n < x.count; {
		frame, err := x.next()
		if err != nil {
			return err
		}
		if frame == nil {
			if err := x.fill(); err != nil {
				return fmt.Errorf("load: acknowledgements: %w", err)
			}
			continue
		}
		var ack mqtt.Ack
		if err := ack.Decode(x.v, frame); err != nil || ack.Type != mqtt.PUBACK {
			return fmt.Errorf("load: a publisher got packet %x", frame[0])
		}
		if ack.Reason >= mqtt.UnspecifiedError {
			return fmt.Errorf("load: a message was refused: %v", ack.Reason)
		}
		h.Add(x.clock.now() - x.sent[ack.PacketID].Load())
		n++
		select {
		case <-x.window:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// fetch takes what waits for session i until all is there, or nothing came for long.
func (s *storing) fetch(ctx context.Context, i int) error {
	p, err := s.session(ctx, i)
	if err != nil {
		return err
	}
	defer p.conn.Close()
	x, want := &s.shelf[i], s.cfg.Rounds*s.cfg.Publishers
	var out []byte
	for x.got < want {
		frame, err := p.next()
		if err != nil {
			return err
		}
		if frame != nil {
			out = s.take(x, p, frame, out)
			continue
		}
		if len(out) > 0 {
			if _, err := p.conn.Write(out); err != nil {
				return fmt.Errorf("load: acknowledge: %w", err)
			}
			out = out[:0]
		}
		if err := p.wait(time.Second); err != nil {
			return fmt.Errorf("load: receive: %w", err)
		}
		quiet := time.Duration(s.clock.now() - s.last.Load())
		if quiet > s.cfg.Patience || ctx.Err() != nil {
			return ctx.Err()
		}
	}
	_, err = p.conn.Write(out)
	return err
}

// wait is fill that gives up after d without an error.
func (p *peer) wait(d time.Duration) error {
	if err := p.conn.SetReadDeadline(time.Now().Add(d)); err != nil {
		return err
	}
	err := p.fill()
	var timeout net.Error
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		return nil
	}
	return err
}

// take counts a message, and appends its acknowledgement to out.
func (s *storing) take(x *shelf, p *peer, frame, out []byte) []byte {
	st, ok, out := p.taken(frame, out)
	if !ok || int(st.publisher) >= len(x.tracks) {
		return out
	}
	s.last.Store(s.clock.now())
	t := &x.tracks[st.publisher]
	before := t.unique
	t.see(st.seq)
	x.got += int(t.unique - before)
	return out
}

// taken answers the stamp of a message, and appends its acknowledgement to out.
func (p *peer) taken(frame, out []byte) (stamp, bool, []byte) {
	var m mqtt.Publish
	if mqtt.TypeOf(frame) != mqtt.PUBLISH || m.Decode(p.v, frame) != nil {
		return stamp{}, false, out
	}
	if m.QoS > 0 {
		ack := mqtt.Ack{Type: mqtt.PUBACK, PacketID: m.PacketID}
		out = ack.Append(out, p.v)
	}
	st, ok := readStamp(m.Payload)
	return st, ok, out
}

// syncs asks the broker how often it waited for its device, -1 if it does not tell. It tells once a
// second at most: the answer is of a moment after the question.
func (s *storing) syncs(ctx context.Context) int64 {
	c := s.cfg.Config
	c.Keep = false
	p, err := dial(ctx, &c, s.run+"-sys", nil)
	if err != nil {
		return -1
	}
	defer p.conn.Close()
	list := []mqtt.Subscription{{Filter: []byte("$SYS/broker/uptime")},
		{Filter: []byte("$SYS/broker/store/syncs")}}
	if _, err := p.conn.Write(mqtt.AppendSubscribe(nil, p.v, 1, nil, list)); err != nil {
		return -1
	}
	return p.told()
}

// told reads the last number of syncs before the second uptime that follows.
func (p *peer) told() int64 {
	count, uptimes := int64(-1), 0
	for until := time.Now().Add(3 * time.Second); time.Now().Before(until) && uptimes < 3; {
		frame, err := p.next()
		if err == nil && frame == nil {
			err = p.wait(time.Second)
		}
		if err != nil {
			return -1
		}
		var m mqtt.Publish
		if frame == nil || mqtt.TypeOf(frame) != mqtt.PUBLISH || m.Decode(p.v, frame) != nil {
			continue
		}
		if string(m.Topic) == "$SYS/broker/uptime" {
			uptimes++
			continue
		}
		if n, err := strconv.ParseInt(string(m.Payload), 10, 64); err == nil {
			count = n
		}
	}
	return count
}
