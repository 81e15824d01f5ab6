package crash

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hpmq/hpmq/conformance/process"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// remembering has a component that counts the messages of each topic below n/, in kv, and writes
// the count before the payload, and one that puts the last value below h/, of history, beside the
// new one.
const remembering = `data_dir: %[1]s/data
loops: 2
admin: {bind: 127.0.0.1:0}
limits: {queue_messages_max: 10000000, queue_bytes_max: 4GiB}
store: {free_bytes_min: 0B}
listeners:
  - name: mqtt
    bind: unix://%[1]s/hpmq.sock
    link:
      transformer:
        - use: %[2]s
          grants: [kv]
          config: {words: "count;in=n/#;out=none;"}
        - use: transformer-json
          config: {rules: [{direction: up, filter: h/#, steps: [{previous: {copy: {v: was}}}]}]}
`

// Of what is below n/lone nobody wants anything: its acknowledgement waits for kv alone.
const (
	countKept = "n/kept"
	countLone = "n/lone"
	lastKept  = "h/kept"
)

// recall is a broker whose components remember, a publisher, and a session that is owed what is
// kept. A topic has values, from 1.
type recall struct {
	t      *testing.T
	bin    binaries
	dir    string
	broker *process.Broker
	sent   map[string]int
	acked  map[string]map[int]bool
	came   map[string][]string
}

// What components keep in kv and history is there after a kill and a power cut: all that was noted
// for messages that were acknowledged, and of the others what was noted for those that were kept,
// no more.
func componentsRemember(t *testing.T, bin binaries) {
	n := *seed
	if n == 0 {
		n = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed=%d", n)
	rnd := rand.New(rand.NewPCG(n, 1))
	r := newRecall(t, bin)
	r.keeper(nil)
	for i := range 6 {
		if i%2 == 0 {
			r.live("", 50+rnd.IntN(400))
			continue
		}
		r.live(fmt.Sprintf("%s:%d:power", pick(rnd, often()), 20+rnd.IntN(60)), 1<<62)
	}
	r.start("")
	r.tell()
	r.keeper([]string{countKept, lastKept})
	r.judgeCounts()
	r.judgeLasts()
	for _, topic := range []string{countKept, lastKept, countLone} {
		t.Logf("%s: %d sent, %d acknowledged, %d came", topic, r.sent[topic], len(r.acked[topic]),
			len(r.came[topic]))
	}
}

func newRecall(t *testing.T, bin binaries) *recall {
	dir, err := os.MkdirTemp("", "crash-")
	if err != nil {
		t.Fatal(err)
	}
	guest, err := filepath.Abs("../../host/link/testdata/transformer-kv.wasm")
	if err != nil {
		t.Fatal(err)
	}
	r := &recall{t: t, bin: bin, dir: dir, sent: map[string]int{},
		acked: map[string]map[int]bool{}, came: map[string][]string{}}
	for _, topic := range []string{countKept, countLone, lastKept} {
		r.acked[topic] = map[int]bool{}
	}
	config := fmt.Appendf(nil, remembering, dir, guest)
	if err := os.WriteFile(r.path("hpmq.yaml"), config, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if r.broker != nil {
			r.broker.Kill()
		}
		_ = os.RemoveAll(dir)
	})
	r.start("")
	return r
}

func (r *recall) path(name string) string { return filepath.Join(r.dir, name) }

// start begins a life of the broker; faults are of its binary with points.
func (r *recall) start(faults string) {
	r.t.Helper()
	if r.broker != nil {
		r.broker.Kill()
	}
	bin, env := r.bin.plain, []string(nil)
	if faults != "" {
		bin, env = r.bin.faulty, []string{"BROKER_FAULTS=" + faults}
	}
	b, err := process.StartIn(context.Background(), env, bin, "--config", r.path("hpmq.yaml"))
	if err != nil {
		r.t.Fatalf("the broker does not start under %q: %v", faults, err)
	}
	r.broker = b
}

// join connects.
func (r *recall) join(id string, fresh bool) *link {
	r.t.Helper()
	conn, err := net.Dial("unix", r.path("hpmq.sock"))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = conn.Close() })
	l := &link{conn: conn, in: bufio.NewReader(conn), v: mqtt.V311}
	c := client{id: id, version: mqtt.V311, fresh: fresh}
	if !c.open(l) {
		r.t.Fatalf("%s was not let in", id)
	}
	return l
}

// flyingMax is how many messages are on their way at once.
const flyingMax = 20

// sending is what one connection of the publisher has on its way.
type sending struct {
	*link
	count  int
	flying map[uint16]value
}

type value struct {
	topic string
	v     int
}

// live is one life of the broker: it is killed when so many messages are acknowledged, or ends at
// its point. Others are on their way then.
func (r *recall) live(faults string, acks int) {
	r.t.Helper()
	r.start(faults)
	s := &sending{link: r.join("publisher", true), flying: map[uint16]value{}}
	for range flyingMax {
		r.send(s)
	}
	for acks > 0 {
		frame, err := s.read(time.Minute)
		if err != nil {
			break
		}
		if r.took(s, frame) {
			acks--
			r.send(s)
		}
	}
	if faults == "" && acks > 0 {
		r.t.Fatalf("the broker ended by itself:\n%s", r.broker.Log())
	}
	if faults != "" {
		select {
		case <-r.broker.Done():
		case <-time.After(time.Minute):
			r.t.Fatalf("%s was not passed", faults)
		}
	}
	r.broker.Kill()
}

// send sends the next value of one of the topics, at QoS 1 and 2 in turn.
func (r *recall) send(s *sending) {
	topic := []string{countKept, lastKept, countLone}[s.count%3]
	qos := mqtt.AtLeastOnce + mqtt.QoS(s.count/3%2)
	s.count++
	r.sent[topic]++
	v := r.sent[topic]
	m := mqtt.Publish{QoS: qos, PacketID: uint16(s.count%65535 + 1), Topic: []byte(topic),
		Payload: fmt.Append(nil, v)}
	if topic == lastKept {
		m.Payload = fmt.Appendf(nil, `{"v":%d}`, v)
	}
	s.flying[m.PacketID] = value{topic, v}
	s.out = m.Append(s.out, s.v)
}

// took is true for what acknowledges a message first.
func (r *recall) took(s *sending, frame []byte) bool {
	var a mqtt.Ack
	if err := a.Decode(s.v, frame); err != nil {
		r.t.Fatalf("% x: %v", frame, err)
	}
	switch t := mqtt.TypeOf(frame); t {
	case mqtt.PUBREC:
		s.ack(mqtt.PUBREL, a.PacketID)
	case mqtt.PUBACK:
	default:
		return false
	}
	x := s.flying[a.PacketID]
	r.acked[x.topic][x.v] = true
	return true
}

// tell sends one value more of each topic, of which it takes back what became of n/lone.
func (r *recall) tell() {
	r.t.Helper()
	sub := r.join("looker", true)
	list := []mqtt.Subscription{{Filter: []byte(countLone)}}
	sub.out = mqtt.AppendSubscribe(sub.out, sub.v, 1, nil, list)
	if f, err := sub.read(time.Minute); err != nil || mqtt.TypeOf(f) != mqtt.SUBACK {
		r.t.Fatal(f, err)
	}
	s := &sending{link: r.join("publisher", true), flying: map[uint16]value{}}
	for range 3 {
		r.send(s)
	}
	for acks := 0; acks < 3; {
		frame, err := s.read(time.Minute)
		if err != nil {
			r.t.Fatal(err)
		}
		if r.took(s, frame) {
			acks++
		}
	}
	if err := s.flush(); err != nil {
		r.t.Fatal(err)
	}
	r.take(sub, countLone)
}

// keeper comes and takes what it is owed, up to the last value of each of these topics; with none
// it subscribes.
func (r *recall) keeper(topics []string) {
	r.t.Helper()
	l := r.join("keeper", false)
	if topics == nil {
		l.out = mqtt.AppendSubscribe(l.out, l.v, 1, nil, []mqtt.Subscription{
			{Filter: []byte(countKept), QoS: mqtt.AtLeastOnce},
			{Filter: []byte(lastKept), QoS: mqtt.AtLeastOnce},
		})
		if f, err := l.read(time.Minute); err != nil || mqtt.TypeOf(f) != mqtt.SUBACK {
			r.t.Fatal(f, err)
		}
	}
	r.take(l, topics...)
	var d mqtt.Disconnect
	l.out = d.Append(l.out, l.v)
	if err := l.flush(); err != nil {
		r.t.Fatal(err)
	}
}

// take notes what comes until the last value of each of these topics has come.
func (r *recall) take(l *link, topics ...string) {
	r.t.Helper()
	for _, topic := range topics {
		for last := 0; last < r.sent[topic]; {
			frame, err := l.read(time.Minute)
			if err != nil {
				r.t.Fatalf("%s: %d came, and not the last: %v", topic, len(r.came[topic]), err)
			}
			var m mqtt.Publish
			if mqtt.TypeOf(frame) != mqtt.PUBLISH {
				continue
			}
			if err := m.Decode(l.v, frame); err != nil {
				r.t.Fatal(err)
			}
			if m.QoS > 0 {
				l.ack(mqtt.PUBACK, m.PacketID)
			}
			r.came[string(m.Topic)] = append(r.came[string(m.Topic)], string(m.Payload))
			if n := len(r.came[topic]); n > 0 {
				last = r.valueOf(topic, r.came[topic][n-1]).v
			}
		}
	}
}

// told is what components made of a value.
type told struct{ V, Was, count, v int }

func (r *recall) valueOf(topic, payload string) (x told) {
	r.t.Helper()
	err := json.Unmarshal([]byte(payload), &x)
	if x.v = x.V; topic != lastKept {
		_, err = fmt.Sscan(payload, &x.count, &x.v)
	}
	if err != nil {
		r.t.Fatalf("%s: %q: %v", topic, payload, err)
	}
	return x
}

// judgeCounts holds kv against what was kept: of n/kept all that was counted came, and of n/lone as
// many as were acknowledged, or more, were.
func (r *recall) judgeCounts() {
	seen := r.ascending(countKept)
	for i, x := range seen {
		if x.count != i+1 {
			r.t.Errorf("%s: value %d was counted as %d, and %d came before it", countKept, x.v,
				x.count, i)
		}
	}
	list := r.came[countLone]
	n := r.valueOf(countLone, list[0]).count
	if least, most := len(r.acked[countLone]), r.sent[countLone]; n < least || n > most {
		r.t.Errorf("%s: kv has %d, %d were acknowledged, %d sent", countLone, n, least, most)
	}
}

// judgeLasts holds history against what was kept: each value came with the one before it.
func (r *recall) judgeLasts() {
	before := 0
	for _, x := range r.ascending(lastKept) {
		if x.Was != before {
			r.t.Errorf("%s: history has %d before %d, and %d came", lastKept, x.Was, x.v, before)
		}
		before = x.v
	}
}

// ascending answers what came under a topic, and sees that all that was acknowledged did, in order.
func (r *recall) ascending(topic string) (list []told) {
	before, came := 0, map[int]bool{}
	for _, payload := range r.came[topic] {
		x := r.valueOf(topic, payload)
		if x.v <= before {
			r.t.Errorf("%s: %d came after %d", topic, x.v, before)
		}
		before, came[x.v] = x.v, true
		list = append(list, x)
	}
	for v := range r.acked[topic] {
		if !came[v] {
			r.t.Errorf("%s: %d was acknowledged, and never came", topic, v)
		}
	}
	return list
}
