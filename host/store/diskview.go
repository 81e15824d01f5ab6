package store

import (
	"github.com/hpmq/hpmq/lite/broker"
)

// DiskView is a Disk as one kernel sees it: it is broker.Store. It belongs to the loop of its
// kernel. It never waits.
type DiskView struct {
	disk   *Disk
	post   Post
	margin margin
}

// View makes a view for one kernel. post must run what it is given on the loop of that kernel.
func (d *Disk) View(post Post) *DiskView {
	v := &DiskView{disk: d, post: post}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.views = append(d.views, v)
	return v
}

// Write is broker.Store.
func (v *DiskView) Write(t broker.Token, b *broker.Batch) bool {
	r := &request{view: v, token: t, batch: v.disk.split(b)}
	if len(r.batch.Ops) == 0 && len(b.Ops) > 0 && t == 0 && b.Group == 0 {
		return true
	}
	r.batch.Ops, r.bytes = own(r.batch.Ops)
	if !v.margin.pass(v.disk, r) && t != 0 {
		v.written([]answer{{t, ErrClosed}})
	}
	return t == 0
}

// Read is broker.Store. It answers by event, but for what is volatile.
func (v *DiskView) Read(t broker.Token, q broker.Query, visit func(broker.Record)) bool {
	if v.disk.findSys(q.Filter, visit) {
		return true
	}
	r := &request{view: v, token: t, query: q, read: true}
	if v.disk.line.passes(&q) {
		v.disk.ask(r)
	} else if !v.disk.line.put(r) {
		v.answer(func(k Kernel, now broker.Time) { k.Read(now, t, nil, ErrClosed) })
	}
	return false
}

func (v *DiskView) written(list []answer) {
	v.answer(func(k Kernel, now broker.Time) {
		for _, a := range list {
			k.Written(now, a.token, a.err)
		}
	})
}

func (v *DiskView) answer(f func(Kernel, broker.Time)) { v.post(f) }

// own is a copy of ops with bytes of its own: one piece for all. Bodies that were the same memory
// still are.
func own(ops []broker.Op) ([]broker.Op, int64) {
	n := 0
	var last []byte
	for i := range ops {
		n += len(ops[i].Value)
		if b := ops[i].Body; !same(b, last) {
			n += len(b)
			last = b
		}
	}
	buf := make([]byte, 0, n)
	list := make([]broker.Op, len(ops))
	bytes := int64(0)
	var lent, mine []byte
	for i := range ops {
		op := ops[i]
		bytes += int64(len(op.Key)+len(op.Value)+len(op.Body)) + 32
		if op.Value != nil {
			at := len(buf)
			buf = append(buf, op.Value...)
			op.Value = buf[at:len(buf):len(buf)]
		}
		if op.Body != nil {
			if !same(op.Body, lent) {
				at := len(buf)
				buf = append(buf, op.Body...)
				lent, mine = op.Body, buf[at:len(buf):len(buf)]
			}
			op.Body = mine
		}
		list[i] = op
	}
	return list, bytes
}

// same is true for the same memory.
func same(a, b []byte) bool {
	return len(a) == len(b) && len(a) > 0 && &a[0] == &b[0]
}

var _ broker.Store = (*DiskView)(nil)
