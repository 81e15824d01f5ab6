package publish

import (
	"fmt"
	"slices"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

func identifierCases() []suite.Case {
	return []suite.Case{
		{
			Name:   "publish/subscription-identifier-goes-with-the-message",
			Claims: "5.0/MQTT-3.3.4-3",
			Text: "Identifiers 1, 127, 128, 16384 and 268435455 come with the messages of " +
				"their subscriptions, and none with those of a subscription without one.",
			Run: identifierGoes,
		}, {
			Name:   "publish/subscription-identifiers-of-overlapping-subscriptions",
			Claims: "5.0/MQTT-3.3.4-3 5.0/MQTT-3.3.4-4 5.0/MQTT-3.3.4-5",
			Text: "Four subscriptions match, three with identifiers, and one does not: the one " +
				"copy carries the three identifiers, or each copy its own.",
			Run: identifiersOverlap,
		}, {
			Name:   "publish/subscription-identifier-is-replaced",
			Claims: "5.0/MQTT-3.3.4-3",
			Text: "SUBSCRIBE for the same filter with another identifier, and then with none, " +
				"replaces the identifier.",
			Run: identifierReplaced,
		}, {
			Name:   "publish/subscription-identifier-of-retained-messages",
			Claims: "5.0/MQTT-3.3.4-3",
			Text:   "A retained message comes with the identifier of the new subscription.",
			Run:    identifierOfRetained,
		}, {
			Name:   "publish/subscription-identifier-lasts-with-the-session",
			Claims: "5.0/MQTT-3.3.4-3",
			Text: "Messages that waited in a session, and those after it was resumed, come with " +
				"the identifier.",
			Run: identifierLasts,
		}, {
			Name:   "publish/subscription-identifier-is-the-subscriber-s-own",
			Claims: "5.0/MQTT-3.3.4-3",
			Text: "Two clients with the same filter and different identifiers get each their " +
				"own.",
			Run: identifierOwn,
		},
	}
}

// identified subscribes with an identifier, 0 for none.
func identified(c *suite.Client, filter string, q mqtt.QoS, id uint32) {
	var props mqtt.Props
	if id > 0 {
		props = props.AppendVarInt(mqtt.SubscriptionIdentifier, id)
	}
	c.SubscribeWith(props, mqtt.Subscription{Filter: []byte(filter), QoS: q})
}

// identifiers are those of a message, in order of size.
func identifiers(p *mqtt.Publish) []uint32 {
	var ids []uint32
	p.Props.SubscriptionIdentifiers(func(id uint32) bool {
		ids = append(ids, id)
		return true
	})
	slices.Sort(ids)
	return ids
}

// wantIdentifiers wants these with the message.
func wantIdentifiers(t *suite.T, p *mqtt.Publish, want ...uint32) {
	if got := identifiers(p); !slices.Equal(got, want) {
		t.Errorf("%q on %q: Subscription Identifiers %v, want %v", p.Payload, p.Topic, got, want)
	}
}

func identifierGoes(t *suite.T) {
	t.NeedIdentifiers()
	pub, sub := t.Connect(), t.Connect()
	for _, id := range []uint32{1, 127, 128, 16384, mqtt.VarIntMax} {
		identified(sub, t.Topic(fmt.Sprint(id)), mqtt.AtMostOnce, id)
		pub.PublishText(t.Topic(fmt.Sprint(id)), "m", mqtt.AtMostOnce)
		got := sub.ReadMessage()
		wantIdentifiers(t, &got, id)
	}
	identified(sub, t.Topic("none"), top(t), 0)
	for q := mqtt.AtMostOnce; q <= top(t); q++ {
		pub.PublishText(t.Topic("none"), "m", q)
		got := sub.ReadMessage()
		wantIdentifiers(t, &got)
	}
}

func identifiersOverlap(t *suite.T) {
	t.NeedIdentifiers()
	t.NeedWildcard()
	q := min(mqtt.AtLeastOnce, top(t))
	pub, sub := t.Connect(), t.Connect()
	identified(sub, t.Topic("a/b"), q, 7)
	identified(sub, t.Topic("a/+"), mqtt.AtMostOnce, 300)
	identified(sub, t.Topic("#"), q, 9)
	identified(sub, t.Topic("+/b"), q, 0)
	identified(sub, t.Topic("a/c"), q, 5)
	pub.PublishText(t.Topic("a/b"), "m", q)
	copies := []mqtt.Publish{sub.ReadMessage()}
	for {
		frame, _ := sub.Poll(quiet)
		if frame == nil {
			break
		}
		var p mqtt.Publish
		if err := p.Decode(t.Version(), frame); err != nil {
			t.Fatalf("want PUBLISH: %v", err)
		}
		sub.Acknowledge(&p)
		copies = append(copies, p)
	}
	var all []uint32
	for i := range copies {
		ids := identifiers(&copies[i])
		if len(copies) > 1 && len(ids) > 1 {
			t.Errorf("one of %d copies has Subscription Identifiers %v, want its own alone",
				len(copies), ids)
		}
		all = append(all, ids...)
	}
	slices.Sort(all)
	if !slices.Equal(all, []uint32{7, 9, 300}) {
		t.Errorf("%d copies with Subscription Identifiers %v, want 7, 9, 300", len(copies), all)
	}
}

func identifierReplaced(t *suite.T) {
	t.NeedIdentifiers()
	pub, sub := t.Connect(), t.Connect()
	identified(sub, t.Topic(""), mqtt.AtMostOnce, 1)
	identified(sub, t.Topic(""), mqtt.AtMostOnce, 2)
	pub.PublishText(t.Topic(""), "m", mqtt.AtMostOnce)
	got := sub.ReadMessage()
	wantIdentifiers(t, &got, 2)
	identified(sub, t.Topic(""), mqtt.AtMostOnce, 0)
	pub.PublishText(t.Topic(""), "m", mqtt.AtMostOnce)
	got = sub.ReadMessage()
	wantIdentifiers(t, &got)
}

func identifierOfRetained(t *suite.T) {
	t.NeedIdentifiers()
	t.NeedRetain()
	t.NeedQoS(mqtt.AtLeastOnce)
	pub, sub := t.Connect(), t.Connect()
	keep(pub, t.Topic(""), "kept", mqtt.AtLeastOnce)
	identified(sub, t.Topic(""), mqtt.AtLeastOnce, 42)
	got := sub.WantMessage(t.Topic(""), "kept")
	wantIdentifiers(t, &got, 42)
}

func identifierLasts(t *suite.T) {
	t.NeedIdentifiers()
	t.NeedQoS(mqtt.AtLeastOnce)
	pub, sub := t.Connect(), keeper(t)
	identified(sub, t.Topic(""), mqtt.AtLeastOnce, 42)
	sub.Leave()
	pub.PublishText(t.Topic(""), "away", mqtt.AtLeastOnce)
	sub = resume(t, sub)
	got := sub.WantMessage(t.Topic(""), "away")
	wantIdentifiers(t, &got, 42)
	pub.PublishText(t.Topic(""), "back", mqtt.AtLeastOnce)
	got = sub.WantMessage(t.Topic(""), "back")
	wantIdentifiers(t, &got, 42)
}

func identifierOwn(t *suite.T) {
	t.NeedIdentifiers()
	pub, one, two := t.Connect(), t.Connect(), t.Connect()
	identified(one, t.Topic(""), mqtt.AtMostOnce, 1)
	identified(two, t.Topic(""), mqtt.AtMostOnce, 2)
	pub.PublishText(t.Topic(""), "m", mqtt.AtMostOnce)
	got := one.ReadMessage()
	wantIdentifiers(t, &got, 1)
	got = two.ReadMessage()
	wantIdentifiers(t, &got, 2)
}
