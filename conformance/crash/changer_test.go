package crash

import (
	"fmt"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// span is one life of a subscription, in moments; 0 is not yet.
type span struct{ asked, there, unasked, gone int64 }

// changer is a subscriber that changes what it wants all the time, one filter after the other.
type changer struct {
	*subscriber
	spans   [topics][]span // by the last level of the topic
	filter  int            // what is asked for now
	request uint16         // its packet identifier, 0 for none
	events  int
}

// changeEvery is how many packets or idle moments pass between two changes.
const changeEvery = 40

func newChanger(w *world) *changer {
	c := &changer{subscriber: newSubscriber("changer", mqtt.V5, w)}
	c.began, c.packet, c.idle, c.early = c.again, c.took, c.wait, c.tooEarly
	return c
}

// tooEarly is true for what was sent again and may have been sent first when there was no
// subscription: to the changer it is a message that came later.
func (c *changer) tooEarly(e *entry) bool {
	for _, s := range c.of(e.topic) {
		if s.there != 0 && s.there < e.first && s.unasked == 0 {
			return false
		}
	}
	return e.again
}

// again asks once more for what was not answered.
func (c *changer) again(l *link) {
	if c.request != 0 {
		c.ask(l)
	}
}

func (c *changer) wait(l *link) {
	c.events += changeEvery / 4
	c.change(l)
}

func (c *changer) change(l *link) {
	if c.request != 0 || c.events < changeEvery {
		return
	}
	c.events, c.filter, c.request = 0, (c.filter+1)%topics, 1
	list := &c.spans[c.filter]
	now := c.ledger.now()
	c.mu.Lock()
	if n := len(*list); n == 0 || (*list)[n-1].gone != 0 {
		*list = append(*list, span{asked: now})
	} else {
		(*list)[n-1].unasked = now
	}
	c.mu.Unlock()
	c.ask(l)
}

func (c *changer) ask(l *link) {
	filter := fmt.Appendf(nil, "c/+/%d", c.filter)
	list := c.spans[c.filter]
	if list[len(list)-1].unasked != 0 {
		l.out = mqtt.AppendUnsubscribe(l.out, l.v, c.request, nil, [][]byte{filter})
		return
	}
	want := []mqtt.Subscription{{Filter: filter, QoS: mqtt.ExactlyOnce}}
	l.out = mqtt.AppendSubscribe(l.out, l.v, c.request, nil, want)
}

func (c *changer) took(l *link, t mqtt.Type, frame []byte) {
	switch t {
	case mqtt.SUBACK:
		var a mqtt.Suback
		c.answer(l, a.Decode(l.v, frame) == nil && a.Reasons[0] < mqtt.UnspecifiedError)
	case mqtt.UNSUBACK:
		var a mqtt.Unsuback
		c.answer(l, a.Decode(l.v, frame) == nil && a.Reasons[0] < mqtt.UnspecifiedError)
	default:
		c.take(l, t, frame)
	}
	c.events++
	c.change(l)
}

// answer notes that the change is made, or asks again.
func (c *changer) answer(l *link, ok bool) {
	if !ok {
		c.ask(l)
		return
	}
	now := c.ledger.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &c.spans[c.filter][len(c.spans[c.filter])-1]
	if s.unasked != 0 {
		s.gone = now
	} else {
		s.there = now
	}
	c.request = 0
}

// of answers the spans of the filter that matches a topic.
func (c *changer) of(topic string) []span {
	if k := int(topic[len(topic)-1] - '0'); topic[0] == 'c' && k >= 0 && k < topics {
		return c.spans[k]
	}
	return nil
}

// owed is true for what was sent and acknowledged while the subscription was there.
func (c *changer) owed(_ message, e *entry) bool {
	for _, s := range c.of(e.topic) {
		if s.there != 0 && s.there < e.first && (s.unasked == 0 || e.acked < s.unasked) {
			return true
		}
	}
	return false
}

// unwanted counts what came that was sent and acknowledged while there was no subscription.
func (c *changer) unwanted() {
	c.mu.Lock()
	defer c.mu.Unlock()
	var wrong []string
	c.ledger.each(func(m message, e *entry) {
		if !c.has(m) {
			return
		}
		for _, s := range c.of(e.topic) {
			before := e.acked != 0 && e.acked < s.asked
			if !before && (s.gone == 0 || e.first < s.gone) {
				return
			}
		}
		wrong = append(wrong, fmt.Sprintf("changer: %+v came without a subscription: %+v", m, e))
	})
	for _, text := range wrong {
		c.ledger.fault("other", "%s", text)
	}
}

// changes is how many were made.
func (c *changer) changes() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, list := range c.spans {
		n += len(list)
	}
	return n
}
