package subscribe

import (
	"fmt"
	"slices"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
)

// What rows of one kind claim.
const (
	noFilters    = "3.1.1/MQTT-3.8.3-3 5.0/MQTT-3.8.3-2"
	noneToRemove = "3.1.1/MQTT-3.10.3-2 5.0/MQTT-3.10.3-2"
	zeroID       = "3.1.1/MQTT-2.3.1-1 5.0/MQTT-2.2.1-3"
	badOptions3  = "3.1.1/MQTT-3.8.3-4"
	badOptions5  = "5.0/MQTT-3.8.3-5"
)

func brokenSubscribes() []suite.Case {
	rows := slices.Concat([]broken{
		{name: "no-filters", text: "SUBSCRIBE has no filter", v3: "0001", v5: "0001 00",
			claims: noFilters},
		{name: "packet-id-0", text: "SUBSCRIBE has the packet identifier 0",
			v3: "0000 000161 00", v5: "0000 00 000161 00", claims: zeroID},
		{name: "half-packet-id", text: "SUBSCRIBE ends within its packet identifier",
			v3: "00", v5: "00"},
		{name: "no-options", text: "The filter has no options behind it",
			v3: "0001 000161", v5: "0001 00 000161"},
		{name: "second-without-options", text: "The second filter has no options behind it",
			v3: "0001 000161 00 000162", v5: "0001 00 000161 00 000162"},
		{name: "half-length", text: "SUBSCRIBE ends within the length of a filter",
			v3: "0001 00", v5: "0001 00 00"},
		{name: "filter-too-long", text: "The filter is longer than the packet",
			v3: "0001 000561 00", v5: "0001 00 000561 00"},
		{name: "bytes-behind", text: "One byte follows the last filter",
			v3: "0001 000161 00 00", v5: "0001 00 000161 00 00"},
	}, wrongFlags(0x80, "0001 000161 00", "0001 00 000161 00",
		"3.1.1/MQTT-3.8.1-1 3.1.1/MQTT-2.2.2-2 5.0/MQTT-3.8.1-1 5.0/MQTT-2.1.3-1"),
		wrongTexts("00", "3.1.1/MQTT-3.8.3-1 5.0/MQTT-3.8.3-1"),
		wrongOptions(), wrongProperties())
	return form("subscribe", 0x82, rows)
}

// wrongOptions are options that no version, or one, does not have.
func wrongOptions() []broken {
	rows := []broken{
		{name: "qos-3", text: "A filter asks for QoS 3", v3: "0001 000161 03",
			v5: "0001 00 000161 03", claims: badOptions3},
		{name: "second-qos-3", text: "The second of two filters asks for QoS 3",
			v3: "0001 000161 01 000162 03", v5: "0001 00 000161 01 000162 03",
			claims: badOptions3},
		{name: "retain-handling-3", text: "A filter has Retain Handling 3",
			v5: "0001 00 000161 30"},
		{name: "no-local-shared", text: "A shared subscription has No Local",
			v5: "0001 00 000A 2473686172652F672F61 04", claims: "5.0/MQTT-3.8.3-4"},
	}
	for bit := 2; bit < 8; bit++ {
		row := broken{name: fmt.Sprintf("reserved-bit-%d", bit),
			text:   fmt.Sprintf("The options of a filter have the reserved bit %d", bit),
			v3:     fmt.Sprintf("0001 000161 %02x", 1<<bit),
			claims: fold(badOptions3, badOptions5)}
		if bit >= 6 {
			row.v5 = fmt.Sprintf("0001 00 000161 %02x", 1<<bit)
		}
		rows = append(rows, row)
	}
	return rows
}

// wrongProperties are properties that SUBSCRIBE cannot have.
func wrongProperties() []broken {
	return []broken{
		{name: "identifier-0", text: "The subscription identifier is 0",
			v5: "0001 02 0B00 000161 00"},
		{name: "two-identifiers", text: "SUBSCRIBE has two subscription identifiers",
			v5: "0001 04 0B01 0B02 000161 00"},
		{name: "identifier-too-long", text: "The subscription identifier has five bytes",
			v5: "0001 06 0B8080808001 000161 00"},
		{name: "identifier-cut", text: "The properties end within the subscription identifier",
			v5: "0001 02 0B80 000161 00"},
		{name: "foreign-property", text: "SUBSCRIBE has a topic alias",
			v5: "0001 03 230001 000161 00"},
		{name: "unknown-property", text: "SUBSCRIBE has the property 0x7F, which nobody has",
			v5: "0001 02 7F00 000161 00"},
		{name: "properties-too-long", text: "The properties are longer than the packet",
			v5: "0001 7F 000161 00"},
		{name: "user-property-cut", text: "The properties end within a user property",
			v5: "0001 05 2600016100 000161 00"},
	}
}

func brokenUnsubscribes() []suite.Case {
	rows := slices.Concat([]broken{
		{name: "no-filters", text: "UNSUBSCRIBE has no filter", v3: "0001", v5: "0001 00",
			claims: noneToRemove},
		{name: "packet-id-0", text: "UNSUBSCRIBE has the packet identifier 0",
			v3: "0000 000161", v5: "0000 00 000161", claims: zeroID},
		{name: "half-packet-id", text: "UNSUBSCRIBE ends within its packet identifier",
			v3: "00", v5: "00"},
		{name: "half-length", text: "UNSUBSCRIBE ends within the length of a filter",
			v3: "0001 000161 00", v5: "0001 00 000161 00"},
		{name: "filter-too-long", text: "The filter is longer than the packet",
			v3: "0001 000561", v5: "0001 00 000561"},
		{name: "foreign-property", text: "UNSUBSCRIBE has a subscription identifier",
			v5: "0001 02 0B01 000161"},
		{name: "unknown-property", text: "UNSUBSCRIBE has the property 0x7F, which nobody has",
			v5: "0001 02 7F00 000161"},
		{name: "properties-too-long", text: "The properties are longer than the packet",
			v5: "0001 7F 000161"},
	}, wrongFlags(0xA0, "0001 000161", "0001 00 000161",
		"3.1.1/MQTT-3.10.1-1 3.1.1/MQTT-2.2.2-2 5.0/MQTT-3.10.1-1 5.0/MQTT-2.1.3-1"),
		wrongTexts("", "3.1.1/MQTT-3.10.3-1 5.0/MQTT-3.10.3-1"))
	return form("unsubscribe", 0xA2, rows)
}
