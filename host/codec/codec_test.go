package codec

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// toy is a protocol of one byte a word: what each means stands in Decode. It shows what a Conn
// makes of a Guest; those of the house are tested in host/link and host/app.
type toy struct {
	asked [][]byte
	wait  bool
	told  []Event
	fails error
}

func (g *toy) Decode(_ int64, state, input []byte, out *Decoded) error {
	g.asked = append(g.asked, bytes.Clone(input))
	if i := bytes.IndexByte(input, '.'); i >= 0 { // what is before the point says nothing
		out.Consumed, out.HasState, out.State = i+1, true, append(bytes.Clone(state), 's')
		out.Output = append([]byte("state "), state...)
		m := Message{Topic: []byte("t"), Payload: input[:i], QoS: mqtt.ExactlyOnce}
		out.Requests = append(out.Requests,
			Request{Kind: Connect, Connection: Connection{ClientID: []byte("c"), HasWill: true,
				Will: m, SessionExpiry: 7, KeepAlive: 9}},
			Request{Kind: Publish, ID: 70, Message: m},
			Request{Kind: Subscribe, ID: 80, Filter: []byte("f"), QoS: mqtt.AtLeastOnce},
			Request{Kind: Unsubscribe, ID: 90, Filter: []byte("f")},
			Request{Kind: Ping}, Request{Kind: Received, ID: 5}, Request{Kind: Disconnect})
	}
	if bytes.HasPrefix(input, []byte("!")) {
		out.Close, out.Reason = true, "so it goes"
	}
	return g.fails
}

func (g *toy) Encode(_ int64, _ []byte, what *Event, out *Encoded) error {
	e := *what
	e.ClientID = bytes.Clone(e.ClientID)
	e.Message.Topic, e.Message.Payload = nil, nil
	g.told = append(g.told, e)
	out.Output, out.Wait = []byte{'0' + byte(what.Kind)}, g.wait
	return g.fails
}

// types are those of the packets in b.
func types(t *testing.T, b []byte) (out []mqtt.Type) {
	t.Helper()
	for len(b) > 0 {
		n, err := mqtt.Frame(b, 0)
		if err != nil || n == 0 {
			t.Fatalf("%x: %v", b, err)
		}
		out, b = append(out, mqtt.TypeOf(b)), b[n:]
	}
	return out
}

func same(a, b []mqtt.Type) bool {
	return strings.Compare(string(typeBytes(a)), string(typeBytes(b))) == 0
}

func typeBytes(a []mqtt.Type) (b []byte) {
	for _, t := range a {
		b = append(b, byte(t))
	}
	return b
}

func TestRequestsBecomePackets(t *testing.T) {
	c := New(&toy{}, &Words{})
	var up, down []byte
	used, err := c.In(0, []byte("abc.rest"), &up, &down)
	if err != nil || used != 4 || string(down) != "state " {
		t.Fatalf("%d, %v, %q", used, err, down)
	}
	want := []mqtt.Type{mqtt.CONNECT, mqtt.PUBLISH, mqtt.SUBSCRIBE, mqtt.UNSUBSCRIBE, mqtt.PINGREQ,
		mqtt.DISCONNECT}
	if got := types(t, up); !same(got, want) {
		t.Errorf("%v", got)
	}
	var p mqtt.Connect
	n, _ := mqtt.Frame(up, 0)
	if err := p.Decode(up[:n]); err != nil || string(p.Will.Payload) != "abc" || p.KeepAlive != 9 ||
		p.CleanStart || p.HasUsername {
		t.Errorf("%+v, %v", p, err)
	}
	if s, _ := p.Props.Uint32(mqtt.SessionExpiryInterval); s != 7 {
		t.Errorf("session expiry %d", s)
	}
}

// TestHandshakes: each answer goes to what was asked, and the steps between to nobody.
func TestHandshakes(t *testing.T) {
	g := &toy{}
	c := New(g, &Words{})
	var up, down []byte
	if _, err := c.In(0, []byte("."), &up, &down); err != nil {
		t.Fatal(err)
	}
	up, down = nil, nil
	connack := mqtt.Connack{Props: mqtt.Props(nil).AppendUint16(mqtt.ServerKeepAlive, 4)}
	in := connack.Append(nil, mqtt.V5)
	for _, a := range []mqtt.Ack{
		{Type: mqtt.PUBREC, PacketID: 1}, {Type: mqtt.PUBCOMP, PacketID: 1},
		{Type: mqtt.PUBREL, PacketID: 9},
	} {
		in = a.Append(in, mqtt.V5)
	}
	in = (&mqtt.Suback{PacketID: 2, Reasons: []mqtt.ReasonCode{1}}).Append(in, mqtt.V5)
	in = (&mqtt.Unsuback{PacketID: 3, Reasons: []mqtt.ReasonCode{0x11}}).Append(in, mqtt.V5)
	in = (&mqtt.Ping{Type: mqtt.PINGRESP}).Append(in, mqtt.V5)
	in = (&mqtt.Disconnect{Reason: mqtt.ServerBusy}).Append(in, mqtt.V5)
	if err := c.Out(0, in, &up, &down); err != nil || string(down) != "023456" {
		t.Fatalf("%v, %q", err, down)
	}
	if got := types(t, up); !same(got, []mqtt.Type{mqtt.PUBREL, mqtt.PUBCOMP}) {
		t.Errorf("%v", got)
	}
	if e := g.told[0]; string(e.ClientID) != "c" || e.KeepAlive != 4 {
		t.Errorf("connected: %+v", e)
	}
	for i, want := range []struct {
		id     uint32
		reason mqtt.ReasonCode
	}{{70, 0}, {80, 1}, {90, 0x11}} {
		if e := g.told[1+i]; e.ID != want.id || e.Reason != want.reason {
			t.Errorf("%+v, want %+v", e, want)
		}
	}
	late := (&mqtt.Ack{Type: mqtt.PUBACK, PacketID: 1}).Append(nil, mqtt.V5)
	if err := c.Out(0, late, &up, &down); !errors.Is(err, errAnswer) {
		t.Errorf("an answer to nothing: %v", err)
	}
}

func TestDeliveriesAreAcknowledged(t *testing.T) {
	for _, wait := range []bool{false, true} {
		g := &toy{wait: wait}
		c := New(g, &Words{})
		var up, down []byte
		var in []byte
		for q := mqtt.AtMostOnce; q <= mqtt.ExactlyOnce; q++ {
			m := mqtt.Publish{QoS: q, Topic: []byte("t")}
			if q > 0 {
				m.PacketID = 4 + uint16(q)
			}
			in = m.Append(in, mqtt.V5)
		}
		if err := c.Out(0, in, &up, &down); err != nil || string(down) != "111" {
			t.Fatalf("%v, %q", err, down)
		}
		want := []mqtt.Type{mqtt.PUBACK, mqtt.PUBREC}
		if wait {
			want = nil
		}
		if got := types(t, up); !same(got, want) {
			t.Errorf("wait %v: %v", wait, got)
		}
		for range 2 { // the client may say it again
			up = nil
			c.received(6, &up)
			want := []mqtt.Type{mqtt.PUBREC}
			if !wait {
				want = nil
			}
			if got := types(t, up); !same(got, want) {
				t.Errorf("received: wait %v: %v", wait, got)
			}
			wait = false
		}
	}
}

// TestAWindowGrows: a guest is shown little first, and what has no end is not kept for ever.
func TestAWindowGrows(t *testing.T) {
	g := &toy{}
	c := New(g, &Words{})
	var up, down []byte
	long := bytes.Repeat([]byte("x"), UnfinishedBytesMax-1)
	if used, err := c.In(0, append(long, '.'), &up, &down); err != nil || used != len(long)+1 {
		t.Fatalf("%d, %v", used, err)
	}
	if n := len(g.asked); n != 5 || len(g.asked[0]) != windowBytes {
		t.Errorf("asked %d times, first with %d bytes", n, len(g.asked[0]))
	}
	_, err := c.In(0, append(long, 'x', '.'), &up, &down)
	if !errors.Is(err, ErrUnfinished) {
		t.Errorf("a line without end: %v", err)
	}
	if used, err := c.In(0, long, &up, &down); err != nil || used != 0 {
		t.Errorf("%d, %v", used, err)
	}
}

func TestEnds(t *testing.T) {
	g := &toy{}
	c := New(g, &Words{})
	var up, down []byte
	_, err := c.In(0, []byte("!"), &up, &down)
	if !errors.Is(err, ErrClosed) || !strings.Contains(err.Error(), "so it goes") {
		t.Errorf("%v", err)
	}
	for range WaitingMax / 3 {
		up = up[:0]
		if _, err = c.In(0, []byte("."), &up, &down); err != nil {
			t.Fatal(err)
		}
	}
	if _, err = c.In(0, []byte("."), &up, &down); !errors.Is(err, ErrWaiting) {
		t.Errorf("%v", err)
	}
	g.fails = errors.New("no guest")
	if _, err := c.In(0, []byte("."), &up, &down); !errors.Is(err, g.fails) {
		t.Errorf("%v", err)
	}
	ping := (&mqtt.Ping{Type: mqtt.PINGRESP}).Append(nil, mqtt.V5)
	if err := c.Out(0, ping, &up, &down); !errors.Is(err, g.fails) {
		t.Errorf("%v", err)
	}
}

func FuzzOut(f *testing.F) {
	f.Add((&mqtt.Connack{}).Append(nil, mqtt.V5))
	f.Add((&mqtt.Publish{QoS: 1, PacketID: 3, Topic: []byte("t")}).Append(nil, mqtt.V5))
	f.Add((&mqtt.Suback{PacketID: 2, Reasons: []mqtt.ReasonCode{1}}).Append(nil, mqtt.V5))
	f.Fuzz(func(t *testing.T, packets []byte) {
		c := New(&toy{}, &Words{})
		var up, down []byte
		if _, err := c.In(0, []byte("."), &up, &down); err != nil {
			t.Fatal(err)
		}
		up = nil
		_ = c.Out(0, packets, &up, &down)
		types(t, up)
	})
}
