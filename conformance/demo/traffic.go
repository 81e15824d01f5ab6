package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// shape is how a message looks to the subscriber.
type shape string

const (
	raw shape = "vendor" // as the device sent it
	v1  shape = "v1"
	v2  shape = "v2"
)

// reading is every form a message can take.
type reading struct {
	Seq    int    `json:"seq"`
	Schema string `json:"schema"`
	To     string `json:"to"`
	// Value is what a newcomer's first component puts a reading into.
	Value *reading `json:"value"`
}

// scene is what the device says and how a message is told that came through.
type scene struct {
	device string
	// says is the topic and payload of the message with that number.
	says func(seq int) (topic, payload string)
	// watch is the watcher's filter, username its name.
	watch, username string
	shape           func(topic string, r *reading) shape
}

// vendor is the scene of the story.
func vendor() scene {
	return scene{
		device: "dev-7", watch: "vendor/acme/#",
		says: func(seq int) (topic, payload string) {
			return deviceTopic, fmt.Sprintf(`{"seq":%d,"t":%d,"vendor":"acme"}`, seq, 200+seq%50)
		},
		shape: func(_ string, r *reading) shape {
			if r.Schema == "" {
				return raw
			}
			return shape(r.Schema)
		},
	}
}

// traffic is one device that publishes at a rate, and one subscriber that keeps account.
type traffic struct {
	scene  scene
	device paho.Client
	watch  paho.Client

	mu      sync.Mutex
	sent    int
	next    int // sequence number that must come next
	got     int
	faults  []string
	lost    []string // connections that ended
	now     shape
	shapes  []shape // in order of appearance
	counts  map[shape]int
	changed chan struct{} // closed and made anew at each message
}

const (
	deviceTopic = "vendor/acme/dev-7/up"
	faultsMax   = 20
)

func newTraffic(s scene) *traffic {
	return &traffic{scene: s, counts: map[shape]int{}, changed: make(chan struct{})}
}

func open(addr string, s scene) (*traffic, error) {
	t := newTraffic(s)
	var err error
	if t.watch, err = t.dial(addr, "watcher", s.username); err != nil {
		return nil, err
	}
	tok := t.watch.Subscribe(s.watch, 1, func(_ paho.Client, m paho.Message) { t.take(m) })
	if tok.Wait(); tok.Error() != nil {
		return nil, tok.Error()
	}
	t.device, err = t.dial(addr, s.device, "")
	return t, err
}

func (t *traffic) dial(addr, id, username string) (paho.Client, error) {
	o := paho.NewClientOptions().AddBroker("tcp://" + addr).SetClientID(id)
	o.SetUsername(username)
	o.SetProtocolVersion(4).SetAutoReconnect(false).SetOrderMatters(true)
	o.SetConnectionLostHandler(func(_ paho.Client, err error) {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.lost = append(t.lost, fmt.Sprintf("%s: %v", id, err))
	})
	c := paho.NewClient(o)
	if tok := c.Connect(); tok.Wait() && tok.Error() != nil {
		return nil, fmt.Errorf("demo: connect %s: %w", id, tok.Error())
	}
	return c, nil
}

// publish sends rate messages a second until ctx ends, then waits for the last acknowledgement.
func (t *traffic) publish(ctx context.Context, rate int) error {
	const beat = 10 * time.Millisecond
	tick := time.NewTicker(beat)
	defer tick.Stop()
	var last []paho.Token
	for start := time.Now(); ; {
		select {
		case <-ctx.Done():
			return acknowledged(last)
		case <-tick.C:
		}
		due := int(time.Since(start).Seconds() * float64(rate))
		for ; t.sent < due; t.sent++ {
			topic, body := t.scene.says(t.sent)
			last = append(last, t.device.Publish(topic, 1, false, body))
		}
		for len(last) > 0 && ended(last[0]) {
			last = last[1:]
		}
	}
}

// acknowledged waits for what is still under way.
func acknowledged(last []paho.Token) error {
	for _, tok := range last {
		if !tok.WaitTimeout(10 * time.Second) {
			return errors.New("demo: a message was never acknowledged")
		}
	}
	return nil
}

func ended(tok paho.Token) bool {
	select {
	case <-tok.Done():
		return true
	default:
		return false
	}
}

// take keeps account of one message.
func (t *traffic) take(m paho.Message) {
	var r reading
	err := json.Unmarshal(m.Payload(), &r)
	if r.Value != nil {
		r.Seq = r.Value.Seq
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.fault("not JSON: %q", m.Payload())
		return
	}
	switch {
	case r.Seq > t.next:
		t.fault("%d came when %d was due: %d missing", r.Seq, t.next, r.Seq-t.next)
	case r.Seq < t.next:
		t.fault("%d came again or late, %d was due", r.Seq, t.next)
	}
	t.next = max(t.next, r.Seq+1)
	t.got++
	s := t.scene.shape(m.Topic(), &r)
	if s != t.now || len(t.shapes) == 0 {
		t.shapes = append(t.shapes, s)
	}
	t.now = s
	t.counts[s]++
	close(t.changed)
	t.changed = make(chan struct{})
}

func (t *traffic) fault(format string, args ...any) {
	if len(t.faults) < faultsMax {
		t.faults = append(t.faults, fmt.Sprintf(format, args...))
	}
}

// until waits until n messages in a row came in shape s, counted from now.
func (t *traffic) until(ctx context.Context, s shape, n int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	from := t.counts[s]
	for t.now != s || t.counts[s] < from+n {
		wait := t.changed
		t.mu.Unlock()
		select {
		case <-wait:
			t.mu.Lock()
		case <-ctx.Done():
			t.mu.Lock()
			return fmt.Errorf("demo: no %d messages as %s (last: %s): %w", n, s, t.now, ctx.Err())
		}
	}
	return nil
}

// caughtUp waits until all that was sent came.
func (t *traffic) caughtUp(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.got < t.sent {
		wait := t.changed
		t.mu.Unlock()
		select {
		case <-wait:
			t.mu.Lock()
		case <-ctx.Done():
			t.mu.Lock()
			return fmt.Errorf("demo: %d of %d messages came: %w", t.got, t.sent, ctx.Err())
		}
	}
	return nil
}

func (t *traffic) close() {
	t.device.Disconnect(250)
	t.watch.Disconnect(250)
}
