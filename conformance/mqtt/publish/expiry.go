package publish

import (
	"math"
	"slices"
	"time"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

func expiryCases() []suite.Case {
	return []suite.Case{
		{
			Name: "publish/expired-messages-are-not-delivered", Claims: "5.0/MQTT-3.3.2-5",
			Text: "Messages that expire while the subscriber is away are dropped, those before, " +
				"between and after them are not.",
			Run: expiredAway,
		}, {
			Name: "publish/expired-behind-receive-maximum", Claims: "5.0/MQTT-3.3.2-5",
			Text: "A message that expires while it waits for the Receive Maximum of a connected " +
				"subscriber is dropped.",
			Run: expiredBehind,
		}, {
			Name: "publish/expired-does-not-hold-up-the-next", Claims: "5.0/MQTT-3.3.2-5",
			Text: "A message that waits behind one that expired comes as soon as there is room " +
				"for it, without anything else happening.",
			Run: expiredHoldsUp,
		}, {
			Name: "publish/expired-retained-is-gone", Claims: "5.0/MQTT-3.3.2-5",
			Text: "A retained message that expired is not sent to a later subscriber; one with " +
				"a longer interval is.",
			Run: expiredRetained,
		}, {
			Name: "publish/expiry-counts-down", Claims: "5.0/MQTT-3.3.2-6",
			Text: "The Message Expiry Interval of a message that waited two seconds, in a " +
				"session or retained, is smaller by the time it waited.",
			Run: expiryCountsDown,
		}, {
			Name: "publish/expiry-of-the-largest-value", Claims: "5.0/MQTT-3.3.2-6",
			Text: "A Message Expiry Interval of 4294967295 seconds is a long time, at once and " +
				"from a session.",
			Run: expiryLargest,
		}, {
			Name: "publish/expiry-does-not-stop-a-delivery-in-time", Claims: "5.0/MQTT-3.3.2-6",
			Text: "A message that expires in one second reaches a subscriber that is there, " +
				"with an interval not above the published.",
			Run: expiryInTime,
		},
	}
}

// expiring is a QoS 1 message with a Message Expiry Interval.
func expiring(topic, payload string, interval uint32) mqtt.Publish {
	p := message(topic, payload, mqtt.AtLeastOnce)
	p.Props = p.Props.AppendUint32(mqtt.MessageExpiryInterval, interval)
	return p
}

// seconds are the bounds of a Message Expiry Interval.
type seconds struct{ low, high uint32 }

// wantExpiry wants a Message Expiry Interval in these bounds.
func wantExpiry(t *suite.T, what string, p *mqtt.Publish, want seconds) {
	v, has := p.Props.Uint32(mqtt.MessageExpiryInterval)
	if !has || v < want.low || v > want.high {
		t.Errorf("%s: Message Expiry Interval %d (there: %t), want %d to %d", what, v, has,
			want.low, want.high)
	}
}

func expiredAway(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	topic := t.Topic("")
	pub, sub := t.Connect(), keeper(t)
	sub.Subscribe(topic, mqtt.AtLeastOnce)
	sub.Leave()
	pub.PublishText(topic, "never", mqtt.AtLeastOnce)
	pub.Publish(expiring(topic, "in a second", 1))
	pub.Publish(expiring(topic, "in a minute", 60))
	pub.Publish(expiring(topic, "in a second too", 1))
	pub.PublishText(topic, "end", mqtt.AtLeastOnce)
	t.Wait(2200 * time.Millisecond)
	sub = resume(t, sub)
	var got []string
	for range 3 {
		p := sub.ReadMessage()
		got = append(got, string(p.Payload))
	}
	slices.Sort(got)
	if want := []string{"end", "in a minute", "never"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want each of %q once", got, want)
	}
	sub.Ping()
}

func expiredBehind(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	topic := t.Topic("")
	pub, sub := t.Connect(), subscriber(t, topic, mqtt.AtLeastOnce, receiving(1))
	pub.PublishText(topic, "first", mqtt.AtLeastOnce)
	first := sub.ReadPublish()
	pub.Publish(expiring(topic, "in a second", 1))
	t.Wait(2200 * time.Millisecond)
	sub.Acknowledge(&first)
	sub.Ping()
	pub.PublishText(topic, "end", mqtt.AtLeastOnce)
	wantOnly(t, sub, "end")
}

func expiredHoldsUp(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	topic := t.Topic("")
	pub, sub := t.Connect(), subscriber(t, topic, mqtt.AtLeastOnce, receiving(1))
	pub.PublishText(topic, "first", mqtt.AtLeastOnce)
	first := sub.ReadPublish()
	pub.Publish(expiring(topic, "in a second", 1))
	pub.PublishText(topic, "end", mqtt.AtLeastOnce)
	t.Wait(2200 * time.Millisecond)
	sub.Acknowledge(&first)
	until(sub, "end")
}

func expiredRetained(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	t.NeedRetain()
	pub := t.Connect()
	short, long := expiring(t.Topic("short"), "m", 1), expiring(t.Topic("long"), "m", 60)
	short.Retain, long.Retain = true, true
	pub.Publish(short)
	pub.Publish(long)
	t.Wait(2200 * time.Millisecond)
	sub := subscriber(t, t.Topic("long"), mqtt.AtLeastOnce)
	sub.WantMessage(t.Topic("long"), "m")
	sub.Subscribe(t.Topic("short"), mqtt.AtLeastOnce)
	pub.PublishText(t.Topic("short"), "end", mqtt.AtLeastOnce)
	wantOnly(t, sub, "end")
}

func expiryCountsDown(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	topic := t.Topic("")
	pub, sub := t.Connect(), keeper(t)
	sub.Subscribe(topic, mqtt.AtLeastOnce)
	sub.Leave()
	p := expiring(topic, "m", 100)
	p.Retain = t.Server().Retain
	pub.Publish(p)
	t.Wait(2200 * time.Millisecond)
	sub = resume(t, sub)
	got := sub.WantMessage(topic, "m")
	wantExpiry(t, "after two seconds in a session", &got, seconds{80, 98})
	if p.Retain {
		got = subscriber(t, topic, mqtt.AtLeastOnce).WantMessage(topic, "m")
		wantExpiry(t, "retained for two seconds", &got, seconds{80, 98})
	}
}

func expiryLargest(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	topic := t.Topic("")
	pub, there, away := t.Connect(), subscriber(t, topic, mqtt.AtLeastOnce), keeper(t)
	away.Subscribe(topic, mqtt.AtLeastOnce)
	away.Leave()
	pub.Publish(expiring(topic, "m", math.MaxUint32))
	got := there.WantMessage(topic, "m")
	wantExpiry(t, "at once", &got, seconds{math.MaxUint32 - 20, math.MaxUint32})
	got = resume(t, away).WantMessage(topic, "m")
	wantExpiry(t, "from a session", &got, seconds{math.MaxUint32 - 20, math.MaxUint32})
}

func expiryInTime(t *suite.T) {
	q := min(mqtt.AtLeastOnce, top(t))
	topic := t.Topic("")
	pub, sub := t.Connect(), subscriber(t, topic, q)
	p := expiring(topic, "m", 1)
	p.QoS = q
	pub.Publish(p)
	got := sub.WantMessage(topic, "m")
	wantExpiry(t, "at once", &got, seconds{0, 1})
	p = expiring(topic, "m", 100)
	p.QoS = q
	pub.Publish(p)
	got = sub.WantMessage(topic, "m")
	wantExpiry(t, "at once", &got, seconds{80, 100})
}
