//go:build unix

package churn

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"net"
	"os/exec"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hpmq/hpmq/conformance/pki"
	"github.com/hpmq/hpmq/conformance/process"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

var (
	clients = flag.Int("clients", 1000, "connections that must not notice")
	rounds  = flag.Int("rounds", 10, "listeners added, given a new certificate, removed")
)

// patience bounds every single wait.
const patience = 2 * time.Minute

// yard is a broker with the clients that must not notice what is done.
type yard struct {
	*testing.T
	broker    *process.Broker
	cli, dir  string
	authority *pki.Authority

	received, wrong atomic.Int64
	lost            chan error // a client whose connection ended
}

// Clients of one listener see nothing of another that is added, gets a new certificate, and is
// removed, again and again: no connection ends, each gets every message, in order.
func TestListenersComeAndGo(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the real binaries")
	}
	enough(t, uint64(*clients+500))
	y := open(t)
	for i := range *clients {
		y.join(i)
	}
	pub := y.connect("publisher")
	start := time.Now()
	for round := 1; round <= *rounds; round++ {
		y.publish(pub, round)
		y.round(round)
	}
	want := int64(*clients) * int64(*rounds)
	y.until("every client has every message", func() bool { return y.received.Load() >= want })
	t.Logf("%d clients, %d rounds in %v: %d connections ended, %d of %d messages, %d wrong",
		*clients, *rounds, time.Since(start).Round(time.Second), len(y.lost),
		y.received.Load(), want, y.wrong.Load())
	if len(y.lost) > 0 || y.wrong.Load() > 0 {
		t.Errorf("a client noticed: %v", <-y.lost)
	}
}

// enough skips where there are not enough descriptors for all.
func enough(t *testing.T, n uint64) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur < n {
		t.Skipf("%d descriptors are allowed, %d are needed: ulimit -n", limit.Cur, n)
	}
}

func open(t *testing.T) *yard {
	y := &yard{T: t, dir: t.TempDir(), lost: make(chan error, *clients)}
	bin, cli, err := process.Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	y.cli = cli
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	y.broker, err = process.Start(ctx, bin, "--data", y.dir, "--listen", "tcp://127.0.0.1:0",
		"--admin", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(y.broker.Stop)
	if y.authority, err = pki.NewAuthority("churn"); err != nil {
		t.Fatal(err)
	}
	return y
}

// ask runs hpmq-cli as an operator would.
func (y *yard) ask(args ...string) {
	y.Helper()
	args = append([]string{"--server", "http://" + y.broker.Admin}, args...)
	if out, err := exec.CommandContext(y.Context(), y.cli, args...).CombinedOutput(); err != nil {
		y.Fatalf("hpmq-cli %v: %v\n%s\n%s", args, err, out, y.broker.Log())
	}
}

// round adds a listener, uses it, gives it a new certificate, sees that, removes it.
func (y *yard) round(n int) {
	y.Helper()
	name := fmt.Sprintf("tls-%d", n)
	certificate, key := y.issue(fmt.Sprintf("first-%d", n))
	address := free(y.T)
	y.ask("listener", "add", name, "--bind", "tls://"+address, "--certificate", certificate,
		"--key", key)
	old := y.secure(address, fmt.Sprintf("first-%d", n))
	y.issue(fmt.Sprintf("second-%d", n))
	y.ask("listener", "reload-certificates", name)
	fresh := y.secure(address, fmt.Sprintf("second-%d", n))
	for _, p := range []*peer{old, fresh} {
		p.write([]byte{0xC0, 0})
		p.want(mqtt.PINGRESP)
	}
	y.ask("listener", "remove", name, "--connections", "close")
	if conn, err := net.Dial("tcp", address); err == nil {
		_ = conn.Close()
		y.Errorf("%s accepts after it was removed", name)
	}
	_, _ = old.conn.Close(), fresh.conn.Close()
}

// issue writes a certificate over the one before.
func (y *yard) issue(common string) (certificate, key string) {
	y.Helper()
	pair, err := y.authority.Issue(pki.Leaf{Name: common, Hosts: []string{host()}})
	if err != nil {
		y.Fatal(err)
	}
	certificate, key, err = pair.Save(y.dir, "server")
	if err != nil {
		y.Fatal(err)
	}
	return certificate, key
}

// secure connects by TLS and wants the certificate of that name.
func (y *yard) secure(address, common string) *peer {
	y.Helper()
	conn, err := tls.Dial("tcp", address, &tls.Config{RootCAs: y.authority.Pool()})
	if err != nil {
		y.Fatal(err)
	}
	if got := conn.ConnectionState().PeerCertificates[0].Subject.CommonName; got != common {
		y.Fatalf("certificate of %q, want %q", got, common)
	}
	p := &peer{y: y, conn: conn}
	p.hello(common)
	return p
}

// host is of loopback. Where all of 127/8 is, it is one that nobody else connects from or listens
// at: a port that is free stays so.
func host() string {
	if runtime.GOOS == "linux" {
		return "127.0.67.72"
	}
	return "127.0.0.1"
}

// free is an address nobody listens on.
func free(t *testing.T) string {
	ln, err := net.Listen("tcp", host()+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// join connects a client that gets every message and counts.
func (y *yard) join(i int) {
	y.Helper()
	p := y.connect(fmt.Sprintf("client-%d", i))
	p.write(mqtt.AppendSubscribe(nil, mqtt.V311, 1, nil, []mqtt.Subscription{
		{Filter: []byte("round"), QoS: mqtt.AtLeastOnce}}))
	p.want(mqtt.SUBACK)
	_ = p.conn.SetDeadline(time.Time{})
	go p.listen()
}

func (y *yard) connect(id string) *peer {
	y.Helper()
	conn, err := net.DialTimeout("tcp", y.broker.MQTT, patience)
	if err != nil {
		y.Fatal(err)
	}
	p := &peer{y: y, conn: conn}
	p.hello(id)
	return p
}

func (y *yard) publish(p *peer, round int) {
	y.Helper()
	m := mqtt.Publish{QoS: mqtt.AtLeastOnce, PacketID: uint16(round), Topic: []byte("round"),
		Payload: fmt.Append(nil, round)}
	p.write(m.Append(nil, mqtt.V311))
	p.want(mqtt.PUBACK)
}

// until waits for a condition.
func (y *yard) until(what string, holds func() bool) {
	y.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	end := time.After(patience)
	for !holds() {
		select {
		case <-tick.C:
		case err := <-y.lost:
			y.Fatalf("a connection ended: %v\n%s", err, y.broker.Log())
		case <-end:
			y.Fatalf("waited in vain until %s: %d messages", what, y.received.Load())
		}
	}
}

// peer is one connection.
type peer struct {
	y    *yard
	conn net.Conn
	have []byte
}

func (p *peer) hello(id string) {
	p.y.Helper()
	p.y.Cleanup(func() { _ = p.conn.Close() })
	p.write((&mqtt.Connect{Version: mqtt.V311, CleanStart: true, ClientID: []byte(id)}).Append(nil))
	p.want(mqtt.CONNACK)
}

func (p *peer) write(b []byte) {
	p.y.Helper()
	_ = p.conn.SetDeadline(time.Now().Add(patience))
	if _, err := p.conn.Write(b); err != nil {
		p.y.Fatal(err)
	}
}

func (p *peer) want(t mqtt.Type) {
	p.y.Helper()
	frame, err := p.read()
	if err != nil || mqtt.TypeOf(frame) != t {
		p.y.Fatalf("want %s, got % x, %v\n%s", t, frame, err, p.y.broker.Log())
	}
}

func (p *peer) read() ([]byte, error) {
	for {
		n, err := mqtt.Frame(p.have, 1<<20)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			frame := p.have[:n]
			p.have = p.have[n:]
			return frame, nil
		}
		buf := make([]byte, 256)
		if n, err = p.conn.Read(buf); err != nil {
			return nil, err
		}
		p.have = append(append([]byte(nil), p.have...), buf[:n]...)
	}
}

// listen takes the messages of all rounds, which must come in order, until the end of the test.
func (p *peer) listen() {
	for next := 1; ; next++ {
		frame, err := p.read()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				p.y.lost <- err
			}
			return
		}
		var m mqtt.Publish
		if m.Decode(mqtt.V311, frame) != nil || string(m.Payload) != fmt.Sprint(next) {
			p.y.wrong.Add(1)
		}
		p.y.received.Add(1)
		ack := mqtt.Ack{Type: mqtt.PUBACK, PacketID: m.PacketID}
		_, _ = p.conn.Write(ack.Append(nil, mqtt.V311))
	}
}
