package sim

import (
	"errors"
	"maps"
	"slices"

	"github.com/hpmq/hpmq/lite/broker"
)

// errDisk is what the store says when it fails.
var errDisk = errors.New("sim: the disk failed")

// store keeps what kernels ask it to, in the order they ask, and answers each late and in order, or
// at once if the seed says so. A kill takes what it was not told to be safe.
type store struct {
	w       *world
	slow    int // the longest delay; 0 answers at once
	boot    uint64
	live    disk        // what readers see
	safe    disk        // what a kill leaves
	loose   []*question // in live, not in safe
	line    []*question // asked
	busy    bool        // an answer is due
	waiting int
	last    []broker.Time  // when the last answer reaches each kernel
	failing broker.Time    // writes and reads fail until then
	hurt    broker.Time    // when one did last
	drops   map[uint32]int // of sessions, by number
}

// question is a write or a read on its way.
type question struct {
	kernel int
	token  broker.Token
	batch  broker.Batch
	query  *broker.Query
}

func newStore(w *world, kernels int) *store {
	s := &store{w: w, live: disk{}, safe: disk{}, drops: map[uint32]int{}}
	s.last = make([]broker.Time, kernels)
	if w.rnd.IntN(3) > 0 {
		s.slow = 1 + w.rnd.IntN(30)
	}
	return s
}

// shelf is the store as one kernel sees it.
type shelf struct {
	*store
	kernel int
}

// Write implements broker.Store.
func (s shelf) Write(t broker.Token, b *broker.Batch) bool {
	if g := s.w.guests; g != nil {
		g.noted[s.kernel] = false
	}
	q := &question{kernel: s.kernel, token: t, batch: *b}
	q.batch.Ops = make([]broker.Op, len(b.Ops))
	for i, op := range b.Ops {
		op.Value, op.Body = slices.Clone(op.Value), slices.Clone(op.Body)
		q.batch.Ops[i] = op
	}
	if s.w.cfg.LoseOp > 0 && s.w.often(s.w.cfg.LoseOp) {
		q.batch.Ops = nil
	}
	if s.w.cfg.SplitGroups {
		q.batch.Group, q.batch.Share = 0, 0
	}
	if s.w.cfg.AnswerEarly || s.w.cfg.FlightEarly && steps(b) {
		q.token = 0
		s.ask(q)
		return true
	}
	if s.slow == 0 && s.idle() && b.Group == 0 && !s.fails(q) {
		s.keep(q)
		return true
	}
	s.ask(q)
	return t == 0
}

// Read implements broker.Store.
func (s shelf) Read(t broker.Token, q broker.Query, visit func(broker.Record)) bool {
	if s.slow == 0 && s.idle() && s.w.now >= s.failing {
		recs := s.live.find(&q)
		if s.w.cfg.TurnPages && q.Filter == "" {
			turnPage(recs)
		}
		for _, r := range recs {
			visit(r)
		}
		return true
	}
	x := &question{kernel: s.kernel, token: t, query: &q}
	if q.Filter == "" && !slices.ContainsFunc(s.line, x.sees) {
		s.waiting++
		s.answerRead(x) // does not wait for what others write
		return false
	}
	s.ask(x)
	return false
}

// sees is true if the answer to the read x comes after that to w, as host/store has it.
func (x *question) sees(w *question) bool {
	return slices.ContainsFunc(w.batch.Ops, func(op broker.Op) bool {
		gone := op.Kind == broker.OpPop && op.Seq < x.query.From || op.Kind == broker.OpHead
		waited := w.token != 0 || w.batch.Group != 0
		return op.Num == x.query.Num && (x.query.Whole || waited || !gone)
	})
}

// turnPage gives the messages behind the last that belongs to something else the places of each
// other, so that the first comes last.
func turnPage(recs []broker.Record) {
	end := len(recs)
	if end > 0 && recs[end-1].Kind == broker.OpMore {
		end--
	}
	from := end
	for from > 0 && recs[from-1].Kind == broker.OpPush {
		from--
	}
	slices.Reverse(recs[from:end])
}

// steps is true for a write of steps of QoS 2 deliveries alone.
func steps(b *broker.Batch) bool {
	for _, op := range b.Ops {
		if op.Kind != broker.OpFlight {
			return false
		}
	}
	return len(b.Ops) > 0
}

// idle is true when nothing that was asked is unanswered.
func (s *store) idle() bool { return len(s.line) == 0 && s.waiting == 0 }

func (s *store) ask(q *question) {
	s.line = append(s.line, q)
	if q.token != 0 {
		s.waiting++
	}
	s.wake()
}

// wake works the line off after a while.
func (s *store) wake() {
	if s.busy {
		return
	}
	s.busy = true
	gen := s.w.gen
	s.w.after(s.w.upTo(s.slow), func() {
		if gen != s.w.gen {
			return
		}
		s.busy = false
		n := whole(s.line)
		list := s.line[:n:n]
		s.line = s.line[n:]
		s.commit(list)
		if whole(s.line) > 0 {
			s.wake()
		}
	})
}

// whole is how many of the line can be worked off without a part of a group that is not all there.
func whole(line []*question) int {
	open, n := map[uint64]uint64{}, 0
	for i, q := range line {
		if g := q.batch.Group; g != 0 {
			if open[g] += q.batch.Share; open[g] == broker.GroupWhole {
				delete(open, g)
			}
		}
		if len(open) == 0 {
			n = i + 1
		}
	}
	return n
}

// commit keeps what was asked for and answers.
func (s *store) commit(list []*question) {
	bad := map[uint64]bool{}
	for _, q := range list {
		if q.query == nil && s.fails(q) {
			bad[q.batch.Group] = true
		}
	}
	for _, q := range list {
		if q.query != nil {
			s.answerRead(q)
			continue
		}
		var err error
		if q.batch.Group != 0 && bad[q.batch.Group] || q.batch.Group == 0 && s.fails(q) {
			err = errDisk
			s.refuse(q)
		} else {
			s.keep(q)
		}
		if q.token != 0 {
			s.later(q.kernel, func(k *broker.Kernel) { k.Written(s.w.now, q.token, err) })
		}
	}
}

func (s *store) answerRead(q *question) {
	recs, err := s.live.find(q.query), error(nil)
	if s.w.cfg.LoseHead && q.query.Whole && q.query.Max > 0 {
		i := slices.IndexFunc(recs, func(r broker.Record) bool { return r.Kind == broker.OpPush })
		if i >= 0 {
			recs = slices.Delete(recs, i, i+1)
		}
	}
	if s.w.cfg.TurnPages && q.query.Filter == "" {
		turnPage(recs)
	}
	if s.w.now < s.failing {
		recs, err, s.hurt = nil, errDisk, s.w.now
	}
	s.later(q.kernel, func(k *broker.Kernel) { k.Read(s.w.now, q.token, recs, err) })
}

// refuse notes which messages a write that fails was for.
func (s *store) refuse(q *question) {
	s.hurt = s.w.now
	for _, op := range q.batch.Ops {
		switch op.Kind {
		case broker.OpPush, broker.OpRetain:
			if m := s.w.message(append(slices.Clone(op.Value), op.Body...)); m != nil {
				m.refused = true
			}
		case broker.OpReceived:
			s.refuseID(s.owner(op.Num), uint16(op.Seq))
		}
	}
}

func (s *store) refuseID(client string, id uint16) {
	c := s.w.client(client)
	if c == nil {
		return
	}
	for _, o := range c.out {
		if o.id == id {
			o.m.refused = true
		}
	}
}

// owner is the client identifier of a session.
func (s *store) owner(num uint32) string {
	return s.live[place{kind: broker.OpPutSession, num: num}].Key
}

// fails: only who waits hears of it.
func (s *store) fails(q *question) bool {
	return s.w.now < s.failing && (q.token != 0 || q.batch.Group != 0)
}

// keep does a write. One that is waited for makes all before it safe.
func (s *store) keep(q *question) {
	s.put(q)
	s.loose = append(s.loose, q)
	if q.token != 0 && !q.batch.Relaxed {
		s.settle(len(s.loose))
	}
}

// put has readers see a write.
func (s *store) put(q *question) {
	for _, op := range q.batch.Ops {
		if op.Kind == broker.OpFlight && op.Value != nil {
			body := s.live[place{kind: broker.OpPush, num: op.Num, seq: op.Seq}].Body
			n := s.drops[op.Num]
			s.w.begun(body, func() bool { return n != s.drops[op.Num] })
		}
		if op.Kind == broker.OpDropSession {
			s.drops[op.Num]++
		}
		s.live.apply([]broker.Op{op})
	}
}

// settle makes the first n of what is loose safe.
func (s *store) settle(n int) {
	for _, q := range s.loose[:n] {
		s.safe.apply(q.batch.Ops)
	}
	s.loose = append([]*question(nil), s.loose[n:]...)
}

// kill leaves what is safe, and by chance some of what followed.
func (s *store) kill() {
	seen := len(s.loose)
	s.loose = append(s.loose, writes(s.line[:whole(s.line)])...)
	n := s.w.rnd.IntN(len(s.loose) + 1)
	for n > 0 && whole(s.loose[:n]) < n {
		n--
	}
	for _, q := range s.loose[min(seen, n):n] {
		s.put(q)
	}
	s.settle(n)
	s.loose, s.line, s.busy, s.waiting = nil, nil, false, 0
	s.live = maps.Clone(s.safe)
	s.boot++
}

func writes(list []*question) (out []*question) {
	for _, q := range list {
		if q.query == nil {
			out = append(out, q)
		}
	}
	return out
}

func (s *store) later(kernel int, do func(*broker.Kernel)) {
	w := s.w
	gen := w.gen
	s.last[kernel] = max(s.last[kernel], w.now+w.upTo(s.slow))
	w.after(s.last[kernel]-w.now, func() {
		if gen == w.gen {
			s.waiting--
			do(w.kernels[kernel])
		}
	})
}

// pageMax makes pages small, so that there are many.
const pageMax = 3
