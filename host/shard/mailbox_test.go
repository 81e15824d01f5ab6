package shard

import (
	"bytes"
	"encoding/binary"
	"sync"
	"testing"

	"github.com/hpmq/hpmq/lite/broker"
)

// Frames of each sender come out whole and in order, with one wake-up for all that waits.
func TestMailboxKeepsOrder(t *testing.T) {
	const senders, each = 3, 100_000
	m := &mailbox{soft: 1 << 20}
	wake := make(chan struct{}, 1)
	var wg sync.WaitGroup
	for s := range senders {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var frame []byte
			for i := range each {
				frame = binary.LittleEndian.AppendUint32(frame[:0], uint32(i))
				frame = append(frame, "some bytes of any length"[:i%24]...)
				if m.put(broker.PeerID(s), frame) {
					wake <- struct{}{} // full would be a second wake-up
				}
			}
		}()
	}
	var next [senders]int
	wakes := 0
	for got := 0; got < senders*each; {
		<-wake
		wakes++
		m.take()
		for {
			from, frame, ok := m.next()
			if !ok {
				break
			}
			got++
			i := next[from]
			next[from]++
			if len(frame) != 4+i%24 || int(binary.LittleEndian.Uint32(frame)) != i {
				t.Fatalf("of %d: want %d, got %x", from, i, frame)
			}
		}
		m.rest()
	}
	wg.Wait()
	if m.waiting() != 0 || wakes > senders*each {
		t.Errorf("%d bytes wait after %d wake-ups", m.waiting(), wakes)
	}
}

func TestMailboxAllocatesNothing(t *testing.T) {
	m := &mailbox{soft: 1 << 20}
	frame := make([]byte, 100)
	turn := func() {
		for range 100 {
			m.put(1, frame)
		}
		m.take()
		for _, _, ok := m.next(); ok; _, _, ok = m.next() {
		}
		m.rest()
	}
	turn()
	turn()
	if n := testing.AllocsPerRun(100, turn); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestMailboxCountsAboveItsLimitAndLosesNothing(t *testing.T) {
	m := &mailbox{soft: 1000}
	for range 20 {
		m.put(0, make([]byte, 94))
	}
	if m.overs() != 10 || m.waiting() != 2000 {
		t.Errorf("%d over, %d wait", m.overs(), m.waiting())
	}
	m.take()
	if m.put(0, nil); m.overs() != 11 { // what is in work counts until it is done
		t.Errorf("%d over", m.overs())
	}
	n := 0
	for _, _, ok := m.next(); ok; _, _, ok = m.next() {
		n++
	}
	m.rest()
	if n != 20 || m.waiting() != headBytes {
		t.Errorf("%d frames, %d bytes left", n, m.waiting())
	}
}

func TestMailboxGivesABurstBack(t *testing.T) {
	m := &mailbox{soft: 1 << 30}
	m.put(1, make([]byte, 1<<20))
	m.take()
	m.trim() // still in work
	if _, frame, ok := m.next(); !ok || len(frame) != 1<<20 {
		t.Fatal("a frame in work was trimmed away")
	}
	m.rest()
	m.put(2, []byte("x"))
	m.take()
	m.trim() // its peak is past, but fill is the large one now
	if _, frame, _ := m.next(); !bytes.Equal(frame, []byte("x")) {
		t.Fatalf("got %q", frame)
	}
	m.rest()
	m.trim()
	if cap(m.fill)+cap(m.work) > 2*keptBytes {
		t.Errorf("%d bytes kept", cap(m.fill)+cap(m.work))
	}
}

func BenchmarkMailbox(b *testing.B) {
	m := &mailbox{soft: 1 << 20}
	frame := make([]byte, 128)
	b.ReportAllocs()
	b.SetBytes(int64(len(frame)))
	n := 0
	for b.Loop() {
		m.put(1, frame)
		if n++; n%64 == 0 {
			m.take()
			for _, _, ok := m.next(); ok; _, _, ok = m.next() {
			}
			m.rest()
		}
	}
}
