package rollout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Event is a change that came into a state, or something that happened without one.
type Event struct {
	// Seq grows from event to event, also across restarts. It may leave numbers out.
	Seq    uint64    `json:"seq"`
	At     time.Time `json:"at"`
	Change string    `json:"change,omitempty"`
	State  State     `json:"state,omitempty"`
	Step   int       `json:"step,omitempty"`
	Of     string    `json:"of,omitempty"`
	Why    string    `json:"why,omitempty"`
	By     string    `json:"by,omitempty"`
	// Unrecorded says what a restart would have made of it when it happened, if it was not on
	// record then: see Machine.Unrecorded.
	Unrecorded string `json:"unrecorded,omitempty"`
}

// Why a Reader ends.
var (
	// ErrBehind is for who is slower than EventsMax events, or asks for what is not kept any more.
	ErrBehind = errors.New("rollout: events were missed: look at the changes, and subscribe again")
	ErrClosed = errors.New("rollout: closed")
)

// stream is the last events. Readers come and take; nothing waits for them.
type stream struct {
	mu     sync.Mutex
	events []Event
	most   int
	floor  uint64 // up to here not all are kept
	more   chan struct{}
	closed bool
}

func newStream(most int) *stream { return &stream{most: most, more: make(chan struct{})} }

func (s *stream) add(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
	if n := len(s.events) - s.most; n > 0 {
		s.floor = s.events[n-1].Seq
		s.events = slices.Delete(s.events, 0, n)
	}
	s.wakeLocked()
}

func (s *stream) wakeLocked() {
	close(s.more)
	s.more = make(chan struct{})
}

func (s *stream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.wakeLocked()
}

// Reader reads the stream of events. It holds nothing and needs no Close. One goroutine uses it.
type Reader struct {
	stream *stream
	next   uint64 // the least number that was not read
}

// Next answers the event after the last one, and waits until there is one. ErrBehind cuts the
// reader off for good; ErrClosed follows the last event.
func (r *Reader) Next(ctx context.Context) (Event, error) {
	for {
		e, more, err := r.take()
		if err != nil || more == nil {
			return e, err
		}
		select {
		case <-more:
		case <-ctx.Done():
			return Event{}, fmt.Errorf("rollout: events: %w", context.Cause(ctx))
		}
	}
}

// take answers an event, or what to wait for.
func (r *Reader) take() (Event, <-chan struct{}, error) {
	s := r.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.next <= s.floor {
		return Event{}, nil, fmt.Errorf("%w (events up to %d are gone)", ErrBehind, s.floor)
	}
	at, _ := slices.BinarySearchFunc(s.events, r.next, func(e Event, seq uint64) int {
		switch {
		case e.Seq < seq:
			return -1
		case e.Seq > seq:
			return 1
		}
		return 0
	})
	if at < len(s.events) {
		r.next = s.events[at].Seq + 1
		return s.events[at], nil, nil
	}
	if s.closed {
		return Event{}, nil, ErrClosed
	}
	return Event{}, s.more, nil
}

// subscribe reads from the event with that number on, from the oldest that is kept if it is 0.
func (s *stream) subscribe(from uint64) *Reader {
	s.mu.Lock()
	defer s.mu.Unlock()
	if from == 0 {
		from = s.floor + 1
	}
	return &Reader{stream: s, next: from}
}
