package broker

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// near carries frames between kernels of one test: they arrive when the test says so.
type near struct {
	self PeerID
	all  *[2]nearBox
}

type nearBox struct {
	frames []byte
	sizes  []int32
}

func (n near) Send(to PeerID, frame []byte) {
	b := &n.all[to]
	b.frames = append(b.frames, frame...)
	b.sizes = append(b.sizes, int32(len(frame)))
}

// bring gives k what waits for it from the other.
func (b *nearBox) bring(k *Kernel) {
	frames, sizes := b.frames, b.sizes
	b.frames, b.sizes = nil, nil
	for _, n := range sizes {
		k.Peer(1, 1-k.cfg.Self, frames[:n])
		frames = frames[n:]
	}
	b.frames, b.sizes = frames[:0], sizes[:0]
}

type deaf struct{}

func (deaf) Write(Token, *Batch) bool               { return true }
func (deaf) Read(Token, Query, func(r Record)) bool { return true }

// sleepers are the records of n sessions with one subscription each and an end.
func sleepers(n int) []Record {
	list := make([]Record, n)
	lis := &Listener{Name: "main"}
	for i := range list {
		who := &Identity{
			ClientID: fmt.Sprintf("device-%07d", i), Listener: "main", Version: mqtt.V5,
			Address: fmt.Sprintf("192.0.2.%d", i%250),
		}
		s := &session{who: who, lis: lis, expiry: 3600, num: uint32(i + 1)}
		s.absence().expireAt = 1 << 40
		f := fmt.Sprintf("cmd/%03d/%07d/#", i%1000, i)
		s.subs = &subscriptions{}
		s.subs.put(&subscription{sess: s, full: f, qos: mqtt.AtLeastOnce})
		list[i] = Record{
			Kind: OpPutSession, Num: s.num, Key: who.ClientID, Value: s.appendRecord(nil),
		}
	}
	return list
}

// BenchmarkRestore gives 100,000 sessions to two kernels, which tell each other.
func BenchmarkRestore(b *testing.B) {
	const n = 100_000
	list := sleepers(n)
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var keep [2]*Kernel
	for b.Loop() {
		boxes := &[2]nearBox{}
		for i := range keep {
			c := Default()
			c.Self, c.Peers, c.Durable, c.Numbers = PeerID(i), 2, true, n
			keep[i] = New(c, deaf{}, near{PeerID(i), boxes})
		}
		for i := range list {
			home := Home(list[i].Key, 2)
			if err := keep[home].Restore(1, &list[i]); err != nil {
				b.Fatal(err)
			}
			if i%512 == 511 || i == n-1 {
				boxes[0].bring(keep[0])
				boxes[1].bring(keep[1])
			}
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/session")
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "bytes/session")
	runtime.KeepAlive(keep)
	runtime.KeepAlive(list)
}
