package gate

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
)

// plainBytes is the largest plaintext of one record.
const plainBytes = 16 << 10

// tlsStage is TLS of one connection after its handshake. It never blocks: crypto/tls reads and
// writes memory. Of input it keeps at most one record whose end has not come, or a handshake
// message of 64 KiB.
type tlsStage struct {
	place
	conn *tls.Conn
	wire *records
}

func (s *tlsStage) in(c *Conn, raw []byte) error {
	s.wire.in = raw
	defer func() { s.wire.in = nil }()
	plain := c.loop.plain()
	for c.state == open {
		n, err := s.conn.Read(plain)
		// An answer to a KeyUpdate, or an alert, is ahead of what the packets below cause.
		if answer := s.wire.written(); len(answer) > 0 {
			if err := s.sink(c, answer); err != nil {
				return err
			}
		}
		if n > 0 {
			if err := s.rise(c, plain[:n]); err != nil {
				return err
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, errDry):
			return nil
		case errors.Is(err, io.EOF):
			s.over(c)
			return nil
		default:
			return fmt.Errorf("gate: tls: %w", err)
		}
	}
	return nil
}

// over answers the peer's close_notify: what is queued goes out, then ours, then the socket is
// closed.
func (s *tlsStage) over(c *Conn) {
	if c.state != open || c.after(s.over) {
		return
	}
	c.push()
	if err := s.sink(c, s.bye(c, nil)); err != nil {
		c.end(err)
	}
	c.end(io.EOF)
}

func (s *tlsStage) out(_ *Conn, dst, plain []byte) ([]byte, error) {
	s.wire.out = dst
	_, err := s.conn.Write(plain)
	if dst = s.wire.written(); err != nil {
		return dst, fmt.Errorf("gate: tls: %w", err)
	}
	return dst, nil
}

func (s *tlsStage) bye(_ *Conn, dst []byte) []byte {
	s.wire.out = dst
	_ = s.conn.CloseWrite() // an error means that there is no one to say it to
	return s.wire.written()
}

// plain lends the buffer for the plaintext of one record, until the next call.
func (l *loop) plain() []byte {
	if l.clear == nil {
		l.clear = make([]byte, plainBytes)
	}
	return l.clear
}
