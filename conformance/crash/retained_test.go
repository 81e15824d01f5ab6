package crash

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// looker subscribes to all retained messages, once, and judges what it gets.
type looker struct {
	client
	ledger *ledger
	least  map[string]int // of each topic the last that was acknowledged before it asked

	mu   sync.Mutex
	came map[string]int
}

// look sees whether every retained message is the last one that was acknowledged, or later. It is
// false if ctx ends before it is sure, or nothing comes for so long.
func look(ctx context.Context, w *world, patience time.Duration) bool {
	x := &looker{ledger: w.ledger, came: map[string]int{}}
	x.client = client{
		id: "looker", version: mqtt.V311, broker: &w.at, fresh: true,
		began: x.ask, packet: x.take, idle: func(*link) {},
	}
	x.client.lost = nil
	inner, cancel := context.WithCancel(ctx)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		x.run(inner)
	}()
	defer func() { cancel(); <-gone }()
	end := time.Now().Add(patience)
	for time.Now().Before(end) && ctx.Err() == nil {
		if x.owed() == "" {
			return true
		}
		rest(ctx, 20*time.Millisecond)
	}
	if topic := x.owed(); ctx.Err() == nil && topic != "" {
		w.ledger.fault("lost", "no retained message on %s", topic)
	}
	return false
}

func (x *looker) ask(l *link) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.least = map[string]int{}
	clear(x.came)
	x.ledger.each(func(m message, e *entry) {
		if e.topic[0] == 'r' && e.acked != 0 {
			x.least[e.topic] = m.seq // they ascend
		}
	})
	list := []mqtt.Subscription{{Filter: []byte("r/#"), QoS: mqtt.AtMostOnce}}
	l.out = mqtt.AppendSubscribe(l.out, l.v, 1, nil, list)
}

func (x *looker) take(_ *link, t mqtt.Type, frame []byte) {
	var p mqtt.Publish
	if t != mqtt.PUBLISH || p.Decode(x.version, frame) != nil || !p.Retain {
		return
	}
	var m message
	if _, err := fmt.Sscan(string(p.Payload), &m.pub, &m.seq); err != nil {
		x.ledger.fault("other", "retained on %s: %q", p.Topic, p.Payload)
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	topic := string(p.Topic)
	x.came[topic] = m.seq
	if least, ok := x.least[topic]; ok && m.seq < least {
		e, _ := x.ledger.get(message{m.pub, least})
		x.ledger.fault("lost", "retained on %s is %+v, and %+v was acknowledged", topic, m, e)
	}
}

// owed is a topic whose retained message must come and has not.
func (x *looker) owed() (topic string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.least == nil {
		return "all"
	}
	must := map[string]bool{}
	x.ledger.each(func(m message, e *entry) {
		if least, ok := x.least[e.topic]; ok && m.seq == least {
			must[e.topic] = !e.empty
		} else if ok && m.seq > least && e.empty {
			must[e.topic] = false
		}
	})
	for t, yes := range must {
		if _, came := x.came[t]; yes && !came {
			topic = t
		}
	}
	return topic
}
