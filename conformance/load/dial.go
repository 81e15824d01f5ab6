package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// handshakeMax is how long a broker may take for CONNACK and SUBACK.
const handshakeMax = 30 * time.Second

// frameBytesMax bounds one packet from the broker.
const frameBytesMax = 16 << 20

// peer is one connection after CONNACK. It is used by one goroutine at a time, but for writes.
type peer struct {
	conn net.Conn
	v    mqtt.Version
	buf  []byte
	// have are the bytes of buf that were read and not yet taken.
	have []byte
	// receiveMax is how many QoS 1 and 2 messages the broker takes at once [MQTT-3.3.4-7].
	receiveMax int
}

// dial connects and waits for CONNACK. from is the local address, or nil.
func dial(ctx context.Context, cfg *Config, clientID string, from net.Addr) (*peer, error) {
	d := net.Dialer{LocalAddr: from, Timeout: handshakeMax, KeepAlive: -1}
	conn, err := d.DialContext(ctx, "tcp", cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("load: dial: %w", err)
	}
	if cfg.TLS {
		// Whoever measures knows the broker: its certificate is not looked at.
		secured := tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("load: handshake: %w", err), conn.Close())
		}
		conn = secured
	}
	p := &peer{conn: conn, v: cfg.Version, receiveMax: windowMax}
	if err := p.connect(cfg, clientID); err != nil {
		conn.Close()
		return nil, fmt.Errorf("load: connect %s: %w", clientID, err)
	}
	return p, nil
}

func (p *peer) connect(cfg *Config, clientID string) error {
	c := mqtt.Connect{Version: p.v, CleanStart: !cfg.Keep, ClientID: []byte(clientID),
		HasUsername: cfg.Username != "", Username: []byte(cfg.Username),
		HasPassword: cfg.Password != "", Password: []byte(cfg.Password)}
	if p.v == mqtt.V5 {
		c.Props = c.Props.AppendUint16(mqtt.ReceiveMaximum, windowMax)
		if cfg.Keep {
			c.Props = c.Props.AppendUint32(mqtt.SessionExpiryInterval, 1<<32-1)
		}
	}
	frame, err := p.ask(c.Append(nil), mqtt.CONNACK)
	if err != nil {
		return err
	}
	var ack mqtt.Connack
	if err := ack.Decode(p.v, frame); err != nil {
		return err
	}
	if ack.Reason != mqtt.Success {
		return fmt.Errorf("refused: %v", ack.Reason)
	}
	if n, ok := ack.Props.Uint16(mqtt.ReceiveMaximum); ok {
		p.receiveMax = int(n)
	}
	return nil
}

func (p *peer) subscribe(filter string, qos mqtt.QoS) error {
	list := []mqtt.Subscription{{Filter: []byte(filter), QoS: qos}}
	frame, err := p.ask(mqtt.AppendSubscribe(nil, p.v, 1, nil, list), mqtt.SUBACK)
	if err != nil {
		return fmt.Errorf("load: subscribe: %w", err)
	}
	var ack mqtt.Suback
	if err := ack.Decode(p.v, frame); err != nil {
		return fmt.Errorf("load: subscribe: %w", err)
	}
	if len(ack.Reasons) != 1 || ack.Reasons[0] != mqtt.ReasonCode(qos) {
		return fmt.Errorf("load: subscribe: answered %v", ack.Reasons)
	}
	return nil
}

// ask writes a packet and waits for the first one of type want.
func (p *peer) ask(packet []byte, want mqtt.Type) ([]byte, error) {
	if err := p.conn.SetDeadline(time.Now().Add(handshakeMax)); err != nil {
		return nil, err
	}
	if _, err := p.conn.Write(packet); err != nil {
		return nil, err
	}
	for {
		frame, err := p.next()
		if err != nil {
			return nil, err
		}
		if frame == nil {
			err = p.fill()
		}
		if err != nil {
			return nil, err
		}
		if frame != nil && mqtt.TypeOf(frame) == want {
			return frame, p.conn.SetDeadline(time.Time{})
		}
	}
}

// next takes one whole packet out of what was read, nil if there is none. It holds until fill.
func (p *peer) next() ([]byte, error) {
	n, err := mqtt.Frame(p.have, frameBytesMax)
	if err != nil || n == 0 {
		return nil, err
	}
	frame := p.have[:n]
	p.have = p.have[n:]
	return frame, nil
}

// readBytes is the size of a connection's buffer: small while it is idle, large once it has filled
// it.
const (
	readBytesMin = 512
	readBytesMax = 256 << 10
)

// fill blocks for more bytes. The buffer grows when one read filled it, up to readBytesMax, beyond
// that only for a packet that needs it.
func (p *peer) fill() error {
	if len(p.have) == len(p.buf) {
		if len(p.have) >= frameBytesMax {
			return errors.New("load: packet too large")
		}
		p.grow()
	}
	kept := copy(p.buf, p.have)
	n, err := p.conn.Read(p.buf[kept:])
	p.have = p.buf[:kept+n]
	if n > 0 {
		err = nil
	}
	if kept+n == len(p.buf) && len(p.buf) < readBytesMax {
		p.grow()
	}
	return err
}

func (p *peer) grow() {
	buf := make([]byte, max(readBytesMin, 4*len(p.buf)))
	p.have = buf[:copy(buf, p.have)]
	p.buf = buf
}
