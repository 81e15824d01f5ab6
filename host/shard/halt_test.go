package shard

import (
	"bytes"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
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

// What a kernel answers to what is delivered is delivered, too: the session of a client that comes
// back on another loop is there when f is called.
func TestHaltDeliversAnswers(t *testing.T) {
	h := start(t)
	h.dial("0")
	h.dial("1") // on loop 1
	h.settled()
	again := dial(t, "tcp", h.addr) // on loop 0
	box := &h.shards[1].box
	frame := h.intercept(1, func() {
		p := mqtt.Connect{Version: mqtt.V5, ClientID: []byte("1")}
		again.send(p.Append(nil))
		until(t, "loop 0 asks for the session", func() bool { return box.waiting() > 0 })
	})
	box.put(0, frame)
	if _, err := h.Halt(time.Hour, func() {
		for i := range h.shards {
			if n := h.shards[i].box.waiting(); n > 0 {
				t.Errorf("%d bytes wait for loop %d", n, i)
			}
		}
	}); err != nil {
		t.Error(err)
	}
	var a mqtt.Connack
	err := a.Decode(mqtt.V5, again.expect(mqtt.CONNACK))
	if err != nil || a.Reason != mqtt.Success || len(frame) == 0 {
		t.Errorf("%v %v, %d bytes were asked", a.Reason, err, len(frame))
	}
}

// TestAHaltDoesNotStandForAllThatWaits: what is on its way when the time is over is delivered when
// the loops went on, and the halt fails.
func TestAHaltDoesNotStandForAllThatWaits(t *testing.T) {
	h := start(t)
	clients := []*client{h.dial("0"), h.dial("1")} // one on each loop
	clients[1].subscribe("t", 0)
	h.settled()
	frame := h.intercept(1, func() {
		clients[0].send(publish("t", "on its way", false))
		until(t, "it is on its way", func() bool { return h.shards[1].box.waiting() > 0 })
	})
	late := &halt{shards: h.Shards, asked: time.Now().Add(-time.Hour), within: time.Minute,
		f: func() { t.Error("f is called") }, goOn: make(chan struct{})}
	waits := make(chan bool)
	h.Post(1, func(_ *broker.Kernel, now broker.Time) {
		box := &h.shards[1].box
		box.put(0, frame)
		box.put(0, frame)
		late.work(int64(now))
		waits <- box.left()
	})
	if !<-waits || late.err == nil {
		t.Errorf("all of it was delivered while the loops stood: %v", late.err)
	}
	for range 2 {
		if m := clients[1].message(); m != "t on its way" {
			t.Errorf("got %q", m)
		}
	}
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
	stood, err := h.Halt(10*time.Millisecond, func() { t.Error("f is called") })
	if err == nil || stood <= 0 || stood > 10*time.Second {
		t.Errorf("a loop that is busy stood still: %v, the other stood %s", err, stood)
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

// One halt may follow another while loops of the first leave it.
func TestAHaltAfterAnother(t *testing.T) {
	h := start(t, func(_ *house, c *Config) { c.Gate.Tick = time.Hour })
	for range 300 {
		if _, err := h.Halt(time.Minute, func() {}); err != nil {
			t.Fatal(err)
		}
	}
}
