package shard

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/gate"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// timed is a house whose clock belongs to the test, with a listener that has rates.
type timed struct {
	*house
	now  atomic.Int64
	slow string
}

func startTimed(t *testing.T, r gate.Rates) *timed {
	t.Helper()
	h := &timed{}
	h.now.Store(1_000_000)
	h.house = start(t, func(_ *house, c *Config) {
		c.Gate.Now, c.Gate.Tick = h.now.Load, time.Millisecond
	})
	cfg := ListenerConfig{Name: "slow", Bind: "tcp://127.0.0.1:0", Limits: gate.DefaultLimits()}
	cfg.Limits.Rates = r
	addr, err := h.AddListener(cfg, func(int) *broker.Listener {
		return &broker.Listener{Name: "slow", Limits: broker.DefaultLimits()}
	})
	if err != nil {
		t.Fatal(err)
	}
	h.slow = addr.String()
	return h
}

// keepTime lets a tenth of a second go by, again and again, until the test is over.
func (h *timed) keepTime() {
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
				h.now.Add(100)
			}
		}
	}()
	h.t.Cleanup(func() { close(over); <-ended })
}

// whileHeld runs f, and lets time go by while input is held back, and no other: the client takes
// none.
func (h *timed) whileHeld(f func()) {
	h.t.Helper()
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
				if h.gate.Stats().Paused > 0 {
					h.now.Add(100)
				}
			}
		}
	}()
	defer func() { close(over); <-ended }()
	f()
}

// Messages above the rate to a client wait, QoS 0 as well, and come in their order.
func TestRateOutLosesNothing(t *testing.T) {
	h := startTimed(t, gate.Rates{MessagesOutPerSecond: 100})
	sub := dial(t, "tcp", h.slow).connect("sub").subscribe("t/#", 1)
	pub := h.dial("pub")
	h.settled()
	const n = 500
	for i := range n {
		pub.send(publish("t/0", fmt.Sprint(i), false))
		p := mqtt.Publish{QoS: 1, PacketID: uint16(i + 1), Topic: []byte("t/1"),
			Payload: fmt.Append(nil, i)}
		pub.send(p.Append(nil, mqtt.V5))
		pub.expect(mqtt.PUBACK)
	}
	if st := h.stats(); st.Kernels[0].Queued+st.Kernels[1].Queued < 2*n-150 {
		t.Errorf("%+v", st.Kernels)
	}
	h.keepTime()
	var next [2]int
	for next[0]+next[1] < 2*n {
		var p mqtt.Publish
		if err := p.Decode(mqtt.V5, sub.expect(mqtt.PUBLISH)); err != nil {
			t.Fatal(err)
		}
		q := p.Topic[2] - '0'
		if string(p.Payload) != fmt.Sprint(next[q]) {
			t.Fatalf("%s %s, want %d", p.Topic, p.Payload, next[q])
		}
		next[q]++
		if p.QoS == 1 {
			ack := mqtt.Ack{Type: mqtt.PUBACK, PacketID: p.PacketID}
			sub.send(ack.Append(nil, mqtt.V5))
		}
	}
	for _, k := range h.stats().Kernels {
		if k.DroppedSlow+k.DroppedQueue+k.DroppedExpired > 0 {
			t.Errorf("%+v", k)
		}
	}
}

// A client that sends more at once than its rate allows for a while is not timed out: its PINGREQ
// waits behind that.
func TestRateInIsNotSilence(t *testing.T) {
	h := startTimed(t, gate.Rates{BytesInPerSecond: 200})
	c := dial(t, "tcp", h.slow)
	hi := mqtt.Connect{Version: mqtt.V5, CleanStart: true, ClientID: []byte("c"), KeepAlive: 1}
	c.send(hi.Append(nil))
	c.expect(mqtt.CONNACK)
	ping := mqtt.Ping{Type: mqtt.PINGREQ}
	for range 3 { // ten seconds' worth each
		p := publish("t", string(make([]byte, 2000)), false)
		c.send(ping.Append(p, mqtt.V5))
		h.whileHeld(func() { c.expect(mqtt.PINGRESP) })
	}
	// Silence that is the client's own still ends it.
	h.keepTime()
	var d mqtt.Disconnect
	if err := d.Decode(mqtt.V5, c.expect(mqtt.DISCONNECT)); err != nil ||
		d.Reason != mqtt.KeepAliveTimeout {
		t.Errorf("%v, %v", d.Reason, err)
	}
}
