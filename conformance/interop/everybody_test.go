package interop

import (
	"fmt"
	"testing"
)

// everybody subscribes to what everybody publishes: the full square.
func everybody(t *testing.T, w *world, all []column) {
	root := w.id()
	subs := make([]client, len(all))
	for i, c := range all {
		subs[i] = c.connect(t, settings{})
		subscribe(t, subs[i], root+"/#", 2)
	}
	sent := make(map[string]message)
	from := make(map[string]column)
	for i, c := range all {
		pub := c.connect(t, settings{})
		for qos := range byte(3) {
			m := message{Topic: fmt.Sprintf("%s/%d/%d", root, i, qos), Payload: c.String(),
				QoS: qos, Properties: "unit=°C"}
			pub.Publish(t, m)
			sent[m.Topic], from[m.Topic] = m, c
		}
		pub.Close()
	}
	for i, c := range all {
		t.Run(c.String(), func(t *testing.T) {
			came := make(map[string]bool)
			for range sent {
				got := subs[i].Next(t)
				want := c.seen(from[got.Topic], sent[got.Topic])
				if got != want || came[got.Topic] {
					t.Errorf("got %s, want %s, once", got, want)
				}
				came[got.Topic] = true
			}
		})
	}
}
