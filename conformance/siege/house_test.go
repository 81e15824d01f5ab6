package siege

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hpmq/hpmq/conformance/pki"
	"github.com/hpmq/hpmq/conformance/process"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// patience bounds every single wait: what takes longer will not come.
const patience = 3 * time.Minute

// config is a broker whose limits are small, so that what goes beyond them shows.
const config = `
data_dir: memory
admin: {bind: "off"}
log: {level: error}
sys_interval: 0s
input_bytes_max: 16MiB
sessions_max: 3000
retained_messages_max: 2000
retained_bytes_max: 4MiB
limits:
  connections_max: 4000
  connect_timeout: 6s
  packet_bytes_max: 64KiB
  packet_timeout: 3s
  subscriptions_max: 1000
  receive_max: 64
  inflight_max: 64
  queue_messages_max: 1000
  queue_bytes_max: 1MiB
  outbound_bytes_max: 256KiB
listeners:
  - name: besieged
    bind: tcp://127.0.0.1:0
    link: &none {authenticator: [], authorizer: [], transformer: [], deduplicator: [], router: []}
  - name: tls
    bind: tls://127.0.0.1:0
    tls:
      certificates: [{certificate: server.pem, key: server.key}]
      handshake_timeout: 6s
      handshakes_max: 500
      handshakes_per_source_max: 500
    link: *none
  - {name: ws, bind: "ws://127.0.0.1:0", link: *none}
`

// castle is a running broker with a pair of clients that must be served whatever happens.
type castle struct {
	*testing.T
	broker *process.Broker
	rss    int // bytes when it was calm
	served atomic.Int64
	stop   chan struct{}
	ended  sync.WaitGroup
}

// raise starts a broker with a pair of clients that talk.
func raise(t *testing.T, bin string) *castle {
	dir := t.TempDir()
	authority, err := pki.NewAuthority("siege")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := authority.Issue(pki.Leaf{Name: "localhost", Hosts: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := pair.Save(dir, "server"); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "hpmq.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	// Collected often, so that garbage does not hide what is held.
	b, err := process.StartIn(ctx, []string{"GOGC=25"}, bin, "--config", file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Stop)
	c := &castle{T: t, broker: b, stop: make(chan struct{})}
	c.pair()
	c.progress(200)
	c.rss = c.resident()
	return c
}

// resident is the memory of the broker in bytes.
func (c *castle) resident() int {
	n, err := c.broker.ResidentBytes()
	if err != nil {
		c.Fatal(err)
	}
	return n
}

// pair lets a client publish at QoS 1 and another receive, one message after the other, until the
// end of the test. Each message must arrive.
func (c *castle) pair() {
	sub, pub := c.connect("served-sub"), c.connect("served-pub")
	sub.write(mqtt.AppendSubscribe(nil, mqtt.V5, 1, nil, []mqtt.Subscription{
		{Filter: []byte("served"), QoS: mqtt.AtLeastOnce}}))
	sub.want(mqtt.SUBACK)
	c.ended.Go(func() {
		for i := 1; ; i++ {
			select {
			case <-c.stop:
				return
			default:
			}
			if err := c.exchange(pub, sub, i); err != nil {
				c.Errorf("message %d of the clients that do nothing wrong: %v", i, err)
				return
			}
			c.served.Add(1)
		}
	})
	c.Cleanup(func() {
		close(c.stop)
		c.ended.Wait()
	})
}

// exchange sends message i from pub to sub, with its acknowledgements.
func (c *castle) exchange(pub, sub *peer, i int) error {
	id := uint16(i%60000 + 1)
	p := mqtt.Publish{QoS: mqtt.AtLeastOnce, PacketID: id, Topic: []byte("served"),
		Payload: fmt.Append(nil, i)}
	if _, err := pub.conn.Write(p.Append(nil, mqtt.V5)); err != nil {
		return err
	}
	frame, err := sub.read()
	if err != nil {
		return err
	}
	var got mqtt.Publish
	if err := got.Decode(mqtt.V5, frame); err != nil {
		return err
	}
	if string(got.Payload) != string(p.Payload) {
		return fmt.Errorf("got %s, want %s", got.Payload, p.Payload)
	}
	ack := mqtt.Ack{Type: mqtt.PUBACK, PacketID: got.PacketID}
	if _, err := sub.conn.Write(ack.Append(nil, mqtt.V5)); err != nil {
		return err
	}
	_, err = pub.read()
	return err
}

// progress waits until the pair has exchanged n messages more.
func (c *castle) progress(n int64) {
	c.Helper()
	goal := c.served.Load() + n
	c.until(fmt.Sprintf("%d messages are exchanged", n), func() bool {
		return c.served.Load() >= goal
	})
}

// until waits for a condition.
func (c *castle) until(what string, holds func() bool) {
	c.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	end := time.After(patience)
	for !holds() {
		select {
		case <-tick.C:
		case <-end:
			c.Fatalf("waited in vain until %s\n%s", what, c.broker.Log())
		}
	}
}

// within wants the broker to have grown by no more than max bytes.
func (c *castle) within(max int) {
	c.Helper()
	grown := c.resident() - c.rss
	c.Logf("RSS %.1f MB, grown by %.1f MB, at most %.1f MB allowed", float64(c.rss)/1e6,
		float64(grown)/1e6, float64(max)/1e6)
	if grown > max {
		c.Errorf("grown by %d bytes, the limits allow %d", grown, max)
	}
}

// peer is one raw connection.
type peer struct {
	c    *castle
	conn net.Conn
	have []byte
}

// dial connects and sends nothing.
func (c *castle) dial() *peer {
	c.Helper()
	return c.dialTo("besieged")
}

// dialTo connects to a listener and sends nothing.
func (c *castle) dialTo(listener string) *peer {
	c.Helper()
	where, err := url.Parse(c.broker.Listeners[listener])
	if err != nil {
		c.Fatal(err)
	}
	conn, err := net.DialTimeout("tcp", where.Host, patience)
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(2 * patience))
	return &peer{c: c, conn: conn}
}

// connect connects with MQTT 5.0.
func (c *castle) connect(id string) *peer {
	c.Helper()
	p := c.dial()
	p.write((&mqtt.Connect{Version: mqtt.V5, CleanStart: true, ClientID: []byte(id)}).Append(nil))
	p.want(mqtt.CONNACK)
	return p
}

func (p *peer) write(b []byte) {
	p.c.Helper()
	if _, err := p.conn.Write(b); err != nil {
		p.c.Fatal(err)
	}
}

// read is the next packet.
func (p *peer) read() ([]byte, error) {
	for {
		n, err := mqtt.Frame(p.have, 1<<28)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			frame := p.have[:n]
			p.have = p.have[n:]
			return frame, nil
		}
		buf := make([]byte, 32<<10)
		n, err = p.conn.Read(buf)
		if err != nil {
			return nil, err
		}
		p.have = append(append([]byte(nil), p.have...), buf[:n]...)
	}
}

// want reads the next packet, which must be of that type.
func (p *peer) want(t mqtt.Type) []byte {
	p.c.Helper()
	frame, err := p.read()
	if err != nil {
		p.c.Fatalf("want %s: %v", t, err)
	}
	if mqtt.TypeOf(frame) != t {
		p.c.Fatalf("want %s, got %s", t, mqtt.TypeOf(frame))
	}
	return frame
}

// ended waits for the broker to close the connection.
func (p *peer) ended() {
	p.c.Helper()
	_ = p.conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.Copy(io.Discard, p.conn); err != nil {
		if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
			p.c.Fatal("the broker did not close the connection")
		}
	}
}

// flood writes b again and again until n bytes are written or the broker closes.
func (p *peer) flood(b []byte, n int) (written int) {
	for written < n {
		m, err := p.conn.Write(b)
		written += m
		if err != nil {
			return written
		}
	}
	return written
}
