package kernels

import (
	"errors"
	"slices"

	"github.com/hpmq/hpmq/conformance/story"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/topic"
)

// errDisk is what a Store says when the script lets it fail.
var errDisk = errors.New("story: disk full")

// store keeps records in memory for all kernels of a world. With byEvent it keeps nothing and
// answers nothing until the script says so.
type store struct {
	w       *World
	byEvent bool
	records []broker.Record // in the order they were first put
	pending []question
}

// question is a write or a read a kernel waits for.
type question struct {
	kernel broker.PeerID
	token  broker.Token
	ops    []broker.Op
	query  *broker.Query
}

func newStore(w *World, byEvent bool) *store { return &store{w: w, byEvent: byEvent} }

// shelf is the store as one kernel sees it.
type shelf struct {
	*store
	kernel broker.PeerID
}

func (s shelf) Write(t broker.Token, b *broker.Batch) bool {
	kept := make([]broker.Op, len(b.Ops))
	for i, op := range b.Ops {
		kept[i] = op
		kept[i].Value, kept[i].Body = slices.Clone(op.Value), slices.Clone(op.Body)
	}
	if s.byEvent && (t != 0 || len(s.pending) > 0) {
		s.pending = append(s.pending, question{s.kernel, t, kept, nil})
		return false
	}
	s.apply(kept)
	return true
}

func (s shelf) Read(t broker.Token, q broker.Query, visit func(broker.Record)) bool {
	if s.byEvent {
		s.pending = append(s.pending, question{s.kernel, t, nil, &q})
		return false
	}
	for _, r := range s.find(q) {
		r.Value = slices.Clone(r.Value)
		visit(r)
		scribble(r.Value)
	}
	return true
}

func (s *store) find(q broker.Query) []broker.Record {
	var out []broker.Record
	for _, r := range s.records {
		retained := r.Kind == broker.OpRetain
		if q.Filter != "" && retained && topic.Match(q.Filter, []byte(r.Key)) ||
			q.Filter == "" && !retained && r.Num == q.Num && r.Kind != broker.OpPutSession &&
				r.Seq >= q.From {
			out = append(out, r)
		}
	}
	return out
}

func (s *store) apply(ops []broker.Op) {
	for _, op := range ops {
		put := op.Kind
		gone := false
		switch op.Kind {
		case broker.OpFlight:
			gone = op.Value == nil
		case broker.OpHead:
			continue
		case broker.OpUnretain:
			put = broker.OpRetain
		case broker.OpPop:
			put = broker.OpPush
		case broker.OpReleased:
			put = broker.OpReceived
		}
		s.records = slices.DeleteFunc(s.records, func(r broker.Record) bool {
			if op.Kind == broker.OpDropSession {
				return r.Num == op.Num && r.Kind != broker.OpRetain
			}
			if r.Kind != put || r.Num != op.Num {
				return false
			}
			return r.Key == op.Key && r.Seq == op.Seq || put == broker.OpPutSession
		})
		if put == op.Kind && op.Kind != broker.OpDropSession && !gone {
			s.records = append(s.records, op)
		}
	}
}

// doStore answers what kernels asked: store answers, store answers 1, store fails 1.
func (w *World) doStore(c *story.Command) error {
	if w.store == nil {
		return errors.New("no store was given")
	}
	var err error
	switch {
	case c.Flag("fails"):
		err = errDisk
	case !c.Flag("answers"):
		return errors.New("answers or fails")
	}
	n := settleMax
	if _, few := c.Pos(1); few == nil {
		var bad error
		if n, bad = count(c, 1); bad != nil {
			return bad
		}
	}
	for ; n > 0 && len(w.store.pending) > 0; n-- {
		w.store.answer(err)
	}
	return nil
}

// answer answers the oldest question.
func (s *store) answer(err error) {
	q := s.pending[0]
	s.pending = s.pending[1:]
	k := s.w.kernels[q.kernel]
	if q.query == nil {
		if err == nil {
			s.apply(q.ops)
		}
		if q.token != 0 {
			k.Written(s.w.now, q.token, err)
		}
		s.skip()
		return
	}
	var recs []broker.Record
	if err == nil {
		recs = s.find(*q.query)
	}
	k.Read(s.w.now, q.token, recs, err)
	s.skip()
}

// skip does what nobody waits for and is next.
func (s *store) skip() {
	for len(s.pending) > 0 && s.pending[0].query == nil && s.pending[0].token == 0 {
		s.apply(s.pending[0].ops)
		s.pending = s.pending[1:]
	}
}

// restore gives the sessions of the Store to new kernels, and lets them begin.
func (w *World) restore() error {
	kept := slices.DeleteFunc(slices.Clone(w.store.records), func(r broker.Record) bool {
		return r.Kind != broker.OpPutSession
	})
	for _, r := range kept {
		w.cfg.Numbers = max(w.cfg.Numbers, r.Num)
	}
	w.cfg.Boot++
	w.build()
	for _, r := range kept {
		k := w.kernels[broker.Home(r.Key, w.cfg.Peers)]
		if err := k.Restore(w.now, &r); err != nil {
			return err
		}
		k.Serve(w.lis)
	}
	for _, k := range w.kernels {
		k.Restored(w.now)
	}
	for len(w.wire) > 0 {
		w.move()
	}
	for _, k := range w.kernels {
		k.Begin(w.now)
	}
	return nil
}
