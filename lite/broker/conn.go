package broker

import (
	"errors"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

type connState uint8

const (
	fresh          connState = iota // no CONNECT yet
	authenticating                  // CONNECT came, an answer or an AUTH is awaited
	claiming                        // let in, the session is on its way
	admitting                       // has its session, which is not in the Store yet
	connected                       // CONNACK went out
	closed
)

// Conn is one connection as the kernel sees it. It belongs to the kernel from Open until Sink.Close
// or Closed.
type Conn struct {
	out       Sink
	lis       *Listener
	sess      *session
	who       *Identity
	seen      Time
	timer     timer[*Conn]
	rare      *rare  // nil for most
	hello     *hello // what CONNECT said, until CONNACK
	prev      *Conn
	next      *Conn
	keep      uint32 // 0 or one and a half times the keep alive in ms [MQTT-3.1.2-22]
	packetMax uint32 // 0 is no limit
	unacked   uint16 // QoS 1 and 2 messages received and not yet fully acknowledged
	sendMax   uint16
	aliasMax  uint16
	state     connState
	version   mqtt.Version
}

// rare is what few connections have, apart so that the many are small.
type rare struct {
	acks      ackLine
	aliasIn   [][]byte // by alias - 1
	aliasOut  map[string]uint16
	authUntil Time   // 0 or when the client must have authenticated again
	method    string // of enhanced authentication
}

// more answers c.rare, made if it is not there.
func (c *Conn) more() *rare {
	if c.rare == nil {
		c.rare = &rare{}
	}
	return c.rare
}

// method is the Authentication Method of c, or "".
func (c *Conn) method() string {
	if c.rare == nil {
		return ""
	}
	return c.rare.method
}

// authUntil is when the client must have authenticated again, 0 for never.
func (c *Conn) authUntil() Time {
	if c.rare == nil {
		return 0
	}
	return c.rare.authUntil
}

// SetCertificateSubject tells who the verified certificate of the connection names. Before CONNECT.
func (c *Conn) SetCertificateSubject(subject string) {
	if c.hello == nil {
		c.hello = &hello{}
	}
	c.hello.subject = subject
}

// due is called when the connection's timer fires: no CONNECT in time, keep alive, authentication.
func (c *Conn) due(k *Kernel) {
	switch {
	case c.state == closed:
	case c.state != connected:
		k.disconnect(c, mqtt.NotAuthorized)
	case c.authUntil() != 0 && k.now >= c.authUntil():
		k.disconnect(c, mqtt.NotAuthorized)
	case c.keep != 0 && k.now >= c.heard()+Time(c.keep):
		k.disconnect(c, mqtt.KeepAliveTimeout)
	default:
		c.sess.work.shrink()
		k.watch(c)
	}
}

// heard is when c last said something or could not be heard: the PINGREQ of a client whose input is
// held back waits behind it.
func (c *Conn) heard() Time { return max(c.seen, Time(c.out.Held())) }

// watch arms the timer of c for the earliest of its deadlines. The keep alive is not re-armed at
// each packet: the timer looks at c.heard when it fires.
func (k *Kernel) watch(c *Conn) {
	at := Time(0)
	if c.keep != 0 {
		at = c.heard() + Time(c.keep)
	}
	if until := c.authUntil(); until != 0 && (at == 0 || until < at) {
		at = until
	}
	if at == 0 {
		k.timers.disarm(&c.timer)
		return
	}
	k.timers.arm(&c.timer, c, at)
}

// early handles packets before CONNACK. A client may send on without waiting for it
// [MQTT-3.1.4-6]; such packets are held, within a limit, and handled after it.
func (k *Kernel) early(c *Conn, frame []byte) {
	t := mqtt.TypeOf(frame)
	switch {
	case c.state == closed:
	case c.state == fresh && t == mqtt.CONNECT:
		k.onConnect(c, frame)
	case c.state == fresh:
		k.close(c) // the first packet was not CONNECT [MQTT-3.1.0-1]: no answer
	case t == mqtt.CONNECT:
		k.disconnect(c, mqtt.ProtocolError)
	case c.state == authenticating && t == mqtt.AUTH:
		k.onAuth(c, frame)
	case c.state == authenticating && c.method() != "" && t != mqtt.DISCONNECT:
		k.disconnect(c, mqtt.ProtocolError) // [MQTT-3.1.2-30]
	case len(c.hello.held)+len(frame) > k.cfg.HeldBytesMax:
		k.disconnect(c, mqtt.QuotaExceeded)
	default:
		c.hello.held = append(c.hello.held, frame...)
	}
}

// write sends one packet that the kernel encoded into k.buf. An MQTT 5 client is sent none above
// its Maximum Packet Size [MQTT-3.1.2-24].
func (k *Kernel) write(c *Conn, frame []byte) {
	k.buf = frame[:0]
	if c.packetMax != 0 && uint32(len(frame)) > c.packetMax {
		k.stats.DroppedSize++
		k.close(c) // it waits for an answer that it cannot be given
		return
	}
	c.out.Write(frame)
}

// fail ends c because a packet of it was wrong.
func (k *Kernel) fail(c *Conn, err error) {
	var e *mqtt.Error
	if errors.As(err, &e) {
		k.disconnect(c, e.Reason)
		return
	}
	k.disconnect(c, mqtt.MalformedPacket)
}

// disconnect tells the client why, where its version and state have a packet for it, and closes.
// [MQTT-4.13.1-1] [MQTT-4.13.2-1]
func (k *Kernel) disconnect(c *Conn, r mqtt.ReasonCode) {
	if c.state == closed {
		return
	}
	k.why = r.String()
	switch {
	case c.state == connected && c.version == mqtt.V5:
		d := mqtt.Disconnect{Reason: r}
		k.write(c, d.Append(k.buf[:0], c.version))
	case c.state == admitting && r == mqtt.SessionTakenOver:
		k.connack(c, c.hello, c.hello.present) // it was let in, and out again
		if c.version == mqtt.V5 && c.state != closed {
			d := mqtt.Disconnect{Reason: r}
			k.write(c, d.Append(k.buf[:0], c.version))
		}
	case c.state == authenticating || c.state == claiming || c.state == admitting:
		k.refuse(c, r)
	}
	k.close(c)
}

// refuse sends the CONNACK of a connection that is not let in.
func (k *Kernel) refuse(c *Conn, r mqtt.ReasonCode) {
	a := mqtt.Connack{Reason: r}
	if c.version != mqtt.V5 && (r == mqtt.MalformedPacket || r == mqtt.ProtocolError) {
		return // 3.1.1 closes without CONNACK [MQTT-3.1.4-1] [MQTT-3.2.2-6]
	}
	k.write(c, a.Append(k.buf[:0], c.version))
}

// close closes the socket from our side, with what that means for session and will.
func (k *Kernel) close(c *Conn) {
	if c.state == closed {
		return
	}
	out := c.out
	if k.why == "" {
		k.why = "no answer fits"
	}
	k.detach(c, true)
	out.Close()
}

// detach parts connection and session. abnormal is any end but a DISCONNECT that drops the will.
func (k *Kernel) detach(c *Conn, abnormal bool) {
	s := c.sess
	was := c.state
	c.state = closed
	if k.onEnd != nil {
		k.onEnd(c.who, k.why)
	}
	k.why = ""
	if p := c.lis.Presence; p != nil && was == connected {
		p.Went(c.who)
	}
	k.timers.disarm(&c.timer)
	c.prev.next, c.next.prev = c.next, c.prev
	c.hello, c.sess, c.rare = nil, nil, nil // the socket may linger
	k.stats.Connections--
	if s != nil {
		k.stats.SessionsConnected--
	}
	if s == nil || s.conn != c {
		return
	}
	s.conn = nil
	k.dropLoose(s)
	s.spill()
	s.work.shrink()
	k.countShares(s)
	k.parted(s, abnormal)
}

func (k *Kernel) onPing(c *Conn, frame []byte) {
	var p mqtt.Ping
	if err := p.Decode(c.version, frame); err != nil {
		k.fail(c, err)
		return
	}
	p.Type = mqtt.PINGRESP
	k.write(c, p.Append(k.buf[:0], c.version)) // [MQTT-3.12.4-1]
}

func (k *Kernel) onDisconnect(c *Conn, frame []byte) {
	var d mqtt.Disconnect
	if err := d.Decode(c.version, frame); err != nil {
		k.fail(c, err)
		return
	}
	if exp, ok := d.Props.Uint32(mqtt.SessionExpiryInterval); ok {
		if c.sess.expiry == 0 && exp != 0 {
			k.disconnect(c, mqtt.ProtocolError) // [MQTT-3.14.2-2]
			return
		}
		c.sess.expiry = min(exp, c.lis.Limits.SessionExpiryMax)
	}
	withWill := d.Reason != mqtt.Success
	if !withWill {
		c.sess.will = nil // [MQTT-3.14.4-3]; any other reason publishes it (3.1.2.5)
	}
	out := c.out
	k.why = "the client disconnected"
	k.detach(c, withWill)
	out.Close()
}
