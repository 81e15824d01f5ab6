package wire

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// illFormed are byte sequences that are no UTF-8, by the table in section 3.9 of Unicode.
func illFormed() []string {
	return []string{
		"a\xED\xA0\x80",            // U+D800, the first surrogate
		"\xED\xBF\xBFa",            // U+DFFF, the last
		"\xED\xA0\xBD\xED\xB8\x80", // a pair of surrogates, as CESU-8 writes U+1F600
		"a\xC0\xAFb",               // a slash in two bytes
		"\xE0\x80\xAF",             // a slash in three
		"\xF0\x80\x80\xAF",         // and in four
		"\xF4\x90\x80\x80",         // above U+10FFFF
		"\xF8\x88\x80\x80\x80",     // five bytes
		"\xFF",                     // never in UTF-8
		"a\x80",                    // nothing before it
		"a\xE2\x82",                // ends early
		"\xE2\x82/\xAC",            // broken by a slash
	}
}

// nulls are U+0000 in the ways it can be written, the second of which is ill-formed too.
func nulls() []string { return []string{"a\x00b", "\xC0\x80", "\x00", "ab\x00"} }

const (
	claimsForm = "3.1.1/MQTT-1.5.3-1 5.0/MQTT-1.5.4-1 " + closes
	claimsNull = "3.1.1/MQTT-1.5.3-2 5.0/MQTT-1.5.4-2 " + closes
)

// field is a string of a packet that has no property.
type field struct {
	name, of string
	more     mqtt.ReasonCode // may be said of it too
	claims   string
	put      func(b *bench, bad string) (*suite.Client, []byte)
}

func fields() []field {
	return []field{
		{"topic-name", "publish", mqtt.TopicNameInvalid,
			" 3.1.1/MQTT-3.3.2-1 5.0/MQTT-3.3.2-1", publishNamed},
		{"topic-filter", "subscribe", mqtt.TopicFilterInvalid, "", subscribeTo},
		{"second-topic-filter", "subscribe", mqtt.TopicFilterInvalid, "", subscribeToBoth},
		{"topic-filter", "unsubscribe", mqtt.TopicFilterInvalid, "", unsubscribeFrom},
		{"client-identifier", "connect", mqtt.ClientIdentifierNotValid, "", connectAs},
		{"user-name", "connect", mqtt.BadUserNameOrPassword, "", connectWithUser},
		{"will-topic", "connect", mqtt.TopicNameInvalid, "", connectWithWill},
	}
}

func publishNamed(b *bench, bad string) (*suite.Client, []byte) {
	c, p := publishParts(mqtt.AtMostOnce)(b)
	p.head = text(b.t.Topic(bad))
	return c, p.frame()
}

func subscribeTo(b *bench, bad string) (*suite.Client, []byte) {
	c, p := subscribeParts(b)
	p.tail = join(text(b.t.Topic(bad)), []byte{0})
	return c, p.frame()
}

func subscribeToBoth(b *bench, bad string) (*suite.Client, []byte) {
	c, p := subscribeParts(b)
	p.tail = join(p.tail, text(b.t.Topic(bad)), []byte{0})
	return c, p.frame()
}

func unsubscribeFrom(b *bench, bad string) (*suite.Client, []byte) {
	c, p := unsubscribeParts(b)
	p.tail = text(b.t.Topic(bad))
	return c, p.frame()
}

func connectAs(b *bench, bad string) (*suite.Client, []byte) {
	p := b.t.Connecting()
	p.ClientID = []byte(bad)
	return b.t.Dial(), p.Append(nil)
}

func connectWithUser(b *bench, bad string) (*suite.Client, []byte) {
	p := b.t.Connecting()
	p.HasUsername, p.Username = true, []byte(bad)
	return b.t.Dial(), p.Append(nil)
}

func connectWithWill(b *bench, bad string) (*suite.Client, []byte) {
	p := b.t.Connecting()
	p.HasWill, p.Will.Topic = true, []byte(b.t.Topic(bad))
	return b.t.Dial(), p.Append(nil)
}

// stringCases put what is no string where a string must be.
func stringCases() []suite.Case {
	var cases []suite.Case
	for _, f := range fields() {
		cases = append(cases,
			stringCase(f, about{"ill-formed", claimsForm, "is not well-formed UTF-8"}, illFormed()),
			stringCase(f, about{"null-in", claimsNull, "has U+0000 in it"}, nulls()))
	}
	return append(cases, textsCases()...)
}

func stringCase(f field, a about, rows []string) suite.Case {
	s := specimen{name: f.of}
	for _, known := range specimens() {
		if known.name == f.of {
			s = known
		}
	}
	return errorCase(s, about{a.name + "-" + f.name + "-of-" + f.of, a.claims + f.claims,
		fmt.Sprintf("%s is an error when its %s %s.", s.typ,
			strings.ReplaceAll(f.name, "-", " "), a.text)}, func(b *bench, s *specimen) {
		for _, bad := range rows {
			c, frame := f.put(b, bad)
			b.t.Note("%q", bad)
			c.Send(frame)
			if !b.rejected(s, c, errorCodes(f.more)...) {
				return
			}
		}
	})
}

// textCase puts what is no string into the properties of a packet.
func textCase(s specimen) suite.Case {
	return propCase(s, about{"ill-formed-properties-of-" + s.name,
		"5.0/MQTT-1.5.4-1 5.0/MQTT-1.5.4-2 5.0/MQTT-1.5.7-1 " + closes,
		"Every string in the properties of the " + s.name + " packet, and both halves of a pair " +
			"of strings, must be UTF-8 without U+0000."}, func(b *bench, s *specimen) {
		rows := illTexts(s.name)
		each(b, s, len(rows), func(i int, p parts) (parts, []mqtt.ReasonCode) {
			b.t.Note("property %d: %q", rows[i][0], rows[i][1:])
			return p.with(rows[i]), errorCodes(mqtt.TopicNameInvalid)
		})
	})
}

// illTexts are string properties of a specimen with what is no string.
func illTexts(name string) [][]byte {
	var rows [][]byte
	for _, bad := range []string{"a\xED\xA0\x80", "\xC0\x80", "a\xE2\x82", "\xFF", "a\x00b"} {
		for _, p := range properties() {
			if !p.allowed(name) || p.unclear(name) || p.id == mqtt.AuthenticationMethod {
				continue
			}
			switch p.texts {
			case 1:
				rows = append(rows, prop(p.id, text(bad)))
			case 2:
				rows = append(rows, user(bad, "value"), user("name", bad))
			}
		}
	}
	return rows
}

// textsCases are strings that a server must take as they are.
func textsCases() []suite.Case {
	return []suite.Case{
		{
			Name: "wire/byte-order-mark-is-kept", Claims: "3.1.1/MQTT-1.5.3-3 5.0/MQTT-1.5.4-3",
			Versions: strict(),
			Text: "U+FEFF at the beginning, inside and at the end of a topic name is part " +
				"of it.",
			Run: markIsKept,
		},
		{
			Name:   "wire/all-of-unicode",
			Claims: "3.1.1/MQTT-1.5.3-1 5.0/MQTT-1.5.4-1", Versions: strict(),
			Text: "Well-formed UTF-8 of every length, next to the surrogates and up to the last " +
				"plane, comes through unchanged.",
			Run: allOfUnicode,
		},
		{
			Name: "wire/byte-order-mark-in-properties", Claims: "5.0/MQTT-1.5.4-3",
			Text: "U+FEFF in the strings of properties comes through unchanged.",
			Run:  markInProps,
		},
	}
}

const mark = "\uFEFF"

func markIsKept(t *suite.T) {
	c := t.Connect()
	for i, with := range []string{mark + "mark", "ma" + mark + "rk", "mark" + mark, "x/" + mark} {
		topic, plain := t.Topic(strconv.Itoa(i)), ""
		topic, plain = mark+topic+with, topic+strings.ReplaceAll(with, mark, "")
		c.Subscribe(topic, mqtt.AtMostOnce)
		c.PublishText(plain, "not this", mqtt.AtMostOnce)
		c.PublishText(topic, "this", mqtt.AtMostOnce)
		c.WantMessage(topic, "this")
		c.Subscribe(plain, mqtt.AtMostOnce)
		c.PublishText(plain, "that", mqtt.AtMostOnce)
		c.WantMessage(plain, "that")
	}
}

func allOfUnicode(t *suite.T) {
	c := t.Connect()
	for _, s := range []string{"é", "\u0800", "€", "\uD7FF", "\uE000", "\uFFFD", "\U00010000",
		"\U0001F600", "\U000FFFFD", "\U0010FFFD", "a\u0301", "\u00E1", "日本語", "\u200B", " "} {
		c.Subscribe(t.Topic(s), mqtt.AtMostOnce)
		c.PublishText(t.Topic(s), s, mqtt.AtMostOnce)
		c.WantMessage(t.Topic(s), s)
	}
}

func markInProps(t *suite.T) {
	c := t.Connect()
	c.Subscribe(t.Topic(""), mqtt.AtMostOnce)
	c.Publish(mqtt.Publish{Topic: []byte(t.Topic("")), Props: mqtt.Props(nil).
		AppendBytes(mqtt.ContentType, []byte(mark+"text")).
		AppendBytes(mqtt.ResponseTopic, []byte(t.Topic(mark))).
		AppendUser([]byte(mark), []byte("v"+mark))})
	p := c.ReadPublish()
	kind, _ := p.Props.Bytes(mqtt.ContentType)
	answer, _ := p.Props.Bytes(mqtt.ResponseTopic)
	t.Same("Content Type", kind, []byte(mark+"text"))
	t.Same("Response Topic", answer, []byte(t.Topic(mark)))
	name, value := []byte(nil), []byte(nil)
	p.Props.Users(func(n, v []byte) bool {
		name, value = n, v
		return true
	})
	t.Same("name of the user property", name, []byte(mark))
	t.Same("value of the user property", value, []byte("v"+mark))
}
