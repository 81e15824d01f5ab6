package rollout

import (
	"cmp"
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
	head   []Event // come first
	next   uint64  // the least number that was not read, 0 for the oldest there is
	of     string  // the change that alone is read of, unless it is empty
	over   bool
}

// Behind is ErrBehind for a reader that is cut off.
func (r *Reader) Behind() error {
	r.stream.mu.Lock()
	defer r.stream.mu.Unlock()
	return r.behindLocked()
}

func (r *Reader) behindLocked() error {
	if floor := r.stream.floor; r.next > 0 && r.next <= floor {
		return fmt.Errorf("%w (events up to %d are gone)", ErrBehind, floor)
	}
	return nil
}

// Next answers the event after the last one, and waits until there is one. ErrBehind cuts the
// reader off for good; ErrClosed follows the last event, which is that of its end for a reader of
// one change.
func (r *Reader) Next(ctx context.Context) (Event, error) {
	for {
		e, err := r.any(ctx)
		if err == nil && r.of != "" && e.Change != r.of {
			continue
		}
		r.over = r.of != "" && e.State.Ended()
		return e, err
	}
}

// any answers the next event of any change.
func (r *Reader) any(ctx context.Context) (Event, error) {
	switch {
	case r.over:
		return Event{}, ErrClosed
	case len(r.head) > 0:
		e := r.head[0]
		r.head = r.head[1:]
		return e, nil
	}
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
	if err := r.behindLocked(); err != nil {
		return Event{}, nil, err
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

// Subscribe reads the events from that number on; 0 is the oldest that is kept when it reads.
func (m *Machine) Subscribe(from uint64) *Reader { return &Reader{stream: m.stream, next: from} }

// SubscribeNow reads where the changes at work are, then what comes.
func (m *Machine) SubscribeNow() *Reader {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := &Reader{stream: m.stream, next: m.book.seq + 1}
	for _, c := range m.book.changes {
		if !c.State.Ended() {
			all := c.events()
			r.head = append(r.head, all[len(all)-1])
		}
	}
	inOrder(r.head)
	return r
}

// SubscribeTo reads all events of one change, to its end, as that knows them by now and then as
// they come. One that is not kept is ErrUnknown.
func (m *Machine) SubscribeTo(id string) (*Reader, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, err := m.book.known(id)
	if err != nil {
		return nil, err
	}
	return &Reader{stream: m.stream, head: c.events(), next: m.book.seq + 1, of: id}, nil
}

// events are those that c knows of itself.
func (c *Change) events() (list []Event) {
	for _, k := range c.Marks {
		list = append(list, Event{Seq: k.Seq, At: k.At, Change: c.ID, State: k.State,
			Step: k.Step, Why: k.Why})
	}
	if c.State.Ended() {
		last := &list[len(list)-1]
		last.Of, last.By = c.Of, c.EndedBy
	}
	return list
}

func inOrder(list []Event) {
	slices.SortFunc(list, func(a, b Event) int { return cmp.Compare(a.Seq, b.Seq) })
}
