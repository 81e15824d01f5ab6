package store

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hpmq/hpmq/lite/broker"
)

// asker is a kernel that keeps so many writes under way.
type asker struct {
	view  *DiskView
	slots chan struct{}
	sent  []time.Time
	took  []time.Duration
	done  sync.WaitGroup
	bad   error
}

func (a *asker) Written(_ broker.Time, t broker.Token, err error) {
	a.took[t-1] = time.Since(a.sent[t-1])
	if err != nil {
		a.bad = err
	}
	<-a.slots
	a.done.Done()
}

func (a *asker) Read(broker.Time, broker.Token, []broker.Record, error) {}

func (a *asker) Expired(broker.Time, []broker.Record) {}

// BenchmarkStored is publishers with a window each, whose messages wait for sessions that are away:
// 128 bytes, QoS 1, each acknowledged when it is safe.
func BenchmarkStored(b *testing.B) {
	for _, window := range []int{1, 64, 1024, 8192} {
		b.Run(fmt.Sprintf("underway=%d", window), func(b *testing.B) { stored(b, window) })
	}
}

func stored(b *testing.B, window int) {
	c := DefaultDisk()
	c.Dir = b.TempDir()
	d, _, err := OpenDisk(c)
	if err != nil {
		b.Fatal(err)
	}
	a := &asker{
		slots: make(chan struct{}, window), sent: make([]time.Time, b.N),
		took: make([]time.Duration, b.N),
	}
	a.view = d.View(func(f func(Kernel, broker.Time)) { f(a, 0) })
	body := make([]byte, 128+30) // with what the kernel puts around it
	b.SetBytes(128)
	b.ReportAllocs()
	b.ResetTimer()
	a.done.Add(b.N)
	for i := range b.N {
		a.slots <- struct{}{}
		a.sent[i] = time.Now()
		a.view.Write(broker.Token(i+1), &broker.Batch{Ops: []broker.Op{{
			Kind: broker.OpPush, Num: uint32(1 + i%1000), Seq: uint64(1 + i/1000),
			Value: []byte{1, 0, 0, 0}, Body: body,
		}}})
	}
	a.done.Wait()
	b.StopTimer()
	if a.bad != nil {
		b.Fatal(a.bad)
	}
	slices.Sort(a.took)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "stored/s")
	b.ReportMetric(float64(d.journal.Stats().Syncs)/float64(b.N), "fsyncs/op")
	b.ReportMetric(float64(a.took[len(a.took)*99/100].Microseconds())/1000, "p99-ms")
	if err := d.Close(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkDrain reads queues of 100 messages and removes them.
func BenchmarkDrain(b *testing.B) {
	c := DefaultDisk()
	c.Dir = b.TempDir()
	d, _, err := OpenDisk(c)
	if err != nil {
		b.Fatal(err)
	}
	k := newDesktop(b, d)
	const each = 100
	var ops []broker.Op
	for i := range b.N * each {
		ops = append(ops, broker.Op{
			Kind: broker.OpPush, Num: uint32(1 + i/each), Seq: uint64(1 + i%each),
			Value: []byte{1, 0, 0, 0}, Body: make([]byte, 158),
		})
		if len(ops) == 1000 {
			k.view.Write(0, &broker.Batch{Ops: ops})
			ops = ops[:0]
		}
	}
	if err := k.wait(k.ask(broker.Batch{Ops: ops})); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for i := range b.N {
		num := uint32(1 + i)
		recs := k.find(broker.Query{Num: num, Whole: true, Max: each, BytesMax: 1 << 20})
		if len(recs) != each+1 {
			b.Fatal(len(recs))
		}
		ops = ops[:0]
		for seq := uint64(1); seq <= each; seq++ {
			ops = append(ops, pop(num, seq))
		}
		k.view.Write(0, &broker.Batch{Ops: ops})
	}
	b.ReportMetric(float64(each*b.N)/b.Elapsed().Seconds(), "messages/s")
	if err := d.Close(); err != nil {
		b.Fatal(err)
	}
}
