package subscribe

import (
	"fmt"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

const lower = "3.1.1/MQTT-3.8.4-6 5.0/MQTT-3.8.4-8"

// qualityCases are every published QoS with every one asked for, live and retained.
func qualityCases() []suite.Case {
	var cases []suite.Case
	for published := mqtt.AtMostOnce; published <= mqtt.ExactlyOnce; published++ {
		for asked := mqtt.AtMostOnce; asked <= mqtt.ExactlyOnce; asked++ {
			cases = append(cases, suite.Case{
				Name:   fmt.Sprintf("subscribe/quality-live-%d-to-%d", published, asked),
				Claims: lower,
				Text: fmt.Sprintf("A message published with QoS %d comes to a subscription with "+
					"QoS %d with the lower of it and the QoS that SUBACK grants.", published,
					asked),
				Run: func(t *suite.T) { runLive(t, published, asked) },
			}, suite.Case{
				Name:   fmt.Sprintf("subscribe/quality-retained-%d-to-%d", published, asked),
				Claims: lower,
				Text: fmt.Sprintf("A message retained with QoS %d comes to a new subscription "+
					"with QoS %d with the lower of it and the QoS that SUBACK grants.", published,
					asked),
				Run: func(t *suite.T) { runKept(t, published, asked) },
			})
		}
	}
	return cases
}

func runLive(t *suite.T, published, asked mqtt.QoS) {
	t.NeedQoS(published)
	pub, c := t.Connect(), t.Connect()
	topic := t.Topic("a")
	code := ask(t, c, nil, sub(topic, asked))[0]
	granted(t, topic, asked, code)
	pub.PublishText(topic, "hello", published)
	wantQoS(t, c.WantMessage(topic, "hello"), min(published, mqtt.QoS(code)))
}

func runKept(t *suite.T, published, asked mqtt.QoS) {
	t.NeedQoS(published)
	t.NeedRetain()
	pub, c := t.Connect(), t.Connect()
	topic := t.Topic("a")
	pub.Publish(mqtt.Publish{Topic: []byte(topic), Payload: []byte("hello"), QoS: published,
		Retain: true})
	settle(t, pub)
	code := ask(t, c, nil, sub(topic, asked))[0]
	granted(t, topic, asked, code)
	wantQoS(t, c.WantMessage(topic, "hello"), min(published, mqtt.QoS(code)))
}

func wantQoS(t *suite.T, p mqtt.Publish, want mqtt.QoS) {
	if p.QoS != want {
		t.Errorf("message %q came with QoS %d, want %d", p.Payload, p.QoS, want)
	}
}
