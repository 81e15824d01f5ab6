package shard

import (
	"fmt"
	"testing"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// BenchmarkPublish is QoS 0 from socket to socket through the loops: one publisher sends windows of
// messages, one subscriber reads them. The client side allocates nothing either.
func BenchmarkPublish(b *testing.B) {
	for _, loops := range []int{1, 2} { // 2: the subscriber is on the other loop
		b.Run(fmt.Sprintf("loops=%d", loops), func(b *testing.B) {
			h := start(b, func(_ *house, c *Config) { c.Gate.Loops = loops })
			sub := h.dial("sub").subscribe("t/+", 0)
			pub := h.dial("pub")
			h.settled()
			const window = 64
			var frames []byte
			for range window {
				frames = append(frames, publish("t/1", string(make([]byte, 128)), false)...)
			}
			turn := func() {
				pub.send(frames)
				for range window {
					if frame, err := sub.read(); err != nil || mqtt.TypeOf(frame) != mqtt.PUBLISH {
						b.Fatal(err)
					}
				}
			}
			for range 10 {
				turn()
			}
			b.ReportAllocs()
			b.SetBytes(128)
			for n := 0; b.Loop(); n++ {
				if n%window == 0 {
					turn()
				}
			}
		})
	}
}
