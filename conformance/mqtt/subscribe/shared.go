package subscribe

import (
	"fmt"
	"slices"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// What a shared subscription is has no number of its own: these cases claim what a message to
// matching subscriptions is about.
const forMembers = "5.0/MQTT-4.5.0-1 5.0/MQTT-3.3.2-3"

// sharedCases are about who gets a message of a shared subscription.
func sharedCases() []suite.Case {
	return []suite.Case{{
		Name: "subscribe/shared-to-one-member", Claims: forMembers + " 5.0/MQTT-4.8.2-1",
		Text: "Each of 30 messages comes to one of three members, on the topic that it was " +
			"published on.",
		Run: runSharedOne,
	}, {
		Name:   "subscribe/shared-beside-others",
		Claims: forMembers + " 5.0/MQTT-4.8.2-1 5.0/MQTT-4.8.2-2",
		Text: "Two groups whose names differ in case, a member of both, and a client without a " +
			"group: each message comes once to each group and once to the client.",
		Run: runSharedBeside,
	}, {
		Name: "subscribe/shared-and-plain-of-one-client", Claims: forMembers,
		Text: "A client has a filter as itself and as the only member of a group: a message " +
			"comes, in one copy or in one for each subscription.",
		Run: runSharedBoth,
	}, {
		Name: "subscribe/shared-with-wildcards", Claims: forMembers,
		Text: "The filter behind the share name has wildcards, and one that begins with the " +
			"separator is another filter.",
		Run: runSharedWildcards,
	}, {
		Name: "subscribe/shared-again", Claims: forMembers,
		Text: "A member that subscribes to the same shared filter again is one member: a message " +
			"comes once.",
		Run: runSharedAgain,
	}, {
		Name: "subscribe/shared-member-leaves", Claims: "5.0/MQTT-3.10.4-1 5.0/MQTT-3.10.4-2",
		Text: "One member unsubscribes, another's session ends: the third gets all messages.",
		Run:  runSharedLeaves,
	}, {
		Name:   "subscribe/shared-unsubscribed-by-its-whole-filter",
		Claims: "5.0/MQTT-3.10.4-1 5.0/MQTT-3.11.3-2",
		Text: "UNSUBSCRIBE of the filter without $share/ and the name, or with another name, " +
			"does not end a shared subscription; nor does the shared filter end a plain one.",
		Run: runSharedUnsubscribe,
	}, {
		Name: "subscribe/shared-identifier", Claims: carried,
		Text: "A message by a shared subscription has its identifier.",
		Run: func(t *suite.T) {
			t.NeedShared()
			t.NeedIdentifiers()
			c, topic := t.Connect(), t.Topic("a")
			c.SubscribeWith(identified(300), sub(group(t, "g", topic), 0))
			c.PublishText(topic, "hello", 0)
			wantIdentifiers(t, c.WantMessage(topic, "hello"), 300)
		},
	}}
}

// group is a shared filter whose name belongs to this run.
func group(t *suite.T, name, filter string) string {
	return "$share/" + t.ClientID(name) + "/" + filter
}

// publishAll publishes messages 0 to n-1 and answers their payloads.
func publishAll(t *suite.T, pub *suite.Client, topic string, n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprint(i))
		pub.PublishText(topic, all[i], usual(t))
	}
	return all
}

// collect has pub say the end and answers what each client got before it.
func collect(t *suite.T, pub *suite.Client, clients ...*suite.Client) [][]mqtt.Publish {
	pub.PublishText(endOf(t), "end", usual(t))
	var all [][]mqtt.Publish
	for _, c := range clients {
		all = append(all, until(t, c, endOf(t)))
	}
	return all
}

func runSharedOne(t *suite.T) {
	t.NeedShared()
	q, topic := usual(t), t.Topic("a")
	pub, filter := t.Connect(), group(t, "g", topic)
	a, b, c := listen(t, q, filter), listen(t, q, filter), listen(t, q, filter)
	want := publishAll(t, pub, topic, 30)
	got := collect(t, pub, a, b, c)
	t.Note("the members got %d, %d and %d messages", len(got[0]), len(got[1]), len(got[2]))
	wantPayloads(t, "the group", slices.Concat(got...), want...)
	for _, p := range slices.Concat(got...) {
		if string(p.Topic) != topic {
			t.Errorf("message %q came on %q, want %q", p.Payload, p.Topic, topic)
		}
	}
}

func runSharedBeside(t *suite.T) {
	t.NeedShared()
	q, topic := usual(t), t.Topic("a")
	pub, small, large := t.Connect(), group(t, "g", topic), group(t, "G", topic)
	first, second, plain := listen(t, q, small), listen(t, q, large), listen(t, q, topic)
	want := publishAll(t, pub, topic, 10)
	for i, got := range collect(t, pub, first, second, plain) {
		wantPayloads(t, fmt.Sprintf("subscriber %d of three", i+1), got, want...)
	}
	both := listen(t, q, small, large)
	publishAll(t, pub, topic, 10)
	got := collect(t, pub, first, second, plain, both)
	wantPayloads(t, "the client without a group", got[2], want...)
	wantPayloads(t, "the two groups", slices.Concat(got[0], got[1], got[3]),
		slices.Concat(want, want)...)
}

func runSharedBoth(t *suite.T) {
	t.NeedShared()
	q, topic := usual(t), t.Topic("a")
	pub, c := t.Connect(), listen(t, q, topic, group(t, "g", topic))
	pub.PublishText(topic, "hello", q)
	switch texts := payloads(gather(t, pub, q, c)); {
	case slices.Equal(texts, []string{"hello"}):
		t.Note("one copy for both subscriptions")
	case !slices.Equal(texts, []string{"hello", "hello"}):
		t.Errorf("the client got the messages %q, want one or two copies of %q", texts, "hello")
	}
}

func runSharedWildcards(t *suite.T) {
	t.NeedShared()
	t.NeedWildcard()
	q := usual(t)
	pub := t.Connect()
	plus := listen(t, q, group(t, "g", t.Topic("+")))
	hash := listen(t, q, group(t, "h", t.Topic("#")))
	slash := listen(t, q, group(t, "g", "/"+t.Topic("#")))
	for _, topic := range []string{t.Topic(""), t.Topic("a"), t.Topic("a/b"), "/" + t.Topic("a")} {
		pub.PublishText(topic, topic, q)
	}
	got := collect(t, pub, plus, hash, slash)
	wantPayloads(t, "the group with +", got[0], t.Topic("a"))
	wantPayloads(t, "the group with #", got[1], t.Topic(""), t.Topic("a"), t.Topic("a/b"))
	wantPayloads(t, "the group with a separator first", got[2], "/"+t.Topic("a"))
}

func runSharedAgain(t *suite.T) {
	t.NeedShared()
	q, topic := usual(t), t.Topic("a")
	pub, filter := t.Connect(), group(t, "g", topic)
	c := listen(t, q, filter, filter, filter)
	want := publishAll(t, pub, topic, 5)
	wantPayloads(t, "the only member", gather(t, pub, q, c), want...)
}

func runSharedLeaves(t *suite.T) {
	t.NeedShared()
	q, topic := usual(t), t.Topic("a")
	pub, filter := t.Connect(), group(t, "g", topic)
	a, b, c := listen(t, q, filter), listen(t, q, filter), listen(t, q, filter)
	a.Unsubscribe(filter)
	b.Leave()
	want := publishAll(t, pub, topic, 10)
	got := collect(t, pub, a, c)
	wantPayloads(t, "the member that unsubscribed", got[0])
	wantPayloads(t, "the member that stays", got[1], want...)
}

func runSharedUnsubscribe(t *suite.T) {
	t.NeedShared()
	q, topic := usual(t), t.Topic("a")
	pub, filter := t.Connect(), group(t, "g", topic)
	c := listen(t, q, filter)
	for _, other := range []string{topic, group(t, "h", topic), group(t, "g", topic+"/"),
		group(t, "G", topic)} {
		if code := unsubscribe(c, other).Reasons[0]; code != mqtt.NoSubscriptionExisted {
			t.Errorf("UNSUBACK for %q, which is no subscription, says 0x%02x, want 0x11", other,
				byte(code))
		}
	}
	pub.PublishText(topic, "shared", q)
	wantPayloads(t, "the member", gather(t, pub, q, c), "shared")
	c.Subscribe(topic, q)
	if code := unsubscribe(c, filter).Reasons[0]; code != mqtt.Success {
		t.Errorf("UNSUBACK for the shared filter says 0x%02x, want success", byte(code))
	}
	pub.PublishText(topic, "plain", q)
	wantPayloads(t, "the client that is no member", gather(t, pub, q, c), "plain")
}
