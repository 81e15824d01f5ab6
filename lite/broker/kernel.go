package broker

import (
	"github.com/hpmq/hpmq/sdk/mqtt"
	"github.com/hpmq/hpmq/sdk/topic"
)

// Kernel is one MQTT broker, or one of several that share the work. It is not safe for concurrent
// use: whoever owns it calls one method at a time, and the ports are called from inside these
// calls.
type Kernel struct {
	cfg   Config
	store Store
	peers Peers
	now   Time

	sessions  map[string]*session
	ghosts    map[string]*session // handed over, still forwarding (handover.go)
	subs      topic.Tree[*audience]
	home      map[string]PeerID     // whose session is where (claim.go)
	abroad    map[uint64]*audience  // filters that nobody here has, by peers (interest.go)
	moves     map[string][]claimant // who waits for a hand-over that is under way to end
	claims    map[string]int        // claims under way, by client id
	arrivals  map[string]*arrival   // hand-overs to this kernel under way
	conns     Conn                  // list head of all connections, in order of arrival
	timers    wheel[*Conn]
	absences  wheel[*session]
	asks      slab[ask]
	rng       rng
	seen      [PeersMax]uint64 // by peer, the number of its last message that came here
	seq       uint64           // of messages published here; names a message together with Self
	stats     Stats
	storms    storms
	groups    uint64   // publications kept with peers
	numbers   []uint32 // of sessions, free to be used again
	restored  restored
	doubts    map[*subscription]doubt
	newer     overtakes
	behind    behind
	carried   []carriedSub                    // scratch of Restore
	spare     *subscription                   // memory for the next one, or nil
	restoring bool                            // peers are told without asking for an answer
	untold    int                             // peers that have not said yet that they know
	numbered  uint32                          // sessions that got a number of their own
	listeners map[string]*standIn             // of restored sessions
	onEnd     func(who *Identity, why string) // or nil
	why       string                          // of the connection that is about to end
	onTrace   func(Traced)                    // or nil

	// Scratch of one call, kept to allocate nothing. fan is the state of the publication at work.
	in      mqtt.Publish
	out     mqtt.Publish
	msg     Message
	fan     fanout
	match   matcher
	enc     encoder
	outProp mqtt.Props
	up      []Message
	rt      []Message
	down    []Message
	buf     []byte
	prop    mqtt.Props
	wire    []byte
	from    string // publisher of the last message from a peer
}

// New makes a kernel. store nil keeps retained messages in the kernel itself; peers nil is alone.
// A bad cfg is a bug of the caller and panics: see Config.Validate.
func New(cfg Config, store Store, peers Peers) *Kernel {
	if peers == nil {
		cfg.Peers, cfg.Self = 1, 0
	}
	if err := cfg.Validate(); err != nil {
		panic(err)
	}
	if store == nil {
		store = &memory{}
		cfg.Durable = false
	}
	k := &Kernel{cfg: cfg, store: store, peers: peers, rng: rng(cfg.Seed)}
	// As many as the Store may have: to grow to a million takes seconds.
	room := min(int(cfg.Numbers)/cfg.Peers, cfg.SessionsMax)
	k.sessions = make(map[string]*session, room)
	k.ghosts = make(map[string]*session)
	k.home = make(map[string]PeerID)
	k.abroad = make(map[uint64]*audience)
	k.moves = make(map[string][]claimant)
	k.claims = make(map[string]int)
	k.arrivals = make(map[string]*arrival)
	k.listeners = make(map[string]*standIn)
	k.doubts = make(map[*subscription]doubt)
	k.conns.prev, k.conns.next = &k.conns, &k.conns
	k.start(0)
	return k
}

// at takes note of the time; a clock that went back is held still.
func (k *Kernel) at(now Time) {
	if k.now == 0 {
		k.start(now)
	}
	if now > k.now {
		k.now = now
	}
}

func (k *Kernel) start(now Time) {
	k.timers.start(now)
	k.absences.start(now)
}

// OnEnd sets what is called at the end of each connection, from inside the call that brings it
// about. who is borrowed until return; f must not call the kernel.
func (k *Kernel) OnEnd(f func(who *Identity, why string)) { k.onEnd = f }

// Tick fires the timers that are due. Call it every 100 ms.
func (k *Kernel) Tick(now Time) {
	k.at(now)
	k.timers.run(k, k.now)
	k.absences.run(k, k.now)
	if k.restored.begun {
		k.tallyOn()
	}
}

// Open takes in a new connection. l outlives it. The first packet must be CONNECT [MQTT-3.1.0-1].
func (k *Kernel) Open(now Time, l *Listener, address string, out Sink) *Conn {
	k.at(now)
	c := &Conn{out: out, lis: l, who: &Identity{Address: address, Listener: l.Name}}
	c.prev, c.next = k.conns.prev, &k.conns
	c.prev.next, c.next.prev = c, c
	k.stats.Connections++
	k.stats.ConnectionsTotal++
	k.timers.arm(&c.timer, c, k.now+l.Limits.ConnectTimeout)
	return c
}

// Packet takes in one whole control packet of c; frame is borrowed until return.
func (k *Kernel) Packet(now Time, c *Conn, frame []byte) {
	k.at(now)
	c.seen = k.now
	if c.state != connected {
		k.early(c, frame)
		return
	}
	k.stats.PacketsReceived++
	switch mqtt.TypeOf(frame) {
	case mqtt.PUBLISH:
		k.onPublish(c, frame)
	case mqtt.PUBACK, mqtt.PUBREC, mqtt.PUBREL, mqtt.PUBCOMP:
		k.onAck(c, frame)
	case mqtt.SUBSCRIBE:
		k.onSubscribe(c, frame)
	case mqtt.UNSUBSCRIBE:
		k.onUnsubscribe(c, frame)
	case mqtt.PINGREQ:
		k.onPing(c, frame)
	case mqtt.DISCONNECT:
		k.onDisconnect(c, frame)
	case mqtt.AUTH:
		k.onAuth(c, frame)
	default: // a second CONNECT [MQTT-3.1.0-2], or a packet only servers send
		k.disconnect(c, mqtt.ProtocolError)
	}
}

// Malformed ends c because its bytes were no packet: too large or with a bad length.
func (k *Kernel) Malformed(now Time, c *Conn, err *mqtt.Error) {
	k.at(now)
	k.fail(c, err)
}

// Closed takes note that the socket of c is gone without a DISCONNECT. It must not follow
// Sink.Close; if it does, nothing happens.
func (k *Kernel) Closed(now Time, c *Conn) {
	k.at(now)
	if c.state == closed {
		return
	}
	k.why = "the connection was lost"
	k.detach(c, true)
}

// Writable takes note that the slow connection c has room again.
func (k *Kernel) Writable(now Time, c *Conn) {
	k.at(now)
	if c.state == connected {
		k.pump(c.sess)
	}
}

// Publish sends m out in the name of the host (a component's own message, an operator's): it is not
// judged again. m is borrowed until return. l may be nil.
func (k *Kernel) Publish(now Time, l *Listener, m *Message) {
	k.at(now)
	k.begin(nil, 0)
	k.spread(m)
	k.end()
}

// Shutdown tells every connection why and closes it. Wills without a delay go out to those still
// connected [MQTT-3.1.2-8]; those with one stay with their sessions.
func (k *Kernel) Shutdown(now Time, r mqtt.ReasonCode) {
	k.at(now)
	for k.conns.next != &k.conns {
		k.disconnect(k.conns.next, r)
	}
}

// Kick ends the connection of a session of this kernel, false if there is none.
func (k *Kernel) Kick(now Time, clientID string, r mqtt.ReasonCode) bool {
	k.at(now)
	s := k.sessions[clientID]
	if s == nil || s.conn == nil {
		return false
	}
	k.disconnect(s.conn, r)
	return true
}

// rng is splitmix64: small, good enough for choices, and the same everywhere.
type rng uint64

func (r *rng) next() uint64 {
	*r += 0x9E3779B97F4A7C15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// hash is FNV-1a: it decides homes and sticky choices, so it must be the same in every kernel.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := 0; i < len(s); i++ {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}
