package subscribe

import (
	"fmt"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

func subackCases() []suite.Case {
	return []suite.Case{{
		Name: "subscribe/suback-for-each-subscribe",
		Claims: "3.1.1/MQTT-3.8.4-1 3.1.1/MQTT-3.8.4-2 3.1.1/MQTT-2.3.1-7 " +
			"5.0/MQTT-3.8.4-1 5.0/MQTT-3.8.4-2 5.0/MQTT-2.2.1-6",
		Text: "SUBSCRIBE with packet identifiers of every kind of bytes, one after the other, " +
			"the last again: each is answered by one SUBACK with its identifier.",
		Run: runSubackIDs,
	}, {
		Name: "subscribe/suback-for-each-of-a-burst",
		Claims: "3.1.1/MQTT-3.8.4-1 3.1.1/MQTT-3.8.4-2 3.1.1/MQTT-2.3.1-7 " +
			"5.0/MQTT-3.8.4-1 5.0/MQTT-3.8.4-2 5.0/MQTT-2.2.1-6",
		Text: "20 SUBSCRIBE in one write are answered by 20 SUBACK, one for each identifier.",
		Run:  runSubackBurst,
	}, {
		Name: "subscribe/suback-one-for-several-filters",
		Claims: "3.1.1/MQTT-3.8.4-4 3.1.1/MQTT-3.8.4-5 5.0/MQTT-3.8.4-5 5.0/MQTT-3.8.4-6 " +
			"5.0/MQTT-3.9.3-2",
		Text: "One SUBSCRIBE with 150 filters, or as many as the server takes in a packet, gets " +
			"one SUBACK with a code for each, and messages on the first, the middle and the last " +
			"filter come.",
		Run: runSubackMany,
	}, {
		Name: "subscribe/suback-codes-in-order",
		Claims: "3.1.1/MQTT-3.9.3-1 3.1.1/MQTT-3.9.3-2 3.1.1/MQTT-3.8.4-5 3.1.1/MQTT-3.8.4-4 " +
			"5.0/MQTT-3.9.3-1 5.0/MQTT-3.9.3-2 5.0/MQTT-3.8.4-6 5.0/MQTT-3.8.4-7 " +
			"5.0/MQTT-3.8.4-5",
		Text: "Filters with QoS 2, 0, 1, 1, 2, 0, 0, 2, 1 in one SUBSCRIBE: each code is at most " +
			"the QoS of its filter, and a message with QoS 2 comes by each with the QoS of its " +
			"code.",
		Run: runSubackOrder,
	}, {
		Name: "subscribe/suback-same-filter-twice",
		Claims: "3.1.1/MQTT-3.8.4-4 3.1.1/MQTT-3.8.4-3 3.1.1/MQTT-3.8.4-5 " +
			"5.0/MQTT-3.8.4-5 5.0/MQTT-3.8.4-3 5.0/MQTT-3.8.4-6",
		Versions: numbered(),
		Text: "One SUBSCRIBE has the same filter with QoS 2 and then with QoS 0: two codes, and " +
			"as after two SUBSCRIBE the second holds: a message comes once, with QoS 0.",
		Run: runSubackTwice,
	}}
}

func runSubackIDs(t *suite.T) {
	c := t.Connect()
	for _, id := range []uint16{1, 255, 256, 0x1234, 0x3412, 65535, 65535} {
		c.Send(mqtt.AppendSubscribe(nil, c.Version(), id, nil,
			[]mqtt.Subscription{sub(t.Topic(fmt.Sprint(id)), mqtt.AtMostOnce)}))
		c.ReadSuback(id)
		c.Ping()
	}
}

func runSubackBurst(t *suite.T) {
	const burst = 20
	c := t.Connect()
	var b []byte
	open := make(map[uint16]bool)
	for i := range uint16(burst) {
		id := 7 + i*257
		open[id] = true
		b = mqtt.AppendSubscribe(b, c.Version(), id, nil,
			[]mqtt.Subscription{sub(t.Topic(fmt.Sprint(i%7)), mqtt.AtMostOnce)})
	}
	c.Send(b)
	for range burst {
		var p mqtt.Suback
		if err := p.Decode(c.Version(), c.Expect(mqtt.SUBACK)); err != nil {
			t.Fatalf("the server's SUBACK: %v", err)
		}
		if !open[p.PacketID] || len(p.Reasons) != 1 {
			t.Fatalf("SUBACK with packet identifier %d and %d codes", p.PacketID, len(p.Reasons))
		}
		delete(open, p.PacketID)
	}
	c.Ping()
}

func runSubackMany(t *suite.T) {
	c := t.Connect()
	var subs []mqtt.Subscription
	for i := range 150 {
		more := append(subs, sub(t.Topic(fmt.Sprint(i)), mqtt.AtMostOnce))
		if !t.TakesPacket(len(mqtt.AppendSubscribe(nil, c.Version(), 1, nil, more))) {
			break
		}
		subs = more
	}
	filters := len(subs)
	if filters < 3 {
		t.Skipf("the server takes no SUBSCRIBE with three filters")
	}
	for i, r := range ask(t, c, nil, subs...) {
		if r != mqtt.GrantedQoS0 {
			t.Fatalf("the code of filter %d is %s, want QoS 0", i, r)
		}
	}
	c.Ping()
	for _, i := range []int{0, filters / 2, filters - 1} {
		topic := t.Topic(fmt.Sprint(i))
		c.PublishText(topic, "hello", mqtt.AtMostOnce)
		c.WantMessage(topic, "hello")
	}
}

func runSubackOrder(t *suite.T) {
	t.NeedQoS(mqtt.ExactlyOnce)
	pub, c := t.Connect(), t.Connect()
	var subs []mqtt.Subscription
	for i, q := range []mqtt.QoS{2, 0, 1, 1, 2, 0, 0, 2, 1} {
		subs = append(subs, sub(t.Topic(fmt.Sprint(i)), q))
	}
	codes := ask(t, c, nil, subs...)
	for i, code := range codes {
		granted(t, string(subs[i].Filter), subs[i].QoS, code)
		pub.PublishText(string(subs[i].Filter), "hello", mqtt.ExactlyOnce)
		p := c.WantMessage(string(subs[i].Filter), "hello")
		if p.QoS != mqtt.QoS(code) {
			t.Errorf("filter %d: asked for QoS %d, the code is %d, the message came with QoS %d",
				i, subs[i].QoS, code, p.QoS)
		}
	}
	c.Ping()
}

// granted wants a code to be a QoS, and no more than was asked for. Less is allowed and noted.
func granted(t *suite.T, filter string, asked mqtt.QoS, code mqtt.ReasonCode) {
	switch {
	case code.Failed() || mqtt.QoS(code) > asked:
		t.Fatalf("SUBACK for %q with QoS %d says 0x%02x", filter, asked, byte(code))
	case mqtt.QoS(code) < asked:
		t.Note("for %q the server grants QoS %d, less than the %d asked for", filter, code, asked)
	}
}

func runSubackTwice(t *suite.T) {
	t.NeedQoS(mqtt.ExactlyOnce)
	pub, c := t.Connect(), listen(t, mqtt.ExactlyOnce)
	topic := t.Topic("a")
	codes := ask(t, c, nil, sub(topic, mqtt.ExactlyOnce), sub(topic, mqtt.AtMostOnce))
	granted(t, topic, mqtt.ExactlyOnce, codes[0])
	granted(t, topic, mqtt.AtMostOnce, codes[1])
	pub.PublishText(topic, "hello", mqtt.ExactlyOnce)
	got := gather(t, pub, mqtt.ExactlyOnce, c)
	wantPayloads(t, "the subscriber", got, "hello")
	if len(got) > 0 && got[0].QoS != mqtt.AtMostOnce {
		t.Errorf("the message came with QoS %d, want 0", got[0].QoS)
	}
}
