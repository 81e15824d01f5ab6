package subscribe

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// The statements by which a server closes on what a client may not send.
const (
	closes3 = "3.1.1/MQTT-4.8.0-1"
	closes5 = "5.0/MQTT-4.13.1-1"
)

// broken is a packet that a server must close the connection for.
type broken struct {
	name, text string
	first      byte   // of the fixed header; 0 for that of the packet's type
	v3, v5     string // hex behind the fixed header; empty: not a fault in that version
	claims     string // statements of both versions, without those that no version is run for
}

// form makes cases of broken packets of one type. None is for 3.1, which has other flags and does
// not say when a server closes.
func form(room string, first byte, rows []broken) []suite.Case {
	cases := make([]suite.Case, 0, len(rows))
	for _, row := range rows {
		if row.first == 0 {
			row.first = first
		}
		c := suite.Case{Name: "subscribe/" + room + "-" + row.name,
			Text: fmt.Sprintf("%s. The server must close that connection, and no other.", row.text),
			Run:  func(t *suite.T) { runBroken(t, row) }}
		if row.v3 != "" {
			c.Versions = append(c.Versions, mqtt.V311)
			c.Claims = closes3
		}
		if row.v5 != "" {
			c.Versions = append(c.Versions, mqtt.V5)
			c.Claims = strings.TrimSpace(fold(c.Claims, closes5))
		}
		for _, id := range strings.Fields(row.claims) {
			if row.v3 != "" && id[0] == '3' || row.v5 != "" && id[0] == '5' {
				c.Claims = fold(c.Claims, id)
			}
		}
		cases = append(cases, c)
	}
	return cases
}

func runBroken(t *suite.T, row broken) {
	text := row.v3
	if t.V5() {
		text = row.v5
	}
	good, bad := t.Connect(), t.Connect()
	bad.Send(packet(t, row.first, text))
	bad.WantClosed(mqtt.MalformedPacket, mqtt.ProtocolError)
	good.Ping()
}

// packet is a first byte, a remaining length below 128 and what the hex says.
func packet(t *suite.T, first byte, text string) []byte {
	body := unhex(t, text)
	return append([]byte{first, byte(len(body))}, body...)
}

func unhex(t *suite.T, text string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatalf("the case itself is broken: %v", err)
	}
	return b
}

// What the standards say of strings.
const (
	illFormed = "3.1.1/MQTT-1.5.3-1 5.0/MQTT-1.5.4-1 "
	nul       = "3.1.1/MQTT-1.5.3-2 5.0/MQTT-1.5.4-2 3.1.1/MQTT-4.7.3-2 5.0/MQTT-4.7.3-2"
)

// wrongFlags are rows with every kind of wrong flag bits for a type that wants 0010.
func wrongFlags(kind byte, v3, v5, claims string) []broken {
	var rows []broken
	for _, flags := range []byte{0, 1, 3, 6, 10, 15} {
		rows = append(rows, broken{name: fmt.Sprintf("flags-%04b", flags), first: kind | flags,
			text: fmt.Sprintf("The flags of the fixed header are %04b, not 0010", flags),
			v3:   v3, v5: v5, claims: claims})
	}
	return rows
}

// wrongTexts are rows with a filter that is no UTF-8 or has U+0000. Tail is what follows a filter.
func wrongTexts(tail, claims string) []broken {
	var rows []broken
	for _, r := range []struct{ name, text, filter, claims string }{
		{"surrogate", "is the surrogate U+D800", "0003EDA080", illFormed + claims},
		{"surrogate-pair", "is a pair of surrogates", "0006EDA081EDB080", illFormed + claims},
		{"overlong", "is / in two bytes", "0002C0AF", illFormed + claims},
		{"continuation", "is a continuation byte", "000180", illFormed + claims},
		{"cut-character", "ends within a character", "000261E2", illFormed + claims},
		{"above-10ffff", "is a character above U+10FFFF", "0004F4908080", illFormed + claims},
		{"nul", "has U+0000", "0003610062", nul},
	} {
		rows = append(rows, broken{name: "text-" + r.name, text: "The filter " + r.text,
			v3: "0001" + r.filter + tail, v5: "000100" + r.filter + tail, claims: r.claims})
	}
	return rows
}
