package wire

import (
	"bytes"
	"slices"
	"strings"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

const (
	claimsBinary = "3.1.1/MQTT-6.0.0-1 5.0/MQTT-6.0.0-1"
	claimsAlign  = "3.1.1/MQTT-6.0.0-2 5.0/MQTT-6.0.0-2"
	claimsChosen = "3.1.1/MQTT-6.0.0-4 5.0/MQTT-6.0.0-4"
)

// webSocketCases are about MQTT in WebSocket frames.
func webSocketCases() []suite.Case {
	cases := []suite.Case{
		{Name: "wire/websocket-text-frame", Claims: claimsBinary,
			Text: "CONNECT in a text frame ends the connection.", Run: textFirst},
		{Name: "wire/websocket-text-frame-later", Claims: claimsBinary,
			Text: "A text frame on an open connection ends it, and is not taken for a packet.",
			Run:  textLater},
		{Name: "wire/websocket-binary-frames", Claims: claimsBinary,
			Text: "The server sends its packets in binary frames.",
			Run: func(t *suite.T) {
				c := t.Dial() // whose reader takes nothing but binary frames
				c.Send(conversation(t))
				answered(t, c)
			}},
		{Name: "wire/websocket-frame-for-each-byte", Claims: claimsAlign,
			Text: "Packets may come a byte a frame.", Run: byteByByte},
		{Name: "wire/websocket-packets-in-one-frame", Claims: claimsAlign,
			Text: "A frame may hold several packets.", Run: allInOne},
		{Name: "wire/websocket-frames-across-packets", Claims: claimsAlign,
			Text: "A frame may begin and end inside a packet.", Run: borders},
		{Name: "wire/websocket-fragments", Claims: claimsAlign,
			Text: "Packets may come in a message of several fragments, some of them empty.",
			Run:  fragments},
		{Name: "wire/websocket-ping-between-fragments", Claims: claimsAlign,
			Text: "Control frames between the fragments of a packet are answered, and no part " +
				"of it.", Run: pingBetweenFragments},
		{Name: "wire/websocket-empty-frames", Claims: claimsAlign,
			Text: "A frame without payload says nothing.", Run: emptyFrames},
		{Name: "wire/websocket-frame-lengths", Claims: claimsAlign,
			Text: "Frames with each of the three forms of length come through, both ways.",
			Run:  frameLengths},
		{Name: "wire/websocket-subprotocol", Claims: claimsChosen,
			Text: "The server chooses the subprotocol mqtt when it is offered, alone or among " +
				"others.", Run: subprotocol},
		{Name: "wire/websocket-no-other-subprotocol", Claims: claimsChosen,
			Text: "The server does not choose another subprotocol.", Run: otherSubprotocol},
	}
	for i := range cases {
		cases[i].WebSocket, cases[i].Versions = true, strict()
	}
	return cases
}

func textFirst(t *suite.T) {
	c := t.Dial()
	c.SendRaw(suite.MaskedFrame(suite.OpText, true, t.Connecting().Append(nil)))
	wantNoMore(t, c)
}

func textLater(t *suite.T) {
	c := t.Connect()
	c.SendRaw(suite.MaskedFrame(suite.OpText, true, []byte{0xC0, 0}))
	wantNoMore(t, c)
}

// wantNoMore wants the end, with nothing before but a DISCONNECT.
func wantNoMore(t *suite.T, c *suite.Client) {
	frame, ended := c.Look(graceOfDisconnect)
	if frame != nil && mqtt.TypeOf(frame) == mqtt.DISCONNECT {
		frame, ended = c.Look(graceOfDisconnect)
	}
	switch {
	case frame != nil:
		t.Fatalf("the server answers %s", mqtt.TypeOf(frame))
	case !ended:
		t.Fatalf("the server did not close the connection")
	}
}

// fragment is a part of a message: the first has the opcode, the last the bit FIN.
func fragment(i, n int, b []byte) []byte {
	op := suite.OpContinuation
	if i == 0 {
		op = suite.OpBinary
	}
	return suite.MaskedFrame(op, i == n-1, b)
}

func fragments(t *suite.T) {
	c := t.Dial()
	pieces := slices.Collect(slices.Chunk(conversation(t), 5))
	pieces = slices.Insert(pieces, 2, nil)
	for i, b := range pieces {
		c.SendRaw(fragment(i, len(pieces), b))
	}
	answered(t, c)
}

func pingBetweenFragments(t *suite.T) {
	c := t.Dial()
	pieces := slices.Collect(slices.Chunk(conversation(t), 9))
	for i, b := range pieces {
		c.SendRaw(fragment(i, len(pieces), b))
		if i == 1 {
			c.SendRaw(suite.MaskedFrame(suite.OpPing, true, []byte("are you there")))
			c.SendRaw(suite.MaskedFrame(suite.OpPong, true, []byte("nobody asked")))
			c.SendRaw(suite.MaskedFrame(suite.OpPing, true, nil))
		}
	}
	answered(t, c)
	c.Ping()
	if got := c.Pongs(); !slices.Contains(got, "are you there") && !slices.Contains(got, "") {
		t.Errorf("no pong to the last of two pings, but %q", got)
	}
}

func emptyFrames(t *suite.T) {
	c := t.Connect()
	c.SendRaw(suite.MaskedFrame(suite.OpBinary, true, nil))
	c.Ping()
	c.SendRaw(fragment(0, 3, nil))
	c.SendRaw(fragment(1, 3, []byte{0xC0}))
	c.SendRaw(fragment(2, 3, []byte{0}))
	c.Expect(mqtt.PINGRESP)
	c.Ping()
}

// frameLengths sends packets of these sizes, each in one frame.
func frameLengths(t *suite.T) {
	c := t.Connect()
	topic := t.Topic("t")
	c.Subscribe(topic, mqtt.AtMostOnce)
	for _, n := range []int{124, 125, 126, 127, 128, 65535, 65536, 70000} {
		if limit := t.Server().PacketBytesMax; limit != 0 && int(limit) < n {
			break
		}
		p := mqtt.Publish{Topic: []byte(topic)}
		p.Payload = bytes.Repeat([]byte("x"), n-p.Size(t.Version()))
		for p.Size(t.Version()) > n {
			p.Payload = p.Payload[1:]
		}
		c.Publish(p)
		c.WantMessage(topic, string(p.Payload))
	}
}

func subprotocol(t *suite.T) {
	for _, offer := range []string{"mqtt", "foo, mqtt", "mqtt,foo", "chat, mqtt, amqp"} {
		c, status, chosen := t.DialUpgrade(suite.Upgrade{Protocols: offer, Version: "13"})
		if c == nil || chosen != "mqtt" {
			t.Errorf("offered %q, the server answers %d and %q", offer, status, chosen)
			continue
		}
		c.Send(conversation(t))
		answered(t, c)
	}
}

func otherSubprotocol(t *suite.T) {
	for _, offer := range []string{"chat", "amqp, stomp", "MQTTX", "mqttv5", "mqt"} {
		_, status, chosen := t.DialUpgrade(suite.Upgrade{Protocols: offer, Version: "13"})
		if chosen != "" && chosen != "mqtt" {
			t.Errorf("offered %q, the server answers %d and chooses %q", offer, status, chosen)
		}
		if chosen == "mqtt" && !strings.Contains(offer, "mqtt,") {
			t.Errorf("offered %q, the server chooses mqtt, which was not offered", offer)
		}
	}
}

// frameCases are frames that RFC 6455 forbids. Each fails the connection.
func frameCases() []suite.Case {
	var cases []suite.Case
	ping := []byte{0xC0, 0}
	for _, row := range []struct {
		name, text string
		frames     [][]byte
	}{
		{"without-mask", "A frame of a client that is not masked", [][]byte{{0x82, 2, 0xC0, 0}}},
		{"reserved-bit", "A reserved bit that no extension uses",
			[][]byte{spoiled(suite.MaskedFrame(suite.OpBinary, true, ping), 0x40)}},
		{"unknown-data-opcode", "Opcode 3", [][]byte{suite.MaskedFrame(3, true, ping)}},
		{"unknown-control-opcode", "Opcode 11", [][]byte{suite.MaskedFrame(11, true, nil)}},
		{"long-ping", "A ping of 126 bytes",
			[][]byte{suite.MaskedFrame(suite.OpPing, true, make([]byte, 126))}},
		{"fragmented-ping", "A ping in fragments",
			[][]byte{suite.MaskedFrame(suite.OpPing, false, []byte("a"))}},
		{"continuation-of-nothing", "A continuation where no message has begun",
			[][]byte{suite.MaskedFrame(suite.OpContinuation, true, ping)}},
		{"message-in-a-message", "A new message among the fragments of another",
			[][]byte{suite.MaskedFrame(suite.OpBinary, false, ping[:1]),
				suite.MaskedFrame(suite.OpBinary, true, ping)}},
		{"negative-length", "A length with its highest bit set",
			[][]byte{{0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0xC0, 0}}},
	} {
		cases = append(cases, suite.Case{
			Name: "wire/websocket-frame-" + row.name, Versions: strict(), WebSocket: true,
			Text: row.text + " fails the WebSocket connection (RFC 6455 section 5).",
			Run: func(t *suite.T) {
				c := t.Connect()
				for _, f := range row.frames {
					c.SendRaw(f)
				}
				wantNoMore(t, c)
			},
		})
	}
	return append(cases, suite.Case{
		Name: "wire/websocket-close", Versions: strict(), WebSocket: true,
		Text: "A close frame is the end of the connection: its will is published.",
		Run: func(t *suite.T) {
			b := &bench{t: t}
			c := b.willing()
			c.SendRaw(suite.MaskedFrame(suite.OpClose, true, []byte{0x03, 0xE8}))
			if _, ended := c.Look(graceOfDisconnect); !ended {
				t.Errorf("the server did not close the connection")
			}
			b.wantWill()
		},
	})
}

func spoiled(frame []byte, bits byte) []byte {
	frame[0] |= bits
	return frame
}
