package mqtt

import (
	"bytes"
	"testing"
)

// TestPropertiesAreThoseOfTheStandard holds for every property and packet whether it may stand
// there, as table 2-4 says it.
func TestPropertiesAreThoseOfTheStandard(t *testing.T) {
	w, reasonString := willProps, []Type{CONNACK, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK,
		DISCONNECT, AUTH}
	user := append([]Type{w, CONNECT, PUBLISH, SUBSCRIBE, UNSUBSCRIBE}, reasonString...)
	table := map[PropID][]Type{
		1: {PUBLISH, w}, 2: {PUBLISH, w}, 3: {PUBLISH, w}, 8: {PUBLISH, w}, 9: {PUBLISH, w},
		11: {PUBLISH, SUBSCRIBE}, 17: {CONNECT, CONNACK, DISCONNECT}, 18: {CONNACK}, 19: {CONNACK},
		21: {CONNECT, CONNACK, AUTH}, 22: {CONNECT, CONNACK, AUTH}, 23: {CONNECT}, 24: {w},
		25: {CONNECT}, 26: {CONNACK}, 28: {CONNACK, DISCONNECT}, 31: reasonString,
		33: {CONNECT, CONNACK}, 34: {CONNECT, CONNACK}, 35: {PUBLISH}, 36: {CONNACK}, 37: {CONNACK},
		38: user, 39: {CONNECT, CONNACK}, 40: {CONNACK}, 41: {CONNACK}, 42: {CONNACK},
	}
	sample := map[propKind]Props{kindByte: {1}, kindUint16: {0, 1}, kindUint32: {0, 0, 0, 1},
		kindVarInt: {1}, kindText: {0, 1, 'x'}, kindBinary: {0, 0}, kindPair: {0, 1, 'x', 0, 0}}
	for id := range PropID(len(props)) {
		want := uint16(0)
		for _, typ := range table[id] {
			want |= 1 << typ
		}
		for typ := willProps; typ <= AUTH; typ++ {
			p := append(Props{byte(id)}, sample[props[id].kind]...)
			seen, err := p.check(typ)
			if may := want&(1<<typ) != 0; may != (err == nil) || may && seen != 1<<id {
				t.Errorf("%v in %v: %v, seen %x", id, typ, err, seen)
			}
		}
	}
}

func TestPropsAreFound(t *testing.T) {
	p := Props{}.AppendByte(PayloadFormatIndicator, 1).AppendUint16(TopicAlias, 300).
		AppendUint32(MessageExpiryInterval, 70000).AppendVarInt(SubscriptionIdentifier, 16384).
		AppendVarInt(SubscriptionIdentifier, 2).AppendBytes(CorrelationData, []byte{0, 1}).
		AppendUser(b("k"), b("1")).AppendUser(b("k"), b("2")).AppendBytes(ContentType, nil)
	if v, ok := p.Byte(PayloadFormatIndicator); v != 1 || !ok {
		t.Error("byte", v, ok)
	}
	if v, ok := p.Uint16(TopicAlias); v != 300 || !ok {
		t.Error("uint16", v, ok)
	}
	if v, ok := p.Uint32(MessageExpiryInterval); v != 70000 || !ok {
		t.Error("uint32", v, ok)
	}
	if v, ok := p.VarInt(SubscriptionIdentifier); v != 16384 || !ok {
		t.Error("varint", v, ok)
	}
	if v, ok := p.Bytes(CorrelationData); !bytes.Equal(v, []byte{0, 1}) || !ok {
		t.Error("binary", v, ok)
	}
	if v, ok := p.Bytes(ContentType); len(v) != 0 || !ok {
		t.Error("empty string", v, ok)
	}
	var ids []uint32
	p.SubscriptionIdentifiers(func(id uint32) bool { ids = append(ids, id); return true })
	if len(ids) != 2 || ids[0] != 16384 || ids[1] != 2 {
		t.Error("subscription identifiers", ids)
	}
	var users []byte
	p.Users(func(name, value []byte) bool {
		users = append(append(users, name...), value...)
		return true
	})
	if string(users) != "k1k2" { // [MQTT-3.3.2-18]
		t.Errorf("user properties %q", users)
	}
}

func TestPropsThatAreNotThere(t *testing.T) {
	for _, p := range []Props{nil, Props{}.AppendByte(RetainAvailable, 1)} {
		_, b1 := p.Byte(MaximumQoS)
		_, b2 := p.Uint16(TopicAlias)
		_, b3 := p.Uint32(MessageExpiryInterval)
		_, b4 := p.VarInt(SubscriptionIdentifier)
		_, b5 := p.Bytes(ContentType)
		_, b6 := p.VarInt(RetainAvailable) // of another kind
		_, b7 := p.Uint16(RetainAvailable)
		if b1 || b2 || b3 || b4 || b5 || b6 || b7 {
			t.Error("found", b1, b2, b3, b4, b5, b6, b7)
		}
	}
}

func TestWalksStop(t *testing.T) {
	p := Props{}.AppendUser(b("a"), b("1")).AppendUser(b("b"), b("2")).
		AppendVarInt(SubscriptionIdentifier, 1).AppendVarInt(SubscriptionIdentifier, 2)
	each, users, ids := 0, 0, 0
	p.Each(func(PropID, []byte) bool { each++; return each < 3 })
	p.Users(func(_, _ []byte) bool { users++; return false })
	p.SubscriptionIdentifiers(func(uint32) bool { ids++; return false })
	if each != 3 || users != 1 || ids != 1 {
		t.Error(each, users, ids)
	}
}

func TestAppendForward(t *testing.T) {
	want := Props{}.AppendUser(b("a"), b("1")).AppendByte(PayloadFormatIndicator, 1).
		AppendBytes(ResponseTopic, b("r")).AppendUser(b("b"), b("2")).
		AppendBytes(CorrelationData, b("c")).AppendBytes(ContentType, b("t"))
	p := Props{}.AppendUint16(TopicAlias, 1).AppendUser(b("a"), b("1")).
		AppendByte(PayloadFormatIndicator, 1).AppendUint32(MessageExpiryInterval, 5).
		AppendBytes(ResponseTopic, b("r")).AppendUser(b("b"), b("2")).
		AppendVarInt(SubscriptionIdentifier, 1).AppendUint32(WillDelayInterval, 5).
		AppendBytes(CorrelationData, b("c")).AppendBytes(ContentType, b("t"))
	if got := p.AppendForward(Props{}); !bytes.Equal(got, want) {
		t.Errorf("%x, want %x", []byte(got), []byte(want))
	}
}
