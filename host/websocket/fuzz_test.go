package websocket

import (
	"bytes"
	"testing"
)

// FuzzFeed: however the bytes of a peer are cut, the same payload, answers and end come out;
// nothing is kept beyond its limit, no answer outgrows what brought it about.
func FuzzFeed(f *testing.F) {
	f.Add(true, uint64(2), join(frame(0x82, "hello"), frame(0x89, "p"), frame(0x88, "\x03\xe8")))
	f.Add(true, uint64(1), join(frame(2, "ab"), frame(0, ""), frame(0x89, "p"), frame(0x80, "c")))
	f.Add(true, uint64(3), bytes.Repeat(frame(0x89, ""), 50))
	f.Add(true, uint64(4), []byte("\x82\xff\x80\x00\x00\x00\x00\x01\x00\x00mask"))
	f.Add(false, uint64(5), []byte(with("/mqtt ", "/mqtt?a=b ")))
	f.Add(false, uint64(6), []byte("\x10\x0c\x00\x04MQTT"))
	f.Fuzz(func(t *testing.T, upgraded bool, seed uint64, in []byte) {
		r := rules(t)
		if upgraded {
			in = append([]byte(goodRequest), in...)
		}
		one, many := r.Conn(), r.Conn()
		want := feed(&one, cut(in, 0))
		var got said
		for _, p := range cut(in, seed) {
			s := feed(&many, [][]byte{p})
			if got.err != nil && s != (said{}) {
				t.Fatalf("after %v came %v", got.err, s)
			}
			got.payload += s.payload
			got.answer += s.answer
			if s.err != nil {
				got.err = s.err
			}
			if many.part != nil && cap(many.part.b) > 2*RequestBytesMax {
				t.Fatalf("keeps %d bytes", cap(many.part.b))
			}
		}
		if got.payload != want.payload || got.answer != want.answer ||
			(got.err == nil) != (want.err == nil) {
			t.Fatalf("cut: %v, whole: %v", got, want)
		}
		if len(want.payload) > len(in) || len(want.answer) > len(in)+512 {
			t.Fatalf("%d bytes in, %d and %d out", len(in), len(want.payload), len(want.answer))
		}
	})
}
