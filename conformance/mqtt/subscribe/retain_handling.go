package subscribe

import (
	"fmt"
	"slices"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// The Retain Handling options.
const (
	always byte = iota
	ifNew
	never
)

// handling is one SUBSCRIBE with a Retain Handling option, and whether it brings the retained
// message.
type handling struct {
	name, text string
	claims     string
	before     func(t *suite.T, c *suite.Client) *suite.Client
	option     byte
	brings     bool
}

// retainHandlingCases are about the option Retain Handling.
func retainHandlingCases() []suite.Case {
	const on, new, off = "5.0/MQTT-3.3.1-9", "5.0/MQTT-3.3.1-10", "5.0/MQTT-3.3.1-11"
	rows := []handling{
		{"0-new", "a new filter with Retain Handling 0", on, nothing, always, true},
		{"0-again", "the same filter again with Retain Handling 0", on + " 5.0/MQTT-3.8.4-4",
			already, always, true},
		{"1-new", "a new filter with Retain Handling 1", new, nothing, ifNew, true},
		{"1-again", "the same filter again with Retain Handling 1", new, already, ifNew, false},
		{"1-again-other-qos", "the same filter with another QoS and Retain Handling 1", new,
			alreadyQoS0, ifNew, false},
		{"1-after-unsubscribe", "the filter with Retain Handling 1 after it was unsubscribed", new,
			gone, ifNew, true},
		{"1-beside-wildcard", "a new filter with Retain Handling 1, while another filter of the " +
			"client matches the same topic", new, wider, ifNew, true},
		{"1-resumed", "the filter of a resumed session with Retain Handling 1", new, resumed, ifNew,
			false},
		{"1-clean-start", "the filter with Retain Handling 1 after a Clean Start ended the " +
			"session that had it", new, restarted, ifNew, true},
		{"2-new", "a new filter with Retain Handling 2", off, nothing, never, false},
		{"2-again", "the same filter again with Retain Handling 2", off, already, never, false},
	}
	var cases []suite.Case
	for _, h := range rows {
		result := "brings the retained message"
		if !h.brings {
			result = "brings no retained message, and later messages as ever"
		}
		cases = append(cases, suite.Case{Name: "subscribe/retain-handling-" + h.name,
			Claims: h.claims, Text: "SUBSCRIBE to " + h.text + " " + result + ".",
			Run: func(t *suite.T) { runHandling(t, h) }})
	}
	return append(cases, suite.Case{
		Name: "subscribe/retain-handling-of-each-filter", Claims: fold(on, new, off),
		Text: "One SUBSCRIBE has four filters with Retain Handling 0, 1, 1 and 2, of which the " +
			"first and the second were there before: the first and the third bring their " +
			"retained messages.",
		Run: runHandlingEach,
	})
}

func runHandling(t *suite.T, h handling) {
	t.NeedRetain()
	q := usual(t)
	pub := t.Connect()
	c := h.before(t, t.Connect(suite.Named(t.ClientID("a")), suite.Keeping))
	c.SubscribeWith(nil, sub(endOf(t), q))
	retain(t, pub, t.Topic("a"), "retained")
	until(t, c, seen(t, pub, q))
	c.SubscribeWith(nil, mqtt.Subscription{Filter: []byte(t.Topic("a")), QoS: q,
		RetainHandling: h.option})
	if h.brings {
		p := c.WantMessage(t.Topic("a"), "retained")
		if !p.Retain {
			t.Errorf("the retained message came with RETAIN 0")
		}
	}
	pub.PublishText(t.Topic("a"), "later", q)
	got := slices.Compact(payloads(gather(t, pub, q, c))) // two filters may bring two copies
	if !slices.Equal(got, []string{"later"}) {
		t.Errorf("the subscriber then got the messages %q, want only %q", got, "later")
	}
}

// seen publishes to the end and answers its topic.
func seen(t *suite.T, pub *suite.Client, q mqtt.QoS) string {
	pub.PublishText(endOf(t), "seen", q)
	return endOf(t)
}

func nothing(_ *suite.T, c *suite.Client) *suite.Client { return c }

func already(t *suite.T, c *suite.Client) *suite.Client {
	c.Subscribe(t.Topic("a"), usual(t))
	return c
}

func alreadyQoS0(t *suite.T, c *suite.Client) *suite.Client {
	c.Subscribe(t.Topic("a"), 0)
	return c
}

func gone(t *suite.T, c *suite.Client) *suite.Client {
	already(t, c).Unsubscribe(t.Topic("a"))
	return c
}

func wider(t *suite.T, c *suite.Client) *suite.Client {
	t.NeedWildcard()
	c.Subscribe(t.Topic("+"), usual(t))
	return c
}

func resumed(t *suite.T, c *suite.Client) *suite.Client {
	already(t, c).Leave()
	return t.Connect(suite.Named(t.ClientID("a")), suite.Keeping)
}

func restarted(t *suite.T, c *suite.Client) *suite.Client {
	already(t, c).Leave()
	return t.Connect(suite.Named(t.ClientID("a")))
}

func runHandlingEach(t *suite.T) {
	t.NeedRetain()
	q := usual(t)
	pub, c := t.Connect(), listen(t, q, t.Topic("0"), t.Topic("1"))
	var subs []mqtt.Subscription
	for i, option := range []byte{always, ifNew, ifNew, never} {
		topic := t.Topic(fmt.Sprint(i))
		retain(t, pub, topic, fmt.Sprint(i))
		subs = append(subs, mqtt.Subscription{Filter: []byte(topic), QoS: q,
			RetainHandling: option})
	}
	wantPayloads(t, "the subscriber before", gather(t, pub, q, c), "0", "1")
	c.SubscribeWith(nil, subs...)
	got := []mqtt.Publish{c.ReadMessage(), c.ReadMessage()}
	wantPayloads(t, "the subscriber", append(got, gather(t, pub, q, c)...), "0", "2")
}
