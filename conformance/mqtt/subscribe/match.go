package subscribe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// match is a filter with names that it matches and names that it does not. In all of them @ stands
// for the levels of T.Topic, ~ for those levels without the first.
type match struct {
	name   string
	filter string
	yes    []string
	no     []string
	plain  bool // no statement but that characters are not changed; nothing for 3.1
}

const (
	matches = "3.1.1/MQTT-3.3.2-3 5.0/MQTT-3.3.2-3 3.1.1/MQTT-4.5.0-1 5.0/MQTT-4.5.0-1"
	level   = " 3.1.1/MQTT-4.7.1-3 5.0/MQTT-4.7.1-2"
	rest    = " 3.1.1/MQTT-4.7.1-2 5.0/MQTT-4.7.1-1"
	same    = " 3.1.1/MQTT-4.7.3-4 5.0/MQTT-4.7.3-4"
)

// matchCases are the table of filters, each with live messages and with retained ones: servers have
// two ways to find them.
func matchCases() []suite.Case {
	var cases []suite.Case
	for _, m := range slices.Concat(matchLevels(), matchWildcards(), matchCharacters()) {
		claims := matches
		if strings.Contains(m.filter, "+") {
			claims += level
		}
		if strings.Contains(m.filter, "#") {
			claims += rest
		}
		if !strings.ContainsAny(m.filter, "+#") {
			claims += same
		}
		c := suite.Case{Claims: claims}
		if m.plain {
			c.Versions = numbered()
		}
		c.Name = "subscribe/match-live-" + m.name
		c.Text = m.text("messages")
		c.Run = func(t *suite.T) { runMatchLive(t, m) }
		cases = append(cases, c)
		if m.filter == "#" {
			continue // it would bring whatever is retained in the server
		}
		c.Name = "subscribe/match-retained-" + m.name
		c.Text = m.text("retained messages")
		c.Run = func(t *suite.T) { runMatchRetained(t, m) }
		cases = append(cases, c)
	}
	return cases
}

func (m *match) text(what string) string {
	text := fmt.Sprintf("A subscription to %q brings %s on %q", m.filter, what, m.yes)
	if len(m.no) > 0 {
		text += fmt.Sprintf(", not on %q", m.no)
	}
	return text + "."
}

// place puts the levels of the case into a filter or name.
func place(t *suite.T, s string) string {
	base := t.Topic("")
	_, tail, _ := strings.Cut(base, "/")
	return strings.ReplaceAll(strings.ReplaceAll(s, "@", base), "~", tail)
}

func placeAll(t *suite.T, list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = place(t, s)
	}
	slices.Sort(out)
	return out
}

// ours says whether a topic belongs to this run of the case.
func ours(t *suite.T, topic string) bool {
	_, behind, found := strings.Cut(topic, place(t, "~"))
	return found && (behind == "" || behind[0] < '0' || behind[0] > '9')
}

// ownTopics are the topics of messages that belong to this run, sorted.
func ownTopics(t *suite.T, got []mqtt.Publish) []string {
	var topics []string
	for i := range got {
		if topic := string(got[i].Topic); ours(t, topic) {
			topics = append(topics, topic)
		}
	}
	slices.Sort(topics)
	return topics
}

func (m *match) need(t *suite.T) {
	if strings.ContainsAny(m.filter, "+#") {
		t.NeedWildcard()
	}
	longest := 0
	for _, name := range append(slices.Concat(m.yes, m.no), m.filter) {
		longest = max(longest, len(place(t, name)))
	}
	// A PUBLISH has its name as the payload too.
	t.NeedPacketBytes(2*longest + 32)
}

func runMatchLive(t *suite.T, m match) {
	m.need(t)
	q := usual(t)
	pub, c := t.Connect(), listen(t, q, place(t, m.filter))
	for _, name := range slices.Concat(m.no, m.yes) {
		pub.PublishText(place(t, name), name, q)
	}
	wantTopics(t, ownTopics(t, gather(t, pub, q, c)), m.yes)
}

func runMatchRetained(t *suite.T, m match) {
	m.need(t)
	t.NeedRetain()
	q := usual(t)
	pub, c := t.Connect(), t.Connect()
	for _, name := range slices.Concat(m.no, m.yes) {
		retain(t, pub, place(t, name), name)
	}
	settle(t, pub)
	c.Subscribe(place(t, m.filter), q)
	var got []mqtt.Publish
	for len(ownTopics(t, got)) < len(m.yes) {
		got = append(got, c.ReadMessage())
	}
	// Whatever else is retained and matches is behind these, or comes before the end.
	c.Subscribe(endOf(t), q)
	got = append(got, gather(t, pub, q, c)...)
	wantTopics(t, ownTopics(t, got), m.yes)
}

func wantTopics(t *suite.T, got, names []string) {
	if want := placeAll(t, names); !slices.Equal(got, want) {
		t.Errorf("messages came on %q, want %q", got, want)
	}
}
