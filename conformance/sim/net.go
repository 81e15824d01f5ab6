package sim

import (
	"slices"

	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// link carries frames from one kernel to another, whole and in order, each with a delay of its own.
type link struct {
	last broker.Time // when the frame before arrives
	slow int         // the longest delay
}

func newLinks(w *world, from, n int) []*link {
	list := make([]*link, n)
	for to := range list {
		if to != from {
			list[to] = &link{slow: 1 + w.rnd.IntN(40)}
		}
	}
	return list
}

// peers is the way out of one kernel to the others.
type peers struct {
	w    *world
	self int
}

// Send implements broker.Peers.
func (p peers) Send(to broker.PeerID, frame []byte) {
	w, l := p.w, p.w.links[p.self][to]
	if w.cfg.LoseFrame > 0 && w.often(w.cfg.LoseFrame) {
		return
	}
	b, gen := slices.Clone(frame), w.gen
	l.last = max(l.last, w.now+w.upTo(l.slow))
	w.after(l.last-w.now, func() {
		if gen != w.gen {
			return
		}
		w.trace("kernel %d tells kernel %d: %.40q", p.self, to, b)
		w.kernels[to].Peer(w.now, broker.PeerID(p.self), b)
		scribble(b)
	})
}

// scribble spoils bytes that were only lent, so that whoever kept them is found.
func scribble(b []byte) {
	for i := range b {
		b[i] = 0xdd
	}
}

// socket is one connection: two ways of bytes, each in order, that may break at any byte.
type socket struct {
	w      *world
	client *client
	kernel *broker.Kernel
	conn   *broker.Conn
	cut    bool // bytes under way are lost, the client knows
	over   bool // the kernel knows: it closed, or was told
	slow   int
	up     broker.Time // when the last bytes of the client arrive
	down   broker.Time
	inUp   []byte // arrived, not a whole packet yet
	inDown []byte
	queued int // bytes under way to the client
	room   int
	epoch  int  // of the session it is for
	full   bool // the kernel was told of no room
}

func (w *world) dial(c *client, loop int) *socket {
	s := &socket{w: w, client: c, kernel: w.kernels[loop], slow: 1 + w.rnd.IntN(20)}
	s.epoch = c.epoch
	s.room = 1 << 20
	if w.often(3) {
		s.room = 100 + w.rnd.IntN(400)
	}
	s.conn = s.kernel.Open(w.now, w.lis, "198.51.100.1", s)
	w.sockets = append(w.sockets, s)
	return s
}

// send writes bytes of the client. They arrive in one piece or two.
func (s *socket) send(p []byte) {
	if len(p) > 1 && s.w.often(4) {
		at := 1 + s.w.rnd.IntN(len(p)-1)
		s.sendPiece(p[:at])
		p = p[at:]
	}
	s.sendPiece(p)
}

func (s *socket) sendPiece(p []byte) {
	b := slices.Clone(p)
	s.up = max(s.up, s.w.now+s.w.upTo(s.slow))
	s.w.after(s.up-s.w.now, func() {
		if !s.cut && !s.over {
			s.arriveUp(b)
		}
	})
}

func (s *socket) arriveUp(b []byte) {
	s.inUp = append(s.inUp, b...)
	for !s.over {
		n, err := mqtt.Frame(s.inUp, s.w.lis.Limits.PacketBytesMax)
		if err != nil {
			s.w.fail("%s sent no packet: %v", s.client.id, err)
			return
		}
		if n == 0 {
			return
		}
		packet := slices.Clone(s.inUp[:n])
		s.inUp = s.inUp[n:]
		s.w.current = nil
		if mqtt.TypeOf(packet) == mqtt.PUBLISH {
			s.w.current = s.w.message(packet)
		}
		s.kernel.Packet(s.w.now, s.conn, packet)
		scribble(packet)
	}
}

// Write implements broker.Sink.
func (s *socket) Write(p []byte) {
	if s.over {
		s.w.fail("%s: written after the end", s.client.id)
	}
	b := slices.Clone(p)
	if mqtt.TypeOf(b) == mqtt.PUBLISH && b[0]&6 == 4 {
		s.w.begun(b, func() bool { return s.epoch != s.client.epoch })
	}
	s.queued += len(b)
	s.down = max(s.down, s.w.now+s.w.upTo(s.slow))
	s.w.after(s.down-s.w.now, func() { s.arriveDown(b) })
}

// Room implements broker.Sink.
func (s *socket) Room() int {
	r := s.room - s.queued
	s.full = s.full || r <= 0
	return r
}

// Held implements broker.Sink.
func (s *socket) Held() int64 { return 0 }

// Close implements broker.Sink.
func (s *socket) Close() {
	if s.over {
		s.w.fail("%s: closed after the end", s.client.id)
	}
	s.over = true
	s.down = max(s.down, s.w.now+s.w.upTo(s.slow))
	s.w.after(s.down-s.w.now, func() {
		if !s.cut {
			s.cut = true
			s.client.closed(s)
		}
	})
}

func (s *socket) arriveDown(b []byte) {
	if s.cut {
		return
	}
	s.queued -= len(b)
	s.inDown = append(s.inDown, b...)
	for !s.cut {
		n, err := mqtt.Frame(s.inDown, 1<<28)
		if err != nil {
			s.w.fail("%s was sent no packet: %v", s.client.id, err)
			return
		}
		if n == 0 {
			break
		}
		packet := s.inDown[:n]
		s.inDown = s.inDown[n:]
		s.client.packet(s, packet)
	}
	if s.full && s.queued < s.room && !s.over && !s.cut {
		s.full = false
		s.kernel.Writable(s.w.now, s.conn)
	}
}

// breakOff ends the connection for the client. The kernel learns of it later, or not at all.
func (s *socket) breakOff() {
	if s.cut {
		return
	}
	s.cut = true
	wait := s.w.upTo(60)
	if s.w.often(5) && !s.w.calm {
		wait = 1000 + s.w.upTo(2000) // half open for a while
	}
	s.w.after(wait, func() {
		if !s.over {
			s.over = true
			s.kernel.Closed(s.w.now, s.conn)
		}
	})
}
