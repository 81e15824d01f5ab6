package shard

import (
	"bytes"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hpmq/hpmq/lite/broker"
)

// What one kernel has for another arrives before f is called, though nobody has woken that yet.
func TestHaltDeliversWhatIsOnItsWay(t *testing.T) {
	h := start(t)
	clients := []*client{h.dial("0"), h.dial("1")} // one on each loop
	for _, c := range clients {
		c.subscribe("t", 0)
	}
	h.settled()
	frame := h.intercept(1, func() {
		clients[0].send(publish("t", "on its way", false))
		if m := clients[0].message(); m != "t on its way" {
			t.Errorf("got %q", m)
		}
	})
	box := &h.shards[1].box
	box.put(0, frame)
	_, err := h.Halt(time.Hour, func() {
		if n := box.waiting(); n > 0 {
			t.Errorf("%d bytes wait yet", n)
		}
	})
	if err != nil {
		t.Error(err)
	}
	if m := clients[1].message(); m != "t on its way" {
		t.Errorf("got %q", m)
	}

	// A kernel that panics at it stands no more.
	kernel := h.shards[1].kernel
	h.intercept(1, func() { h.shards[1].kernel = nil })
	box.put(0, frame)
	if _, err := h.Halt(time.Hour, func() { t.Error("f is called") }); err == nil {
		t.Error("a loop whose kernel panicked stood still")
	}
	h.intercept(1, func() { h.shards[1].kernel = kernel })
}

// intercept answers the frame that comes for a loop while f is called, out of its mailbox; nil if
// none comes.
func (h *house) intercept(loop int, f func()) (frame []byte) {
	free, busy, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	h.Post(loop, func(*broker.Kernel, broker.Time) {
		close(busy)
		<-free
		box := &h.shards[loop].box
		box.take()
		_, view, _ := box.next()
		frame = bytes.Clone(view)
		box.rest()
		close(done)
	})
	<-busy
	f()
	close(free)
	<-done
	return frame
}

// Halt calls f when every loop stands still, and does not if one does not come to that.
func TestHaltStopsEveryLoop(t *testing.T) {
	h := start(t)
	var turns, during atomic.Int64
	_, err := h.Halt(time.Hour, func() {
		for i := range h.shards {
			h.Post(i, func(*broker.Kernel, broker.Time) { turns.Add(1) })
		}
		during.Store(turns.Load())
	})
	if err != nil || during.Load() != 0 {
		t.Errorf("%v, %d turns", err, during.Load())
	}
	free, busy := make(chan struct{}), make(chan struct{})
	h.Post(1, func(*broker.Kernel, broker.Time) { close(busy); <-free })
	<-busy
	if _, err := h.Halt(1, func() { t.Error("f is called") }); err == nil {
		t.Error("a loop that is busy stood still")
	}
	close(free)
	if _, err := h.Halt(time.Hour, func() {}); err != nil {
		t.Error(err)
	}
	if err := h.stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Halt(time.Hour, func() { t.Error("f is called") }); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}
