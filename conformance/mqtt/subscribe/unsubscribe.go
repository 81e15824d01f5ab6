package subscribe

import (
	"slices"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

const (
	exactly   = "3.1.1/MQTT-3.10.4-1 5.0/MQTT-3.10.4-1"
	unsubacks = "3.1.1/MQTT-3.10.4-4 3.1.1/MQTT-3.10.4-5 3.1.1/MQTT-2.3.1-7 " +
		"5.0/MQTT-3.10.4-4 5.0/MQTT-3.10.4-5 5.0/MQTT-2.2.1-6"
	oneUnsuback = "3.1.1/MQTT-3.10.4-6 5.0/MQTT-3.10.4-6"
	unsubCodes  = "5.0/MQTT-3.11.3-1 5.0/MQTT-3.11.3-2"
)

// unsubscribeCases are about UNSUBSCRIBE and its answer.
func unsubscribeCases() []suite.Case {
	return []suite.Case{{
		Name: "subscribe/unsuback-for-each-unsubscribe", Claims: unsubacks,
		Text: "UNSUBSCRIBE with packet identifiers of every kind of bytes, of a filter that is " +
			"there and then is not: each is answered by one UNSUBACK with its identifier.",
		Run: runUnsubackIDs,
	}, {
		Name: "subscribe/unsuback-codes-in-order", Claims: unsubCodes + " 5.0/MQTT-3.10.4-6",
		Text: "UNSUBSCRIBE of filters of which some are there and some are not, one twice: the " +
			"codes are 0x00 and 0x11 in the order of the filters.",
		Run: runUnsubackCodes,
	}, {
		Name: "subscribe/unsubscribe-several", Claims: oneUnsuback + " " + exactly,
		Text: "UNSUBSCRIBE of three of five filters, with one that was never there between: one " +
			"UNSUBACK, and only the other two get messages.",
		Run: runUnsubscribeSeveral,
	}, {
		Name: "subscribe/unsubscribe-only-the-same-filter", Claims: exactly,
		Text: "UNSUBSCRIBE of filters that match the same topics, or differ in case or a " +
			"separator, leaves a subscription as it is.",
		Run: runUnsubscribeOther,
	}, {
		Name: "subscribe/unsubscribe-wildcards", Claims: exactly,
		Text: "UNSUBSCRIBE of a filter with wildcards ends the subscription with that filter, " +
			"and none that it would match.",
		Run: runUnsubscribeWildcard,
	}, {
		Name: "subscribe/unsubscribe-others-stay", Claims: exactly,
		Text: "One client unsubscribes from a filter that another has too: the other still gets " +
			"messages.",
		Run: runUnsubscribeOthers,
	}, {
		Name: "subscribe/unsubscribe-then-subscribe", Claims: exactly,
		Text: "A filter that was unsubscribed and subscribed again gets messages, once.",
		Run:  runUnsubscribeAgain,
	}}
}

func runUnsubackIDs(t *suite.T) {
	c := t.Connect()
	c.Subscribe(t.Topic("a"), 0)
	for _, id := range []uint16{1, 255, 256, 0x1234, 0x3412, 65535, 65535} {
		c.Send(mqtt.AppendUnsubscribe(nil, c.Version(), id, nil, [][]byte{[]byte(t.Topic("a"))}))
		if n := len(c.ReadUnsuback(id).Reasons); t.V5() && n != 1 {
			t.Errorf("%d codes in UNSUBACK for one filter", n)
		}
		c.Ping()
	}
}

func runUnsubackCodes(t *suite.T) {
	c := t.Connect()
	for _, s := range []string{"a", "b", "c"} {
		c.Subscribe(t.Topic(s), 0)
	}
	ack := unsubscribe(c, t.Topic("none"), t.Topic("a"), t.Topic("other"), t.Topic("c"),
		t.Topic("c"), t.Topic("b"))
	want := []mqtt.ReasonCode{0x11, 0, 0x11, 0, 0x11, 0}
	if !slices.Equal(ack.Reasons, want) {
		t.Errorf("the codes are % x, want % x", ack.Reasons, want)
	}
}

func runUnsubscribeSeveral(t *suite.T) {
	q := usual(t)
	all := []string{"a", "b", "c", "d", "e"}
	pub, c := t.Connect(), listen(t, q)
	for _, s := range all {
		c.Subscribe(t.Topic(s), q)
	}
	unsubscribe(c, t.Topic("a"), t.Topic("never"), t.Topic("c"), t.Topic("e"))
	c.Ping()
	for _, s := range all {
		pub.PublishText(t.Topic(s), s, q)
	}
	wantPayloads(t, "the client", gather(t, pub, q, c), "b", "d")
}

func runUnsubscribeOther(t *suite.T) {
	t.NeedWildcard()
	q := usual(t)
	pub, c := t.Connect(), listen(t, q, t.Topic("level/a"))
	others := []string{"level/+", "level/#", "#", "+/a", "Level/a", "level/A", "level/a/",
		"level//a", "level/a/#", "level", "level/ab", "level/"}
	for _, s := range others {
		ack := unsubscribe(c, t.Topic(s))
		if t.V5() && ack.Reasons[0] != mqtt.NoSubscriptionExisted {
			t.Errorf("UNSUBACK for %q, which is no subscription, says 0x%02x, want 0x11", s,
				byte(ack.Reasons[0]))
		}
	}
	pub.PublishText(t.Topic("level/a"), "hello", q)
	wantPayloads(t, "the client", gather(t, pub, q, c), "hello")
}

func runUnsubscribeWildcard(t *suite.T) {
	t.NeedWildcard()
	q := usual(t)
	pub, c := t.Connect(), listen(t, q, t.Topic("x/#"), t.Topic("x/+"), t.Topic("x/a"))
	c.Unsubscribe(t.Topic("x/#"))
	pub.PublishText(t.Topic("x/a/b"), "by # alone", q)
	pub.PublishText(t.Topic("x/b"), "by + alone", q)
	wantPayloads(t, "the client without #", gather(t, pub, q, c), "by + alone")
	c.Unsubscribe(t.Topic("x/+"))
	pub.PublishText(t.Topic("x/b"), "by + alone", q)
	pub.PublishText(t.Topic("x/a"), "by its name", q)
	wantPayloads(t, "the client without # and +", gather(t, pub, q, c), "by its name")
	c.Unsubscribe(t.Topic("x/a"))
	pub.PublishText(t.Topic("x/a"), "by its name", q)
	wantPayloads(t, "the client without any", gather(t, pub, q, c))
}

func runUnsubscribeOthers(t *suite.T) {
	q := usual(t)
	pub, gone, stays := t.Connect(), listen(t, q, t.Topic("a")), listen(t, q, t.Topic("a"))
	gone.Unsubscribe(t.Topic("a"))
	pub.PublishText(t.Topic("a"), "hello", q)
	wantPayloads(t, "the client that unsubscribed", gather(t, pub, q, gone))
	wantPayloads(t, "the client that did not", until(t, stays, endOf(t)), "hello")
}

func runUnsubscribeAgain(t *suite.T) {
	q := usual(t)
	pub, c := t.Connect(), listen(t, q, t.Topic("a"))
	for range 3 {
		c.Unsubscribe(t.Topic("a"))
		c.Subscribe(t.Topic("a"), q)
	}
	pub.PublishText(t.Topic("a"), "hello", q)
	wantPayloads(t, "the client", gather(t, pub, q, c), "hello")
}
