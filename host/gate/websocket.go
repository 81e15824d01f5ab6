package gate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hpmq/hpmq/host/websocket"
)

// WebSocket is how a listener takes MQTT inside WebSocket.
type WebSocket struct {
	// Path is what clients must ask for.
	Path string
	// Origins are the values of Origin that are let in; empty: any.
	Origins []string
}

// readyWebSocket makes the stage of connections that bring WebSocket.
func (cfg *ListenerConfig) readyWebSocket() error {
	if cfg.WebSocket == nil {
		return nil
	}
	rules, err := websocket.NewRules(websocket.Config(*cfg.WebSocket))
	if err != nil {
		return fmt.Errorf("gate: %w", err)
	}
	cfg.newStage = func() stage { return &wsStage{conn: rules.Conn()} }
	return nil
}

// wsStage is WebSocket of one connection, from its HTTP request on. It waits for the request on
// the loop, as the framing waits for a CONNECT; who takes too long is closed by the handler.
type wsStage struct {
	place
	conn websocket.Conn
}

func (s *wsStage) in(c *Conn, raw []byte) error {
	answer := c.loop.bufs.get()
	defer func() { c.loop.bufs.put(answer) }()
	for len(raw) > 0 && c.state == open {
		var payload []byte
		var err error
		payload, raw, answer.b, err = s.conn.Next(raw, answer.b[:0])
		if err != nil {
			s.over(c, answer.b, err)
			return nil
		}
		if len(answer.b) > 0 {
			if err := s.reply(c, answer.b); err != nil {
				return err
			}
		}
		if len(payload) > 0 {
			if err := s.rise(c, payload); err != nil {
				return err
			}
		}
	}
	return nil
}

// reply sends what the protocol itself answers. A peer that pings and does not read is cut like
// any other.
func (s *wsStage) reply(c *Conn, b []byte) error {
	if c.full(len(b)) {
		return nil
	}
	return s.sink(c, b)
}

// over ends c after the last words of the protocol. What the peer said before its close frame
// counts, also if a rate holds it back.
func (s *wsStage) over(c *Conn, last []byte, why error) {
	if errors.Is(why, websocket.ErrClosed) && c.holds() {
		last = bytes.Clone(last)
		c.after(func(c *Conn) { s.over(c, last, why) })
		return
	}
	c.push()
	if err := s.reply(c, last); err != nil {
		c.end(err)
		return
	}
	var e *websocket.Error
	if errors.As(why, &e) && e.Status != 0 {
		c.ln.notUpgraded(why)
	}
	if errors.Is(why, websocket.ErrClosed) {
		why = io.EOF
	}
	c.part(why)
}

// notUpgraded counts a request that was refused and logs it now and then.
func (ln *listener) notUpgraded(err error) {
	ln.unsecured.Add(1)
	ln.g.count.handshakesFailed.Add(1)
	if held, ok := ln.failed.pass(time.Now()); ok {
		ln.g.log.Warn("gate: a WebSocket request was refused", "listener", ln.name, "err", err,
			"not logged", held)
	}
}

func (s *wsStage) frame(b []byte) []byte {
	if !s.conn.Upgraded() {
		return nil
	}
	front := b[:websocket.HeaderBytesMax]
	return b[websocket.PutHeader(front, len(b)-len(front)):]
}

func (s *wsStage) bye(_ *Conn, dst []byte) []byte {
	return s.conn.AppendClose(dst, websocket.CloseNormal)
}
