//go:build unix

package gate

import (
	"io"
	"slices"
	"testing"
)

// What a peer said before its close frame counts, also if a rate holds it back.
func TestWebSocketClosedAboveTheRate(t *testing.T) {
	ends := make(chan error, 1)
	h := startRated(t, &fake{closed: func(_ *Conn, err error) { ends <- err }}, Rates{})
	addr := h.wsDoor("ws", func(cfg *ListenerConfig) {
		cfg.Limits = DefaultLimits()
		cfg.Limits.MessagesInPerSecond = 10
	})
	c := wsRaw(t, addr)
	h.write(c, slices.Concat(wsFrame(0x82, many(30, 5)), wsFrame(0x89, []byte("p")),
		wsFrame(0x82, many(20, 5)), wsFrame(0x88, []byte{3, 0xE8}), wsFrame(0x82, many(1, 5))))
	h.paused(1)
	h.exactly(10)
	expect(t, c, "\x8a\x01p")
	for range 39 {
		h.pass(100)
	}
	h.exactly(49)
	select {
	case err := <-ends:
		t.Fatalf("ended with a packet to come: %v", err)
	default:
	}
	h.pass(100)
	h.exactly(50)
	if err := <-ends; err != io.EOF {
		t.Errorf("the handler is told %v", err)
	}
	expectEnd(t, c, "\x88\x02\x03\xe8")
}
