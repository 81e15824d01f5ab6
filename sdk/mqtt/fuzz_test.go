package mqtt

import (
	"bytes"
	"testing"
	"unicode/utf8"
)

// seed gives every golden and every malformed packet to f.
func seed(f *testing.F) {
	for _, g := range goldens {
		f.Add(byte(g.versions[0]), wire(f, g.wire))
	}
	for _, m := range malformed {
		f.Add(byte(m.v), wire(f, m.wire))
	}
}

// FuzzDecode goes through every decoder by the first byte of the frame: none panics or reads
// outside the frame, errors are *Error, and what decodes encodes to bytes that decode the same.
func FuzzDecode(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, version byte, frame []byte) {
		v := V31 + Version(version%3)
		if len(frame) == 0 || packetOf(frame) == nil {
			return
		}
		frame = frame[:len(frame):len(frame)]
		p := packetOf(frame)
		if err := p.Decode(v, frame); err != nil {
			if fault, ok := err.(*Error); !ok || !fault.Reason.Failed() || fault.Clause == "" {
				t.Fatalf("error %#v", err)
			}
			return
		}
		if c, ok := p.(*connectPacket); ok {
			v = c.Version
		}
		if n, err := Frame(frame, 0); n != len(frame) || err != nil {
			t.Fatalf("frame of %d bytes: %d, %v", len(frame), n, err)
		}
		again := p.Append(nil, v)
		q := packetOf(again)
		if err := q.Decode(v, again); err != nil {
			t.Fatalf("% x\n% x: %v", frame, again, err)
		}
		if show(p) != show(q) {
			t.Fatalf("% x\n% x:\n%s\n%s", frame, again, show(p), show(q))
		}
		if pub, ok := p.(*Publish); ok && pub.Size(v) != len(again) {
			t.Fatalf("size %d of %d bytes", pub.Size(v), len(again))
		}
	})
}

// FuzzFrame holds that framing agrees with itself: a prefix of a packet never gives another length.
func FuzzFrame(f *testing.F) {
	f.Add([]byte{0xC0, 0}, uint32(0))
	f.Add([]byte{0x30, 0x80, 0x01}, uint32(100))
	f.Add([]byte{0x30, 0xFF, 0xFF, 0xFF, 0x7F}, uint32(5))
	f.Fuzz(func(t *testing.T, b []byte, max uint32) {
		n, err := Frame(b, max)
		if err != nil {
			if n != 0 {
				t.Fatalf("%d bytes and %v", n, err)
			}
			return
		}
		if n > len(b) || max != 0 && n > int(max) {
			t.Fatalf("%d of %d bytes, at most %d", n, len(b), max)
		}
		for cut := range n {
			if m, err := Frame(b[:cut], max); m != 0 || err != nil {
				t.Fatalf("%d bytes of %d: %d, %v", cut, n, m, err)
			}
		}
	})
}

// FuzzProps holds that looking into bytes that no Decode saw does not panic, and that what check
// passes is found whole by the walks.
func FuzzProps(f *testing.F) {
	for _, g := range goldens {
		if p, ok := g.want.(*Publish); ok {
			f.Add([]byte(p.Props), byte(PUBLISH))
		}
		if c, ok := g.want.(*Connack); ok {
			f.Add([]byte(c.Props), byte(CONNACK))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, in byte) {
		p := Props(b)
		for id := range PropID(255) {
			p.Byte(id)
			p.Uint16(id)
			p.Uint32(id)
			p.VarInt(id)
			p.Bytes(id)
		}
		p.Users(func(_, _ []byte) bool { return true })
		p.SubscriptionIdentifiers(func(uint32) bool { return true })
		forward := p.AppendForward(nil)
		if _, err := p.check(Type(in & 15)); err != nil {
			return
		}
		if _, err := forward.check(PUBLISH); err != nil && Type(in&15) == PUBLISH {
			t.Fatalf("forwarded %x: %v", []byte(forward), err)
		}
		if again := rebuild(p); !bytes.Equal(again, p) {
			t.Fatalf("%x is walked as %x", b, []byte(again))
		}
	})
}

// rebuild puts p together again from what Each and Users find.
func rebuild(p Props) Props {
	var users [][2][]byte
	p.Users(func(name, value []byte) bool {
		users = append(users, [2][]byte{name, value})
		return true
	})
	var out Props
	p.Each(func(id PropID, value []byte) bool {
		switch {
		case id == UserProperty:
			out = out.AppendUser(users[0][0], users[0][1])
			users = users[1:]
		case props[id].kind == kindText || props[id].kind == kindBinary:
			out = out.AppendBytes(id, value)
		default:
			out = append(append(out, byte(id)), value...)
		}
		return true
	})
	return out
}

// FuzzText compares the word-wise scans with the plain definition.
func FuzzText(f *testing.F) {
	f.Add([]byte("a/b/c/d/e/f/g/h/+"))
	f.Add([]byte("温度\x00"))
	f.Add([]byte("0123456\x7f0123456\x80"))
	f.Fuzz(func(t *testing.T, b []byte) {
		text := utf8.Valid(b) && !bytes.ContainsRune(b, 0)
		if got := checkText(b) == nil; got != text {
			t.Fatalf("text %q: %v", b, got)
		}
		name := text && !bytes.ContainsAny(b, "+#")
		if got := checkName(b) == nil; got != name {
			t.Fatalf("name %q: %v", b, got)
		}
	})
}
