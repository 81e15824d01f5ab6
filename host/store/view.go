package store

import "github.com/hpmq/hpmq/lite/broker"

// Post brings f to the kernel of a view, later, on its loop. What is posted runs in order.
type Post func(f func(k Kernel, now broker.Time))

// Kernel is what gets the answers that do not come at once.
type Kernel interface {
	Written(now broker.Time, t broker.Token, err error)
	Read(now broker.Time, t broker.Token, recs []broker.Record, err error)
	// Expired says which messages left the queues of sessions because they expired; they may be
	// those of another kernel. It must not change gone.
	Expired(now broker.Time, gone []broker.Record)
}

// View is a Memory as one kernel sees it: it is broker.Store. It belongs to the loop of its kernel.
//
// It answers at once, but for a refusal, which the port brings by event only. While an event is
// on its way all other answers go by event too, so that they come in the order they were asked
// for.
type View struct {
	memory *Memory
	post   Post
	late   bool
	ahead  int // events on their way
	recs   []broker.Record
}

// View makes a view for one kernel. post must run what it is given on the loop of that kernel.
func (m *Memory) View(post Post) *View { return &View{memory: m, post: post} }

// LateView is View that answers everything by event, as a store on a disk would.
func (m *Memory) LateView(post Post) *View { return &View{memory: m, post: post, late: true} }

// Write is broker.Store. It may wait for the lock that all views share, which is held shortly.
func (v *View) Write(t broker.Token, b *broker.Batch) bool {
	err := v.memory.write(b.Ops)
	if t == 0 {
		return true
	}
	if err == nil && !v.late && v.ahead == 0 {
		return true
	}
	v.answer(func(k Kernel, now broker.Time) { k.Written(now, t, err) })
	return false
}

// Read is broker.Store. Of sessions it finds nothing.
func (v *View) Read(t broker.Token, q broker.Query, visit func(broker.Record)) bool {
	if v.late || v.ahead > 0 {
		recs := v.fetch(nil, q)
		v.answer(func(k Kernel, now broker.Time) { k.Read(now, t, recs, nil) })
		return false
	}
	// visit runs without the lock: it may lead to a Write. recs is taken meanwhile, for it may
	// lead to another Read.
	recs := v.fetch(v.recs[:0], q)
	v.recs = nil
	for i := range recs {
		visit(recs[i])
	}
	clear(recs)
	v.recs = recs[:0]
	return true
}

func (v *View) fetch(dst []broker.Record, q broker.Query) []broker.Record {
	if q.Filter == "" {
		return dst
	}
	return v.memory.read(dst, q.Filter)
}

func (v *View) answer(f func(k Kernel, now broker.Time)) {
	v.ahead++
	v.post(func(k Kernel, now broker.Time) {
		v.ahead--
		f(k, now)
	})
}
