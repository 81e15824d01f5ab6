//go:build unix

package recall

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/conformance/process"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// patience bounds every single wait.
const patience = 2 * time.Minute

// settings have a listener that is logged, and one that is not: what is published again goes there.
const settings = `data_dir: %s/data
admin: {bind: 127.0.0.1:0}
listeners:
  - name: plant
    bind: tcp://127.0.0.1:0
    log: {}
    link:
      deduplicator:
        - use: deduplicator-window
          config: {rules: [{filter: p/#, window_ms: 3600000}]}
  - name: other
    bind: tcp://127.0.0.1:0
`

// record is what hpmq-cli says of a message, of which more is not looked at.
type record struct {
	Time     time.Time `json:"time"`
	Listener string    `json:"listener"`
	Client   string    `json:"client_id"`
	Topic    string    `json:"topic"`
	Payload  []byte    `json:"payload"`
	Outcome  string    `json:"outcome"`
	Reason   string    `json:"reason"`
}

func (r *record) String() string {
	return fmt.Sprintf("%s %s %s=%s %s", r.Listener, r.Client, r.Topic, r.Payload, r.Outcome)
}

// plant is a broker with a publisher.
type plant struct {
	*testing.T
	broker *process.Broker
	cli    string
}

// What went by is followed as it comes, looked up afterwards, and published again to another
// listener, marked with when it arrived first, in its order.
func TestMessagesThatWentBy(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the real binaries")
	}
	p := open(t)
	tail := p.tail()
	dev := p.connect("plant", "dev")
	for i, x := range [][2]string{{"p/1", "a"}, {"q", "of others"}, {"p/1", "a"}, {"p/2", "b"}} {
		dev.publish(uint16(i+1), x[0], x[1])
	}
	want := []string{
		"plant dev p/1=a delivered", "plant dev p/1=a suppressed", "plant dev p/2=b delivered",
	}
	var seen []record
	for range want {
		seen = append(seen, tail())
	}
	p.same("followed", seen, want)
	found := p.query("--filter", "p/#", "--from", "1h")
	p.same("found", found, want)
	for i := range found {
		if !found[i].Time.Equal(seen[i].Time) {
			t.Errorf("%v: found with another time: %v", &seen[i], found[i].Time)
		}
	}
	p.same("newest first", p.query("--filter", "p/#", "--newest", "--limit", "1"), want[2:])
	p.same("held back", p.query("--outcome", "suppressed"), want[1:2])
	p.same("of nobody", p.query("--client", "nobody"), nil)

	for _, how := range [][]string{{"--speed", "0"}, {"--speed", "1000000", "--rate", "0"}} {
		p.again(found, how...)
	}
	began := time.Now()
	p.again(found, "--speed", "0", "--rate", "20")
	if took := time.Since(began); took < 100*time.Millisecond {
		t.Errorf("3 messages at 20 a second took %v", took)
	}
	p.same("still", p.query("--filter", "p/#"), want) // the other listener is not logged
}

func open(t *testing.T) *plant {
	t.Helper()
	bin, cli, err := process.Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "hpmq.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, settings, dir), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := process.Start(t.Context(), bin, "--config", config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Kill)
	return &plant{t, b, cli}
}

func (p *plant) command(args ...string) *exec.Cmd {
	args = append([]string{"--server", "http://" + p.broker.Admin, "--json", "log"}, args...)
	return exec.CommandContext(p.Context(), p.cli, args...)
}

// tail follows the log, from its beginning on, and answers what gives the next message.
func (p *plant) tail() func() record {
	p.Helper()
	c := p.command("tail", "--filter", "p/#", "--from", "1h")
	var errs bytes.Buffer
	c.Stderr = &errs
	out, err := c.StdoutPipe()
	if err != nil {
		p.Fatal(err)
	}
	if err := c.Start(); err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	lines := bufio.NewScanner(out)
	late := time.AfterFunc(patience, func() { _ = c.Process.Kill() })
	return func() (r record) {
		p.Helper()
		late.Reset(patience)
		defer late.Stop()
		if !lines.Scan() {
			p.Fatalf("log tail ended: %v\n%s", lines.Err(), p.broker.Log())
		}
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			p.Fatalf("%s: %v", lines.Text(), err)
		}
		return r
	}
}

func (p *plant) query(args ...string) (list []record) {
	p.Helper()
	out, err := p.command(append([]string{"query"}, args...)...).Output()
	if err != nil {
		p.Fatalf("log query %v: %v\n%s\n%s", args, err, out, p.broker.Log())
	}
	for line := range strings.Lines(string(out)) {
		var r record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			p.Fatalf("%s: %v", line, err)
		}
		list = append(list, r)
	}
	return list
}

func (p *plant) same(what string, got []record, want []string) {
	p.Helper()
	var texts []string
	for i := range got {
		texts = append(texts, got[i].String())
	}
	if !slices.Equal(texts, want) {
		p.Errorf("%s: %q, want %q", what, texts, want)
	}
}

// again publishes what went by once more, and sees what a subscriber gets.
func (p *plant) again(list []record, how ...string) {
	p.Helper()
	sub := p.connect("other", "sub")
	sub.write(mqtt.AppendSubscribe(nil, mqtt.V5, 1, nil, []mqtt.Subscription{
		{Filter: []byte("p/#"), QoS: mqtt.AtLeastOnce}}))
	sub.want(mqtt.SUBACK)
	args := append([]string{"replay", "--filter", "p/#", "--target", p.broker.Listeners["other"]},
		how...)
	out, err := p.command(args...).Output()
	var done struct{ Published, Skipped int }
	if err == nil {
		err = json.Unmarshal(out, &done)
	}
	if err != nil || done.Published != len(list) || done.Skipped != 0 {
		p.Fatalf("log replay: %v, %s\n%s", err, out, p.broker.Log())
	}
	for i := range list {
		var m mqtt.Publish
		if err := m.Decode(mqtt.V5, sub.want(mqtt.PUBLISH)); err != nil {
			p.Fatal(err)
		}
		var marks []string
		m.Props.Users(func(name, value []byte) bool {
			marks = append(marks, fmt.Sprintf("%s=%s", name, value))
			return true
		})
		r := &list[i]
		mark := "hpmq-replay=" + r.Time.UTC().Format(time.RFC3339Nano)
		if string(m.Topic) != r.Topic || string(m.Payload) != string(r.Payload) ||
			m.QoS != mqtt.AtLeastOnce || !slices.Equal(marks, []string{mark}) {
			p.Errorf("%s=%s %v at QoS %d, want %v, %s", m.Topic, m.Payload, marks, m.QoS, r, mark)
		}
	}
	_ = sub.conn.Close()
}

// peer is one connection.
type peer struct {
	p    *plant
	conn net.Conn
	have []byte
}

func (p *plant) connect(listener, id string) *peer {
	p.Helper()
	address := strings.TrimPrefix(p.broker.Listeners[listener], "tcp://")
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() { _ = conn.Close() })
	c := &peer{p: p, conn: conn}
	hello := mqtt.Connect{Version: mqtt.V5, CleanStart: true, ClientID: []byte(id)}
	c.write(hello.Append(nil))
	c.want(mqtt.CONNACK)
	return c
}

func (c *peer) publish(id uint16, topic, payload string) {
	c.p.Helper()
	m := mqtt.Publish{
		QoS: mqtt.AtLeastOnce, PacketID: id, Topic: []byte(topic), Payload: []byte(payload),
	}
	c.write(m.Append(nil, mqtt.V5))
	c.want(mqtt.PUBACK)
}

func (c *peer) write(b []byte) {
	c.p.Helper()
	_ = c.conn.SetDeadline(time.Now().Add(patience))
	if _, err := c.conn.Write(b); err != nil {
		c.p.Fatal(err)
	}
}

// want answers the next packet, which must be of that type.
func (c *peer) want(t mqtt.Type) []byte {
	c.p.Helper()
	_ = c.conn.SetDeadline(time.Now().Add(patience))
	for {
		n, err := mqtt.Frame(c.have, 1<<20)
		if err == nil && n > 0 {
			frame := c.have[:n]
			c.have = c.have[n:]
			if mqtt.TypeOf(frame) != t {
				c.p.Fatalf("want %s, got % x\n%s", t, frame, c.p.broker.Log())
			}
			return frame
		}
		buf := make([]byte, 512)
		if err == nil {
			n, err = c.conn.Read(buf)
		}
		if err != nil {
			c.p.Fatalf("want %s: %v\n%s", t, err, c.p.broker.Log())
		}
		c.have = append(slices.Clone(c.have), buf[:n]...)
	}
}
