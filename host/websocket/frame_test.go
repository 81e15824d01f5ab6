package websocket

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/gobwas/ws"
)

func TestConnIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(Conn{}); n > 48 {
		t.Errorf("a Conn has %d bytes", n)
	}
}

func join(frames ...[]byte) []byte { return bytes.Join(frames, nil) }

func TestFrames(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 12_500) // 200,000 bytes
	closing := "\x88\x02\x03\xea"                      // 1002
	for name, c := range map[string]struct {
		in   []byte
		want said
	}{
		"one message":       {frame(0x82, "hello"), said{payload: "hello"}},
		"an empty message":  {join(frame(0x82, ""), frame(0x82, "a")), said{payload: "a"}},
		"16 bits of length": {frame(0x82, long[:126]), said{payload: long[:126]}},
		"64 bits of length": {frame(0x82, long), said{payload: long}},
		"two messages":      {join(frame(0x82, "ab"), frame(0x82, "cd")), said{payload: "abcd"}},
		"fragments": {join(frame(0x02, "ab"), frame(0, "c"), frame(0x80, "d")),
			said{payload: "abcd"}},
		"ping":              {frame(0x89, "are you"), said{answer: "\x8a\x07are you"}},
		"empty ping":        {frame(0x89, ""), said{answer: "\x8a\x00"}},
		"ping of 125 bytes": {frame(0x89, long[:125]), said{answer: "\x8a\x7d" + long[:125]}},
		"pong":              {frame(0x8A, "unasked"), said{}},
		"ping in a message": {join(frame(2, "ab"), frame(0x89, "p"), frame(0x80, "c")),
			said{"abc", "\x8a\x01p", nil}},
		"close": {join(frame(0x88, "\x03\xe8bye"), frame(0x82, "x")), said{"", "\x88\x02\x03\xe8",
			ErrClosed}},
		"close without code": {frame(0x88, ""), said{"", "\x88\x00", ErrClosed}},
		"close with 4999":    {frame(0x88, "\x13\x87"), said{"", "\x88\x02\x13\x87", ErrClosed}},
		"close, half a code": {frame(0x88, "\x03"), said{"", closing, errCloseShort}},
		"close with 999":     {frame(0x88, "\x03\xe7"), said{"", closing, errCloseCode}},
		"close with 1005":    {frame(0x88, "\x03\xed"), said{"", closing, errCloseCode}},
		"close with 1016":    {frame(0x88, "\x03\xf8"), said{"", closing, errCloseCode}},
		"close with 5000":    {frame(0x88, "\x13\x88"), said{"", closing, errCloseCode}},
		"close, not UTF-8": {frame(0x88, "\x03\xe8\xff"), said{"", "\x88\x02\x03\xef",
			errCloseText}},
		"text":                {frame(0x81, "hello"), said{"", "\x88\x02\x03\xeb", errText}},
		"text in fragments":   {frame(0x01, "hello"), said{"", "\x88\x02\x03\xeb", errText}},
		"not masked":          {[]byte("\x82\x01a"), said{"", closing, io.EOF}},
		"a reserved bit":      {frame(0xC2, "a"), said{"", closing, io.EOF}},
		"reserved opcode 3":   {frame(0x83, "a"), said{"", closing, io.EOF}},
		"reserved opcode 11":  {frame(0x8B, "a"), said{"", closing, io.EOF}},
		"control in parts":    {frame(0x09, "a"), said{"", closing, io.EOF}},
		"control too long":    {frame(0x89, long[:126]), said{"", closing, io.EOF}},
		"nothing to continue": {frame(0x80, "a"), said{"", closing, io.EOF}},
		"message in message":  {join(frame(2, "a"), frame(0x82, "b")), said{"a", closing, io.EOF}},
		"padded 16 bits":      {[]byte("\x82\xfe\x00\x7dmask"), said{"", closing, errMinimal}},
		"padded 64 bits": {[]byte("\x82\xff\x00\x00\x00\x00\x00\x00\xff\xffmask"), said{"", closing,
			errMinimal}},
		"the top bit": {[]byte("\x82\xff\x80\x00\x00\x00\x00\x01\x00\x00mask"), said{"", closing,
			errTopBit}},
	} {
		for seed := range uint64(4) {
			conn := open(t)
			got := feed(&conn, cut(c.in, seed))
			var e *Error
			if c.want.err == io.EOF && errors.As(got.err, &e) && e.Code == CloseProtocol {
				got.err = io.EOF // stands for: an error of the protocol
			}
			if got != c.want {
				t.Errorf("%s, cut %d: %v, want %v", name, seed, got, c.want)
			}
			if conn.part != nil {
				t.Errorf("%s, cut %d: keeps a buffer", name, seed)
			}
		}
	}
}

func TestPayloadComesBeforeItsFrameEnds(t *testing.T) {
	c := open(t)
	f := frame(0x82, strings.Repeat("x", 1000))
	if got := feed(&c, [][]byte{slices.Clone(f[:20])}); got.payload != strings.Repeat("x", 12) {
		t.Errorf("of 12 bytes came %q", got.payload)
	}
}

func TestCloseIsSentOnce(t *testing.T) {
	c := open(t)
	if b := c.AppendClose(nil, CloseGoingAway); string(b) != "\x88\x02\x03\xe9" {
		t.Errorf("close: %q", b)
	}
	if b := c.AppendClose(nil, CloseNormal); len(b) > 0 {
		t.Errorf("a second close: %q", b)
	}
	if got := feed(&c, [][]byte{frame(0x88, "\x03\xe9")}); got != (said{}) {
		t.Errorf("after the close: %v", got)
	}
}

func TestHeaders(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 127, 65535, 65536, 1 << 30} {
		b := AppendHeader(nil, n)
		h, err := ws.ReadHeader(bytes.NewReader(b))
		if err != nil || !h.Fin || h.OpCode != ws.OpBinary || h.Masked || h.Length != int64(n) {
			t.Errorf("%d: %+v, %v", n, h, err)
		}
		front := make([]byte, HeaderBytesMax+3)
		if at := PutHeader(front, n); !bytes.Equal(front[at:], b) {
			t.Errorf("%d: put %x, appended %x", n, front[at:], b)
		}
	}
}

func TestFramesAllocateNothing(t *testing.T) {
	c := open(t)
	in := join(frame(0x82, "hello"), frame(2, "a"), frame(0x89, "p"), frame(0x80, "b"))
	raw, answer := make([]byte, len(in)), make([]byte, 0, 64)
	n := testing.AllocsPerRun(100, func() {
		copy(raw, in)
		for rest := raw; len(rest) > 0; {
			var err error
			if _, rest, _, err = c.Next(rest, answer); err != nil {
				t.Fatal(err)
			}
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkNext(b *testing.B) {
	for name, size := range map[string]int{"64B": 64, "4KiB": 4 << 10, "64KiB": 64 << 10} {
		b.Run(name, func(b *testing.B) {
			c := open(b)
			in := frame(0x82, strings.Repeat("x", size))
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				in[0] = 0x82 // the payload is whatever the last round made of it
				if p, _, _, err := c.Next(in, nil); len(p) != size || err != nil {
					b.Fatal(len(p), err)
				}
			}
		})
	}
}

func BenchmarkAppendHeader(b *testing.B) {
	dst := make([]byte, 0, 16)
	b.ReportAllocs()
	b.SetBytes(4)
	for b.Loop() {
		AppendHeader(dst, 1000)
	}
}
