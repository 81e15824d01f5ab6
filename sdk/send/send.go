// Package send publishes messages to a broker, one after the other, as a small client of MQTT 5. It
// does not know how a connection is made.
package send

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

const (
	version       = mqtt.V5
	frameBytesMax = 1 << 20 // of an answer
	answerTimeout = 30 * time.Second
)

// Config says who sends.
type Config struct {
	ClientID           string
	Username, Password string
}

// RefusedError is a broker that does not let a client in, or does not take a message.
type RefusedError struct {
	What   string
	Reason mqtt.ReasonCode
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("send: %s is refused: %v", e.What, e.Reason)
}

// Sender is a connection. It belongs to one goroutine.
type Sender struct {
	conn net.Conn
	ctx  context.Context
	have []byte
	used int
	id   uint16
	most mqtt.QoS
	stop func() bool
}

// Open takes conn, which is the Sender's from now on. The end of ctx ends the Sender.
func Open(ctx context.Context, conn net.Conn, cfg Config) (*Sender, error) {
	s := &Sender{conn: conn, ctx: ctx, most: mqtt.ExactlyOnce}
	s.stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
	if err := s.enter(cfg); err != nil {
		s.stop()
		_ = conn.Close()
		return nil, s.why(err)
	}
	return s, nil
}

func (s *Sender) enter(cfg Config) error {
	hello := mqtt.Connect{
		Version: version, CleanStart: true, ClientID: []byte(cfg.ClientID),
		HasUsername: cfg.Username != "", Username: []byte(cfg.Username),
		HasPassword: cfg.Password != "", Password: []byte(cfg.Password),
	}
	if _, err := s.conn.Write(hello.Append(nil)); err != nil {
		return err
	}
	frame, err := s.next()
	if err != nil {
		return err
	}
	var ack mqtt.Connack
	if err := ack.Decode(version, frame); err != nil {
		return err
	}
	if ack.Reason.Failed() {
		return &RefusedError{"the connection", ack.Reason}
	}
	if q, ok := ack.Props.Byte(mqtt.MaximumQoS); ok {
		s.most = mqtt.QoS(q)
	}
	return nil
}

// Publish sends m and waits until the broker has it, as its QoS says, or the highest that the
// broker takes. A message that nobody wants is taken too. m is borrowed until return.
func (s *Sender) Publish(m *mqtt.Publish) error {
	p := *m
	p.QoS = min(p.QoS, s.most)
	if p.QoS > mqtt.AtMostOnce {
		if s.id++; s.id == 0 {
			s.id = 1
		}
		p.PacketID = s.id
	}
	if _, err := s.conn.Write(p.Append(nil, version)); err != nil {
		return s.why(err)
	}
	if p.QoS == mqtt.AtMostOnce {
		return nil
	}
	wait := mqtt.PUBACK
	if p.QoS == mqtt.ExactlyOnce {
		wait = mqtt.PUBREC
	}
	if err := s.await(wait, string(p.Topic)); err != nil || wait == mqtt.PUBACK {
		return err
	}
	release := mqtt.Ack{Type: mqtt.PUBREL, PacketID: s.id}
	if _, err := s.conn.Write(release.Append(nil, version)); err != nil {
		return s.why(err)
	}
	return s.await(mqtt.PUBCOMP, string(p.Topic))
}

// await reads the answer of a kind to what was sent last.
func (s *Sender) await(kind mqtt.Type, topic string) error {
	for {
		frame, err := s.next()
		if err != nil {
			return s.why(err)
		}
		if mqtt.TypeOf(frame) != kind {
			continue
		}
		var ack mqtt.Ack
		if err := ack.Decode(version, frame); err != nil {
			return s.why(err)
		}
		if ack.Reason.Failed() {
			return &RefusedError{"a message on " + topic, ack.Reason}
		}
		if ack.PacketID == s.id {
			return nil
		}
	}
}

// next is the next packet, borrowed until the one after it. The broker saying why it ends the
// connection is an error.
func (s *Sender) next() ([]byte, error) {
	_ = s.conn.SetReadDeadline(time.Now().Add(answerTimeout)) // a socket that cannot fails to read
	s.have = s.have[s.used:]
	s.used = 0
	for {
		n, err := mqtt.Frame(s.have, frameBytesMax)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			s.used = n
			frame := s.have[:n:n]
			var bye mqtt.Disconnect
			if mqtt.TypeOf(frame) == mqtt.DISCONNECT && bye.Decode(version, frame) == nil {
				return nil, &RefusedError{"the connection", bye.Reason}
			}
			return frame, nil
		}
		room := make([]byte, 4<<10)
		got, err := s.conn.Read(room)
		s.have = append(s.have, room[:got]...)
		if err != nil && got == 0 {
			return nil, err
		}
	}
}

// why puts the end of the context before what it led to.
func (s *Sender) why(err error) error {
	var refused *RefusedError
	switch {
	case s.ctx.Err() != nil:
		return fmt.Errorf("send: %w", s.ctx.Err())
	case errors.As(err, &refused):
		return err
	}
	return fmt.Errorf("send: %w", err)
}

// Close says goodbye and closes the connection.
func (s *Sender) Close() {
	s.stop()
	_, _ = s.conn.Write((&mqtt.Disconnect{}).Append(nil, version)) // it is over in any case
	_ = s.conn.Close()
}
