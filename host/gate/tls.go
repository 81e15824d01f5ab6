package gate

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime/debug"
	"time"
)

// TLS is how a listener secures its connections.
type TLS struct {
	// Config is called for each handshake, from any goroutine, and must not block. What it answers
	// is not changed any more.
	Config func() *tls.Config
	// HandshakeTimeout bounds a handshake, all of it.
	HandshakeTimeout time.Duration
	// HandshakesMax bounds the handshakes under way on the listener, HandshakesPerSourceMax those
	// of one address (of IPv6, one /64). A connection above is closed: of one address the newest,
	// of the listener the oldest of the address that has most.
	HandshakesMax          int
	HandshakesPerSourceMax int
}

// DefaultTLS suits devices on slow networks.
func DefaultTLS(config func() *tls.Config) TLS {
	return TLS{
		Config:                 config,
		HandshakeTimeout:       10 * time.Second, // some round trips over a bad mobile network
		HandshakesMax:          256,              // at 1.5 ms each: a third of a second of one core
		HandshakesPerSourceMax: 64,               // devices of one site behind one address
	}
}

// Validate says what is wrong with t; nil is fine.
func (t *TLS) Validate() error {
	switch {
	case t == nil:
		return nil
	case t.Config == nil:
		return errors.New("gate: tls: no configuration")
	case t.HandshakeTimeout <= 0:
		return errors.New("gate: tls: handshake timeout: above 0")
	case t.HandshakesMax < 1 || t.HandshakesPerSourceMax < 1:
		return errors.New("gate: tls: handshakes: at least 1")
	}
	return nil
}

// lastWordsBytesMax is how much of a peer is read after its handshake failed.
const lastWordsBytesMax = 64 << 10

// secure does the handshake of a. False: a is closed, and counted.
func (a *arrival) secure() bool {
	ln, t := a.terms, a.terms.cfg.TLS
	if !ln.lobby.claim(a.seat, sourceOf(a.peer), t.HandshakesPerSourceMax) {
		ln.refuse(a.nc, a.who(), "too many TLS handshakes of one source at once")
		return false
	}
	deadline := time.Now().Add(t.HandshakeTimeout)
	_ = a.nc.SetDeadline(deadline)
	s, err := a.shakeHands(t)
	if err != nil {
		ln.insecure(a, err)
		a.part(err, deadline)
		return false
	}
	_ = a.nc.SetDeadline(time.Time{})
	a.learn().put(s)
	return true
}

// shakeHands waits for the peer. crypto/tls uses the socket now, and memory from then on.
func (a *arrival) shakeHands(t *TLS) (s *tlsStage, err error) {
	defer func() {
		if v := recover(); v != nil {
			a.terms.g.count.panics.Add(1)
			a.terms.g.log.Error("gate: a handshake panicked", "panic", fmt.Sprint(v),
				"stack", string(debug.Stack()))
			err = errPanic
		}
	}()
	cfg := t.Config()
	if cfg == nil {
		return nil, errors.New("no certificate is loaded")
	}
	w := &records{socket: a.nc}
	s = &tlsStage{conn: tls.Server(w, cfg), wire: w}
	if err := s.conn.Handshake(); err != nil {
		return nil, err
	}
	st := s.conn.ConnectionState()
	if len(st.VerifiedChains) > 0 {
		a.learn().subject = st.PeerCertificates[0].Subject.String()
	}
	w.socket = nil
	return s, nil
}

// insecure counts a handshake that failed and logs it now and then.
func (ln *listener) insecure(a *arrival, err error) {
	if ln.lobby.deprived(a.seat) {
		return // refused
	}
	ln.unsecured.Add(1)
	ln.g.count.handshakesFailed.Add(1)
	if ln.ctx.Err() != nil {
		return // closed by us
	}
	if held, ok := ln.failed.pass(time.Now()); ok {
		ln.g.log.Warn("gate: a TLS handshake failed", "listener", ln.name,
			"peer", a.who(), "err", blame(err), "not logged", held)
	}
}

// blame says what an operator can do about a failed handshake, where that is clear.
func blame(err error) string {
	var h tls.RecordHeaderError
	switch {
	case errors.As(err, &h) && h.RecordHeader[0] == 0x10:
		return "the client speaks MQTT without TLS: switch TLS on in the client, " +
			"or let it connect to a tcp listener"
	case errors.As(err, &h):
		return "the client does not speak TLS"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "the client did not finish it in time"
	case errors.Is(err, io.EOF):
		return "the client closed the connection"
	}
	return err.Error()
}

// part closes the socket of a handshake that failed. It sends our end and reads what the peer still
// sends: closed with input unread, a socket is reset, and the peer would not learn why.
func (a *arrival) part(why error, deadline time.Time) {
	defer func() { _ = a.nc.Close() }()
	half, ok := a.nc.(interface{ CloseWrite() error })
	if !ok || errors.Is(why, os.ErrDeadlineExceeded) || half.CloseWrite() != nil {
		return
	}
	if d := time.Now().Add(a.terms.g.cfg.LingerTimeout); d.Before(deadline) {
		deadline = d
	}
	_ = a.nc.SetDeadline(deadline)
	_, _ = io.CopyN(io.Discard, a.nc, lastWordsBytesMax)
}

// records is what crypto/tls takes for its socket: the real one during the handshake, memory in the
// loop. crypto/tls keeps the part of a record it has when Read answers a temporary error, and goes
// on when the rest is there; TestTLSRecordsByteByByte holds it to that.
//
// Read never goes beyond the record that was begun. So crypto/tls, whose buffer never shrinks,
// needs room for one record and not for two, and after the handshake it has read nothing ahead.
type records struct {
	socket net.Conn // nil once the handshake is over
	in     []byte   // to be read, borrowed from the loop
	out    []byte   // written

	head [recordHead]byte // of the record that was begun
	have uint8            // how much of head is there
	left uint16           // of its body
}

// recordHead is the length of what stands before each record: type, version, length.
const recordHead = 5

// errDry says that there is no input yet.
var errDry net.Error = dry{}

type dry struct{}

func (dry) Error() string   { return "gate: no record yet" }
func (dry) Timeout() bool   { return true }
func (dry) Temporary() bool { return true }

func (w *records) Read(p []byte) (int, error) {
	if w.left > 0 {
		n, err := w.take(p[:min(len(p), int(w.left))])
		w.left -= uint16(n)
		return n, err
	}
	n, err := w.take(p[:min(len(p), recordHead-int(w.have))])
	w.have += uint8(copy(w.head[w.have:], p[:n]))
	if w.have == recordHead {
		w.have, w.left = 0, binary.BigEndian.Uint16(w.head[3:])
	}
	return n, err
}

// take reads what is there.
func (w *records) take(p []byte) (int, error) {
	if len(w.in) == 0 {
		if w.socket != nil {
			return w.socket.Read(p)
		}
		return 0, errDry
	}
	n := copy(p, w.in)
	w.in = w.in[n:]
	return n, nil
}

func (w *records) Write(p []byte) (int, error) {
	if w.socket != nil {
		return w.socket.Write(p)
	}
	w.out = append(w.out, p...)
	return len(p), nil
}

// written answers what was written and forgets it.
func (w *records) written() []byte {
	out := w.out
	w.out = nil
	return out
}

func (w *records) Close() error { return nil }

func (w *records) LocalAddr() net.Addr {
	if w.socket == nil {
		return nil
	}
	return w.socket.LocalAddr()
}

func (w *records) RemoteAddr() net.Addr {
	if w.socket == nil {
		return nil
	}
	return w.socket.RemoteAddr()
}

// Deadlines are the arrival's.

func (w *records) SetDeadline(time.Time) error      { return nil }
func (w *records) SetReadDeadline(time.Time) error  { return nil }
func (w *records) SetWriteDeadline(time.Time) error { return nil }
