package mqtt

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// wire reads the notation of packets in these tests. Words are hex bytes; "abc" is a string behind
// its length, 'abc' the bytes alone; [ and ] stand around properties and put their length in front;
// * is the remaining length. The lengths are those of the test, not of the encoder.
func wire(t testing.TB, text string) []byte {
	t.Helper()
	w := &wireReader{t: t, words: strings.Fields(text)}
	return w.until("")
}

type wireReader struct {
	t     testing.TB
	words []string
}

// until reads up to the word end.
func (w *wireReader) until(end string) []byte {
	w.t.Helper()
	var out []byte
	for len(w.words) > 0 {
		word := w.words[0]
		w.words = w.words[1:]
		switch {
		case word == end:
			return out
		case word == "*":
			return withLength(out, w.until(end))
		case word == "[":
			out = withLength(out, w.until("]"))
		case word[0] == '"':
			word = strings.Trim(word, `"`)
			out = append(out, byte(len(word)>>8), byte(len(word)))
			out = append(out, word...)
		case word[0] == '\'':
			out = append(out, strings.Trim(word, "'")...)
		default:
			b, err := hex.DecodeString(word)
			if err != nil {
				w.t.Fatalf("word %q: %v", word, err)
			}
			out = append(out, b...)
		}
	}
	return out
}

func withLength(out, b []byte) []byte {
	n := len(b)
	for ; n > 127; n /= 128 {
		out = append(out, byte(n%128+128))
	}
	return append(append(out, byte(n)), b...)
}

// packet is what all packets can do; Connect and the two lists come in by wrappers.
type packet interface {
	Decode(v Version, frame []byte) error
	Append(dst []byte, v Version) []byte
}

type connectPacket struct{ Connect }

func (p *connectPacket) Decode(_ Version, frame []byte) error { return p.Connect.Decode(frame) }
func (p *connectPacket) Append(dst []byte, _ Version) []byte  { return p.Connect.Append(dst) }

type subscribePacket struct {
	PacketID uint16
	Props    Props
	List     []Subscription
}

func (p *subscribePacket) Decode(v Version, frame []byte) error {
	var s Subscribe
	if err := s.Decode(v, frame); err != nil {
		return err
	}
	*p = subscribePacket{PacketID: s.PacketID, Props: s.Props}
	for one, ok := s.Next(); ok; one, ok = s.Next() {
		p.List = append(p.List, one)
	}
	return nil
}

func (p *subscribePacket) Append(dst []byte, v Version) []byte {
	return AppendSubscribe(dst, v, p.PacketID, p.Props, p.List)
}

type unsubscribePacket struct {
	PacketID uint16
	Props    Props
	Filters  [][]byte
}

func (p *unsubscribePacket) Decode(v Version, frame []byte) error {
	var u Unsubscribe
	if err := u.Decode(v, frame); err != nil {
		return err
	}
	*p = unsubscribePacket{PacketID: u.PacketID, Props: u.Props}
	for f, ok := u.Next(); ok; f, ok = u.Next() {
		p.Filters = append(p.Filters, f)
	}
	return nil
}

func (p *unsubscribePacket) Append(dst []byte, v Version) []byte {
	return AppendUnsubscribe(dst, v, p.PacketID, p.Props, p.Filters)
}

// packetOf is an empty packet to decode frame into, nil for the reserved type.
func packetOf(frame []byte) packet {
	switch TypeOf(frame) {
	case CONNECT:
		return &connectPacket{}
	case CONNACK:
		return &Connack{}
	case PUBLISH:
		return &Publish{}
	case PUBACK, PUBREC, PUBREL, PUBCOMP:
		return &Ack{}
	case SUBSCRIBE:
		return &subscribePacket{}
	case SUBACK:
		return &Suback{}
	case UNSUBSCRIBE:
		return &unsubscribePacket{}
	case UNSUBACK:
		return &Unsuback{}
	case PINGREQ, PINGRESP:
		return &Ping{}
	case DISCONNECT:
		return &Disconnect{}
	case AUTH:
		return &Auth{}
	}
	return nil
}

// show writes a packet out for comparing; nil and empty are the same.
func show(p packet) string { return fmt.Sprintf("%T%+v", p, p) }
