package subscribe

import (
	"fmt"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

const grantedTo = "5.0/MQTT-4.8.2-3 5.0/MQTT-3.8.4-8"

// sharedQualityCases are about the QoS of messages to members.
func sharedQualityCases() []suite.Case {
	return []suite.Case{{
		Name: "subscribe/shared-qos-of-one-member", Claims: grantedTo,
		Text: "Messages of every QoS come to a single member with every granted QoS with the " +
			"lower of the two.",
		Run: runSharedQoS,
	}, {
		Name: "subscribe/shared-qos-of-each-member", Claims: grantedTo,
		Text: "A group has members with QoS 0, 1 and 2: each of 30 messages with QoS 2 comes to " +
			"one of them with the QoS that it was granted.",
		Run: runSharedMixed,
	}, {
		Name: "subscribe/shared-qos-beside-plain", Claims: grantedTo,
		Text: "A client has a topic with QoS 0 as itself and with QoS 2 as a member of a group: " +
			"a message with QoS 2 comes once with each.",
		Run: runSharedPlainQoS,
	}}
}

func runSharedQoS(t *suite.T) {
	t.NeedShared()
	t.NeedQoS(mqtt.ExactlyOnce)
	pub, topic := t.Connect(), t.Topic("a")
	for asked := mqtt.AtMostOnce; asked <= mqtt.ExactlyOnce; asked++ {
		c := t.Connect()
		filter := group(t, "g", topic)
		code := ask(t, c, nil, sub(filter, asked))[0]
		granted(t, filter, asked, code)
		for published := mqtt.AtMostOnce; published <= mqtt.ExactlyOnce; published++ {
			pub.PublishText(topic, "hello", published)
			wantQoS(t, c.WantMessage(topic, "hello"), min(published, mqtt.QoS(code)))
		}
		c.Unsubscribe(filter)
	}
}

func runSharedMixed(t *suite.T) {
	t.NeedShared()
	t.NeedQoS(mqtt.ExactlyOnce)
	pub, topic := t.Connect(), t.Topic("a")
	filter := group(t, "g", topic)
	var members []*suite.Client
	for q := mqtt.AtMostOnce; q <= mqtt.ExactlyOnce; q++ {
		c := listen(t, mqtt.ExactlyOnce)
		c.Subscribe(filter, q)
		members = append(members, c)
	}
	var want []string
	for i := range 30 {
		want = append(want, fmt.Sprint(i))
		pub.PublishText(topic, want[i], mqtt.ExactlyOnce)
	}
	pub.PublishText(endOf(t), "end", mqtt.ExactlyOnce)
	var all []mqtt.Publish
	for q, c := range members {
		got := until(t, c, endOf(t))
		for _, p := range got {
			wantQoS(t, p, mqtt.QoS(q))
		}
		all = append(all, got...)
	}
	wantPayloads(t, "the group", all, want...)
}

func runSharedPlainQoS(t *suite.T) {
	t.NeedShared()
	t.NeedQoS(mqtt.ExactlyOnce)
	pub, topic := t.Connect(), t.Topic("a")
	c := listen(t, mqtt.ExactlyOnce)
	c.Subscribe(topic, mqtt.AtMostOnce)
	c.Subscribe(group(t, "g", topic), mqtt.ExactlyOnce)
	pub.PublishText(topic, "hello", mqtt.ExactlyOnce)
	got := gather(t, pub, mqtt.ExactlyOnce, c)
	sum := mqtt.QoS(0)
	for _, p := range got {
		sum += p.QoS
	}
	if len(got) < 1 || len(got) > 2 || sum != mqtt.ExactlyOnce {
		t.Errorf("%d copies came with QoS %d together, want one with 2, or two with 0 and 2",
			len(got), sum)
	}
}
