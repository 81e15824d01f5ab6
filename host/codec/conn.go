package codec

import (
	"errors"
	"fmt"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// Bounds of one connection.
const (
	// UnfinishedBytesMax is how many bytes may come that say nothing by themselves.
	UnfinishedBytesMax = 64 << 10
	// WaitingMax is how many requests may wait for their answers, and how many deliveries for
	// the client's word.
	WaitingMax = 16 << 10
)

// windowBytes is how much input a guest is shown first: who answers line by line is not given all
// of a large read for each.
const windowBytes = 4 << 10

// Errors of a Conn. They end the connection.
var (
	ErrUnfinished = errors.New("codec: too many bytes that say nothing")
	ErrWaiting    = errors.New("codec: too much waits for answers")
	ErrClosed     = errors.New("codec: closed by the codec")
	errAnswer     = errors.New("codec: the kernel's answer cannot be told")
)

// asked is a request of the client that the kernel has not answered.
type asked struct {
	kind RequestKind
	id   uint32
}

// Conn is one connection. One goroutine at a time uses it.
type Conn struct {
	guest Guest
	words *Words
	state []byte
	// asked is by packet identifier; last is the one that was used last.
	asked map[uint16]asked
	last  uint16
	// untold are the deliveries by packet identifier of which the client has not said that it has
	// them.
	untold map[uint16]mqtt.QoS
	// clientID and keepAlive are as the client wants them, until the kernel has answered.
	clientID  []byte
	keepAlive uint16
}

// Words are the answers of a Guest, lent to one call at a time: all connections of a loop share
// them.
type Words struct {
	decoded Decoded
	event   Event
	encoded Encoded
}

// New is a connection that has said nothing.
func New(g Guest, w *Words) *Conn { return &Conn{guest: g, words: w} }

// In reads what the client sent. raw, borrowed until return, begins with what the last In left;
// used is how much of it was read now. In appends to up packets of MQTT for the kernel, and to down
// bytes for the client that follow what the kernel answers at once. After an error, which comes
// with both, the connection ends.
func (c *Conn) In(now int64, raw []byte, up, down *[]byte) (used int, err error) {
	d := &c.words.decoded
	shown := 0
	for n := windowBytes; ; n *= 2 {
		shown = min(n, len(raw), UnfinishedBytesMax)
		*d = Decoded{Requests: d.Requests[:0]}
		if err := c.guest.Decode(now, c.state, raw[:shown], d); err != nil {
			return 0, err
		}
		if shown == n && shown < UnfinishedBytesMax && d.nothing() {
			continue
		}
		break
	}
	c.keep(d.HasState, d.State)
	*down = append(*down, d.Output...)
	for i := range d.Requests {
		if err := c.request(&d.Requests[i], up); err != nil {
			return d.Consumed, err
		}
	}
	switch {
	case d.Close:
		return d.Consumed, fmt.Errorf("%w: %s", ErrClosed, d.Reason)
	case shown == UnfinishedBytesMax && d.Consumed == 0:
		return 0, ErrUnfinished
	}
	return d.Consumed, nil
}

// nothing is true if the bytes said nothing yet.
func (d *Decoded) nothing() bool {
	return d.Consumed == 0 && !d.HasState && !d.Close && len(d.Requests) == 0 && len(d.Output) == 0
}

func (c *Conn) keep(has bool, state []byte) {
	if has {
		c.state = append(c.state[:0], state...)
	}
}

// request appends r as a packet to up.
func (c *Conn) request(r *Request, up *[]byte) error {
	switch r.Kind {
	case Connect:
		*up = c.connect(&r.Connection).Append(*up)
	case Publish:
		p := mqtt.Publish{
			QoS: r.Message.QoS, Retain: r.Message.Retain, Topic: r.Message.Topic,
			Payload: r.Message.Payload,
		}
		if p.QoS > mqtt.AtMostOnce {
			if p.PacketID = c.ask(r); p.PacketID == 0 {
				return ErrWaiting
			}
		}
		*up = p.Append(*up, mqtt.V5)
	case Subscribe, Unsubscribe:
		id := c.ask(r)
		if id == 0 {
			return ErrWaiting
		}
		if r.Kind == Unsubscribe {
			*up = mqtt.AppendUnsubscribe(*up, mqtt.V5, id, nil, [][]byte{r.Filter})
			break
		}
		*up = mqtt.AppendSubscribe(*up, mqtt.V5, id, nil,
			[]mqtt.Subscription{{Filter: r.Filter, QoS: r.QoS}})
	case Received:
		c.received(r.ID, up)
	case Ping:
		p := mqtt.Ping{Type: mqtt.PINGREQ}
		*up = p.Append(*up, mqtt.V5)
	case Disconnect:
		p := mqtt.Disconnect{Reason: mqtt.NormalDisconnection}
		*up = p.Append(*up, mqtt.V5)
	}
	return nil
}

func (c *Conn) connect(v *Connection) *mqtt.Connect {
	c.clientID, c.keepAlive = append(c.clientID[:0], v.ClientID...), v.KeepAlive
	p := &mqtt.Connect{
		Version: mqtt.V5, CleanStart: v.CleanStart, KeepAlive: v.KeepAlive, ClientID: v.ClientID,
		HasUsername: v.HasUsername, Username: v.Username,
		HasPassword: v.HasPassword, Password: v.Password, HasWill: v.HasWill,
	}
	if v.SessionExpiry > 0 {
		p.Props = p.Props.AppendUint32(mqtt.SessionExpiryInterval, v.SessionExpiry)
	}
	if v.HasWill {
		p.Will = mqtt.Will{
			Topic: v.Will.Topic, Payload: v.Will.Payload, QoS: v.Will.QoS, Retain: v.Will.Retain,
		}
	}
	return p
}

// ask answers a packet identifier for r, 0 if too much waits.
func (c *Conn) ask(r *Request) uint16 {
	if len(c.asked) >= WaitingMax {
		return 0
	}
	if c.asked == nil {
		c.asked = make(map[uint16]asked)
	}
	for {
		c.last++
		if _, taken := c.asked[c.last]; !taken && c.last != 0 {
			c.asked[c.last] = asked{r.Kind, r.ID}
			return c.last
		}
	}
}

// received tells the kernel that the client has a delivery. One that is not known is left alone:
// the client may say it twice.
func (c *Conn) received(id uint32, up *[]byte) {
	q, ok := c.untold[uint16(id)]
	if id > 0xFFFF || !ok {
		return
	}
	delete(c.untold, uint16(id))
	c.confirm(uint16(id), q, up)
}

func (c *Conn) confirm(id uint16, q mqtt.QoS, up *[]byte) {
	a := mqtt.Ack{Type: mqtt.PUBACK, PacketID: id}
	if q == mqtt.ExactlyOnce {
		a.Type = mqtt.PUBREC
	}
	*up = a.Append(*up, mqtt.V5)
}
