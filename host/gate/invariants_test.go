//go:build invariants

package gate

import (
	"bytes"
	"testing"
)

// Whoever keeps a borrowed packet finds it ruined.
func TestBorrowedBytesAreScribbledOver(t *testing.T) {
	kept := make(chan []byte, 2)
	h := start(t, &fake{packet: func(c *Conn, frame []byte) {
		kept <- frame
		c.Write(frame)
	}})
	c := h.dial()
	ping(t, c)
	ping(t, c)
	frame := <-kept
	done := make(chan bool, 2)
	for i := range 2 {
		h.g.Do(i, func(int64) {
			done <- bytes.Equal(frame, bytes.Repeat([]byte{0xDB}, len(frame)))
		})
	}
	if !<-done || !<-done {
		t.Errorf("kept %x", frame)
	}
}
