package publish

import (
	"fmt"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

func serverAliasCases() []suite.Case {
	return []suite.Case{
		{
			Name:   "publish/server-aliases-stay-in-the-client-s-maximum",
			Claims: "5.0/MQTT-3.3.2-11 5.0/MQTT-3.3.2-8",
			Text: "To a client with Topic Alias Maximum 2, messages on five topics come with " +
				"aliases 1 and 2 or none, and each stands for the right topic.",
			Run: func(t *suite.T) { serverAliases(t, 2) },
		}, {
			Name: "publish/server-aliases-need-a-maximum", Claims: "5.0/MQTT-3.3.2-11",
			Text: "To a client that gave no Topic Alias Maximum, messages come without aliases.",
			Run:  func(t *suite.T) { serverAliases(t, 0) },
		}, {
			Name:   "publish/server-aliases-end-with-their-connection",
			Claims: "5.0/MQTT-3.3.2-7",
			Text: "After a reconnection to the same session with the same Topic Alias Maximum, " +
				"the first message on a topic has its topic name.",
			Run: serverAliasesEnd,
		}, {
			Name:   "publish/topic-aliases-of-the-two-directions-are-apart",
			Claims: "5.0/MQTT-3.3.2-11 5.0/MQTT-3.3.2-12",
			Text: "A client sets alias 1 for one topic while it gets messages on another, with " +
				"aliases or without: each side's aliases keep their meaning.",
			Run: aliasesApart,
		},
	}
}

func aliasing(n uint16) suite.Option {
	return suite.WithProps(func(p mqtt.Props) mqtt.Props {
		if n == 0 {
			return p
		}
		return p.AppendUint16(mqtt.TopicAliasMaximum, n)
	})
}

// aliasTable is what a client knows of the server's aliases.
type aliasTable map[uint16]string

// topicOf is the topic of p, by its alias if it has no name.
func (a aliasTable) topicOf(t *suite.T, p *mqtt.Publish, limit uint16) string {
	alias, has := p.Props.Uint16(mqtt.TopicAlias)
	if has && (alias == 0 || alias > limit) {
		t.Fatalf("topic alias %d from the server, want none above %d", alias, limit)
	}
	if len(p.Topic) > 0 {
		if has {
			a[alias] = string(p.Topic)
		}
		return string(p.Topic)
	}
	topic, known := a[alias]
	if !known {
		t.Fatalf("topic alias %d was never set on this connection", alias)
	}
	return topic
}

func serverAliases(t *suite.T, limit uint16) {
	q := min(mqtt.AtLeastOnce, top(t))
	pub, sub := t.Connect(), t.Connect(aliasing(limit))
	for i := range 5 {
		sub.Subscribe(t.Topic(fmt.Sprint(i)), q)
	}
	known := make(aliasTable)
	for i := range 30 {
		want := t.Topic(fmt.Sprint(i * i % 5))
		pub.PublishText(want, fmt.Sprint(i), q)
		got := sub.ReadMessage()
		if topic := known.topicOf(t, &got, limit); topic != want {
			t.Fatalf("message %d came on %q, want %q", i, topic, want)
		}
	}
}

func serverAliasesEnd(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	topic := t.Topic("")
	pub, sub := t.Connect(), keeper(t, aliasing(10))
	sub.Subscribe(topic, mqtt.AtLeastOnce)
	for range 2 {
		known := make(aliasTable)
		for i := range 5 {
			pub.PublishText(topic, fmt.Sprint(i), mqtt.AtLeastOnce)
			got := sub.ReadMessage()
			if on := known.topicOf(t, &got, 10); on != topic {
				t.Fatalf("message %d came on %q, want %q", i, on, topic)
			}
		}
		sub.Ping()
		sub.Close()
		sub = resume(t, sub, aliasing(10))
	}
}

func aliasesApart(t *suite.T) {
	needAlias(t, 1)
	q := min(mqtt.AtLeastOnce, top(t))
	in, out := t.Topic("in"), t.Topic("out")
	other, c := subscriber(t, out, q), t.Connect(aliasing(5))
	c.Subscribe(in, q)
	known := make(aliasTable)
	for _, name := range []string{out, "", ""} {
		other.PublishText(in, "to the client", q)
		got := c.ReadMessage()
		if on := known.topicOf(t, &got, 5); on != in {
			t.Fatalf("a message came on %q, want %q", on, in)
		}
		c.Publish(aliased(1, name, "from the client", q))
		other.WantMessage(out, "from the client")
	}
}
