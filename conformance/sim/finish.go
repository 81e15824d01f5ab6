package sim

import (
	"fmt"

	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// checkRetained sends a client to every kernel that subscribes to all retained messages.
func (w *world) checkRetained() {
	for i := range w.kernels {
		c := newClient(w, len(w.clients))
		c.id = fmt.Sprintf("reader%d", i)
		c.persist, c.version, c.keepAlive = true, mqtt.V5, 0
		c.subs = []*interval{{filter: "r/#", qos: mqtt.AtLeastOnce, asked: w.now}}
		w.clients = append(w.clients, c)
		c.connect()
	}
}

// checkEnd checks what must be true when everything has come to rest.
func (w *world) checkEnd() {
	for _, c := range w.clients {
		w.checkRest(c)
		w.checkKept(c)
		for _, m := range w.msgs {
			if !c.member || m.topic[0] != 's' {
				w.checkCame(c, m)
			}
		}
	}
	for _, m := range w.msgs {
		w.checkGroup(m)
	}
	w.checkKernels()
}

// checkRest: the client is connected and nothing of it is under way.
func (w *world) checkRest(c *client) {
	switch {
	case c.sock.cut || !c.up:
		w.fail("%s is not connected", c.id)
	case len(c.out) > 0:
		w.fail("%s: %v was never acknowledged", c.id, c.out[0].m)
	case len(c.asked) > 0:
		w.fail("%s: a subscription was never acknowledged", c.id)
	case len(c.inbox.busy) > 0 || len(c.inbox.received) > 0:
		w.fail("%s: messages to it were never completed", c.id)
	}
}

// checkCame: what was acknowledged came to whoever was subscribed.
func (w *world) checkCame(c *client, m *message) {
	if !c.due(m) {
		return
	}
	if g := c.inbox.got[m.n]; g == nil || g.live == 0 {
		w.lost("%s: %v was acknowledged and never came", c.id, m)
	}
}

// checkGroup: what was acknowledged came to a member of the group.
func (w *world) checkGroup(m *message) {
	if m.topic[0] != 's' || w.group.got[m.n] > 0 {
		return
	}
	for _, over := range m.begun {
		if m.qos == mqtt.ExactlyOnce && over() {
			return // [MQTT-4.8.2-5]: nobody else may have it
		}
	}
	for _, c := range w.group.members {
		if c.due(m) {
			w.lost("%v was acknowledged and came to no member of the group", m)
			return
		}
	}
}

// checkKept: the readers got the last retained message of each topic, as acknowledged.
func (w *world) checkKept(c *client) {
	if len(c.subs) != 1 || c.subs[0].filter != "r/#" || c.id[0] != 'r' {
		return
	}
	last := map[string]int{}
	for _, m := range w.msgs {
		if m.retain && m.acked && !m.denied {
			last[m.topic] = m.n
		}
	}
	for name, n := range last {
		k, ok := c.inbox.kept[name]
		switch {
		case !ok:
			w.lost("%s: nothing is retained for %s, %v should be", c.id, name, w.msgs[n])
		case (w.msgs[k].refused || w.msgs[k].denied) && w.msgs[k].again: // as in ordered
		case k < n || k > n && !w.msgs[k].lost:
			w.fail("%s: retained is %v, %v should be", c.id, w.msgs[k], w.msgs[n])
		}
	}
}

// checkKernels: every session is in one place, and nothing waits in any.
func (w *world) checkKernels() {
	home := map[string]int{}
	for i, k := range w.kernels {
		k.Clients(func(v broker.ClientView) bool {
			home[v.ClientID]++
			if v.Queued > 0 || v.Inflight > 0 || !v.Connected {
				w.fail("kernel %d at rest: %+v", i, v)
			}
			return true
		})
		if st := k.Stats(); st.Queued != 0 || st.BadFrames != 0 {
			w.fail("kernel %d at rest: %+v", i, st)
		}
	}
	for _, c := range w.clients {
		if home[c.id] != 1 {
			w.fail("the session of %s is in %d kernels", c.id, home[c.id])
		}
	}
	stored := map[string]int{}
	for _, r := range w.store.live.sessions() {
		if stored[r.Key]++; stored[r.Key] > 1 {
			w.fail("the store has two sessions of %s", r.Key)
		}
	}
	if w.store.waiting != 0 {
		w.fail("the store still owes %d answers", w.store.waiting)
	}
}
