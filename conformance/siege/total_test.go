package siege

import (
	"fmt"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// What follows stays within each client's limits, and wears the broker down by numbers.

// Packets that never end take no more than input_bytes_max together, and are ended by
// packet_timeout though their clients asked for no keep alive.
func neverEnding(c *castle) {
	const n, max = 1500, 16 << 20
	start := append([]byte{0x30, 0xF0, 0xFF, 0x03, 0, 1, 't'}, make([]byte, 60<<10)...)
	var peers []*peer
	for i := range n {
		p := c.connect(fmt.Sprintf("never-ending-%d", i))
		_, _ = p.conn.Write(start) // it may be ended by now
		peers = append(peers, p)
	}
	c.progress(50)
	c.within(max*3/2 + n*perConn + slack)
	for _, p := range peers {
		p.ended()
	}
}

// Retained messages are refused above retained_bytes_max; those that are kept can be replaced.
func retainedFlood(c *castle) {
	const n, size, max = 4000, 4 << 10, 4 << 20
	p := c.connect("retainer")
	retain := func(i int) mqtt.ReasonCode {
		m := mqtt.Publish{QoS: mqtt.AtLeastOnce, Retain: true, PacketID: 1,
			Topic: fmt.Appendf(nil, "kept/%d", i), Payload: make([]byte, size)}
		p.write(m.Append(nil, mqtt.V5))
		var ack mqtt.Ack
		if err := ack.Decode(mqtt.V5, p.want(mqtt.PUBACK)); err != nil {
			c.Fatal(err)
		}
		return ack.Reason
	}
	kept := 0
	for i := range n {
		switch r := retain(i); {
		case !r.Failed():
			kept++
		case r != mqtt.QuotaExceeded:
			c.Fatalf("message %d: %s", i, r)
		}
	}
	if kept > max/size || kept < max/size*9/10 {
		c.Errorf("%d messages kept, %d fit", kept, max/size)
	}
	if r := retain(0); r.Failed() {
		c.Errorf("a message in the place of another: %s", r)
	}
	c.within(2*max + slack)
}

// Sessions whose clients never return are as many as sessions_max, and who has one gets it back.
func neverReturn(c *castle) {
	const n, max = 5000, 3000
	hello := func(i int) (p *peer, ack mqtt.Connack) {
		p = c.dial()
		m := &mqtt.Connect{Version: mqtt.V5, ClientID: fmt.Appendf(nil, "gone-%d", i)}
		m.Props = m.Props.AppendUint32(mqtt.SessionExpiryInterval, 3600)
		p.write(m.Append(nil))
		if err := ack.Decode(mqtt.V5, p.want(mqtt.CONNACK)); err != nil {
			c.Fatal(err)
		}
		return p, ack
	}
	had := -1
	kept := 0
	for i := range n {
		p, ack := hello(i)
		_ = p.conn.Close()
		switch {
		case !ack.Reason.Failed():
			kept, had = kept+1, i
		case ack.Reason != mqtt.QuotaExceeded:
			c.Fatalf("client %d: %s", i, ack.Reason)
		}
	}
	if kept > max || kept < max/2 { // a loop may be full before the others are
		c.Errorf("%d sessions kept, want at most %d and half of that at least", kept, max)
	}
	if _, ack := hello(had); !ack.SessionPresent {
		c.Errorf("the session of client %d is gone: %s", had, ack.Reason)
	}
	c.within(max*2<<10 + slack)
}
