package mqtt

import (
	"bytes"
	"testing"
)

// every is all three versions.
var every = []Version{V31, V311, V5}

func b(s string) []byte { return []byte(s) }

// goldens are packets as bytes and as values, each in the versions that write it so.
var goldens = []struct {
	name     string
	versions []Version
	wire     string
	want     packet
}{
	{"connect least", []Version{V31}, `10 * "MQIsdp" 03 02 000A "c"`,
		&connectPacket{Connect{Version: V31, CleanStart: true, KeepAlive: 10, ClientID: b("c")}}},
	{"connect least", []Version{V311}, `10 * "MQTT" 04 00 0000 ""`,
		&connectPacket{Connect{Version: V311}}},
	{"connect bridge", []Version{V311}, `10 * "MQTT" 84 00 FFFF "c"`,
		&connectPacket{Connect{Version: V311, Bridge: true, KeepAlive: 65535, ClientID: b("c")}}},
	{"connect full", []Version{V311}, `10 * "MQTT" 04 EE 003C "c" "w" "gone" "u" "p"`,
		&connectPacket{Connect{Version: V311, CleanStart: true, KeepAlive: 60, ClientID: b("c"),
			HasWill: true, Will: Will{Topic: b("w"), Payload: b("gone"), QoS: 1, Retain: true},
			HasUsername: true, Username: b("u"), HasPassword: true, Password: b("p")}}},
	{"connect least", []Version{V5}, `10 * "MQTT" 05 02 0000 [ ] ""`,
		&connectPacket{Connect{Version: V5, CleanStart: true}}},
	{"connect full", []Version{V5}, `10 * "MQTT" 05 D6 003C
		[ 11 00000E10 21 0014 27 00010000 22 000A 19 01 17 00 26 "a" "b" 15 "m" 16 "d" ] "c"
		[ 18 00000005 01 01 02 0000003C 03 "t" 08 "r" 09 "k" 26 "x" "y" ] "w" "gone" "u" "p"`,
		&connectPacket{Connect{Version: V5, CleanStart: true, KeepAlive: 60, ClientID: b("c"),
			Props: Props{}.AppendUint32(SessionExpiryInterval, 3600).
				AppendUint16(ReceiveMaximum, 20).AppendUint32(MaximumPacketSize, 65536).
				AppendUint16(TopicAliasMaximum, 10).AppendByte(RequestResponseInformation, 1).
				AppendByte(RequestProblemInformation, 0).AppendUser(b("a"), b("b")).
				AppendBytes(AuthenticationMethod, b("m")).AppendBytes(AuthenticationData, b("d")),
			HasWill: true, Will: Will{Topic: b("w"), Payload: b("gone"), QoS: 2,
				Props: Props{}.AppendUint32(WillDelayInterval, 5).
					AppendByte(PayloadFormatIndicator, 1).AppendUint32(MessageExpiryInterval, 60).
					AppendBytes(ContentType, b("t")).AppendBytes(ResponseTopic, b("r")).
					AppendBytes(CorrelationData, b("k")).AppendUser(b("x"), b("y"))},
			HasUsername: true, Username: b("u"), HasPassword: true, Password: b("p")}}},
	{"connect password alone", []Version{V5}, `10 * "MQTT" 05 40 0000 [ ] "c" "p"`,
		&connectPacket{Connect{Version: V5, ClientID: b("c"), HasPassword: true,
			Password: b("p")}}},

	{"connack", []Version{V31, V311}, `20 02 00 00`, &Connack{}},
	{"connack refused", []Version{V31, V311}, `20 02 00 05`, &Connack{Reason: NotAuthorized}},
	{"connack resumed", []Version{V311}, `20 02 01 00`, &Connack{SessionPresent: true}},
	{"connack", []Version{V5}, `20 * 01 00 [ ]`, &Connack{SessionPresent: true}},
	{"connack full", []Version{V5}, `20 * 00 00 [ 11 00000001 21 0001 24 01 25 00 27 00000064
		12 "id" 22 0001 1F "why" 26 "a" "b" 28 00 29 00 2A 01 13 003C 1A "ri" 1C "sr" 15 "m"
		16 "d" ]`,
		&Connack{Props: Props{}.AppendUint32(SessionExpiryInterval, 1).
			AppendUint16(ReceiveMaximum, 1).AppendByte(MaximumQoS, 1).
			AppendByte(RetainAvailable, 0).AppendUint32(MaximumPacketSize, 100).
			AppendBytes(AssignedClientIdentifier, b("id")).
			AppendUint16(TopicAliasMaximum, 1).AppendBytes(ReasonString, b("why")).
			AppendUser(b("a"), b("b")).AppendByte(WildcardSubscriptionAvailable, 0).
			AppendByte(SubscriptionIdentifierAvailable, 0).
			AppendByte(SharedSubscriptionAvailable, 1).AppendUint16(ServerKeepAlive, 60).
			AppendBytes(ResponseInformation, b("ri")).AppendBytes(ServerReference, b("sr")).
			AppendBytes(AuthenticationMethod, b("m")).AppendBytes(AuthenticationData, b("d"))}},
	{"connack banned", []Version{V5}, `20 * 00 8A [ ]`, &Connack{Reason: Banned}},

	{"publish", []Version{V31, V311}, `30 * "a/b" 'hi'`, &Publish{Topic: b("a/b"),
		Payload: b("hi")}},
	{"publish again", []Version{V31, V311}, `3B * "a/b" 1234 'hi'`, &Publish{Dup: true, QoS: 1,
		Retain: true, PacketID: 0x1234, Topic: b("a/b"), Payload: b("hi")}},
	{"publish empty", []Version{V31, V311}, `35 * "a" 0001`,
		&Publish{QoS: 2, Retain: true, PacketID: 1, Topic: b("a")}},
	{"publish", []Version{V5}, `32 * "a/b" 0007 [ ] 'hi'`,
		&Publish{QoS: 1, PacketID: 7, Topic: b("a/b"), Payload: b("hi")}},
	{"publish other scripts", every[:2], `30 * "tür/温度/🌡" 'x'`,
		&Publish{Topic: b("tür/温度/🌡"), Payload: b("x")}},
	{"publish byte order mark", []Version{V5}, `30 * 0004 EFBBBF 61 [ ]`,
		&Publish{Topic: b("\uFEFFa")}}, // [MQTT-1.5.4-3]
	{"publish by alias", []Version{V5}, `30 * "" [ 23 0001 ] 'x'`,
		&Publish{Payload: b("x"), Props: Props{}.AppendUint16(TopicAlias, 1)}},
	{"publish full", []Version{V5}, `30 * "a" [ 01 00 02 00000000 23 FFFF 08 "r/s" 09 ""
		26 "k" "v" 26 "k" "v" 0B 01 0B FFFFFF7F 03 "ct" ] 00FF`,
		&Publish{Topic: b("a"), Payload: []byte{0, 255}, Props: Props{}.
			AppendByte(PayloadFormatIndicator, 0).AppendUint32(MessageExpiryInterval, 0).
			AppendUint16(TopicAlias, 65535).AppendBytes(ResponseTopic, b("r/s")).
			AppendBytes(CorrelationData, nil).AppendUser(b("k"), b("v")).AppendUser(b("k"), b("v")).
			AppendVarInt(SubscriptionIdentifier, 1).AppendVarInt(SubscriptionIdentifier, VarIntMax).
			AppendBytes(ContentType, b("ct"))}},

	{"puback", every, `40 02 0102`, &Ack{Type: PUBACK, PacketID: 0x102}},
	{"pubrec", every, `50 02 0102`, &Ack{Type: PUBREC, PacketID: 0x102}},
	{"pubrel", every, `62 02 0102`, &Ack{Type: PUBREL, PacketID: 0x102}},
	{"pubcomp", every, `70 02 0102`, &Ack{Type: PUBCOMP, PacketID: 0x102}},
	{"puback reason", []Version{V5}, `40 03 0102 10`,
		&Ack{Type: PUBACK, PacketID: 0x102, Reason: NoMatchingSubscribers}},
	{"pubrec reason", []Version{V5}, `50 * 0102 87 [ 1F "no" 26 "a" "b" ]`,
		&Ack{Type: PUBREC, PacketID: 0x102, Reason: NotAuthorized, Props: Props{}.
			AppendBytes(ReasonString, b("no")).AppendUser(b("a"), b("b"))}},
	{"pubrel reason", []Version{V5}, `62 03 0102 92`,
		&Ack{Type: PUBREL, PacketID: 0x102, Reason: PacketIdentifierNotFound}},
	{"pubcomp props", []Version{V5}, `70 * 0102 00 [ 1F "ok" ]`, &Ack{Type: PUBCOMP,
		PacketID: 0x102, Props: Props{}.AppendBytes(ReasonString, b("ok"))}},

	{"subscribe", []Version{V31, V311}, `82 * 000A "a/+" 01 "#" 02`, &subscribePacket{PacketID: 10,
		List: []Subscription{{Filter: b("a/+"), QoS: 1}, {Filter: b("#"), QoS: 2}}}},
	{"subscribe", []Version{V5}, `82 * 000A [ 0B 80 01 26 "a" "b" ] "a" 2D "$share/g/a" 18`,
		&subscribePacket{PacketID: 10, Props: Props{}.AppendVarInt(SubscriptionIdentifier, 128).
			AppendUser(b("a"), b("b")), List: []Subscription{
			{Filter: b("a"), QoS: 1, NoLocal: true, RetainAsPublished: true, RetainHandling: 2},
			{Filter: b("$share/g/a"), RetainAsPublished: true, RetainHandling: 1}}}},
	{"suback", []Version{V31, V311}, `90 * 000A 00 01 02 80`, &Suback{PacketID: 10,
		Reasons: []ReasonCode{GrantedQoS0, GrantedQoS1, GrantedQoS2, UnspecifiedError}}},
	{"suback", []Version{V5}, `90 * 000A [ 1F "x" ] 00 8F`, &Suback{PacketID: 10,
		Props:   Props{}.AppendBytes(ReasonString, b("x")),
		Reasons: []ReasonCode{GrantedQoS0, TopicFilterInvalid}}},
	{"unsubscribe", []Version{V31, V311}, `A2 * 000A "a" "b/#"`,
		&unsubscribePacket{PacketID: 10, Filters: [][]byte{b("a"), b("b/#")}}},
	{"unsubscribe", []Version{V5}, `A2 * 000A [ 26 "a" "b" ] "a"`, &unsubscribePacket{PacketID: 10,
		Props: Props{}.AppendUser(b("a"), b("b")), Filters: [][]byte{b("a")}}},
	{"unsuback", []Version{V31, V311}, `B0 02 000A`, &Unsuback{PacketID: 10}},
	{"unsuback", []Version{V5}, `B0 * 000A [ ] 00 11`, &Unsuback{PacketID: 10,
		Reasons: []ReasonCode{Success, NoSubscriptionExisted}}},

	{"pingreq", every, `C0 00`, &Ping{PINGREQ}},
	{"pingresp", every, `D0 00`, &Ping{PINGRESP}},
	{"disconnect", every, `E0 00`, &Disconnect{}},
	{"disconnect with will", []Version{V5}, `E0 01 04`,
		&Disconnect{Reason: DisconnectWithWillMessage}},
	{"disconnect full", []Version{V5}, `E0 * 00 [ 11 00000000 1F "why" 1C "b:1" 26 "a" "b" ]`,
		&Disconnect{Props: Props{}.AppendUint32(SessionExpiryInterval, 0).
			AppendBytes(ReasonString, b("why")).AppendBytes(ServerReference, b("b:1")).
			AppendUser(b("a"), b("b"))}},
	{"auth done", []Version{V5}, `F0 00`, &Auth{}},
	{"auth goes on", []Version{V5}, `F0 * 18 [ 15 "m" 16 "d" 1F "s" 26 "a" "b" ]`,
		&Auth{Reason: ContinueAuthentication, Props: Props{}.
			AppendBytes(AuthenticationMethod, b("m")).AppendBytes(AuthenticationData, b("d")).
			AppendBytes(ReasonString, b("s")).AppendUser(b("a"), b("b"))}},
}

func TestGoldens(t *testing.T) {
	for _, g := range goldens {
		for _, v := range g.versions {
			t.Run(g.name+" "+v.String(), func(t *testing.T) {
				golden(t, v, wire(t, g.wire), g.want)
			})
		}
	}
}

func golden(t *testing.T, v Version, frame []byte, want packet) {
	before := []byte("before")
	if got := want.Append(before, v); !bytes.Equal(got[len(before):], frame) {
		t.Errorf("append:\n% x, want\n% x", got[len(before):], frame)
	}
	more := append(bytes.Clone(frame), 0xFF)
	if n, err := Frame(more, uint32(len(frame))); n != len(frame) || err != nil {
		t.Errorf("frame: %d, %v, want %d", n, err, len(frame))
	}
	got := packetOf(frame)
	if err := got.Decode(v, frame); err != nil {
		t.Fatalf("decode: %v", err)
	}
	if show(got) != show(want) {
		t.Errorf("decode:\n%s, want\n%s", show(got), show(want))
	}
	if p, ok := got.(*Publish); ok && p.Size(v) != len(frame) {
		t.Errorf("size: %d, want %d", p.Size(v), len(frame))
	}
	// Every packet that is cut short is found out: by its framing, and by the decoder.
	for n := range frame {
		if got, err := Frame(frame[:n], 0); got != 0 || err != nil {
			t.Errorf("frame of %d bytes: %d, %v", n, got, err)
		}
		if err := packetOf(frame).Decode(v, frame[:n]); err == nil {
			t.Errorf("decode of %d bytes passed", n)
		}
	}
}

// TestGoldensAreWhole holds that each version has a golden for each of its packets.
func TestGoldensAreWhole(t *testing.T) {
	seen := map[Version]int{}
	for _, g := range goldens {
		for _, v := range g.versions {
			seen[v] |= 1 << TypeOf(wire(t, g.wire))
		}
	}
	for v, want := range map[Version]int{V31: 0x7FFE, V311: 0x7FFE, V5: 0xFFFE} {
		if seen[v] != want {
			t.Errorf("%v: types %016b, want %016b", v, seen[v], want)
		}
	}
}

// TestDecodeForgets holds that a packet value can be used again.
func TestDecodeForgets(t *testing.T) {
	for _, g := range goldens {
		frame := wire(t, g.wire)
		for _, full := range goldens {
			other := wire(t, full.wire)
			if TypeOf(other) != TypeOf(frame) {
				continue
			}
			used := packetOf(frame)
			if err := used.Decode(full.versions[0], other); err != nil {
				t.Fatal(err)
			}
			if err := used.Decode(g.versions[0], frame); err != nil {
				t.Fatal(err)
			}
			if show(used) != show(g.want) {
				t.Errorf("%s after %s: %s", g.name, full.name, show(used))
			}
		}
	}
}

func TestDecodeBorrows(t *testing.T) {
	frame := wire(t, `30 * "a/b" [ 03 "ct" ] 'payload'`)
	var p Publish
	if err := p.Decode(V5, frame); err != nil {
		t.Fatal(err)
	}
	copy(frame, bytes.Repeat([]byte{'z'}, len(frame)))
	if string(p.Topic) != "zzz" || string(p.Payload) != "zzzzzzz" || p.Props[0] != 'z' {
		t.Errorf("decoded slices are not views: %+v", p)
	}
	var c Connect
	if err := c.Decode(wire(t, `10 * "MQTT" 05 C2 0000 [ 21 0001 ] "c" "u" "p"`)); err != nil {
		t.Fatal(err)
	}
	for _, s := range [][]byte{p.Topic, p.Props, c.ClientID, c.Username, c.Props} {
		if len(s) != cap(s) {
			t.Errorf("appending to %q would write into the frame", s)
		}
	}
}

func TestLongLengths(t *testing.T) {
	for _, n := range []int{100, 127, 128, 16380, 16390, 2097152, 2097160} {
		p := Publish{Topic: b("t"), Payload: bytes.Repeat([]byte{1}, n)}
		frame := p.Append(nil, V5)
		if got, err := Frame(frame, 0); got != len(frame) || err != nil || got != p.Size(V5) {
			t.Fatalf("frame of %d: %d, %v", len(frame), got, err)
		}
		var q Publish
		if err := q.Decode(V5, frame); err != nil || len(q.Payload) != n {
			t.Errorf("decode of %d: %v", n, err)
		}
	}
}

func TestPublishPacketIDOffset(t *testing.T) {
	for _, n := range []int{0, 200, 20000} {
		p := Publish{Topic: b("a/b"), Payload: make([]byte, n)}
		if at := PublishPacketIDOffset(p.Append(nil, V5)); at != 0 {
			t.Errorf("offset %d at QoS 0", at)
		}
		for p.QoS = AtLeastOnce; p.QoS <= ExactlyOnce; p.QoS++ {
			p.PacketID = 1
			frame := p.Append(nil, V5)
			at := PublishPacketIDOffset(frame)
			frame[at], frame[at+1] = 0xAB, 0xCD
			var q Publish
			if err := q.Decode(V5, frame); err != nil || q.PacketID != 0xABCD {
				t.Errorf("patched identifier is %x, %v", q.PacketID, err)
			}
		}
	}
}

// TestUnendedLengthIsRefused has a length of two bytes that says it has a third.
func TestUnendedLengthIsRefused(t *testing.T) {
	frame := append([]byte{0x30, 0x80, 0x80}, make([]byte, 1<<14)...)
	var p Publish
	if err := p.Decode(V311, frame); err != error(errLength) {
		t.Error(err)
	}
}

func TestSubackBefore5(t *testing.T) {
	p := Suback{PacketID: 1, Reasons: []ReasonCode{GrantedQoS2, NotAuthorized, QuotaExceeded}}
	want := []byte{0x90, 5, 0, 1, 2, 0x80, 0x80} // [MQTT-3.9.3-2 (3.1.1)]
	if got := p.Append(nil, V311); !bytes.Equal(got, want) {
		t.Errorf("% x, want % x", got, want)
	}
}

func TestAuthKeepsItsReason(t *testing.T) {
	p := Auth{Reason: ReAuthenticate}
	if got := p.Append(nil, V5); !bytes.Equal(got, []byte{0xF0, 2, 0x19, 0}) {
		t.Errorf("% x", got)
	}
}

func TestWhatDoesNotFitIsABug(t *testing.T) {
	for name, run := range map[string]func(){
		"string": func() {
			p := Publish{Topic: bytes.Repeat(b("x"), TextBytesMax+1)}
			p.Append(nil, V5)
		},
		"integer": func() { Props{}.AppendVarInt(SubscriptionIdentifier, VarIntMax+1) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			run()
		})
	}
}
