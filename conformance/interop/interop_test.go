package interop

import (
	"fmt"
	"strings"
	"testing"
)

// TestClients lets every library in every version over every kind of connection do each feature,
// with one of the two pahos in Go at the other end; then everybody talks with everybody.
func TestClients(t *testing.T) {
	w := newWorld(t)
	all := columns(t, w)
	t.Run("features", func(t *testing.T) {
		for _, c := range all {
			t.Run(c.String(), func(t *testing.T) {
				t.Parallel()
				for name, f := range c.features() {
					t.Run(name, func(t *testing.T) { t.Parallel(); f(t, c, w.id()) })
				}
			})
		}
	})
	t.Run("everybody with everybody", func(t *testing.T) { everybody(t, w, all) })
}

// features are what c shall do, below a topic that nobody else has.
func (c column) features() map[string]func(t *testing.T, c column, root string) {
	all := map[string]func(*testing.T, column, string){
		"messages":           messages,
		"lower QoS":          lowerQoS,
		"retained":           retained,
		"will":               lostWill,
		"DISCONNECT":         noWill,
		"shared":             shared,
		"session":            resumed,
		"session of cut":     resumedAfterCut,
		"session of silence": resumedAfterSilence,
	}
	if c.v5() {
		all["will delay"] = willDelay
	}
	if c.scheme == "tcp" {
		all["limited"] = limited
	}
	return all
}

// peer is paho in Go of about the same version, over tcp.
func (c column) peer() column {
	if c.v5() {
		return column{"paho.golang", "5", "tcp", openPaho5(nil, c.w), c.w}
	}
	return column{"paho.mqtt.golang", "3.1.1", "tcp", openPaho3(nil, c.w), c.w}
}

// samples are messages of each QoS, with text beyond ASCII, and one that no single TLS record,
// socket buffer or short WebSocket frame holds.
func samples(root string) []message {
	return []message{
		{Topic: root + "/0", Payload: "fire and forget", QoS: 0, Properties: "unit=°C"},
		{Topic: root + "/ü/1", Payload: "at least once: 温度", QoS: 1, Properties: "a=1 a=2 b=ж"},
		{Topic: root + "/2", Payload: "exactly once", QoS: 2},
		{Topic: root + "/long", Payload: strings.Repeat("0123456789", 7000), QoS: 1},
	}
}

// messages go both ways, with each QoS.
func messages(t *testing.T, c column, root string) {
	for _, way := range [][2]column{{c, c.peer()}, {c.peer(), c}} {
		from, to := way[0], way[1]
		root := fmt.Sprintf("%s/%s", root, to.library)
		sub, pub := to.connect(t, settings{}), from.connect(t, settings{})
		subscribe(t, sub, root+"/#", 2)
		for _, m := range samples(root) {
			pub.Publish(t, m)
			expect(t, sub, to.seen(from, m))
		}
	}
}

// subscribe expects what is asked for to be granted.
func subscribe(t *testing.T, c client, filter string, qos byte) {
	t.Helper()
	if granted := c.Subscribe(t, filter, qos); granted != qos {
		t.Errorf("subscription to %s with QoS %d was granted with %d", filter, qos, granted)
	}
}

func expect(t *testing.T, c client, want message) {
	t.Helper()
	if got := c.Next(t); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// lowerQoS: a message comes with the QoS of the subscription if that is the lower one.
func lowerQoS(t *testing.T, c column, root string) {
	pub := c.peer().connect(t, settings{})
	for qos := range byte(2) {
		sub := c.connect(t, settings{})
		subscribe(t, sub, root+"/+", qos)
		pub.Publish(t, message{Topic: root + "/low", Payload: "high", QoS: 2})
		expect(t, sub, message{Topic: root + "/low", Payload: "high", QoS: qos})
	}
}

// limited: the broker grants QoS 1 where it has no QoS 2, and the client understands.
func limited(t *testing.T, c column, root string) {
	sub := c.connect(t, settings{URL: c.w.urls["limited"]})
	if granted := sub.Subscribe(t, root+"/+", 2); granted != 1 {
		t.Errorf("QoS %d was granted, want 1", granted)
	}
	pub := c.peer().connect(t, settings{})
	pub.Publish(t, message{Topic: root + "/x", Payload: "high", QoS: 2})
	expect(t, sub, message{Topic: root + "/x", Payload: "high", QoS: 1})
}

// retained: what a client leaves a later one finds, until it is taken away.
func retained(t *testing.T, c column, root string) {
	for _, way := range [][2]column{{c, c.peer()}, {c.peer(), c}} {
		from, to := way[0], way[1]
		root := fmt.Sprintf("%s/%s", root, to.library)
		pub := from.connect(t, settings{})
		kept := message{root + "/kept", "state", 1, true, "unit=°C"}
		pub.Publish(t, kept)
		late := to.connect(t, settings{})
		subscribe(t, late, root+"/+", 2)
		expect(t, late, to.seen(from, kept))
		pub.Publish(t, message{Topic: kept.Topic, QoS: 1, Retained: true})
		expect(t, late, message{Topic: kept.Topic, QoS: 1})
		later := to.connect(t, settings{})
		subscribe(t, later, root+"/+", 2)
		mark := message{Topic: root + "/mark", Payload: "live", QoS: 1}
		pub.Publish(t, mark)
		expect(t, later, mark)
	}
}

// shared: of a shared subscription each message goes to one of the members. By default they take
// turns.
func shared(t *testing.T, c column, root string) {
	const each = 5
	members := []client{c.connect(t, settings{}), c.connect(t, settings{})}
	for _, m := range members {
		subscribe(t, m, "$share/crew/"+root+"/#", 1)
	}
	pub := c.peer().connect(t, settings{})
	for i := range each * len(members) {
		pub.Publish(t, message{Topic: root + "/job", Payload: fmt.Sprint(i), QoS: 2})
	}
	came := make(map[string]bool)
	for range each {
		for _, m := range members {
			got := m.Next(t)
			if got.Topic != root+"/job" || got.QoS != 1 || came[got.Payload] {
				t.Errorf("got %s, want a new job with the QoS of the subscription", got)
			}
			came[got.Payload] = true
		}
	}
}
