package store

import "github.com/hpmq/hpmq/lite/broker"

// A read finds what its kernel asked for before. Most often that is in the database when the read
// is asked for: then it does not go through the line, where it would wait for the device with what
// others write. So a session that comes back is read page after page while the device syncs.

// Only so much of the line is looked at for a read; a line that is longer is waited for.
const (
	lookRequestsMax = 1024
	lookOpsMax      = 8192
)

// passes is true for a read of a queue that finds in the database what it must, whatever becomes of
// the writes on their way.
func (l *line) passes(q *broker.Query) bool {
	if q.Filter != "" {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.owing || len(l.busy)+len(l.items) > lookRequestsMax {
		return false
	}
	ops := 0
	for _, list := range [][]*request{l.busy, l.items} {
		for _, r := range list {
			if ops += len(r.batch.Ops); ops > lookOpsMax || r.concerns(q) {
				return false
			}
		}
	}
	return true
}

// concerns is true for a write that a read must see, or that is waited for by the session that is
// read: its answer comes before that of the read. That messages go of which the read is not asked,
// as acknowledgements make them, does not concern it.
func (r *request) concerns(q *broker.Query) bool {
	for i := range r.batch.Ops {
		op := &r.batch.Ops[i]
		if op.Num != q.Num {
			continue
		}
		gone := op.Kind == broker.OpPop && op.Seq < q.From || op.Kind == broker.OpHead
		if q.Whole || r.token != 0 || r.batch.Group != 0 || !gone {
			return true
		}
	}
	return false
}

// done says that what was taken is in the database, or refused, or owed: owing says that something
// is.
func (l *line) done(owing bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy, l.owing = nil, owing
}
