package msglog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"

	"github.com/hpmq/hpmq/sdk/topic"
)

// Query is a question. The zero value asks for all.
type Query struct {
	// Filter is of a topic, as in SUBSCRIBE; "" and "#" are every topic, "$" ones too. A record
	// matches by what arrived or by what became of it.
	Filter string
	// From and To bound Record.Time, 0 does not.
	From, To int64
	Client   string
	Outcome  Outcome
	// After and Before bound Record.ID from outside; 0 does not.
	After, Before uint64
	// Newest begins with the newest record.
	Newest bool
	// ScanBytesMax bounds what is read and restored; at least one block is.
	ScanBytesMax int64
}

// Validate says what is wrong with q.
func (q *Query) Validate() error {
	if q.Filter != "" && !topic.ValidFilter([]byte(q.Filter)) {
		return fmt.Errorf("msglog: %q is no topic filter", q.Filter)
	}
	return nil
}

func (q *Query) all() bool { return q.Filter == "" || q.Filter == "#" }

// wants says whether r is an answer.
func (q *Query) wants(r *Record) bool {
	if r.ID <= q.After || q.Before != 0 && r.ID >= q.Before ||
		r.Time < q.From || q.To != 0 && r.Time > q.To ||
		q.Client != "" && q.Client != string(r.Client) {
		return false
	}
	if q.all() && q.Outcome == 0 {
		return true
	}
	if q.wantsPart(&r.Part) {
		return true
	}
	return slices.ContainsFunc(r.Became, func(p Part) bool { return q.wantsPart(&p) })
}

func (q *Query) wantsPart(p *Part) bool {
	return (q.Outcome == 0 || q.Outcome == p.Outcome) &&
		(q.all() || topic.Match(q.Filter, p.Topic))
}

// may says whether a span can have an answer.
func (q *Query) may(s *span) bool {
	return s.records > 0 && s.lastID > q.After && (q.Before == 0 || s.firstID < q.Before) &&
		s.last >= q.From && (q.To == 0 || s.first <= q.To) &&
		(q.Outcome == 0 || s.outcomes&(1<<q.Outcome) != 0)
}

// Progress is how far an answer came.
type Progress struct {
	// At is the last ID that was looked at, or stepped over.
	At uint64
	// Stopped: there may be more, the bound of the scan was reached.
	Stopped bool
	// Missed are the records that were not kept between those that were looked at.
	Missed uint64
	// Read are the bytes read and restored, Blocks the blocks restored.
	Read   int64
	Blocks int
	// Err is why it ended early.
	Err error
}

// Records visits the answers to q in the order of their IDs. It sees what was appended before it
// began. p must not be looked at before it ended, but in the loop.
func (l *Log) Records(ctx context.Context, q Query, p *Progress) iter.Seq[*Record] {
	return func(yield func(*Record) bool) {
		s := l.search(ctx, &q, p)
		p.At = q.After
		if q.Newest {
			p.At = q.Before
		}
		if s.run(yield) && p.Err == nil && !p.Stopped {
			p.At = s.end
		}
	}
}

// search is one question at work.
type search struct {
	log      *Log
	q        *Query
	p        *Progress
	ctx      context.Context
	keys     []uint64
	segments []segment
	raw      []byte // copy of the block that is not written
	rawSpan  span
	end      uint64 // where an answer that is complete came to
	dir      string

	restored []byte
	offsets  []int
	blocks   []found
	rec      Record
}

// found is a block of the time and IDs asked for; without may its summary has no answer.
type found struct {
	at   int64
	head blockHeader
	may  bool
}

func (l *Log) search(ctx context.Context, q *Query, p *Progress) *search {
	s := &search{log: l, q: q, p: p, ctx: ctx, dir: l.cfg.Dir}
	if key, ok := filterKey(q.Filter); ok && !q.all() {
		s.keys = append(s.keys, key)
	}
	if q.Client != "" {
		s.keys = append(s.keys, hash(keyClient, q.Client))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	q.From = max(q.From, l.cfg.Now()-l.cfg.Age.Milliseconds())
	for i := range l.segments {
		s.end = max(s.end, l.segments[i].lastID)
		if q.may(&l.segments[i].span) {
			s.segments = append(s.segments, l.segments[i])
		}
	}
	if s.end = max(s.end, l.at.lastID, q.After); q.Newest {
		s.end = 0
	}
	if q.may(&l.at) {
		s.raw, s.rawSpan = append([]byte(nil), l.raw...), l.at
	}
	return s
}

// run is false when the visitor had enough.
func (s *search) run(yield func(*Record) bool) bool {
	if !s.q.Newest {
		for i := range s.segments {
			if !s.segment(&s.segments[i], yield) || s.over() {
				return s.over()
			}
		}
		return s.pending(yield)
	}
	if !s.pending(yield) {
		return false
	}
	for i := range slices.Backward(s.segments) {
		if !s.segment(&s.segments[i], yield) || s.over() {
			return s.over()
		}
	}
	return true
}

func (s *search) over() bool { return s.p.Stopped || s.p.Err != nil }

// pending visits what is not written yet.
func (s *search) pending(yield func(*Record) bool) bool {
	return len(s.raw) == 0 || s.records(s.raw, yield)
}

// segment visits the answers in one file. A file that is gone meanwhile was too old; of a damaged
// one what is behind is left out.
func (s *search) segment(g *segment, yield func(*Record) bool) bool {
	f, err := os.Open(segmentPath(s.dir, g.number))
	if errors.Is(err, os.ErrNotExist) {
		return true
	}
	if err != nil {
		s.p.Err = fmt.Errorf("msglog: query: %w", err)
		return true
	}
	defer func() { _ = f.Close() }()
	w, err := newWalk(f, g.number, g.size)
	if err != nil {
		return true
	}
	s.list(w)
	defer func() { s.p.Read += w.read }()
	for i := range s.blocks {
		b := &s.blocks[i]
		if s.q.Newest {
			b = &s.blocks[len(s.blocks)-1-i]
		}
		if b.may && s.full(w) {
			return true
		}
		if b.may && !s.block(w, b, yield) {
			return false
		}
		s.p.Missed += b.head.missed
		if s.p.At = b.head.lastID; s.q.Newest {
			s.p.At = b.head.firstID
		}
	}
	return true
}

// list notes the blocks of the time and IDs asked for.
func (s *search) list(w *walk) {
	s.blocks = s.blocks[:0]
	without := func(k uint64) bool { return !may(w.summary, k) }
	for w.next() {
		if s.q.may(&w.head.span) {
			may := !slices.ContainsFunc(s.keys, without)
			s.blocks = append(s.blocks, found{w.at, w.head, may})
		}
	}
}

// full is true when enough was read, or nobody waits any more.
func (s *search) full(w *walk) bool {
	if err := s.ctx.Err(); err != nil {
		s.p.Err = fmt.Errorf("msglog: query: %w", err)
	}
	most := s.q.ScanBytesMax
	s.p.Stopped = most > 0 && s.p.Blocks > 0 && s.p.Read+w.read >= most
	return s.over()
}

// block restores a block and visits its answers. A damaged one is stepped over.
func (s *search) block(w *walk, b *found, yield func(*Record) bool) bool {
	s.p.Blocks++
	body, err := w.bodyOf(b.at, &b.head)
	if err == nil {
		s.restored, err = s.log.codec.Restore(s.restored[:0], body, b.head.raw)
	}
	if err == nil {
		s.p.Read += int64(b.head.raw)
		return s.records(s.restored, yield)
	}
	return true
}

// records visits the answers in the records of raw.
func (s *search) records(raw []byte, yield func(*Record) bool) bool {
	offsets, err := appendOffsets(s.offsets[:0], raw)
	s.offsets = offsets
	if err != nil {
		return true
	}
	for i := 0; i < len(offsets); i += 2 {
		at := i
		if s.q.Newest {
			at = len(offsets) - 2 - i
		}
		if !s.passes(raw[offsets[at]:offsets[at+1]]) {
			continue
		}
		if err := s.rec.decode(raw[offsets[at]:offsets[at+1]]); err != nil {
			continue
		}
		s.rec.Listener = s.log.cfg.Listener
		if !s.q.wants(&s.rec) {
			continue
		}
		s.p.At = s.rec.ID
		if !yield(&s.rec) {
			return false
		}
	}
	return true
}

// passes is false for a record that cannot be an answer: ID, time and client stand first.
func (s *search) passes(b []byte) bool {
	in := reader{b: b}
	id, at := in.uint(1<<64-1), in.int()
	if id <= s.q.After || s.q.Before != 0 && id >= s.q.Before || at < s.q.From {
		return false
	}
	return s.q.Client == "" || bytes.Equal(in.bytes(), []byte(s.q.Client))
}
