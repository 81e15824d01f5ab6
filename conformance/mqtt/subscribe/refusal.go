package subscribe

import (
	"slices"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// refusalCases are about servers that do not let everyone subscribe to everything.
func refusalCases() []suite.Case {
	return []suite.Case{{
		Name: "subscribe/refused-filter-among-others",
		Claims: "3.1.1/MQTT-3.8.4-5 3.1.1/MQTT-3.9.3-1 3.1.1/MQTT-3.9.3-2 5.0/MQTT-3.8.4-7 " +
			"5.0/MQTT-3.9.3-1 5.0/MQTT-3.9.3-2 5.0/MQTT-3.8.4-5",
		Versions: numbered(), Target: suite.Guarded,
		Text: "One SUBSCRIBE has three filters of which the second is not allowed: its code says " +
			"failure (0x80, in 5.0 0x87), the others are granted and get messages.",
		Run: runRefused,
	}, {
		Name:   "subscribe/refused-wildcard",
		Claims: "3.1.1/MQTT-3.8.3-2 5.0/MQTT-3.8.4-7", Versions: numbered(),
		Target: suite.Limited,
		Text: "On a server without wildcard subscriptions a filter with + and one with # are " +
			"refused, by SUBACK (0x80, in 5.0 0xA2) or by the end of the connection.",
		Run: func(t *suite.T) {
			for _, filter := range []string{t.Topic("+"), t.Topic("#"), t.Topic("+/a")} {
				refused(t, t.Connect(), sub(filter, 0), mqtt.WildcardSubscriptionsNotSupported)
			}
			t.Connect().Subscribe(t.Topic("a"), mqtt.AtMostOnce)
		},
	}, {
		Name: "subscribe/refused-shared", Claims: "5.0/MQTT-3.8.4-7", Target: suite.Limited,
		Text: "On a server without shared subscriptions a filter with $share/ is refused, by " +
			"SUBACK or DISCONNECT 0x9E.",
		Run: func(t *suite.T) {
			refused(t, t.Connect(), sub("$share/g/"+t.Topic("a"), 0),
				mqtt.SharedSubscriptionsNotSupported)
		},
	}, {
		Name: "subscribe/refused-identifier", Claims: "5.0/MQTT-3.8.4-7", Target: suite.Limited,
		Text: "On a server that says it has no subscription identifiers a SUBSCRIBE with one is " +
			"refused, by SUBACK or DISCONNECT 0xA1.",
		Run: runRefusedIdentifier,
	}}
}

func runRefused(t *suite.T) {
	c := t.Connect()
	first, last := t.Topic("first"), t.Topic("last")
	codes := ask(t, c, nil, sub(first, 0), sub(suite.DeniedTopic+"/a", 0), sub(last, 0))
	want := []mqtt.ReasonCode{mqtt.UnspecifiedError}
	if t.V5() {
		want = append(want, mqtt.NotAuthorized, mqtt.TopicFilterInvalid,
			mqtt.ImplementationSpecificError)
	}
	if codes[0] != 0 || !slices.Contains(want, codes[1]) || codes[2] != 0 {
		t.Fatalf("the codes are % x, want 00, one of % x, 00", codes, want)
	}
	for _, topic := range []string{first, last} {
		c.PublishText(topic, "hello", mqtt.AtMostOnce)
		c.WantMessage(topic, "hello")
	}
}

func runRefusedIdentifier(t *suite.T) {
	if t.Server().Identifiers {
		t.Skipf("the server offers subscription identifiers there too")
	}
	c := t.Connect()
	id := c.NextPacketID()
	c.Send(mqtt.AppendSubscribe(nil, c.Version(), id,
		mqtt.Props(nil).AppendVarInt(mqtt.SubscriptionIdentifier, 1),
		[]mqtt.Subscription{sub(t.Topic("a"), 0)}))
	wantRefusal(t, c, id, mqtt.SubscriptionIdentifiersNotSupported)
}

// refused wants a filter not to be granted: a code of SUBACK says failure, one of these in 5.0 (any
// if none is named), or the connection ends.
func refused(t *suite.T, c *suite.Client, s mqtt.Subscription, reasons ...mqtt.ReasonCode) {
	id := c.NextPacketID()
	c.Send(mqtt.AppendSubscribe(nil, c.Version(), id, nil, []mqtt.Subscription{s}))
	wantRefusal(t, c, id, reasons...)
}

// wantRefusal is the second half of refused.
func wantRefusal(t *suite.T, c *suite.Client, id uint16, reasons ...mqtt.ReasonCode) {
	frame, open := c.Poll(t.Options().ExpectTimeout)
	switch {
	case frame == nil && open:
		t.Fatalf("neither SUBACK nor the end of the connection")
	case frame == nil:
		return
	case mqtt.TypeOf(frame) == mqtt.DISCONNECT && t.V5():
		var p mqtt.Disconnect
		if err := p.Decode(c.Version(), frame); err != nil {
			t.Fatalf("the server's DISCONNECT: %v", err)
		}
		if len(reasons) > 0 && !suite.Fits(p.Reason, reasons) || !p.Reason.Failed() {
			t.Errorf("DISCONNECT says %s, want one of % x", p.Reason, reasons)
		}
		c.WantClosed()
		return
	case mqtt.TypeOf(frame) != mqtt.SUBACK:
		t.Fatalf("got %s, want a refusal", mqtt.TypeOf(frame))
	}
	var p mqtt.Suback
	if err := p.Decode(c.Version(), frame); err != nil {
		t.Fatalf("the server's SUBACK: %v", err)
	}
	if p.PacketID != id || len(p.Reasons) != 1 {
		t.Fatalf("SUBACK for packet %d with %d codes, want %d with 1", p.PacketID, len(p.Reasons),
			id)
	}
	if len(reasons) > 0 {
		reasons = append(reasons, mqtt.UnspecifiedError, mqtt.ImplementationSpecificError)
	}
	wantReason(t, p.Reasons[0], reasons)
}

// wantReason wants a failure, in 5.0 one of these if any is named.
func wantReason(t *suite.T, got mqtt.ReasonCode, reasons []mqtt.ReasonCode) {
	if !got.Failed() || t.V5() && len(reasons) > 0 && !slices.Contains(reasons, got) {
		t.Errorf("the server says 0x%02x, want a failure, in 5.0 one of % x", byte(got), reasons)
	}
}
