package port

import (
	"testing"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// BenchmarkPublish is the way of a QoS 0 message from socket to socket, a batch at a time.
func BenchmarkPublish(b *testing.B) {
	s := serve(b, Default(), nil)
	sub := s.dial().connect(named("sub")).subscribe("t", 0)
	pub := s.dial().connect(named("pub"))
	const batch = 64
	one := packet("t", string(make([]byte, 100)), 0, 0)
	var many []byte
	for range batch {
		many = append(many, one...)
	}
	b.SetBytes(int64(len(one)))
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += batch {
		pub.send(many)
		for range batch {
			sub.expect(mqtt.PUBLISH)
		}
	}
}

// BenchmarkPing is a small packet there and back, alone.
func BenchmarkPing(b *testing.B) {
	s := serve(b, Default(), nil)
	c := s.dial().connect(named("c"))
	b.SetBytes(2)
	b.ReportAllocs()
	for b.Loop() {
		c.alive()
	}
}
