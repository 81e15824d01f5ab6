package interop

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// remote is a process in another language that has many clients. It takes requests and gives
// answers and messages as lines of JSON: see js/client.mjs and python/client.py.
type remote struct {
	w      *world
	cmd    *exec.Cmd
	stderr bytes.Buffer // to be read once done is closed
	done   chan struct{}

	mu      sync.Mutex // guards what follows, and the order of lines
	in      io.WriteCloser
	last    int
	answers map[int]chan answer
	clients map[string]chan message
}

type request struct {
	Number   int            `json:"number"`
	Op       string         `json:"op"`
	Client   string         `json:"client"`
	URL      string         `json:"url,omitempty"`
	CA       string         `json:"ca,omitempty"`
	Version  string         `json:"version,omitempty"`
	ID       string         `json:"id,omitempty"`
	Keep     uint32         `json:"keep,omitempty"`
	Will     *remoteMessage `json:"will,omitempty"`
	Filter   string         `json:"filter,omitempty"`
	QoS      byte           `json:"qos"`
	Message  *remoteMessage `json:"message,omitempty"`
	Patience int64          `json:"patience"` // milliseconds
}

type answer struct {
	Number  int    `json:"number"`
	Error   string `json:"error"`
	Granted byte   `json:"granted"`

	Client  string         `json:"client"`
	Message *remoteMessage `json:"message"` // then it is no answer
}

type remoteMessage struct {
	Topic      string      `json:"topic"`
	Payload    string      `json:"payload"`
	QoS        byte        `json:"qos"`
	Retained   bool        `json:"retained"`
	Properties [][2]string `json:"properties,omitempty"`
	Delay      uint32      `json:"delay"`
}

func toRemote(m message, delay uint32) *remoteMessage {
	return &remoteMessage{m.Topic, m.Payload, m.QoS, m.Retained, pairs(m.Properties), delay}
}

func openNode(t *testing.T, w *world) dialer {
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node", "apt-get install nodejs npm")
	}
	if _, err := os.Stat(filepath.Join("js", "node_modules", "mqtt")); err != nil {
		missing(t, "MQTT.js", "make interop, or npm ci in conformance/interop/js")
	}
	return openRemote(t, w, exec.Command(node, filepath.Join("js", "client.mjs")))
}

// openPython takes the first Python that has paho: Debian's may be hidden by another.
func openPython(t *testing.T, w *world) dialer {
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(python, "-c", "import paho.mqtt.client").Run() == nil {
			return openRemote(t, w, exec.Command(python, filepath.Join("python", "client.py")))
		}
	}
	missing(t, "Python's paho", "apt-get install python3-paho-mqtt")
	return nil
}

// openRemote starts a process that ends with the broker.
func openRemote(t *testing.T, w *world, cmd *exec.Cmd) dialer {
	t.Helper()
	r := &remote{w: w, cmd: cmd, done: make(chan struct{}), answers: make(map[int]chan answer),
		clients: make(map[string]chan message)}
	cmd.Stderr = &r.stderr
	var err error
	if r.in, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go r.read(out)
	w.closers = append(w.closers, r.close)
	return r.dial
}

// read hands out what comes, until the process ends.
func (r *remote) read(out io.Reader) {
	defer close(r.done)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var a answer
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			fmt.Fprintf(os.Stderr, "%s says %q: %v\n", r.cmd.Path, lines.Text(), err)
			continue
		}
		r.mu.Lock()
		to, in := r.answers[a.Number], r.clients[a.Client]
		r.mu.Unlock()
		switch m := a.Message; {
		case m == nil && to != nil:
			to <- a
		case m != nil && in != nil:
			in <- message{m.Topic, m.Payload, m.QoS, m.Retained, joined(m.Properties)}
		}
	}
	_ = r.cmd.Wait()
}

func (r *remote) close(t *testing.T) {
	_ = r.in.Close()
	select {
	case <-r.done:
	case <-time.After(patience):
		_ = r.cmd.Process.Kill()
		<-r.done
	}
	if text := r.stderr.String(); text != "" {
		t.Logf("%s wrote:\n%s", strings.Join(r.cmd.Args, " "), text)
	}
}

// call sends a request and waits for its answer.
func (r *remote) call(q request) (answer, error) {
	q.Patience = patience.Milliseconds()
	to := make(chan answer, 1)
	if err := r.send(&q, to); err != nil {
		return answer{}, err
	}
	defer func() { r.mu.Lock(); delete(r.answers, q.Number); r.mu.Unlock() }()
	select {
	case a := <-to:
		if a.Error != "" {
			return a, fmt.Errorf("%s: %s", q.Op, a.Error)
		}
		return a, nil
	case <-r.done:
		return answer{}, fmt.Errorf("%s: %s ended: %s", q.Op, r.cmd.Path, &r.stderr)
	case <-time.After(2 * patience):
		return answer{}, fmt.Errorf("%s: no answer", q.Op)
	}
}

func (r *remote) send(q *request, to chan answer) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	q.Number = r.last
	r.answers[q.Number] = to
	line, err := json.Marshal(q)
	if err != nil {
		return err
	}
	_, err = r.in.Write(append(line, '\n'))
	return err
}

// remoteClient is one client of the process.
type remoteClient struct {
	r    *remote
	name string
	in   chan message
}

func (r *remote) dial(t *testing.T, s settings) client {
	t.Helper()
	x := &remoteClient{r, r.w.id(), make(chan message, 256)}
	r.mu.Lock()
	r.clients[x.name] = x.in
	r.mu.Unlock()
	q := request{Op: "dial", URL: s.URL, Version: s.Version, ID: s.ID, Keep: s.KeepSeconds}
	if strings.HasPrefix(s.URL, "tls:") || strings.HasPrefix(s.URL, "wss:") {
		q.CA = r.w.ca
	}
	if s.Will != nil {
		q.Will = toRemote(s.Will.message, s.Will.DelaySeconds)
	}
	x.must(t, q)
	return x
}

func (x *remoteClient) must(t *testing.T, q request) answer {
	t.Helper()
	q.Client = x.name
	a, err := x.r.call(q)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (x *remoteClient) Subscribe(t *testing.T, filter string, qos byte) byte {
	t.Helper()
	return x.must(t, request{Op: "subscribe", Filter: filter, QoS: qos}).Granted
}

func (x *remoteClient) Publish(t *testing.T, m message) {
	t.Helper()
	x.must(t, request{Op: "publish", Message: toRemote(m, 0)})
}

func (x *remoteClient) Next(t *testing.T) message { t.Helper(); return next(t, x.in) }

// Close may come twice; the second is an error that nobody needs.
func (x *remoteClient) Close() { _, _ = x.r.call(request{Op: "close", Client: x.name}) }
