package mqtt

import (
	"reflect"
	"strings"
	"testing"
)

// malformed are packets that must be refused, with the clause they break and the reason code for
// it.
var malformed = []struct {
	name   string
	v      Version
	wire   string
	clause string
	reason ReasonCode
}{
	// Data types.
	{"overlong UTF-8", V5, `30 * 0002 C080 [ ]`, "MQTT-1.5.4-1", MalformedPacket},
	{"surrogate", V5, `30 * 0003 EDA080 [ ]`, "MQTT-1.5.4-1", MalformedPacket},
	{"surrogate", V311, `30 * 0003 EDA080`, "MQTT-1.5.4-1", MalformedPacket},
	{"any bytes in a payload", V311, `30 * "a" FF00C080`, "", 0},
	{"half a character in a long topic", V311, `30 * 000A 616161616161616161C3`, "MQTT-1.5.4-1",
		MalformedPacket},
	{"above U+10FFFF", V5, `10 * "MQTT" 05 02 0000 [ ] 0004 F4908080`, "MQTT-1.5.4-1",
		MalformedPacket},
	{"null in topic", V5, `30 * 0003 610062 [ ]`, "MQTT-1.5.4-2", MalformedPacket},
	{"null in long topic", V5, `30 * 0009 616161006161616161 [ ]`, "MQTT-1.5.4-2", MalformedPacket},
	{"null in client id", V311, `10 * "MQTT" 04 02 0000 0001 00`, "MQTT-1.5.4-2", MalformedPacket},
	{"null in user name", V311, `10 * "MQTT" 04 82 0000 "c" 0001 00`, "MQTT-1.5.4-2",
		MalformedPacket},
	{"null in filter", V5, `82 * 0001 [ ] 0002 6100 00`, "MQTT-1.5.4-2", MalformedPacket},
	{"UTF-8 in filter", V31, `A2 * 0001 0001 FF`, "MQTT-1.5.4-1", MalformedPacket},
	{"UTF-8 in user property name", V5, `40 * 0001 00 [ 26 0001 FF "v" ]`, "MQTT-1.5.4-1",
		MalformedPacket},
	{"UTF-8 in user property value", V5, `40 * 0001 00 [ 26 "n" 0001 FF ]`, "MQTT-1.5.4-1",
		MalformedPacket},
	{"UTF-8 in reason string", V5, `40 * 0001 00 [ 1F 0001 FF ]`, "MQTT-1.5.4-1", MalformedPacket},
	{"UTF-8 in content type", V5, `30 * "a" [ 03 0001 FF ]`, "MQTT-1.5.4-1", MalformedPacket},
	{"UTF-8 in response topic", V5, `30 * "a" [ 08 0001 FF ]`, "MQTT-1.5.4-1", MalformedPacket},
	{"long remaining length", V5, `C0 8000`, "MQTT-1.5.5-1", MalformedPacket},
	{"long remaining length", V311, `C0 8000`, "", 0},
	{"long remaining length of 127", V5, `30 FF00 "a" [ ] ` + strings.Repeat("00 ", 123),
		"MQTT-1.5.5-1", MalformedPacket},
	{"long property length", V5, `30 * "a" 8000`, "MQTT-1.5.5-1", MalformedPacket},
	{"long subscription identifier", V5, `30 * "a" [ 0B 8100 ]`, "MQTT-1.5.5-1", MalformedPacket},
	{"five byte remaining length", V5, `C0 8080808001`, "section 1.5.5", MalformedPacket},
	{"five byte property length", V5, `30 * "a" 8080808001`, "section 1.5.5", MalformedPacket},

	// Fixed header.
	{"flags of CONNECT", V5, `11 * "MQTT" 05 02 0000 [ ] ""`, "MQTT-2.1.3-1", MalformedPacket},
	{"flags of CONNECT", V31, `11 * "MQIsdp" 03 02 0000 "c"`, "", 0},
	{"flags of PUBACK", V5, `42 02 0001`, "MQTT-2.1.3-1", MalformedPacket},
	{"flags of PUBREL", V5, `60 02 0001`, "MQTT-2.1.3-1", MalformedPacket},
	{"flags of PUBREL", V311, `6A 02 0001`, "MQTT-2.1.3-1", MalformedPacket},
	{"flags of PUBREL sent again", V31, `6A 02 0001`, "", 0},
	{"flags of SUBSCRIBE", V5, `80 * 0001 [ ] "a" 00`, "MQTT-2.1.3-1", MalformedPacket},
	{"flags of SUBSCRIBE sent again", V31, `8A * 0001 "a" 00`, "", 0},
	{"flags of UNSUBSCRIBE", V311, `A0 * 0001 "a"`, "MQTT-2.1.3-1", MalformedPacket},
	{"flags of PINGREQ", V311, `C1 00`, "MQTT-2.1.3-1", MalformedPacket},
	{"flags of DISCONNECT", V311, `E1 00`, "MQTT-2.1.3-1", MalformedPacket},
	{"flags of AUTH", V5, `F1 00`, "MQTT-2.1.3-1", MalformedPacket},
	{"body of PINGREQ", V311, `C0 01 00`, "section 2.1.4", MalformedPacket},
	{"body of DISCONNECT", V311, `E0 01 00`, "section 2.1.4", MalformedPacket},
	{"reason in PUBACK", V311, `40 03 0001 00`, "section 2.1.4", MalformedPacket},
	{"remaining length too long", V5, `40 03 0001`, "section 2.1.4", MalformedPacket},
	{"remaining length too short", V5, `40 01 0001`, "section 2.1.4", MalformedPacket},
	{"AUTH", V311, `F0 00`, "section 2.1.2", ProtocolError},

	// Packet identifiers.
	{"identifier of PUBLISH", V5, `32 * "a" 0000 [ ]`, "MQTT-2.2.1-3", MalformedPacket},
	{"identifier of PUBLISH", V311, `34 * "a" 0000`, "MQTT-2.2.1-3", MalformedPacket},
	{"no identifier in PUBLISH", V311, `34 * "a" 00`, "section 2.1.4", MalformedPacket},
	{"identifier of PUBACK", V5, `40 02 0000`, "MQTT-2.2.1-3", MalformedPacket},
	{"identifier of SUBSCRIBE", V5, `82 * 0000 [ ] "a" 00`, "MQTT-2.2.1-3", MalformedPacket},
	{"identifier of UNSUBSCRIBE", V311, `A2 * 0000 "a"`, "MQTT-2.2.1-3", MalformedPacket},

	// Properties.
	{"unknown property", V5, `30 * "a" [ 04 00 ]`, "section 2.2.2.2", MalformedPacket},
	{"property 0", V5, `30 * "a" [ 00 ]`, "section 2.2.2.2", MalformedPacket},
	{"property 127", V5, `30 * "a" [ 7F 00 ]`, "section 2.2.2.2", MalformedPacket},
	{"property 200", V5, `30 * "a" [ C8 00 ]`, "section 2.2.2.2", MalformedPacket},
	{"property of CONNECT in PUBLISH", V5, `30 * "a" [ 11 00000000 ]`, "section 2.2.2.2",
		MalformedPacket},
	{"will delay in PUBLISH", V5, `30 * "a" [ 18 00000000 ]`, "section 2.2.2.2", MalformedPacket},
	{"topic alias in will", V5, `10 * "MQTT" 05 06 0000 [ ] "" [ 23 0001 ] "w" ""`,
		"section 2.2.2.2",
		MalformedPacket},
	{"property twice", V5, `30 * "a" [ 01 00 01 00 ]`, "section 2.2.2.2", ProtocolError},
	{"subscription identifier twice", V5, `82 * 0001 [ 0B 01 0B 02 ] "a" 00`, "section 2.2.2.2",
		ProtocolError},
	{"property cut", V5, `30 * "a" [ 02 0000 ]`, "section 2.2.2.1", MalformedPacket},
	{"string property cut", V5, `30 * "a" [ 03 0002 61 ]`, "section 2.2.2.1", MalformedPacket},
	{"user property cut", V5, `30 * "a" [ 26 "a" 00 ]`, "section 2.2.2.1", MalformedPacket},
	{"property length over the packet", V5, `30 * "a" 05 01`, "section 2.2.2.1", MalformedPacket},
	{"no property length", V5, `30 * "a"`, "section 2.2.2.1", MalformedPacket},
	{"payload format 2", V5, `30 * "a" [ 01 02 ]`, "section 2.2.2.2", ProtocolError},
	{"maximum QoS 2", V5, `20 * 00 00 [ 24 02 ]`, "section 2.2.2.2", ProtocolError},
	{"receive maximum 0", V5, `10 * "MQTT" 05 02 0000 [ 21 0000 ] ""`, "section 2.2.2.2",
		ProtocolError},
	{"maximum packet size 0", V5, `10 * "MQTT" 05 02 0000 [ 27 00000000 ] ""`, "section 2.2.2.2",
		ProtocolError},
	{"request problem information 2", V5, `10 * "MQTT" 05 02 0000 [ 17 02 ] ""`, "section 2.2.2.2",
		ProtocolError},
	{"subscription identifier 0", V5, `82 * 0001 [ 0B 00 ] "a" 00`, "section 2.2.2.2",
		ProtocolError},

	// CONNECT.
	{"protocol name", V5, `10 * "MQTs" 05 02 0000 [ ] ""`, "MQTT-3.1.2-1",
		UnsupportedProtocolVersion},
	{"level 6", V5, `10 * "MQTT" 06 02 0000 [ ] ""`, "MQTT-3.1.2-2", UnsupportedProtocolVersion},
	{"level 3 under the new name", V311, `10 * "MQTT" 03 02 0000 ""`, "MQTT-3.1.2-2",
		UnsupportedProtocolVersion},
	{"level 4 under the old name", V31, `10 * "MQIsdp" 04 02 0000 ""`, "MQTT-3.1.2-2",
		UnsupportedProtocolVersion},
	{"reserved flag", V5, `10 * "MQTT" 05 03 0000 [ ] ""`, "MQTT-3.1.2-3", MalformedPacket},
	{"reserved flag", V311, `10 * "MQTT" 04 03 0000 ""`, "MQTT-3.1.2-3", MalformedPacket},
	{"reserved flag", V31, `10 * "MQIsdp" 03 03 0000 "c"`, "", 0},
	{"will QoS alone", V5, `10 * "MQTT" 05 0A 0000 [ ] ""`, "MQTT-3.1.2-11", MalformedPacket},
	{"will QoS 3", V5, `10 * "MQTT" 05 1E 0000 [ ] "" [ ] "w" ""`, "MQTT-3.1.2-12",
		MalformedPacket},
	{"will retain alone", V311, `10 * "MQTT" 04 22 0000 ""`, "MQTT-3.1.2-13", MalformedPacket},
	{"password alone", V311, `10 * "MQTT" 04 42 0000 "c" "p"`, "MQTT-3.1.2-22 (3.1.1)",
		MalformedPacket},
	{"no will", V5, `10 * "MQTT" 05 06 0000 [ ] ""`, "section 2.2.2.1", MalformedPacket},
	{"no user name", V5, `10 * "MQTT" 05 82 0000 [ ] ""`, "section 2.1.4", MalformedPacket},
	{"no user name in 3.1", V31, `10 * "MQIsdp" 03 C2 0000 "c"`, "", 0},
	{"no password in 3.1", V31, `10 * "MQIsdp" 03 C2 0000 "c" "u"`, "", 0},
	{"no password", V311, `10 * "MQTT" 04 C2 0000 "c" "u"`, "section 2.1.4", MalformedPacket},
	{"bytes behind", V311, `10 * "MQTT" 04 02 0000 "c" 00`, "section 2.1.4", MalformedPacket},
	{"no client id", V311, `10 * "MQTT" 04 02 0000`, "section 2.1.4", MalformedPacket},
	{"will topic with wildcard", V5, `10 * "MQTT" 05 06 0000 [ ] "" [ ] "w/#" ""`, "MQTT-3.3.2-2",
		TopicNameInvalid},
	{"empty will topic", V311, `10 * "MQTT" 04 06 0000 "c" "" ""`, "MQTT-4.7.3-1",
		TopicNameInvalid},
	{"will response topic", V5, `10 * "MQTT" 05 06 0000 [ ] "" [ 08 "+" ] "w" ""`, "MQTT-3.3.2-14",
		ProtocolError},
	{"data without method", V5, `10 * "MQTT" 05 02 0000 [ 16 "d" ] ""`, "section 3.1.2.11.10",
		ProtocolError},

	// CONNACK.
	{"acknowledge flags", V5, `20 * 02 00 [ ]`, "MQTT-3.2.2-1", MalformedPacket},
	{"acknowledge flags", V311, `20 02 80 00`, "MQTT-3.2.2-1", MalformedPacket},
	{"acknowledge flags", V31, `20 02 80 00`, "", 0},
	{"session present and refused", V5, `20 * 01 87 [ ]`, "MQTT-3.2.2-6", ProtocolError},
	{"session present and refused", V311, `20 02 01 05`, "MQTT-3.2.2-6", ProtocolError},
	{"reason of another packet", V5, `20 * 00 8E [ ]`, "MQTT-3.2.2-8", ProtocolError},
	{"return code 6", V311, `20 02 00 06`, "section 3.2.2.3 (3.1.1)", ProtocolError},

	// PUBLISH.
	{"DUP at QoS 0", V5, `38 * "a" [ ]`, "MQTT-3.3.1-2", MalformedPacket},
	{"QoS 3", V5, `36 * "a" 0001 [ ]`, "MQTT-3.3.1-4", MalformedPacket},
	{"QoS 3", V31, `36 * "a" 0001`, "MQTT-3.3.1-4", MalformedPacket},
	{"plus", V5, `30 * "a/+" [ ]`, "MQTT-3.3.2-2", TopicNameInvalid},
	{"number sign in a long topic", V311, `30 * "aaaaaaa#aaaa"`, "MQTT-3.3.2-2", TopicNameInvalid},
	{"plus behind other scripts", V311, `30 * "温度/温度/+"`, "MQTT-3.3.2-2", TopicNameInvalid},
	{"topic alias 0", V5, `30 * "a" [ 23 0000 ]`, "MQTT-3.3.2-8", TopicAliasInvalid},
	{"response topic", V5, `30 * "a" [ 08 "r/#" ]`, "MQTT-3.3.2-14", ProtocolError},
	{"empty response topic", V5, `30 * "a" [ 08 "" ]`, "MQTT-4.7.3-1", ProtocolError},
	{"empty topic", V311, `30 * ""`, "MQTT-4.7.3-1", TopicNameInvalid},
	{"empty topic", V5, `30 * "" [ ]`, "section 3.3.2.1", ProtocolError},
	{"topic cut", V311, `30 * 0005 61`, "section 2.1.4", MalformedPacket},
	{"nothing", V311, `30 00`, "section 2.1.4", MalformedPacket},

	// Acknowledgements.
	{"reason of PUBACK", V5, `40 03 0001 92`, "MQTT-3.4.2-1", ProtocolError},
	{"reason of PUBREC", V5, `50 03 0001 01`, "MQTT-3.5.2-1", ProtocolError},
	{"reason of PUBREL", V5, `62 03 0001 10`, "MQTT-3.6.2-1", ProtocolError},
	{"reason of PUBCOMP", V5, `70 03 0001 FF`, "MQTT-3.7.2-1", ProtocolError},
	{"bytes behind PUBACK", V5, `40 * 0001 00 [ ] 00`, "section 2.1.4", MalformedPacket},
	{"server reference in PUBACK", V5, `40 * 0001 00 [ 1C "x" ]`, "section 2.2.2.2",
		MalformedPacket},

	// SUBSCRIBE, UNSUBSCRIBE and their answers.
	{"no filter", V5, `82 * 0001 [ ]`, "MQTT-3.8.3-2", ProtocolError},
	{"no filter", V311, `82 * 0001`, "MQTT-3.8.3-2", ProtocolError},
	{"no options", V5, `82 * 0001 [ ] "a"`, "section 2.1.4", MalformedPacket},
	{"No Local on a share", V5, `82 * 0001 [ ] "$share/g/a" 04`, "MQTT-3.8.3-4", ProtocolError},
	{"reserved options", V5, `82 * 0001 [ ] "a" 40`, "MQTT-3.8.3-5", MalformedPacket},
	{"reserved options of the second", V5, `82 * 0001 [ ] "a" 00 "b" 80`, "MQTT-3.8.3-5",
		MalformedPacket},
	{"QoS 3", V5, `82 * 0001 [ ] "a" 03`, "section 3.8.3.1", ProtocolError},
	{"retain handling 3", V5, `82 * 0001 [ ] "a" 30`, "section 3.8.3.1", ProtocolError},
	{"QoS 3", V311, `82 * 0001 "a" 03`, "MQTT-3.8.3-4 (3.1.1)", MalformedPacket},
	{"options of 5.0", V311, `82 * 0001 "a" 04`, "MQTT-3.8.3-4 (3.1.1)", MalformedPacket},
	{"empty filter", V5, `82 * 0001 [ ] "" 00`, "MQTT-4.7.3-1", MalformedPacket},
	{"empty filter", V311, `A2 * 0001 ""`, "MQTT-4.7.3-1", MalformedPacket},
	{"nothing to unsubscribe", V5, `A2 * 0001 [ ]`, "MQTT-3.10.3-2", ProtocolError},
	{"filter cut", V311, `A2 * 0001 0002 61`, "section 2.1.4", MalformedPacket},
	{"reason of SUBACK", V5, `90 * 0001 [ ] 00 11`, "MQTT-3.9.3-2", ProtocolError},
	{"no reason in SUBACK", V5, `90 * 0001 [ ]`, "MQTT-3.9.3-2", ProtocolError},
	{"reason of SUBACK", V311, `90 * 0001 87`, "MQTT-3.9.3-2", ProtocolError},
	{"reason of UNSUBACK", V5, `B0 * 0001 [ ] 01`, "MQTT-3.11.3-2", ProtocolError},
	{"no reason in UNSUBACK", V5, `B0 * 0001 [ ]`, "MQTT-3.11.3-2", ProtocolError},
	{"reason in UNSUBACK", V311, `B0 03 0001 00`, "section 2.1.4", MalformedPacket},

	// DISCONNECT and AUTH.
	{"reason of DISCONNECT", V5, `E0 01 85`, "MQTT-3.14.2-1", ProtocolError},
	{"receive maximum in DISCONNECT", V5, `E0 * 00 [ 21 0001 ]`, "section 2.2.2.2",
		MalformedPacket},
	{"reason of AUTH", V5, `F0 * 80 [ 15 "m" ]`, "MQTT-3.15.2-1", ProtocolError},
	{"no method in AUTH", V5, `F0 * 18 [ 16 "d" ]`, "section 3.15.2.2.2", ProtocolError},
}

func TestMalformed(t *testing.T) {
	for _, m := range malformed {
		t.Run(m.name+" "+m.v.String(), func(t *testing.T) {
			frame := wire(t, m.wire)
			err := packetOf(frame).Decode(m.v, frame)
			if m.clause == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			fault, ok := err.(*Error)
			if !ok {
				t.Fatalf("no *Error but %v", err)
			}
			if fault.Clause != m.clause || fault.Reason != m.reason {
				t.Errorf("%v, %v, want clause %s and %v", fault, fault.Reason, m.clause, m.reason)
			}
			if !strings.Contains(fault.Error(), m.clause) {
				t.Errorf("%q does not name the clause", fault)
			}
		})
	}
}

// TestMalformedAnswersInVersion holds that a refused CONNECT says in which version to answer.
func TestMalformedAnswersInVersion(t *testing.T) {
	for _, c := range []struct {
		wire string
		want Version
	}{
		{`10 * "MQTT" 04 03 0000 ""`, V311},
		{`10 * "MQTT" 05 03 0000 [ ] ""`, V5},
		{`10 * "MQTT" 00 02 0000 ""`, V311},
		{`10 * "MQTT" 06 02 0000 [ ] ""`, V5},
		{`10 * "MQIsdp" 05 02 0000 ""`, V31},
		{`10 * "HTTP" 05 02 0000 ""`, 0},
		{`10 * 00`, 0},
	} {
		var p Connect
		if err := p.Decode(wire(t, c.wire)); err == nil || p.Version != c.want {
			t.Errorf("%s: version %v, %v, want %v", c.wire, p.Version, err, c.want)
		}
	}
}

func TestFrame(t *testing.T) {
	for _, c := range []struct {
		wire string
		max  uint32
		n    int
		want *Error
	}{
		{``, 0, 0, nil},
		{`30`, 1, 0, nil},
		{`3080`, 0, 0, nil},
		{`C000`, 0, 2, nil},
		{`C000C000`, 2, 2, nil},
		{`E001`, 0, 0, nil},
		{`00`, 0, 0, errType},
		{`0F00`, 0, 0, errType},
		{`30FFFFFFFF`, 0, 0, errVarInt},
		{`30FFFFFF80`, 0, 0, errVarInt},
		{`30FFFFFF7F`, 0, 0, nil},
		{`30FFFFFF7F`, 268435459, 0, errTooLarge},
		{`30FFFFFF7F`, 268435460, 0, nil},
		{`3010`, 17, 0, errTooLarge},
		{`3010`, 18, 0, nil},
	} {
		n, err := Frame(wire(t, c.wire), c.max)
		if n != c.n || (c.want == nil) != (err == nil) || c.want != nil && err != c.want {
			t.Errorf("%q, at most %d: %d, %v, want %d, %v", c.wire, c.max, n, err, c.n, c.want)
		}
	}
}

func TestPacketsOfAnotherTypeAreRefused(t *testing.T) {
	for _, g := range goldens {
		frame := wire(t, g.wire)
		for first := 1; first < 16; first++ {
			other := []byte{byte(first << 4), 0}
			if reflect.TypeOf(packetOf(other)) == reflect.TypeOf(packetOf(frame)) {
				continue
			}
			if err := packetOf(other).Decode(V5, frame); err == nil {
				t.Errorf("%T took a %v", packetOf(other), TypeOf(frame))
			}
		}
	}
}
