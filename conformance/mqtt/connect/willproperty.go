package connect

import (
	"fmt"
	"time"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// willPropertyCases are about the properties of a will, in 5.0.
func willPropertyCases() []suite.Case {
	list := []suite.Case{{
		Name: "connect/will-user-properties-in-order", Claims: "5.0/MQTT-3.1.3-10",
		Text: "The user properties of a will, with a name that stands three times, are published " +
			"in their order.",
		Run: willUsers,
	}, {
		Name: "connect/will-properties", Claims: "5.0/MQTT-3.1.2-7 5.0/MQTT-3.1.2-8",
		Text: "Payload Format Indicator, Content Type, Response Topic and Correlation Data of a " +
			"will are published with it, the Will Delay Interval is not.",
		Run: willForward,
	}, {
		Name: "connect/will-message-expiry", Claims: "5.0/MQTT-3.1.2-7",
		Text: "A will with a Message Expiry Interval of 100 s is published with what is left of " +
			"it.",
		Run: willExpiry,
	}, {
		Name:   "connect/will-message-expiry-from-publication",
		Claims: "5.0/MQTT-3.1.2-8",
		Text: "A will expires by the time since it was published, not since CONNECT: with an " +
			"interval of two seconds it is published after four.",
		Run: willExpiryLate,
	}}
	for i := range list {
		list[i].Versions = []mqtt.Version{mqtt.V5}
	}
	return list
}

// publishedWill is the will with these properties as a witness sees it.
func publishedWill(t *suite.T, props mqtt.Props) mqtt.Publish {
	topic := t.Topic("will")
	w := witness(t, topic)
	t.Connect(suite.WithWill(mqtt.Will{Topic: []byte(topic), Payload: []byte("will"),
		Props: props})).Close()
	return w.WantMessage(topic, "will")
}

func willUsers(t *suite.T) {
	var props mqtt.Props
	var want, got string
	for i, name := range []string{"b", "a", "b", "", "a", "b"} {
		value := fmt.Sprint(9 - i)
		props = props.AppendUser([]byte(name), []byte(value))
		want += name + "=" + value + " "
	}
	m := publishedWill(t, props)
	m.Props.Users(func(name, value []byte) bool {
		got += string(name) + "=" + string(value) + " "
		return true
	})
	if got != want {
		t.Errorf("user properties %q, want %q", got, want)
	}
}

func willForward(t *suite.T) {
	answer := t.Topic("answer")
	m := publishedWill(t, mqtt.Props(nil).
		AppendUint32(mqtt.WillDelayInterval, 0).
		AppendByte(mqtt.PayloadFormatIndicator, 1).
		AppendBytes(mqtt.ContentType, []byte("text/plain")).
		AppendBytes(mqtt.ResponseTopic, []byte(answer)).
		AppendBytes(mqtt.CorrelationData, []byte{0, 0xFF, 1}))
	if v, ok := m.Props.Byte(mqtt.PayloadFormatIndicator); !ok || v != 1 {
		t.Errorf("Payload Format Indicator %d, want 1", v)
	}
	for id, want := range map[mqtt.PropID]string{mqtt.ContentType: "text/plain",
		mqtt.ResponseTopic: answer, mqtt.CorrelationData: "\x00\xFF\x01"} {
		got, _ := m.Props.Bytes(id)
		t.Same(id.String(), got, []byte(want))
	}
}

func willExpiry(t *suite.T) {
	m := publishedWill(t, mqtt.Props(nil).AppendUint32(mqtt.MessageExpiryInterval, 100))
	if v, ok := m.Props.Uint32(mqtt.MessageExpiryInterval); !ok || v > 100 || v < 90 {
		t.Errorf("Message Expiry Interval %d, given %t, want about 100", v, ok)
	}
}

func willExpiryLate(t *suite.T) {
	topic := t.Topic("will")
	w := witness(t, topic)
	c := t.Connect(suite.WithWill(mqtt.Will{Topic: []byte(topic), Payload: []byte("will"),
		Props: mqtt.Props(nil).AppendUint32(mqtt.MessageExpiryInterval, 2)}))
	t.Wait(4 * time.Second)
	c.Close()
	m := w.WantMessage(topic, "will")
	if v, ok := m.Props.Uint32(mqtt.MessageExpiryInterval); !ok || v > 2 {
		t.Errorf("Message Expiry Interval %d, given %t, want 2 or less", v, ok)
	}
}
