package link

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/codec"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// codecOf is the codec of the test's listener, linked with those words.
func (h *house) codecOf(words string, f FaultPolicy) *Codec {
	h.t.Helper()
	h.link(Spec{RoleCodec: {with(ref("codec", words), f)}})
	return h.linker.Codec("main", 0)
}

func TestCodecDecodes(t *testing.T) {
	c := newHouse(t, nil).codecOf("close", FaultDefault)
	var out codec.Decoded
	if err := c.Decode(0, []byte("A"), []byte("0123456"), &out); err != nil {
		t.Fatal(err)
	}
	m := codec.Message{
		Topic: []byte("top"), Payload: []byte("load"), QoS: mqtt.ExactlyOnce, Retain: true,
	}
	want := codec.Decoded{
		HasState: true, State: []byte("B"), Consumed: 7, Output: []byte("0123456"),
		Close: true, Reason: "enough",
		Requests: []codec.Request{
			{Kind: codec.Connect, Connection: codec.Connection{
				ClientID: []byte("id"), HasUsername: true, Username: []byte("user"),
				HasPassword: true, Password: []byte("pass"), CleanStart: true, SessionExpiry: 77,
				KeepAlive: 88, HasWill: true, Will: m,
			}},
			{Kind: codec.Publish, ID: 11, Message: m},
			{Kind: codec.Subscribe, ID: 12, Filter: []byte("a/#"), QoS: mqtt.ExactlyOnce},
			{Kind: codec.Unsubscribe, ID: 13, Filter: []byte("a/#")},
			{Kind: codec.Received, ID: 14}, {Kind: codec.Ping}, {Kind: codec.Disconnect},
		},
	}
	if !reflect.DeepEqual(out, want) {
		t.Errorf("got  %+v\nwant %+v", out, want)
	}
}

func TestCodecEncodes(t *testing.T) {
	c := newHouse(t, nil).codecOf("wait", FaultDefault)
	m := codec.Message{
		Topic: []byte("top"), Payload: []byte("load"), QoS: mqtt.AtLeastOnce, Retain: true,
	}
	for _, e := range []struct {
		event codec.Event
		want  []byte
	}{
		{codec.Event{Kind: codec.Connected, Reason: 0x87, SessionPresent: true,
			ClientID: []byte("me"), KeepAlive: 5}, []byte{0, 0x87, 1, 'm', 2, 5, 0, 0}},
		{codec.Event{Kind: codec.Deliver, ID: 9, Message: m},
			[]byte{1, 't', 3, 'l', 4, 1, 1, 9}},
		{codec.Event{Kind: codec.Published, ID: 7, Reason: 16}, []byte{2, 7, 16, 7: 0}},
		{codec.Event{Kind: codec.Subscribed, ID: 8, Reason: 2}, []byte{3, 8, 2, 7: 0}},
		{codec.Event{Kind: codec.Unsubscribed, ID: 9, Reason: 17}, []byte{4, 9, 17, 7: 0}},
		{codec.Event{Kind: codec.Pong}, []byte{5, 7: 0}},
		{codec.Event{Kind: codec.Disconnected, Reason: 0x8E}, []byte{6, 0x8E, 7: 0}},
	} {
		var out codec.Encoded
		err := c.Encode(0, nil, &e.event, &out)
		if err != nil || !bytes.Equal(out.Output, e.want) || string(out.State) != "A" || !out.Wait {
			t.Errorf("%+v: %v, %v, %+v", e.event, err, e.want, out)
		}
	}
}

// TestFaultsOfACodec: closed ends the connection, open throws away what was not translated.
func TestFaultsOfACodec(t *testing.T) {
	words := append([]string{
		"garbage:consumed", "garbage:output", "garbage:text", "requests=257", "state=4097", "qos=3",
	}, badCalls...)
	for _, word := range words {
		h := newHouse(t, nil)
		var in codec.Decoded
		err := h.codecOf(word, FaultDefault).Decode(0, nil, []byte("1"), &in)
		if err == nil || !strings.Contains(err.Error(), "codec") {
			t.Errorf("%s: %v, %+v", word, err, in)
		}
		if v := h.seen(RoleCodec, 0); v.Faults != 1 {
			t.Errorf("%s: %d faults", word, v.Faults)
		}
		err = h.codecOf(word, FaultOpen).Decode(0, nil, []byte("1"), &in)
		if err != nil || !reflect.DeepEqual(in, codec.Decoded{Consumed: 1}) {
			t.Errorf("%s, open: %v, %+v", word, err, in)
		}
	}
}

func TestACodecIsShownNoGiant(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.MessageBytesMax = 100 })
	c := h.codecOf("", FaultDefault)
	e := codec.Event{Kind: codec.Deliver, Message: codec.Message{Payload: make([]byte, 101)}}
	var out codec.Encoded
	if err := c.Encode(0, nil, &e, &out); !errors.Is(err, errTooLarge) {
		t.Error(err)
	}
	e.Message.Payload = e.Message.Payload[:100]
	if err := c.Encode(0, nil, &e, &out); err != nil {
		t.Error("the guest did not stay:", err)
	}
}

func TestOneCodecAListener(t *testing.T) {
	h := newHouse(t, nil)
	two := []Ref{ref("codec", ""), ref("codec", "")}
	err := h.linker.Link(t.Context(), "main", Spec{RoleCodec: two})
	if err == nil {
		t.Error("two codecs were linked")
	}
	c := h.codecOf("", FaultDefault)
	_, err = h.linker.Swap(t.Context(), Request{
		Listener: "main", Role: RoleCodec, Position: 1, Ref: ref("codec", ""),
	})
	var step *StepError
	if !errors.As(err, &step) || step.Step != StepRequest {
		t.Errorf("a second codec: %v", err)
	}
	for i := range 3 {
		h.swap(RoleCodec, ref("codec", fmt.Sprint("wait", i)))
		var out codec.Decoded
		err := c.Decode(0, []byte("A"), []byte("5"), &out)
		if err != nil || string(out.State) != "B" {
			t.Errorf("%v, %+v", err, out)
		}
	}
	h.link(Spec{RoleCodec: {}})
	if err := c.Decode(0, nil, nil, &codec.Decoded{}); c.Linked() || !errors.Is(err, errNoCodec) {
		t.Errorf("without a codec: %v", err)
	}
}

func BenchmarkCodec(b *testing.B) {
	h := newHouse(b, nil)
	c := h.codecOf("", FaultDefault)
	e := codec.Event{Kind: codec.Deliver, Message: codec.Message{
		Topic: []byte("a/b"), Payload: make([]byte, 256),
	}}
	state := []byte("ABCDEF")
	var out codec.Encoded
	b.ReportAllocs()
	b.SetBytes(256)
	for b.Loop() {
		if err := c.Encode(0, state, &e, &out); err != nil {
			b.Fatal(err)
		}
	}
}
