//go:build unix

package gate

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"path/filepath"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// keepTime lets time go by until the test is over.
func (h *rated) keepTime() {
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-over:
				return
			default:
				h.pass(50)
			}
		}
	}()
	h.t.Cleanup(func() { close(over); <-ended })
}

// What came before the peer's close_notify comes up and is answered before the end, however long it
// waits.
func TestTLSIsPaused(t *testing.T) {
	h := startRated(t, &fake{packet: echo}, Rates{})
	v := secured(t, h.house, func(_ *tls.Config, _ *TLS, l *Limits) { l.MessagesInPerSecond = 50 })
	h.keepTime()
	c := v.enter()
	sent := many(400, 600) // 240 KB
	go func() {
		_, _ = c.Write(sent)
		_ = c.CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("%d bytes of %d, %v", len(got), len(sent), err)
	}
	if st := h.g.Stats(); st.PausedTotal < 3 || h.got.Load() != 400 {
		t.Errorf("%+v, %d packets", st, h.got.Load())
	}
	h.empty()
}

func TestWebSocketIsPaused(t *testing.T) {
	for _, scheme := range []string{"ws", "wss"} {
		t.Run(scheme, func(t *testing.T) {
			h := startRated(t, &fake{packet: echo}, Rates{})
			addr := h.wsDoor(scheme, func(cfg *ListenerConfig) {
				cfg.Limits = DefaultLimits()
				cfg.Limits.MessagesInPerSecond = 50
			})
			h.keepTime()
			c := wsClient(t, scheme+"://"+addr+"/mqtt")
			sent := many(400, 600)
			go func() {
				for b := sent; len(b) > 0; b = b[min(len(b), 5000):] {
					_ = c.WriteMessage(websocket.BinaryMessage, b[:min(len(b), 5000)])
				}
				_ = c.WriteMessage(websocket.CloseMessage,
					websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
			}()
			var got []byte
			for {
				_, b, err := c.ReadMessage()
				if got = append(got, b...); err == nil {
					continue
				}
				var e *websocket.CloseError
				if !errors.As(err, &e) || e.Code != websocket.CloseNormalClosure {
					t.Error(err)
				}
				break
			}
			if !bytes.Equal(got, sent) {
				t.Errorf("%d bytes of %d", len(got), len(sent))
			}
			if st := h.g.Stats(); st.PausedTotal < 3 {
				t.Errorf("%+v", st)
			}
			_ = c.Close()
			h.empty()
		})
	}
}

// Sockets of each kind go out of the loop and back.
func TestOtherSocketsArePaused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	for _, bind := range []string{"unix://" + path, "tcp://[::1]:0"} {
		t.Run(bind[:4], func(t *testing.T) {
			h := startRated(t, &fake{packet: echo}, Rates{})
			cfg := ListenerConfig{Name: "other", Bind: bind, Limits: DefaultLimits()}
			cfg.Limits.MessagesInPerSecond = 20
			addr, err := h.g.Listen(cfg)
			if err != nil {
				t.Skip(err)
			}
			h.keepTime()
			c := dial(t, addr.Network(), addr.String())
			sent := many(300, 1000)
			sent[0] = byte(mqtt.CONNECT) << 4 // it may be cut
			go func() { _, _ = c.Write(sent) }()
			got := make([]byte, len(sent))
			if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, sent) {
				t.Fatal(err)
			}
			_ = c.Close() // not before: whoever leaves is sent nothing any more
			if st := h.g.Stats(); st.PausedTotal < 3 {
				t.Errorf("%+v", st)
			}
			h.empty()
		})
	}
}
