package websocket

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gobwas/ws"
)

// goodRequest is the request of RFC 6455, 1.3, for MQTT.
const goodRequest = "GET /mqtt HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n" +
	"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
	"Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Version: 13\r\n\r\n"

func rules(t testing.TB, change ...func(*Config)) *Rules {
	t.Helper()
	cfg := Default()
	for _, c := range change {
		c(&cfg)
	}
	r, err := NewRules(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// open is a conversation after its upgrade.
func open(t testing.TB) Conn {
	t.Helper()
	c := rules(t).Conn()
	got := feed(&c, [][]byte{[]byte(goodRequest)})
	if !c.Upgraded() || got.err != nil {
		t.Fatalf("not upgraded: %v", got.err)
	}
	return c
}

// fin makes an opcode the first byte of a frame that ends its message.
func fin(op ws.OpCode) byte { return finBit | byte(op) }

// frame is a frame as a client sends it.
func frame(first byte, payload string) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < len16:
		b = append(b, maskBit|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, maskBit|len16), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, maskBit|len64), uint64(n))
	}
	mask := [4]byte{0x37, 0xFA, 0x21, 0x3D}
	b = append(b, mask[:]...)
	p := []byte(payload)
	ws.Cipher(p, mask, 0)
	return append(b, p...)
}

// said is what came out of a conversation.
type said struct {
	payload, answer string
	err             error
}

// feed gives c the parts, which it ruins, one after the other.
func feed(c *Conn, parts [][]byte) said {
	var payloads, answers []byte
	var end error
	for _, raw := range parts {
		for len(raw) > 0 {
			payload, rest, out, err := c.Next(raw, answers)
			payloads, answers = append(payloads, payload...), out
			if end == nil {
				end = err
			}
			raw = rest
		}
	}
	return said{string(payloads), string(answers), end}
}

// cut is b in parts: whole, a byte each, or at random.
func cut(b []byte, seed uint64) [][]byte {
	var parts [][]byte
	if seed == 0 {
		return [][]byte{append([]byte(nil), b...)}
	}
	r := rand.New(rand.NewPCG(seed, seed))
	for len(b) > 0 {
		n := 1
		if seed > 1 {
			n = 1 + r.IntN(min(len(b), 1+r.IntN(300)))
		}
		parts = append(parts, append([]byte(nil), b[:n]...))
		b = b[n:]
	}
	return parts
}

func (s said) String() string {
	return fmt.Sprintf("payload %.80q, answer %.300q, %v", s.payload, s.answer, s.err)
}
