//go:build unix

package canary

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// Who answered, as the guests mark it; what is not marked was not answered.
const (
	byNobody    = 0
	byActive    = 'a'
	byCandidate = 'b'
)

// tally is what the observer got.
type tally struct {
	mu      sync.Mutex
	total   uint64
	wrong   uint64 // missing, twice or not in order
	streams []stream
	span    span
}

// stream is what came of one device.
type stream struct {
	next  uint32
	sent  [sentMax]time.Time // when the last messages were published, by their number
	mark  byte               // of the last that was answered
	forth int                // how often it went to the candidate in this span, and back
	back  int
}

// span is what came since begin.
type span struct {
	total      uint64
	loud       uint64 // published by a guest
	by         map[byte]uint64
	candidates []time.Time // when what the candidate answered, or should have, came: the first ones
	unanswered []time.Time // those of them without an answer
	last       time.Time   // when the last of these came
	took       []time.Duration
}

// sentMax is how many messages of a device may be under way.
const sentMax = 256

const momentsMax = 1 << 10

func newTally() *tally { return &tally{span: span{by: map[byte]uint64{}}} }

func (t *tally) grow(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.streams = append(t.streams, make([]stream, n-len(t.streams))...)
}

// begin starts another span.
func (t *tally) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.span = span{by: map[byte]uint64{}}
	for i := range t.streams {
		t.streams[i].forth, t.streams[i].back = 0, 0
	}
}

// now is the span as it is, with how often a device went forth and back at most.
func (t *tally) now() (s span, forth, back int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s = t.span
	s.by = map[byte]uint64{}
	for mark, n := range t.span.by {
		s.by[mark] = n
	}
	for i := range t.streams {
		forth, back = max(forth, t.streams[i].forth), max(back, t.streams[i].back)
	}
	return s, forth, back
}

func (t *tally) count() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.total
}

// marks are who answered each device last.
func (t *tally) marks() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := ""
	for i := range t.streams {
		out += fmt.Sprintf("%c", max(t.streams[i].mark, '0'))
	}
	return out
}

// publishes notes that a device is about to publish a message.
func (t *tally) publishes(device int, number uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.streams[device].sent[number%sentMax] = time.Now()
}

// within is how long messages took that came in this span, 99 of 100 of them at most.
func (s *span) within() time.Duration {
	if len(s.took) == 0 {
		return 0
	}
	took := slices.Clone(s.took)
	slices.Sort(took)
	return took[(len(took)-1)*99/100].Round(time.Microsecond)
}

func (t *tally) message(m *mqtt.Publish) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if string(m.Topic) == "loud" {
		t.span.loud++
		return
	}
	if len(m.Payload) != 10 {
		t.wrong++
		return
	}
	t.total++
	t.span.total++
	now := time.Now()
	s := &t.streams[binary.BigEndian.Uint32(m.Payload[2:])]
	if number := binary.BigEndian.Uint32(m.Payload[6:]); number != s.next {
		t.wrong++
	}
	t.span.took = append(t.span.took, now.Sub(s.sent[s.next%sentMax]))
	s.next++
	mark := m.Payload[1]
	t.span.note(mark)
	switch {
	case mark == byNobody || mark == s.mark:
		return
	case mark == byCandidate:
		s.forth++
	case s.mark == byCandidate:
		s.back++
	}
	s.mark = mark
}

func (s *span) note(mark byte) {
	s.by[mark]++
	if mark == byActive {
		return
	}
	s.last = time.Now()
	if len(s.candidates) < momentsMax {
		s.candidates = append(s.candidates, s.last)
	}
	if mark == byNobody && len(s.unanswered) < momentsMax {
		s.unanswered = append(s.unanswered, s.last)
	}
}
