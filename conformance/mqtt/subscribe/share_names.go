package subscribe

import (
	"fmt"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// shareNameCases are about filters that begin with $share/ and are no shared filter.
func shareNameCases() []suite.Case {
	const short, form = "5.0/MQTT-4.8.2-1", "5.0/MQTT-4.8.2-2"
	var cases []suite.Case
	for _, f := range []invalid{
		{"empty-name", "$share//@", short},
		{"nothing-behind-share", "$share/", short},
		{"name-alone", "$share/g", form},
		{"no-filter", "$share/g/", form},
		{"plus-as-name", "$share/+/@", form},
		{"hash-as-name", "$share/#", form},
		{"plus-within-name", "$share/g+h/@", form},
		{"hash-within-name", "$share/g#/@", form},
		{"wrong-filter-hash", "$share/g/@/#/a", form + " 5.0/MQTT-4.7.1-1"},
		{"wrong-filter-plus", "$share/g/@/a+", form + " 5.0/MQTT-4.7.1-2"},
	} {
		cases = append(cases, suite.Case{
			Name: "subscribe/share-name-" + f.name, Claims: f.claims,
			Text: fmt.Sprintf("SUBSCRIBE to %q is not granted: the server says failure in SUBACK "+
				"or closes the connection.", f.text),
			Run: func(t *suite.T) {
				t.NeedShared()
				refused(t, t.Connect(), sub(place(t, f.text), 0), mqtt.TopicFilterInvalid,
					mqtt.UnspecifiedError, mqtt.ImplementationSpecificError)
			},
		})
	}
	return append(cases, suite.Case{
		Name: "subscribe/share-name-of-any-text", Claims: short + " " + form,
		Text: "Share names of one character, with spaces, dots, $ and letters of other scripts " +
			"are names of groups, each its own.",
		Run: runShareNames,
	}, suite.Case{
		Name: "subscribe/share-name-other-word", Claims: "5.0/MQTT-3.3.2-3",
		Text: "Filters that begin with $SHARE/ or $shared/ are no shared subscriptions: they do " +
			"not bring the messages of the filter behind the name.",
		Run: runShareWords,
	})
}

func runShareNames(t *suite.T) {
	t.NeedShared()
	q, topic := usual(t), t.Topic("a")
	pub := t.Connect()
	names := []string{"a", "A", " ", ".", "a b", "$share", "$", "\u00e9", "e\u0301", "*", "0"}
	var clients []*suite.Client
	for _, name := range names {
		clients = append(clients, listen(t, q, "$share/"+name+"/"+topic))
	}
	pub.PublishText(topic, "hello", q)
	for i, got := range collect(t, pub, clients...) {
		wantPayloads(t, fmt.Sprintf("the only member of group %q", names[i]), got, "hello")
	}
}

func runShareWords(t *suite.T) {
	topic := t.Topic("a")
	c, pub := listen(t, 0), t.Connect()
	for _, word := range []string{"$SHARE", "$Share", "$shared", "$shar"} {
		other := listen(t, 0)
		id := other.NextPacketID()
		other.Send(mqtt.AppendSubscribe(nil, t.Version(), id, nil,
			[]mqtt.Subscription{sub(word+"/g/"+topic, 0)}))
		if frame, _ := other.Poll(t.Options().ExpectTimeout); frame == nil ||
			mqtt.TypeOf(frame) != mqtt.SUBACK {
			continue // the server has no topics that begin with $
		}
		pub.PublishText(topic, "hello", 0)
		wantPayloads(t, "a subscriber to "+word, gather(t, pub, 0, other))
		until(t, c, endOf(t))
	}
}
