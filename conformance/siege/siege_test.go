package siege

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hpmq/hpmq/conformance/process"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// What is allowed beside the limits: buffers of the loops, spans that the allocator keeps, garbage
// between two collections.
const slack = 12 << 20

// perConn is what a connection may take that has sent the start of a packet: itself, and a buffer.
const perConn = 8 << 10

func TestSiege(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the real binary")
	}
	if runtime.GOOS != "linux" {
		t.Skip("reads the memory of a process from /proc")
	}
	bin, _, err := process.Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, attack := range map[string]func(*castle){
		"slowloris":                   slowloris,
		"half open":                   halfOpen,
		"too large":                   tooLarge,
		"large and slow":              largeAndSlow,
		"CONNECT flood":               connectFlood,
		"one client id":               oneClientID,
		"packets behind CONNECT":      behindConnect,
		"SUBSCRIBE flood":             subscribeFlood,
		"PUBREL flood, never read":    pubrelFlood,
		"PINGREQ flood, never read":   pingFlood,
		"never reads":                 neverReads,
		"sessions that stay away":     stayAway,
		"QoS 2 that is not released":  neverReleased,
		"topic aliases":               aliases,
		"handshakes that stop":        stoppedHandshakes,
		"upgrades that stop":          stoppedUpgrades,
		"WebSocket pings, never read": webSocketPings,
		"packets that never end":      neverEnding,
		"retained flood":              retainedFlood,
		"sessions that never return":  neverReturn,
	} {
		t.Run(name, func(t *testing.T) {
			c := raise(t, bin)
			attack(c)
			c.progress(100)
		})
	}
}

// Connections that send a byte now and then, never a packet, are ended by connect_timeout.
func slowloris(c *castle) {
	const n = 2000
	hello := (&mqtt.Connect{Version: mqtt.V5, ClientID: []byte("slow")}).Append(nil)
	var peers []*peer
	for range n {
		p := c.dial()
		p.write(hello[:1])
		peers = append(peers, p)
	}
	for _, p := range peers {
		_, _ = p.conn.Write(hello[1:2]) // some are ended by now
	}
	c.progress(50)
	c.within(n*perConn + slack)
	for _, p := range peers {
		p.ended()
	}
}

// Connections that send nothing are ended too, and those above connections_max at once.
func halfOpen(c *castle) {
	const n, max = 4500, 4000
	var peers []*peer
	for range n {
		peers = append(peers, c.dial())
	}
	c.progress(50)
	c.within(max*perConn + slack)
	for _, p := range peers {
		p.ended()
	}
}

// A packet above packet_bytes_max is refused by its first bytes, whatever follows.
func tooLarge(c *castle) {
	huge := append([]byte{0x30, 0xFF, 0xFF, 0xFF, 0x7F}, make([]byte, 256<<10)...)
	for i := range 300 {
		p := c.dial()
		if i%2 == 0 {
			p = c.connect(fmt.Sprintf("large-%d", i))
		}
		p.flood(huge, 1<<20)
		p.ended()
	}
	c.within(slack)
}

// Packets as large as allowed that never end are held, and no more than that.
func largeAndSlow(c *castle) {
	const n = 200
	const held = 60 << 10
	start := append([]byte{0x30, 0xF0, 0xFF, 0x03, 0, 1, 't'}, make([]byte, held)...)
	for i := range n {
		c.connect(fmt.Sprintf("large-%d", i)).write(start)
	}
	c.progress(50)
	c.within(n*2*64<<10 + slack) // buffers double
}

// Connections come and go; nothing of them stays.
func connectFlood(c *castle) {
	const n, workers = 8000, 8
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range n / workers {
				p := c.dial()
				id := fmt.Sprintf("flood-%d-%d", w, i)
				p.write((&mqtt.Connect{Version: mqtt.V5, CleanStart: true, ClientID: []byte(id)}).
					Append(nil))
				if _, err := p.read(); err != nil {
					c.Error(err)
				}
				_ = p.conn.Close()
			}
		})
	}
	wg.Wait()
	c.progress(50)
	c.within(slack)
}

// Clients under one client id throw each other out; one is left.
func oneClientID(c *castle) {
	const n, workers = 4000, 8
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range n / workers {
				p := c.dial()
				hello := &mqtt.Connect{Version: mqtt.V5, ClientID: []byte("twin")}
				hello.Props = hello.Props.AppendUint32(mqtt.SessionExpiryInterval, 3600)
				p.write(hello.Append(nil))
			}
		})
	}
	wg.Wait()
	c.progress(50)
	c.within(slack)
	// Those that wait still in the backlog throw out who came before them; the last one stays.
	c.until("somebody has the client id for good", func() bool {
		p := c.dial()
		p.write((&mqtt.Connect{Version: mqtt.V5, ClientID: []byte("twin")}).Append(nil))
		if _, err := p.read(); err != nil {
			return false
		}
		p.write([]byte{0xC0, 0})
		frame, err := p.read()
		return err == nil && mqtt.TypeOf(frame) == mqtt.PINGRESP
	})
}

// What a client sends behind a CONNECT that is not answered yet is held within a limit.
func behindConnect(c *castle) {
	for i := range 100 {
		p := c.dial()
		hello := &mqtt.Connect{Version: mqtt.V5, CleanStart: true,
			ClientID: fmt.Appendf(nil, "eager-%d", i)}
		publish := mqtt.Publish{Topic: []byte("t"), Payload: make([]byte, 1000)}
		b := hello.Append(nil)
		b = append(b, bytes.Repeat(publish.Append(nil, mqtt.V5), 1000)...)
		p.flood(b, len(b))
		_ = p.conn.Close()
	}
	c.progress(50)
	c.within(slack)
}

// Subscriptions above subscriptions_max are refused, and those that stand are all there are.
func subscribeFlood(c *castle) {
	const packets, filters, max = 100, 500, 1000
	p := c.connect("subscriber")
	granted := 0
	for i := range packets {
		var list []mqtt.Subscription
		for f := range filters {
			list = append(list, mqtt.Subscription{
				Filter: fmt.Appendf(nil, "%s/%d/%d", strings.Repeat("level/", 10), i, f)})
		}
		p.write(mqtt.AppendSubscribe(nil, mqtt.V5, uint16(i+1), nil, list))
		var ack mqtt.Suback
		if err := ack.Decode(mqtt.V5, p.want(mqtt.SUBACK)); err != nil {
			c.Fatal(err)
		}
		for _, r := range ack.Reasons {
			if !r.Failed() {
				granted++
			}
		}
	}
	if granted != max {
		c.Errorf("%d subscriptions granted, want %d", granted, max)
	}
	c.within(max*2<<10 + slack)
}

// Answers that nobody reads stop at what may wait for a connection: then it is cut.
func pubrelFlood(c *castle) {
	rel := mqtt.Ack{Type: mqtt.PUBREL, PacketID: 7}
	unread(c, rel.Append(nil, mqtt.V5))
}

func pingFlood(c *castle) { unread(c, []byte{0xC0, 0}) }

func unread(c *castle, packet []byte) {
	const conns, each = 10, 64 << 20
	b := bytes.Repeat(packet, 16<<10)
	var wg sync.WaitGroup
	for i := range conns {
		p := c.connect(fmt.Sprintf("unread-%d", i))
		_ = p.conn.SetWriteDeadline(time.Now().Add(20 * time.Second))
		wg.Go(func() {
			if n := p.flood(b, each); n >= each {
				c.Errorf("all %d bytes of requests were taken, and no answer read", n)
			}
		})
	}
	wg.Wait()
	c.within(conns*2*4*256<<10 + slack) // a buffer of ours, one of the socket library
}

// A subscriber that never reads costs its buffers, and loses QoS 0; who reads gets everything.
func neverReads(c *castle) {
	const conns = 10
	for i := range conns {
		p := c.connect(fmt.Sprintf("deaf-%d", i))
		p.write(mqtt.AppendSubscribe(nil, mqtt.V5, 1, nil, []mqtt.Subscription{
			{Filter: []byte("news"), QoS: mqtt.QoS(i % 2)}}))
		p.want(mqtt.SUBACK)
	}
	pub := c.connect("publisher")
	for i := range 3000 {
		p := mqtt.Publish{Topic: []byte("news"), Payload: make([]byte, 32<<10)}
		if i%10 == 0 {
			p.QoS, p.PacketID = mqtt.AtLeastOnce, 1
		}
		pub.write(p.Append(nil, mqtt.V5))
		if p.QoS > 0 {
			pub.want(mqtt.PUBACK)
		}
	}
	c.within(conns*(2*4*256<<10+1<<20) + slack)
}

// Sessions whose clients are away keep what their queues allow.
func stayAway(c *castle) {
	const n = 20
	for i := range n {
		p := c.dial()
		hello := &mqtt.Connect{Version: mqtt.V5, ClientID: fmt.Appendf(nil, "away-%d", i)}
		hello.Props = hello.Props.AppendUint32(mqtt.SessionExpiryInterval, 3600)
		p.write(hello.Append(nil))
		p.want(mqtt.CONNACK)
		p.write(mqtt.AppendSubscribe(nil, mqtt.V5, 1, nil, []mqtt.Subscription{
			{Filter: fmt.Appendf(nil, "mail/%d/#", i), QoS: mqtt.AtLeastOnce}}))
		p.want(mqtt.SUBACK)
		_ = p.conn.Close()
	}
	pub := c.connect("publisher")
	for i := range 400 * n {
		p := mqtt.Publish{QoS: mqtt.AtLeastOnce, PacketID: 1,
			Topic: fmt.Appendf(nil, "mail/%d/x", i%n), Payload: make([]byte, 8<<10)}
		pub.write(p.Append(nil, mqtt.V5))
		pub.want(mqtt.PUBACK)
	}
	c.within(n*1<<20*3/2 + slack)
}

// Packet identifiers that a client never releases stop at receive_max.
func neverReleased(c *castle) {
	for i := range 50 {
		p := c.connect(fmt.Sprintf("hoarder-%d", i))
		var b []byte
		for id := range 2000 {
			m := mqtt.Publish{QoS: mqtt.ExactlyOnce, PacketID: uint16(id + 1), Topic: []byte("t")}
			b = m.Append(b, mqtt.V5)
		}
		p.flood(b, len(b))
		p.ended()
	}
	c.within(slack)
}

// A client's topic aliases are as many as the broker said; one above ends it.
func aliases(c *castle) {
	const conns, max = 200, 64
	for i := range conns {
		p := c.connect(fmt.Sprintf("alias-%d", i))
		var b []byte
		for a := range max + 1 {
			m := mqtt.Publish{Topic: bytes.Repeat([]byte{'a' + byte(a%26)}, 1000)}
			m.Props = m.Props.AppendUint16(mqtt.TopicAlias, uint16(a+1))
			b = m.Append(b, mqtt.V5)
		}
		p.flood(b, len(b))
		p.ended()
	}
	c.within(slack)
}

// TLS handshakes that stop at their first bytes are ended by handshake_timeout; those above
// handshakes_max at once.
func stoppedHandshakes(c *castle) {
	const n, max = 800, 500
	var peers []*peer
	for range n {
		p := c.dialTo("tls")
		_, _ = p.conn.Write([]byte{22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3})
		peers = append(peers, p)
	}
	c.progress(50)
	c.within(max*24<<10 + slack) // a goroutine and the buffers of crypto/tls
	for _, p := range peers {
		p.ended()
	}
}

// Requests for a WebSocket that never end are ended by connect_timeout, those too long at once.
func stoppedUpgrades(c *castle) {
	const n = 1000
	var peers []*peer
	for i := range n {
		p := c.dialTo("ws")
		_, _ = p.conn.Write([]byte("GET /mqtt HTTP/1.1\r\nHost: a\r\n"))
		if i%2 == 0 {
			_, _ = p.conn.Write(bytes.Repeat([]byte("X-Long: y\r\n"), 2000))
		}
		peers = append(peers, p)
	}
	c.progress(50)
	c.within(n*16<<10 + slack)
	for _, p := range peers {
		p.ended()
	}
}

// Pongs that nobody reads stop at what may wait for a connection: then it is cut.
func webSocketPings(c *castle) {
	p := c.dialTo("ws")
	p.write([]byte("GET /mqtt HTTP/1.1\r\nHost: a\r\n" +
		"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
		"Sec-WebSocket-Protocol: mqtt\r\n\r\n"))
	_ = p.conn.SetWriteDeadline(time.Now().Add(20 * time.Second))
	ping := append([]byte{0x89, 0x80 | 125, 0, 0, 0, 0}, make([]byte, 125)...)
	const each = 64 << 20
	if n := p.flood(bytes.Repeat(ping, 500), each); n >= each {
		c.Errorf("all %d bytes of pings were taken, and no pong read", n)
	}
	c.within(2*4*256<<10 + slack)
}
