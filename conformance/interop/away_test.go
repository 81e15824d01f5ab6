package interop

import (
	"testing"
	"time"
)

// keepSeconds is longer than any test.
const keepSeconds = 600

// behind connects c through a relay.
func behind(t *testing.T, c column, s settings) (client, *relay) {
	t.Helper()
	r, url := newRelay(t, c.w.urls[c.scheme])
	s.URL, s.Lost = url, r.lost
	return c.connect(t, s), r
}

// lastWords are a will, watched by a peer.
func lastWords(t *testing.T, c column, root string) (will, client) {
	t.Helper()
	watch := c.peer().connect(t, settings{})
	subscribe(t, watch, root+"/+", 2)
	m := message{Topic: root + "/will", Payload: "gone", QoS: 1}
	if c.v5() {
		m.Properties = "a=1 a=2"
	}
	return will{message: m}, watch
}

// lostWill: the will comes if the connection is lost, and stays if it says so.
func lostWill(t *testing.T, c column, root string) {
	w, watch := lastWords(t, c, root)
	w.Retained = true
	x, r := behind(t, c, settings{Will: &w})
	subscribe(t, x, root+"/own", 0)
	r.cut()
	live := w.message
	live.Retained = false
	expect(t, watch, live)
	late := c.peer().connect(t, settings{})
	subscribe(t, late, w.Topic, 2)
	expect(t, late, w.message)
}

// noWill: a client that says good bye has none. mosquitto_sub asks for it nevertheless in MQTT 5:
// it says DISCONNECT with reason 0x04 when it is told to end.
func noWill(t *testing.T, c column, root string) {
	w, watch := lastWords(t, c, root)
	x := c.connect(t, settings{Will: &w})
	subscribe(t, x, root+"/own", 0)
	x.Close()
	if c.library == "mosquitto" && c.v5() {
		expect(t, watch, w.message)
	}
	mark := message{Topic: root + "/mark", Payload: "live", QoS: 1}
	c.peer().connect(t, settings{}).Publish(t, mark)
	expect(t, watch, mark)
}

// willDelay: the will waits as long as it says [MQTT-3.1.3-9].
func willDelay(t *testing.T, c column, root string) {
	w, watch := lastWords(t, c, root)
	w.DelaySeconds = 1
	x, r := behind(t, c, settings{Will: &w, KeepSeconds: keepSeconds})
	subscribe(t, x, root+"/own", 0)
	start := time.Now()
	r.cut()
	expect(t, watch, w.message)
	// The broker counts whole milliseconds.
	if waited := time.Since(start); waited < time.Second-2*time.Millisecond {
		t.Errorf("the will came after %v", waited)
	}
}

// resumed: who went with DISCONNECT finds what came meanwhile.
func resumed(t *testing.T, c column, root string) {
	away(t, c, root, func(x client, _ *relay) { x.Close() })
}

// resumedAfterCut: who lost the connection does, too.
func resumedAfterCut(t *testing.T, c column, root string) {
	away(t, c, root, func(x client, r *relay) { r.cut(); x.Close() })
}

// resumedAfterSilence: the broker cannot know, sends to the old connection, and sends again to the
// new one.
func resumedAfterSilence(t *testing.T, c column, root string) {
	away(t, c, root, func(x client, r *relay) {
		r.hush()
		// Before the client is closed, which might wait for what never comes.
		t.Cleanup(r.cut)
	})
}

func away(t *testing.T, c column, root string, leave func(client, *relay)) {
	s := settings{ID: c.w.id(), KeepSeconds: keepSeconds}
	x, r := behind(t, c, s)
	subscribe(t, x, root+"/#", 2)
	pub := c.peer().connect(t, settings{})
	// With QoS 0, as its acknowledgement might be cut off and it would come again.
	before := message{Topic: root + "/before", Payload: "here", QoS: 0}
	pub.Publish(t, before)
	expect(t, x, before)
	leave(x, r)

	missed := samples(root)[1:] // QoS 0 need not be kept
	for i, m := range missed {
		pub.Publish(t, m)
		missed[i] = c.seen(c.peer(), m)
	}
	back := c.connect(t, s)
	if c.library == "mosquitto" { // it always subscribes; without a session it would get nothing
		subscribe(t, back, root+"/#", 2)
	}
	expectAll(t, back, missed)
	after := message{Topic: root + "/after", Payload: "here again", QoS: 2}
	pub.Publish(t, after)
	expect(t, back, after)
}

// expectAll expects messages in order within each QoS: a client may show QoS 2 when the last of its
// four packets has come.
func expectAll(t *testing.T, c client, want []message) {
	t.Helper()
	queues := make(map[byte][]message)
	for _, m := range want {
		queues[m.QoS] = append(queues[m.QoS], m)
	}
	for range want {
		got := c.Next(t)
		q := queues[got.QoS]
		if len(q) == 0 || got != q[0] {
			t.Fatalf("got %s, want the first of %v", got, q)
		}
		queues[got.QoS] = q[1:]
	}
}
