package subscribe

import (
	"fmt"
	"slices"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

const carried = "5.0/MQTT-3.3.4-3"

// identifierCases are about Subscription Identifiers.
func identifierCases() []suite.Case {
	return []suite.Case{{
		Name: "subscribe/identifier-of-every-length", Claims: carried,
		Text: "The smallest and the largest identifiers of one to four bytes come with the " +
			"messages of their subscriptions.",
		Run: runIdentifierLengths,
	}, {
		Name: "subscribe/identifier-of-each-client", Claims: carried,
		Text: "Three clients have the same filter, two with an identifier each, one without: " +
			"each gets its own, the third none.",
		Run: runIdentifierClients,
	}, {
		Name: "subscribe/identifier-of-all-filters-of-a-packet", Claims: carried,
		Text: "The identifier of a SUBSCRIBE is that of each of its filters.",
		Run:  runIdentifierPacket,
	}, {
		Name:   "subscribe/identifiers-of-overlapping-filters",
		Claims: carried + " 5.0/MQTT-3.3.4-4 5.0/MQTT-3.3.4-5",
		Text: "A message matches two filters with identifiers and one without: a single copy has " +
			"both, several copies have each that of its filter. A filter that does not match " +
			"adds none.",
		Run: runIdentifierOverlap,
	}, {
		Name:   "subscribe/identifier-shared-by-two-filters",
		Claims: carried + " 5.0/MQTT-3.3.4-4 5.0/MQTT-3.3.4-5",
		Text: "Two filters with the same identifier match one message: the identifier comes with " +
			"it.",
		Run: runIdentifierSame,
	}, {
		Name: "subscribe/identifier-replaced", Claims: carried + " 5.0/MQTT-3.8.4-3",
		Text: "A subscription that replaces another brings its own identifier, or none, and the " +
			"old one does not come again.",
		Run: runIdentifierReplaced,
	}, {
		Name: "subscribe/identifier-of-stored-session", Claims: carried,
		Text: "A message that was kept for an absent client, and one after it resumed its " +
			"session, have the identifier.",
		Run: runIdentifierStored,
	}, {
		Name: "subscribe/identifier-of-retained-message", Claims: carried,
		Text: "A retained message that a new subscription brings has its identifier.",
		Run:  runIdentifierRetained,
	}}
}

// identified are properties with a Subscription Identifier, none for 0.
func identified(id uint32) mqtt.Props {
	if id == 0 {
		return nil
	}
	return mqtt.Props(nil).AppendVarInt(mqtt.SubscriptionIdentifier, id)
}

// identifiers are those of messages, in order, of each message sorted.
func identifiers(got ...mqtt.Publish) [][]uint32 {
	all := make([][]uint32, len(got))
	for i := range got {
		for id := range got[i].Props.SubscriptionIdentifiers {
			all[i] = append(all[i], id)
		}
		slices.Sort(all[i])
	}
	return all
}

// wantIdentifiers wants a message to have exactly these.
func wantIdentifiers(t *suite.T, p mqtt.Publish, want ...uint32) {
	if got := identifiers(p)[0]; !slices.Equal(got, want) {
		t.Errorf("message %q has the subscription identifiers %d, want %d", p.Payload, got, want)
	}
}

func runIdentifierLengths(t *suite.T) {
	t.NeedIdentifiers()
	c := t.Connect()
	for _, id := range []uint32{1, 127, 128, 16383, 16384, 2097151, 2097152, 268435455} {
		topic := t.Topic(fmt.Sprint(id))
		c.SubscribeWith(identified(id), sub(topic, 0))
		c.PublishText(topic, "hello", 0)
		wantIdentifiers(t, c.WantMessage(topic, "hello"), id)
	}
}

func runIdentifierClients(t *suite.T) {
	t.NeedIdentifiers()
	pub, topic := t.Connect(), t.Topic("a")
	var clients []*suite.Client
	ids := []uint32{7, 300, 0}
	for _, id := range ids {
		c := t.Connect()
		c.SubscribeWith(identified(id), sub(topic, 0))
		clients = append(clients, c)
	}
	pub.PublishText(topic, "hello", 0)
	for i, c := range clients {
		p := c.WantMessage(topic, "hello")
		if ids[i] == 0 {
			wantIdentifiers(t, p)
			continue
		}
		wantIdentifiers(t, p, ids[i])
	}
}

func runIdentifierPacket(t *suite.T) {
	t.NeedIdentifiers()
	c := t.Connect()
	a, b := t.Topic("a"), t.Topic("b")
	c.SubscribeWith(identified(9), sub(a, 0), sub(b, 0))
	for _, topic := range []string{a, b} {
		c.PublishText(topic, "hello", 0)
		wantIdentifiers(t, c.WantMessage(topic, "hello"), 9)
	}
}

func runIdentifierOverlap(t *suite.T) {
	t.NeedIdentifiers()
	t.NeedWildcard()
	pub, c := t.Connect(), listen(t, 0)
	c.SubscribeWith(identified(3), sub(t.Topic("x/#"), 0))
	c.SubscribeWith(identified(500), sub(t.Topic("x/+"), 0))
	c.SubscribeWith(identified(8), sub(t.Topic("y/+"), 0))
	c.SubscribeWith(nil, sub(t.Topic("x/a"), 0))
	pub.PublishText(t.Topic("x/a"), "hello", 0)
	got := identifiers(gather(t, pub, 0, c)...)
	all := slices.Concat(got...)
	slices.Sort(all)
	switch {
	case len(got) == 0:
		t.Errorf("no message came")
	case !slices.Equal(all, []uint32{3, 500}):
		t.Errorf("%d copies came with the subscription identifiers %d, want 3 and 500, each once",
			len(got), got)
	case len(got) == 3 && slices.ContainsFunc(got, func(l []uint32) bool { return len(l) > 1 }):
		t.Errorf("three copies came with the identifiers %d: one copy has those of two filters",
			got)
	}
}

func runIdentifierSame(t *suite.T) {
	t.NeedIdentifiers()
	t.NeedWildcard()
	pub, c := t.Connect(), listen(t, 0)
	c.SubscribeWith(identified(4), sub(t.Topic("#"), 0), sub(t.Topic("a"), 0))
	pub.PublishText(t.Topic("a"), "hello", 0)
	got := gather(t, pub, 0, c)
	if len(got) == 0 {
		t.Fatalf("no message came")
	}
	for i, ids := range identifiers(got...) {
		if !slices.Equal(slices.Compact(ids), []uint32{4}) {
			t.Errorf("copy %d has the subscription identifiers %d, want 4", i, ids)
		}
	}
}

func runIdentifierReplaced(t *suite.T) {
	t.NeedIdentifiers()
	c, topic := t.Connect(), t.Topic("a")
	for _, id := range []uint32{0, 5, 6, 0, 5} {
		c.SubscribeWith(identified(id), sub(topic, 0))
		c.PublishText(topic, "hello", 0)
		p := c.WantMessage(topic, "hello")
		if id == 0 {
			wantIdentifiers(t, p)
			continue
		}
		wantIdentifiers(t, p, id)
	}
	c.Ping()
}

func runIdentifierStored(t *suite.T) {
	t.NeedIdentifiers()
	t.NeedQoS(mqtt.AtLeastOnce)
	pub, id, topic := t.Connect(), t.ClientID("a"), t.Topic("a")
	c := t.Connect(suite.Named(id), suite.Keeping)
	c.SubscribeWith(identified(77), sub(topic, 1))
	c.Leave()
	pub.PublishText(topic, "kept", 1)
	c = t.Connect(suite.Named(id), suite.Keeping)
	wantIdentifiers(t, c.WantMessage(topic, "kept"), 77)
	pub.PublishText(topic, "later", 1)
	wantIdentifiers(t, c.WantMessage(topic, "later"), 77)
}

func runIdentifierRetained(t *suite.T) {
	t.NeedIdentifiers()
	t.NeedRetain()
	c, topic := t.Connect(), t.Topic("a")
	retain(t, c, topic, "hello")
	settle(t, c)
	c.SubscribeWith(identified(21), sub(topic, 0))
	wantIdentifiers(t, c.WantMessage(topic, "hello"), 21)
	c.SubscribeWith(identified(22), sub(topic, 0))
	wantIdentifiers(t, c.WantMessage(topic, "hello"), 22)
}
