package witness

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/hpmq/hpmq/host/msglog"
)

// Question is what someone wants to know. Its ScanBytesMax may be less than that of the Config.
type Question struct {
	msglog.Query
	// Listener is one, "" all.
	Listener string
	// Max and BytesMax bound the records of an answer and their payloads.
	Max, BytesMax int
}

// Answer says how to go on.
type Answer struct {
	// Next is the After of a question for what follows, or its Before if it was for the newest:
	// then it is of use as long as there is More.
	Next uint64
	// More: there may be more at once.
	More bool
	// Missed are records that were not kept, in what was looked at.
	Missed uint64
	// Read are the bytes that were read and restored.
	Read int64
}

// Look visits the records that answer q, oldest or newest first over all listeners, until visit is
// false or a bound is reached. A record is borrowed until visit returns. It reads files.
func (w *Witness) Look(
	ctx context.Context, q Question, visit func(*msglog.Record) bool,
) (Answer, error) {
	books, err := w.asked(&q)
	if err != nil {
		return Answer{}, err
	}
	select {
	case w.asks <- struct{}{}:
		defer func() { <-w.asks }()
	default:
		return Answer{}, ErrBusy
	}
	if w.isClosed() {
		return Answer{}, ErrClosed
	}
	// What is appended meanwhile to one log might be missed before what is in another.
	if end := w.last() + 1; q.Before == 0 || q.Before > end {
		q.Before = end
	}
	m := &merge{q: &q}
	defer m.stop()
	// Each has its part, so that none holds the others up.
	if q.ScanBytesMax <= 0 || q.ScanBytesMax > w.cfg.ScanBytesMax {
		q.ScanBytesMax = w.cfg.ScanBytesMax
	}
	q.ScanBytesMax = max(1, q.ScanBytesMax/int64(max(1, len(books))))
	for _, b := range books {
		h := &head{}
		h.next, h.stop = iter.Pull(b.log.Records(ctx, q.Query, &h.progress))
		m.heads = append(m.heads, h)
	}
	return m.run(visit)
}

func (w *Witness) isClosed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closed
}

// asked are the books of q, in the order of their names.
func (w *Witness) asked(q *Question) ([]*book, error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if q.Listener != "" {
		b := w.books[q.Listener]
		if b == nil {
			return nil, fmt.Errorf("%w: %s", ErrUnknown, q.Listener)
		}
		return []*book{b}, nil
	}
	books := make([]*book, 0, len(w.books))
	for _, b := range w.books {
		books = append(books, b)
	}
	slices.SortFunc(books, func(a, b *book) int {
		if a.name < b.name {
			return -1
		}
		return 1
	})
	return books, nil
}

// merge visits several logs as one.
type merge struct {
	q     *Question
	heads []*head
	seen  uint64 // the last ID that was visited
	bytes int
	count int
}

// head is the next record of one log.
type head struct {
	next     func() (*msglog.Record, bool)
	stop     func()
	rec      *msglog.Record
	over     bool
	progress msglog.Progress
}

func (m *merge) stop() {
	for _, h := range m.heads {
		h.stop()
	}
}

func (m *merge) run(visit func(*msglog.Record) bool) (Answer, error) {
	if m.seen = m.q.After; m.q.Newest {
		m.seen = m.q.Before
	}
	for {
		h, err := m.first()
		if err != nil {
			return Answer{}, err
		}
		// Behind the place where a log stopped the order is not known.
		if h == nil || !m.sure(h.rec.ID) {
			return m.answer(h != nil), nil
		}
		if m.count > 0 && (m.count >= m.q.Max || m.bytes >= m.q.BytesMax) {
			return m.answer(true), nil
		}
		m.seen = h.rec.ID
		m.count++
		m.bytes += sizeOf(h.rec)
		on := visit(h.rec)
		h.rec = nil
		if !on {
			return m.answer(true), nil
		}
	}
}

// first is the log whose record comes next, nil if none has one.
func (m *merge) first() (*head, error) {
	var best *head
	for _, h := range m.heads {
		if h.rec == nil && !h.over {
			rec, ok := h.next()
			if h.rec, h.over = rec, !ok; !ok {
				h.rec = nil
			}
			if err := h.progress.Err; h.over && err != nil {
				return nil, err
			}
		}
		if h.rec != nil && (best == nil || m.earlier(h.rec.ID, best.rec.ID)) {
			best = h
		}
	}
	return best, nil
}

func (m *merge) earlier(a, b uint64) bool {
	if m.q.Newest {
		return a > b
	}
	return a < b
}

// sure is true if no log stopped before id.
func (m *merge) sure(id uint64) bool {
	for _, h := range m.heads {
		if h.over && h.progress.Stopped && m.earlier(h.progress.At, id) {
			return false
		}
	}
	return true
}

// answer says up to where all that answers the question was visited.
func (m *merge) answer(more bool) Answer {
	a := Answer{Next: m.seen, More: more}
	at, known := uint64(0), false
	end := m.q.After
	for _, h := range m.heads {
		a.Missed += h.progress.Missed
		a.Read += h.progress.Read
		reached, bounds := h.reached(m.q.Newest)
		switch {
		case !bounds:
			end = max(end, reached)
		case !known || m.earlier(reached, at):
			at, known = reached, true
		}
		a.More = a.More || bounds
	}
	switch {
	case known && m.earlier(a.Next, at):
		a.Next = at
	case !known && !m.q.Newest:
		a.Next = max(a.Next, min(end, m.q.Before-1))
	}
	return a
}

// reached is up to where a log has nothing more that was not visited; bounds is false if that is
// its end.
func (h *head) reached(newest bool) (id uint64, bounds bool) {
	switch {
	case h.rec != nil && newest:
		return h.rec.ID + 1, true
	case h.rec != nil:
		return h.rec.ID - 1, true
	case h.over && !h.progress.Stopped:
		return h.progress.At, false
	}
	return h.progress.At, true
}

// sizeOf is what a record takes in an answer, about.
func sizeOf(r *msglog.Record) int {
	n := 200 + len(r.Topic) + len(r.Payload)
	for i := range r.Became {
		n += 100 + len(r.Became[i].Topic) + len(r.Became[i].Payload)
	}
	return n
}

// Follow visits what answers q, and then what comes until ctx ends or visit is false. With neither
// After nor From it begins with what is not there yet. pause is called each time before it waits.
func (w *Witness) Follow(
	ctx context.Context, q Question, visit func(*msglog.Record) bool, pause func() bool,
) error {
	select {
	case w.tails <- struct{}{}:
		defer func() { <-w.tails }()
	default:
		return ErrBusy
	}
	if q.After == 0 && q.From == 0 {
		q.After = w.last()
	}
	q.Newest, q.Before = false, 0
	on := true
	for on && ctx.Err() == nil {
		grown := w.more()
		a, err := w.Look(ctx, q, func(r *msglog.Record) bool {
			on = visit(r)
			return on
		})
		if err != nil {
			return err
		}
		if q.After = max(q.After, a.Next); a.More || !on {
			continue
		}
		if !pause() {
			return nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
		case <-w.stop:
			return nil
		}
	}
	return nil
}

func (w *Witness) more() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.grown
}

func (w *Witness) last() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	var last uint64
	for _, b := range w.books {
		last = max(last, b.log.Last())
	}
	return last
}

// Stats answers the counts of each listener, by name.
func (w *Witness) Stats() map[string]msglog.Stats {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make(map[string]msglog.Stats, len(w.books))
	for name, b := range w.books {
		out[name] = b.log.Stats()
	}
	return out
}
