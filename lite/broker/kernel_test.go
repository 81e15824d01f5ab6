package broker

import (
	"testing"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// pipe is a Sink that keeps what was written.
type pipe struct {
	buf    []byte
	frames int
	room   int
	closed bool
}

func (p *pipe) Write(b []byte) { p.buf = append(p.buf[:0], b...); p.frames++ }
func (p *pipe) Room() int      { return p.room }
func (p *pipe) Held() int64    { return 0 }
func (p *pipe) Close()         { p.closed = true }

func dial(t testing.TB, k *Kernel, l *Listener, id string, v mqtt.Version) (*Conn, *pipe) {
	t.Helper()
	out := &pipe{room: 1 << 20}
	c := k.Open(1000, l, "127.0.0.1", out)
	p := mqtt.Connect{Version: v, CleanStart: true, ClientID: []byte(id)}
	k.Packet(1000, c, p.Append(nil))
	if c.state != connected {
		t.Fatalf("%s is not connected: % x", id, out.buf)
	}
	return c, out
}

func subscribe(k *Kernel, c *Conn, filter string, q mqtt.QoS) {
	subs := []mqtt.Subscription{{Filter: []byte(filter), QoS: q}}
	k.Packet(1000, c, mqtt.AppendSubscribe(nil, c.version, 1, nil, subs))
}

func publish(topic string, q mqtt.QoS, payload []byte) []byte {
	p := mqtt.Publish{QoS: q, Topic: []byte(topic), Payload: payload}
	if q != 0 {
		p.PacketID = 7
	}
	return p.Append(nil, mqtt.V311)
}

func TestPublishQoS0AllocatesNothing(t *testing.T) {
	l := &Listener{Name: "t", Limits: DefaultLimits()}
	k := New(Default(), nil, nil)
	sub, in := dial(t, k, l, "sub", mqtt.V311)
	sub5, _ := dial(t, k, l, "sub5", mqtt.V5)
	pub, _ := dial(t, k, l, "pub", mqtt.V311)
	subscribe(k, sub, "a/+/c", 0)
	subscribe(k, sub5, "a/#", 1)
	frame := publish("a/b/c", 0, make([]byte, 128))
	before := in.frames
	n := testing.AllocsPerRun(1000, func() { k.Packet(1000, pub, frame) })
	if n != 0 {
		t.Errorf("%v allocations per QoS 0 publish, want 0", n)
	}
	if in.frames-before != 1001 {
		t.Errorf("%d frames delivered, want 1001", in.frames-before)
	}
}

func benchmarkPublish(b *testing.B, q mqtt.QoS) {
	l := &Listener{Name: "t", Limits: DefaultLimits()}
	k := New(Default(), nil, nil)
	sub, in := dial(b, k, l, "sub", mqtt.V311)
	pub, _ := dial(b, k, l, "pub", mqtt.V311)
	subscribe(k, sub, "bench/1", q)
	frame := publish("bench/1", q, make([]byte, 128))
	ack := mqtt.Ack{Type: mqtt.PUBACK}
	var buf []byte
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		k.Packet(1000, pub, frame)
		if q == mqtt.AtLeastOnce {
			at := mqtt.PublishPacketIDOffset(in.buf)
			ack.PacketID = uint16(in.buf[at])<<8 | uint16(in.buf[at+1])
			buf = ack.Append(buf[:0], mqtt.V311)
			k.Packet(1000, sub, buf)
		}
	}
}

func BenchmarkPublishQoS0(b *testing.B) { benchmarkPublish(b, 0) }
func BenchmarkPublishQoS1(b *testing.B) { benchmarkPublish(b, 1) }
