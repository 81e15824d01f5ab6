package publish

import (
	"fmt"
	"strings"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

func propertyCases() []suite.Case {
	return []suite.Case{
		{
			Name: "publish/payload-format-is-forwarded", Claims: "5.0/MQTT-3.3.2-4",
			Text: "Payload Format Indicator 1 comes as 1, 0 as 0 or not at all, which is the " +
				"same, by every way to a subscriber.",
			Run: payloadFormat,
		}, {
			Name: "publish/response-topic-is-forwarded", Claims: "5.0/MQTT-3.3.2-15",
			Text: "The Response Topic arrives byte for byte, by every way to a subscriber.",
			Run: func(t *suite.T) {
				forwards(t, mqtt.ResponseTopic, t.Topic("antwort/ü/𝄞"), "a")
			},
		}, {
			Name: "publish/correlation-data-is-forwarded", Claims: "5.0/MQTT-3.3.2-16",
			Text: "Correlation Data of bytes that are no text, and of 1000 bytes, arrives byte " +
				"for byte, by every way to a subscriber.",
			Run: func(t *suite.T) {
				t.NeedPacketBytes(1500)
				forwards(t, mqtt.CorrelationData, "\x00\xFF\xFE#+\x80",
					strings.Repeat("\x00\x01", 500))
			},
		}, {
			Name: "publish/content-type-is-forwarded", Claims: "5.0/MQTT-3.3.2-20",
			Text: "The Content Type arrives byte for byte, by every way to a subscriber.",
			Run: func(t *suite.T) {
				forwards(t, mqtt.ContentType, "application/json; charset=\"ü\"", "x")
			},
		}, {
			Name:   "publish/user-properties-are-forwarded-in-order",
			Claims: "5.0/MQTT-3.3.2-17 5.0/MQTT-3.3.2-18",
			Text: "User properties with equal names, equal pairs, empty names and values, and " +
				"other properties between them arrive all and in order, by every way.",
			Run: userProperties,
		}, {
			Name:   "publish/request-and-response",
			Claims: "5.0/MQTT-3.3.2-15 5.0/MQTT-3.3.2-16",
			Text: "A responder answers to the Response Topic it was given with the Correlation " +
				"Data it was given, and the requester gets both back.",
			Run: requestResponse,
		},
	}
}

// everyWay publishes a message with props at each QoS to subscribers that are there, retained
// to one that comes later, and to one that is away, and shows check what each got.
func everyWay(t *suite.T, props mqtt.Props, check func(way string, got *mqtt.Publish)) {
	pub := t.Connect()
	for q := mqtt.AtMostOnce; q <= top(t); q++ {
		topic := t.Topic(fmt.Sprintf("live%d", q))
		one, two := subscriber(t, topic, q), subscriber(t, topic, mqtt.AtMostOnce)
		p := message(topic, "m", q)
		p.Props = props
		pub.Publish(p)
		for _, sub := range []*suite.Client{one, two} {
			got := sub.WantMessage(topic, "m")
			check(fmt.Sprintf("published at QoS %d, delivered at %d", q, got.QoS), &got)
		}
	}
	if top(t) == mqtt.AtMostOnce {
		return
	}
	p := message(t.Topic("away"), "m", mqtt.AtLeastOnce)
	p.Props = props
	away := keeper(t)
	away.Subscribe(t.Topic("away"), mqtt.AtLeastOnce)
	away.Leave()
	pub.Publish(p)
	got := resume(t, away).WantMessage(t.Topic("away"), "m")
	check("to a session whose client was away", &got)
	if !t.Server().Retain {
		return
	}
	p.Topic, p.Retain = []byte(t.Topic("kept")), true
	pub.Publish(p)
	got = subscriber(t, t.Topic("kept"), mqtt.AtLeastOnce).WantMessage(t.Topic("kept"), "m")
	check("retained", &got)
}

func payloadFormat(t *suite.T) {
	for _, want := range []byte{0, 1} {
		var props mqtt.Props
		props = props.AppendByte(mqtt.PayloadFormatIndicator, want)
		everyWay(t, props, func(way string, got *mqtt.Publish) {
			v, has := got.Props.Byte(mqtt.PayloadFormatIndicator)
			if v != want || !has && want != 0 {
				t.Errorf("%s: Payload Format Indicator %d (there: %t), want %d", way, v, has, want)
			}
		})
	}
}

// forwards wants each value of property id to arrive as it is.
func forwards(t *suite.T, id mqtt.PropID, values ...string) {
	for _, want := range values {
		var props mqtt.Props
		props = props.AppendBytes(id, []byte(want))
		everyWay(t, props, func(way string, got *mqtt.Publish) {
			v, has := got.Props.Bytes(id)
			if !has {
				t.Errorf("%s: no %s", way, id)
				return
			}
			t.Same(way+": "+id.String(), v, []byte(want))
		})
	}
}

func userProperties(t *suite.T) {
	pairs := [][2]string{{"b", "1"}, {"a", "2"}, {"b", "1"}, {"a", "0"}, {"", ""}, {"ü", "𝄞"},
		{"", "no name"}, {"no value", ""}, {"long", strings.Repeat("x", 300)}, {"a", "last"}}
	var props mqtt.Props
	for i, pair := range pairs {
		props = props.AppendUser([]byte(pair[0]), []byte(pair[1]))
		switch i {
		case 2:
			props = props.AppendBytes(mqtt.ContentType, []byte("text/plain"))
		case 5:
			props = props.AppendByte(mqtt.PayloadFormatIndicator, 1)
		}
	}
	everyWay(t, props, func(way string, got *mqtt.Publish) {
		var list [][2]string
		got.Props.Users(func(name, value []byte) bool {
			list = append(list, [2]string{string(name), string(value)})
			return true
		})
		if fmt.Sprint(list) != fmt.Sprint(pairs) {
			t.Errorf("%s: user properties %q, want %q", way, list, pairs)
		}
	})
}

func requestResponse(t *suite.T) {
	q := min(mqtt.AtLeastOnce, top(t))
	ask, answer := t.Topic("ask"), t.Topic("answer/to/one")
	requester, responder := subscriber(t, answer, q), subscriber(t, ask, q)
	request := message(ask, "question", q)
	request.Props = request.Props.AppendBytes(mqtt.ResponseTopic, []byte(answer)).
		AppendBytes(mqtt.CorrelationData, []byte{7, 0, 7})
	requester.Publish(request)
	got := responder.WantMessage(ask, "question")
	to, _ := got.Props.Bytes(mqtt.ResponseTopic)
	data, _ := got.Props.Bytes(mqtt.CorrelationData)
	response := message(string(to), "answer", q)
	response.Props = response.Props.AppendBytes(mqtt.CorrelationData, data)
	responder.Publish(response)
	got = requester.WantMessage(answer, "answer")
	data, _ = got.Props.Bytes(mqtt.CorrelationData)
	t.Same("Correlation Data", data, []byte{7, 0, 7})
}
