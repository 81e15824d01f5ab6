package connect

import (
	"hash/fnv"
	"math/rand/v2"
	"strings"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

const letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// identifierCases are about client identifiers that are not empty.
func identifierCases() []suite.Case {
	return []suite.Case{{
		Name: "connect/identifier-lengths", Claims: "3.1.1/MQTT-3.1.3-5 5.0/MQTT-3.1.3-5",
		Alone: true,
		Text:  "Client identifiers of 1, 2, 12, 22 and 23 letters and digits are let in.",
		Run:   identifierLengths,
	}, {
		Name: "connect/identifier-letters", Claims: "3.1.1/MQTT-3.1.3-5 5.0/MQTT-3.1.3-5",
		Text: "Each of the 62 letters and digits may stand in a client identifier.",
		Run:  identifierLetters,
	}, {
		Name:   "connect/identifier-case-matters",
		Claims: "3.1.1/MQTT-3.1.3-2 5.0/MQTT-3.1.3-2",
		Text: "Two clients whose identifiers differ in capitals, or in the last of 23 letters, " +
			"do not touch each other.",
		Run: identifiersDiffer,
	}, {
		Name:   "connect/identifier-has-its-session",
		Claims: "3.1.1/MQTT-3.1.3-2 5.0/MQTT-3.1.3-2 3.1.1/MQTT-3.1.2-4 5.0/MQTT-3.1.2-5",
		Text: "Two clients leave sessions with different subscriptions; each finds its own " +
			"messages when it comes back.",
		Run: sessionByIdentifier,
	}, {
		Name:   "connect/identifier-unusual",
		Claims: "3.1.1/MQTT-3.1.3-9 5.0/MQTT-3.1.3-8", Versions: since311(),
		Text: "Identifiers that are long or have other characters are let in, or refused by the " +
			"code for that and the end of the connection.",
		Run: unusualIdentifiers,
	}}
}

// shuffled are the letters and digits in an order of this run's own, so that two runs against one
// server do not take each other's clients over.
func shuffled(t *suite.T) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(t.ClientID("")))
	b := []byte(letters)
	r := rand.New(rand.NewPCG(h.Sum64(), 1))
	r.Shuffle(len(b), func(i, j int) { b[i], b[j] = b[j], b[i] })
	return string(b)
}

func identifierLengths(t *suite.T) {
	s := shuffled(t)
	for _, n := range []int{1, 2, 12, 22, 23} {
		c := t.Connect(suite.Named(s[:n]))
		c.Ping()
		c.Disconnect()
	}
}

func identifierLetters(t *suite.T) {
	for s := shuffled(t); s != ""; s = s[min(23, len(s)):] {
		c := t.Connect(suite.Named(s[:min(23, len(s))]))
		c.Ping()
		c.Disconnect()
	}
}

func identifiersDiffer(t *suite.T) {
	base := t.ClientID("a")
	base += strings.Repeat("a", 22-len(base))
	ids := []string{base + "b", base + "B", strings.ToUpper(base) + "b", base + "c", base}
	var clients []*suite.Client
	for _, id := range ids {
		clients = append(clients, t.Connect(suite.Named(id)))
	}
	for _, c := range clients {
		c.Ping()
	}
}

func sessionByIdentifier(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	names := []string{"a", "b"}
	for _, name := range names {
		c := keep(t, t.ClientID(name))
		c.Subscribe(t.Topic(name), mqtt.AtLeastOnce)
		c.Leave()
	}
	p := t.Connect()
	for _, name := range names {
		p.PublishText(t.Topic(name), "for "+name, mqtt.AtLeastOnce)
	}
	for _, name := range names {
		c := keep(t, t.ClientID(name))
		c.WantMessage(t.Topic(name), "for "+name)
		c.Ping()
	}
}

func unusualIdentifiers(t *suite.T) {
	base := t.ClientID("u")
	for _, id := range []string{
		base + strings.Repeat("z", 24-len(base)), base + strings.Repeat("z", 200), base + " a b",
		base + "/#+$", base + "ü", base + "\U0001F980", "$" + base, base + "'\"\\%00;--",
	} {
		c := t.Dial()
		c.Send(t.Connecting(suite.Named(id)).Append(nil))
		wantInOrOut(t, c, id)
	}
}

// wantInOrOut wants the client to be let in or refused because of its identifier.
func wantInOrOut(t *suite.T, c *suite.Client, id string) {
	frame, open := c.Poll(t.Options().ExpectTimeout)
	if frame == nil {
		if open || !t.V5() {
			t.Fatalf("identifier %q: no CONNACK, want one that lets it in or refuses it", id)
		}
		return
	}
	var ack mqtt.Connack
	if err := ack.Decode(t.Version(), frame); err != nil {
		t.Fatalf("identifier %q: the server's answer: %v", id, err)
	}
	switch ack.Reason {
	case mqtt.Success:
		c.Ping()
		c.Disconnect()
		return
	case mqtt.ClientIdentifierNotValid:
	case mqtt.UnspecifiedError, mqtt.NotAuthorized:
		if !t.V5() {
			t.Errorf("identifier %q: CONNACK says %s, want return code 0x02", id, ack.Reason)
		}
	default:
		t.Errorf("identifier %q: CONNACK says %s, want Client Identifier not valid", id, ack.Reason)
	}
	c.WantClosed()
}
