//go:build unix

package canary

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hpmq/hpmq/conformance/process"
	"github.com/hpmq/hpmq/sdk/client"
	"github.com/hpmq/hpmq/sdk/mqtt"
	"github.com/hpmq/hpmq/sdk/passhash"
)

// patience bounds every single wait.
const patience = 2 * time.Minute

// settings have a listener that is to change, with users of two tenants, and one like it.
const settings = `data_dir: %[1]s/data
admin: {bind: 127.0.0.1:0}
listeners:
  - name: main
    bind: tcp://127.0.0.1:0
    link:
      authenticator:
        - use: authenticator-file
          config: {users: [{name: acme, tenant: acme, hash: "%[3]s"}]}
      transformer: [{use: %[2]s/active.wasm, on_fault: open}]
  - name: other
    bind: tcp://127.0.0.1:0
    link:
      transformer: [{use: %[2]s/active.wasm, on_fault: open}]
`

// world is a broker with devices that publish, and somebody who gets it all.
type world struct {
	*testing.T
	broker *process.Broker
	api    *client.Client
	devs   []*device
	seen   *tally
	lost   chan error // a connection that ended
	user   string     // who connects, for a tenant; "" without
}

func open(t *testing.T) *world {
	if testing.Short() {
		t.Skip("builds and runs the real binaries")
	}
	w := &world{T: t, seen: newTally(), lost: make(chan error, 1)}
	dir := t.TempDir()
	bin, err := process.BuildWith(t.Context(), "", dir)
	if err != nil {
		t.Fatal(err)
	}
	guests, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	hash, err := passhash.Make([]byte("secret"), 1000)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "hpmq.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, settings, dir, guests, hash), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	if w.broker, err = process.Start(ctx, bin, "--config", file); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.broker.Stop)
	if w.api, err = client.New(w.broker.Admin, ""); err != nil {
		t.Fatal(err)
	}
	s := w.dial("other", "observer")
	s.write(mqtt.AppendSubscribe(nil, mqtt.V311, 1, nil, []mqtt.Subscription{
		{Filter: []byte("m/#"), QoS: mqtt.AtLeastOnce}, {Filter: []byte("loud")}}))
	s.want(mqtt.SUBACK)
	_ = s.conn.SetDeadline(time.Time{})
	go s.observe()
	return w
}

// device is one connection that publishes.
type device struct {
	w    *world
	n    int
	conn net.Conn
	have []byte
	next uint32 // the number of its next message

	acked atomic.Uint64
}

// join connects n devices to a listener.
func (w *world) join(listener string, n int) {
	w.Helper()
	for range n {
		d := w.dial(listener, fmt.Sprintf("dev-%d", len(w.devs)))
		d.n = len(w.devs)
		_ = d.conn.SetDeadline(time.Time{})
		w.devs = append(w.devs, d)
		go d.count()
	}
	w.seen.grow(len(w.devs))
}

func (w *world) dial(listener, id string) *device {
	w.Helper()
	address := w.broker.Listeners[listener][len("tcp://"):]
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		w.Fatal(err)
	}
	d := &device{w: w, conn: conn}
	w.Cleanup(func() { _ = conn.Close() })
	c := mqtt.Connect{Version: mqtt.V311, CleanStart: true, ClientID: []byte(id)}
	if w.user != "" && listener == "main" {
		c.HasUsername, c.Username = true, []byte(w.user)
		c.HasPassword, c.Password = true, []byte("secret")
	}
	d.write(c.Append(nil))
	d.want(mqtt.CONNACK)
	return d
}

func (d *device) write(b []byte) {
	d.w.Helper()
	_ = d.conn.SetDeadline(time.Now().Add(patience))
	if _, err := d.conn.Write(b); err != nil {
		d.w.Fatal(err)
	}
}

func (d *device) want(t mqtt.Type) {
	d.w.Helper()
	frame, err := d.read()
	if err != nil || mqtt.TypeOf(frame) != t {
		d.w.Fatalf("want %s, got % x, %v\n%s", t, frame, err, d.w.broker.Log())
	}
}

// read answers the next packet, borrowed until the next read.
func (d *device) read() ([]byte, error) {
	for {
		n, err := mqtt.Frame(d.have, 1<<20)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			frame := d.have[:n]
			d.have = d.have[n:]
			return frame, nil
		}
		buf := make([]byte, len(d.have)+16<<10)
		had := copy(buf, d.have)
		if n, err = d.conn.Read(buf[had:]); err != nil {
			return nil, err
		}
		d.have = buf[:had+n]
	}
}

// count takes acknowledgements until the end of the test.
func (d *device) count() {
	for {
		if _, err := d.read(); err != nil {
			d.end(err)
			return
		}
		d.acked.Add(1)
	}
}

// end reports a connection that ended before the test.
func (d *device) end(err error) {
	if errors.Is(err, net.ErrClosed) {
		return
	}
	select {
	case d.w.lost <- err:
	default:
	}
}

// publish sends the next message: its first byte decides which guests are bad for it, the second is
// room for the mark of who answered. It is safe for one goroutine.
func (d *device) publish(class byte) error {
	payload := binary.BigEndian.AppendUint32([]byte{class, 0}, uint32(d.n))
	payload = binary.BigEndian.AppendUint32(payload, d.next)
	m := mqtt.Publish{QoS: mqtt.AtLeastOnce, PacketID: uint16(d.next%60000) + 1,
		Topic: fmt.Appendf(nil, "m/%d/%d", d.n%10, d.n), Payload: payload}
	d.w.seen.publishes(d.n, d.next)
	d.next++
	_, err := d.conn.Write(m.Append(nil, mqtt.V311))
	return err
}

// observe tallies what arrives until the end of the test.
func (d *device) observe() {
	var out []byte
	for {
		frame, err := d.read()
		if err != nil {
			d.end(err)
			return
		}
		var m mqtt.Publish
		if mqtt.TypeOf(frame) != mqtt.PUBLISH || m.Decode(mqtt.V311, frame) != nil {
			continue
		}
		d.w.seen.message(&m)
		if m.QoS == 0 {
			continue
		}
		ack := mqtt.Ack{Type: mqtt.PUBACK, PacketID: m.PacketID}
		out = ack.Append(out[:0], mqtt.V311)
		if _, err := d.conn.Write(out); err != nil {
			d.end(err)
			return
		}
	}
}

// until waits for a condition; a connection that ends fails the test.
func (w *world) until(what string, holds func() bool) {
	w.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	end := time.After(patience)
	for !holds() {
		select {
		case <-tick.C:
		case err := <-w.lost:
			w.Fatalf("a connection ended: %v\n%s", err, w.broker.Log())
		case <-end:
			w.Fatalf("waited in vain until %s: %d of %d messages came, answered by %s\n%s", what,
				w.seen.count(), w.sent(), w.seen.marks(), w.broker.Log())
		}
	}
}

// sent is how many messages all devices have sent; nobody publishes meanwhile.
func (w *world) sent() (n uint64) {
	for _, d := range w.devs {
		n += uint64(d.next)
	}
	return n
}

// candidate brings a guest to the broker.
func (w *world) candidate(name string) string {
	w.Helper()
	code, err := os.ReadFile("testdata/" + name + ".wasm")
	if err != nil {
		w.Fatal(err)
	}
	up, err := w.api.Upload(w.Context(), name, code)
	if err != nil {
		w.Fatal(err)
	}
	return up.Source
}

// change asks for a guest at main.
func (w *world) change(name string) client.NewChange {
	w.Helper()
	return client.NewChange{ID: name, By: "ann", Items: []client.ChangeItem{
		{Listener: "main", Role: "transformer", Source: w.candidate(name), Grants: []string{}},
	}}
}

func (w *world) submit(n client.NewChange) {
	w.Helper()
	if _, err := w.api.Submit(w.Context(), n); err != nil {
		w.Fatal(err)
	}
}

func (w *world) get(id string) client.Change {
	w.Helper()
	c, err := w.api.Change(w.Context(), id)
	if err != nil {
		w.Fatal(err)
	}
	return c
}

// reaches waits for a state, and fails if the change ends in another.
func (w *world) reaches(id, state string) (c client.Change) {
	w.Helper()
	w.until(id+" is "+state, func() bool {
		c = w.get(id)
		if c.Ended && c.State != state {
			w.Fatalf("%s is %s: %s", id, c.State, c.Why)
		}
		return c.State == state
	})
	return c
}
