package shard

import (
	"encoding/binary"
	"sync"

	"github.com/hpmq/hpmq/lite/broker"
)

const (
	headBytes = 6 // length of the frame u32, sender u16
	// trimTicks is how many ticks apart a mailbox is looked at: with a tick of 100 ms, 6.4 s.
	trimTicks = 64
	// keptBytes is what a mailbox may keep however little it is used.
	keptBytes = 64 << 10
)

// mailbox carries frames from many kernels to one. Senders append to fill under the lock; the
// receiver swaps fill for the buffer it has worked off, so that both are used again and nothing
// is allocated. What one sender puts comes out in that order. There is one wake-up for all that
// is put before the receiver comes.
type mailbox struct {
	soft int // bytes above which over counts

	mu   sync.Mutex
	fill []byte
	peak int    // most that was in fill since trim
	over uint64 // frames put above soft
	busy int    // bytes in work

	// The receiver's.
	work []byte
	at   int // what of work was handed out
}

// put appends a copy of frame. True: the receiver must be woken.
func (m *mailbox) put(from broker.PeerID, frame []byte) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	first := len(m.fill) == 0
	m.fill = binary.LittleEndian.AppendUint32(m.fill, uint32(len(frame)))
	m.fill = binary.LittleEndian.AppendUint16(m.fill, uint16(from))
	m.fill = append(m.fill, frame...)
	if len(m.fill)+m.busy > m.soft {
		m.over++
	}
	return first
}

// take swaps the buffers if all that was taken before is worked off.
func (m *mailbox) take() {
	if m.left() {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.work, m.fill = m.fill, m.work[:0]
	m.at, m.busy = 0, len(m.work)
	m.peak = max(m.peak, len(m.work))
}

// next answers the next frame taken, valid until take.
func (m *mailbox) next() (broker.PeerID, []byte, bool) {
	if !m.left() {
		return 0, nil, false
	}
	head := m.work[m.at:]
	n := int(binary.LittleEndian.Uint32(head))
	from := broker.PeerID(binary.LittleEndian.Uint16(head[4:]))
	end := headBytes + n
	m.at += end
	return from, head[headBytes:end:end], true
}

// rest notes that all that was taken is worked off.
func (m *mailbox) rest() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.busy = 0
}

// left is true while something taken was not handed out.
func (m *mailbox) left() bool { return m.at < len(m.work) }

// trim gives memory back that a burst left behind.
func (m *mailbox) trim() {
	m.mu.Lock()
	defer m.mu.Unlock()
	need := max(8*m.peak, keptBytes)
	if len(m.fill) == 0 && cap(m.fill) > need {
		m.fill = nil
	}
	if !m.left() && cap(m.work) > need {
		m.work, m.at = nil, 0
	}
	m.peak = 0
}

// waiting is how many bytes wait, those in work among them.
func (m *mailbox) waiting() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.fill) + m.busy
}

func (m *mailbox) overs() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.over
}
