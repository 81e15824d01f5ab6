package sim

import (
	"slices"

	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/topic"
)

// store keeps retained messages for all kernels, and answers each kernel late and in order, or at
// once if the seed says so. What else it is given it acknowledges only: kernels do not restart
// here.
type store struct {
	w        *world
	slow     int // the longest delay; 0 answers at once
	last     []broker.Time
	retained []broker.Record
	waiting  int
}

func newStore(w *world, kernels int) *store {
	s := &store{w: w, last: make([]broker.Time, kernels)}
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
	kept := make([]broker.Op, 0, len(b.Ops))
	for _, op := range b.Ops {
		if op.Kind == broker.OpRetain || op.Kind == broker.OpUnretain {
			op.Value = slices.Clone(op.Value)
			kept = append(kept, op)
		}
	}
	if s.w.cfg.LoseOp > 0 && s.w.often(s.w.cfg.LoseOp) {
		kept = nil
	}
	if s.slow == 0 {
		s.apply(kept)
		return true
	}
	s.later(func(k *broker.Kernel) {
		s.apply(kept)
		k.Written(s.w.now, t, nil)
	})
	return false
}

// Read implements broker.Store.
func (s shelf) Read(t broker.Token, q broker.Query, visit func(broker.Record)) bool {
	if s.slow == 0 {
		for _, r := range s.find(q) {
			visit(r)
		}
		return true
	}
	s.later(func(k *broker.Kernel) { k.Read(s.w.now, t, s.find(q), nil) })
	return false
}

func (s shelf) later(do func(*broker.Kernel)) {
	w := s.w
	s.waiting++
	s.last[s.kernel] = max(s.last[s.kernel], w.now+w.upTo(s.slow))
	w.after(s.last[s.kernel]-w.now, func() {
		s.waiting--
		do(w.kernels[s.kernel])
	})
}

func (s *store) apply(ops []broker.Op) {
	for _, op := range ops {
		i := slices.IndexFunc(s.retained, func(r broker.Record) bool { return r.Key == op.Key })
		if i >= 0 {
			s.retained = slices.Delete(s.retained, i, i+1)
		}
		if op.Kind == broker.OpRetain {
			s.retained = append(s.retained, op)
		}
	}
}

func (s *store) find(q broker.Query) []broker.Record {
	var out []broker.Record
	for _, r := range s.retained {
		if q.Filter != "" && topic.Match(q.Filter, []byte(r.Key)) {
			r.Value = slices.Clone(r.Value)
			out = append(out, r)
		}
	}
	return out
}
