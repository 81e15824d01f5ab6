package subscribe

import (
	"strings"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

const dollar = "3.1.1/MQTT-4.7.2-1 5.0/MQTT-4.7.2-1"

// dollarCases are about topics that begin with $. 3.1 does not know them.
func dollarCases() []suite.Case {
	cases := []suite.Case{{
		Name: "subscribe/dollar-not-by-wildcards", Claims: dollar,
		Text: "A client publishes on a topic that begins with $, live and retained. # and " +
			"filters that begin with + do not bring it. Its own name may or may not.",
		Run: runDollar,
	}, {
		Name: "subscribe/dollar-system-topics-not-by-hash", Claims: dollar,
		Text: "The topics that the server has below $SYS do not come by # when it is subscribed " +
			"to, nor by a filter that has + in place of $SYS.",
		Run: runSystemTopics,
	}, {
		Name: "subscribe/dollar-by-its-own-level", Claims: "3.1.1/MQTT-3.3.2-3 5.0/MQTT-3.3.2-3",
		Text: "Where $SYS/# brings anything, it brings topics below $SYS alone, also by $SYS/+.",
		Run:  runSystemFilter,
	}}
	for i := range cases {
		cases[i].Versions = numbered()
	}
	return cases
}

// dollarName is a topic that begins with $ and belongs to this run.
func dollarName(t *suite.T) string { return "$" + t.Topic("a") }

func runDollar(t *suite.T) {
	t.NeedWildcard()
	name := dollarName(t)
	_, tail, _ := strings.Cut(name, "/")
	wild := []string{"#", "+/" + tail, "+/#", "+/+/+/a"}
	clients := []*suite.Client{listen(t, 0, name), listen(t, 0, wild...)}
	// The server may refuse the messages, and may close for it.
	speak := t.Connect()
	speak.SendPacket(&mqtt.Publish{Topic: []byte(name), Payload: []byte("live")})
	retaining := t.Connect()
	if t.Server().Retain {
		retaining.SendPacket(&mqtt.Publish{Topic: []byte(name), Payload: []byte("retained"),
			Retain: true})
	}
	for _, c := range []*suite.Client{speak, retaining} {
		c.SendPacket(&mqtt.Ping{Type: mqtt.PINGREQ})
		c.Poll(t.Options().ExpectTimeout)
	}
	clients = append(clients, listen(t, 0, wild...))
	got := gather(t, t.Connect(), 0, clients[0])
	t.Note("by its own name the server brings %d messages on %s", len(got), name)
	for _, c := range clients[1:] {
		wantNoDollar(t, until(t, c, endOf(t)))
	}
}

func wantNoDollar(t *suite.T, got []mqtt.Publish) {
	for _, p := range got {
		if strings.HasPrefix(string(p.Topic), "$") {
			t.Errorf("a message on %q came by a filter that begins with a wildcard", p.Topic)
		}
	}
}

// systemTopics are retained topics below $SYS, a few if there are any.
func systemTopics(t *suite.T) []string {
	c := t.Connect()
	code := ask(t, c, nil, sub("$SYS/#", 0))[0]
	if code.Failed() {
		t.Skipf("the server refuses $SYS/#")
	}
	var topics []string
	for range 5 {
		frame, _ := c.Poll(t.Options().ExpectTimeout / 5)
		if frame == nil || mqtt.TypeOf(frame) != mqtt.PUBLISH {
			break
		}
		var p mqtt.Publish
		if err := p.Decode(c.Version(), frame); err != nil {
			t.Fatalf("the server's PUBLISH: %v", err)
		}
		topics = append(topics, string(p.Topic))
	}
	if len(topics) == 0 {
		t.Skipf("the server has nothing below $SYS")
	}
	return topics
}

func runSystemTopics(t *suite.T) {
	t.NeedWildcard()
	topics := systemTopics(t)
	filters := []string{"#", "+/#"}
	for _, topic := range topics {
		filters = append(filters, "+"+strings.TrimPrefix(topic, "$SYS"))
	}
	c := listen(t, 0, filters...)
	wantNoDollar(t, gather(t, t.Connect(), 0, c))
}

func runSystemFilter(t *suite.T) {
	t.NeedWildcard()
	for _, topic := range systemTopics(t) {
		if !strings.HasPrefix(topic, "$SYS/") && topic != "$SYS" {
			t.Errorf("a message on %q came by $SYS/#", topic)
		}
	}
	c := listen(t, 0, "$SYS/+")
	for _, p := range gather(t, t.Connect(), 0, c) {
		if name, ok := strings.CutPrefix(string(p.Topic), "$SYS/"); !ok ||
			strings.Contains(name, "/") {
			t.Errorf("a message on %q came by $SYS/+", p.Topic)
		}
	}
}
