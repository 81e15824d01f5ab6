package mqtt

import (
	"bytes"
	"strings"
	"testing"
)

// telemetry is the packet of the benchmarks: 128 bytes of payload under a topic of 24.
func telemetry(qos QoS) *Publish {
	return &Publish{QoS: qos, PacketID: uint16(qos), Topic: b("site/7/line/3/press/temp"),
		Payload: bytes.Repeat([]byte{'x'}, 128)}
}

func withProps(p *Publish) *Publish {
	p.Props = p.Props.AppendByte(PayloadFormatIndicator, 1).
		AppendBytes(ContentType, b("application/json")).AppendUser(b("trace"), b("0123456789"))
	return p
}

// TestPublishAllocatesNothing is the promise of the hot path.
func TestPublishAllocatesNothing(t *testing.T) {
	for _, v := range every {
		for _, p := range []*Publish{telemetry(0), telemetry(1), withProps(telemetry(2))} {
			frame := p.Append(nil, v)
			dst := make([]byte, 0, len(frame))
			forward := make(Props, 0, 100)
			var q Publish
			n := testing.AllocsPerRun(100, func() {
				if m, err := Frame(frame, 1000); m != len(frame) || err != nil {
					t.Fatal(m, err)
				}
				if err := q.Decode(v, frame); err != nil {
					t.Fatal(err)
				}
				q.Props.Uint16(TopicAlias)
				forward = q.Props.AppendForward(forward[:0])
				dst = q.Append(dst[:0], v)
			})
			if n != 0 {
				t.Errorf("%v QoS %d: %v allocations", v, p.QoS, n)
			}
		}
	}
}

// TestRefusingAllocatesNothing holds that a flood of bad packets does not feed the collector.
func TestRefusingAllocatesNothing(t *testing.T) {
	frames := [][]byte{wire(t, `30 * "a/#" 'x'`), wire(t, `36 * "a" 0001`), wire(t, `30 * 0001 FF`)}
	var q Publish
	n := testing.AllocsPerRun(100, func() {
		for _, frame := range frames {
			if q.Decode(V311, frame) == nil {
				t.Fatal("passed")
			}
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestAckAllocatesNothing covers the packets that go with QoS 1 and 2.
func TestAckAllocatesNothing(t *testing.T) {
	dst := make([]byte, 0, 16)
	var q Ack
	for _, typ := range []Type{PUBACK, PUBREC, PUBREL, PUBCOMP} {
		n := testing.AllocsPerRun(100, func() {
			p := Ack{Type: typ, PacketID: 7}
			dst = p.Append(dst[:0], V5)
			if err := q.Decode(V5, dst); err != nil {
				t.Fatal(err)
			}
		})
		if n != 0 {
			t.Errorf("%v: %v allocations", typ, n)
		}
	}
}

func BenchmarkFrame(b *testing.B) {
	frame := telemetry(0).Append(nil, V311)
	b.ReportAllocs()
	b.SetBytes(int64(len(frame)))
	for b.Loop() {
		if n, _ := Frame(frame, 1<<20); n == 0 {
			b.Fatal("no frame")
		}
	}
}

func BenchmarkPublishDecode(b *testing.B) {
	long := telemetry(0)
	long.Topic = []byte(strings.Repeat("level/", 20) + "end")
	foreign := telemetry(0)
	foreign.Topic = []byte("Werk/Süd/Halle/3/Öltank")
	for _, c := range []struct {
		name string
		v    Version
		p    *Publish
	}{
		{"v3/qos0", V311, telemetry(0)}, {"v3/qos1", V311, telemetry(1)},
		{"v5/qos0", V5, telemetry(0)}, {"v5/props", V5, withProps(telemetry(0))},
		{"v3/long-topic", V311, long}, {"v3/not-ascii", V311, foreign},
	} {
		b.Run(c.name, func(b *testing.B) {
			frame := c.p.Append(nil, c.v)
			b.ReportAllocs()
			b.SetBytes(int64(len(frame)))
			var q Publish
			for b.Loop() {
				if err := q.Decode(c.v, frame); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPublishAppend(b *testing.B) {
	for _, c := range []struct {
		name string
		v    Version
		p    *Publish
	}{
		{"v3/qos0", V311, telemetry(0)}, {"v5/qos0", V5, telemetry(0)},
		{"v5/props", V5, withProps(telemetry(1))},
	} {
		b.Run(c.name, func(b *testing.B) {
			dst := c.p.Append(nil, c.v)
			b.ReportAllocs()
			b.SetBytes(int64(len(dst)))
			for b.Loop() {
				dst = c.p.Append(dst[:0], c.v)
			}
		})
	}
}

func BenchmarkAck(b *testing.B) {
	dst := make([]byte, 0, 16)
	b.ReportAllocs()
	b.SetBytes(4)
	var q Ack
	for b.Loop() {
		p := Ack{Type: PUBACK, PacketID: 7}
		dst = p.Append(dst[:0], V5)
		if err := q.Decode(V5, dst); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSubscribeDecode(b *testing.B) {
	frame := AppendSubscribe(nil, V5, 1, nil, []Subscription{{Filter: []byte("a/+/b")},
		{Filter: []byte("c/#"), QoS: 1}})
	b.ReportAllocs()
	b.SetBytes(int64(len(frame)))
	var q Subscribe
	for b.Loop() {
		if err := q.Decode(V5, frame); err != nil {
			b.Fatal(err)
		}
	}
}
