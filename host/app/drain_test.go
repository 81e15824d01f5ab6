//go:build unix

package app

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"testing"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// BenchmarkDrain is a client that comes back to b.N messages of 128 bytes, QoS 1 and 2.
func BenchmarkDrain(b *testing.B) {
	for name, q := range map[string]mqtt.QoS{"qos=1": 1, "qos=2": 2} {
		b.Run(name, func(b *testing.B) { drain(b, q) })
	}
}

func drain(b *testing.B, q mqtt.QoS) {
	cfg := diskNode(b.TempDir())
	cfg.Store.Memory = 1024 * configs.MiB
	cfg.Listeners[0].Link = configs.Link{}
	cfg.Listeners[0].Limits.QueueMessagesMax = 10_000_000
	cfg.Listeners[0].Limits.QueueBytesMax = 1 << 34
	a, err := Open(b.Context(), cfg, Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		b.Fatal(err)
	}
	at := a.Listening()[0].Address
	conn, in := back(b, at)
	list := []mqtt.Subscription{{Filter: []byte("s/#"), QoS: q}}
	_, _ = conn.Write(mqtt.AppendSubscribe(nil, mqtt.V311, 1, nil, list))
	skip(b, in)
	_ = conn.Close()
	pourAt(b, at, 0, b.N, q)
	b.SetBytes(128)
	b.ResetTimer()
	conn, in = back(b, at)
	for done := 0; done < b.N; {
		done += b2i(answer(b, conn, in))
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "drained/s")
	b.StopTimer()
	_ = conn.Close()
	if err := a.Close(); err != nil {
		b.Fatal(err)
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// back connects the client of the session.
func back(b *testing.B, address string) (net.Conn, *bufio.Reader) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	c := mqtt.Connect{Version: mqtt.V311, ClientID: []byte("drained")}
	if _, err := conn.Write(c.Append(nil)); err != nil {
		b.Fatal(err)
	}
	in := bufio.NewReaderSize(conn, 64<<10)
	skip(b, in)
	return conn, in
}

// answer handles a packet, and says if it ends a message.
func answer(b *testing.B, conn net.Conn, in *bufio.Reader) bool {
	head, err := in.Peek(3)
	if err != nil {
		b.Fatal(err)
	}
	size := 2 + int(head[1]&0x7F)
	if head[1] >= 0x80 {
		size = 3 + int(head[1]&0x7F) + int(head[2])<<7
	}
	frame := make([]byte, size)
	if _, err := io.ReadFull(in, frame); err != nil {
		b.Fatal(err)
	}
	ack := mqtt.Ack{Type: mqtt.PUBACK}
	switch mqtt.TypeOf(frame) {
	case mqtt.PUBREL:
		ack.Type, ack.PacketID = mqtt.PUBCOMP, uint16(frame[2])<<8|uint16(frame[3])
	case mqtt.PUBLISH:
		at := mqtt.PublishPacketIDOffset(frame)
		ack.PacketID = uint16(frame[at])<<8 | uint16(frame[at+1])
		if frame[0]>>1&3 == 2 {
			ack.Type = mqtt.PUBREC
		}
	}
	if _, err := conn.Write(ack.Append(nil, mqtt.V311)); err != nil {
		b.Fatal(err)
	}
	return ack.Type != mqtt.PUBREC
}
