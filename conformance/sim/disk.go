package sim

import (
	"maps"
	"slices"
	"strings"

	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/topic"
)

// place is where a record is kept.
type place struct {
	kind broker.OpKind
	num  uint32
	seq  uint64
	key  string
}

// disk is what is kept.
type disk map[place]broker.Op

func (d disk) apply(ops []broker.Op) {
	for _, op := range ops {
		at := place{kind: op.Kind, num: op.Num, seq: op.Seq}
		switch op.Kind {
		case broker.OpRetain:
			d[place{kind: broker.OpRetain, key: op.Key}] = op
		case broker.OpUnretain:
			delete(d, place{kind: broker.OpRetain, key: op.Key})
		case broker.OpPutSession:
			d[place{kind: op.Kind, num: op.Num}] = op
		case broker.OpDropSession:
			maps.DeleteFunc(d, func(p place, _ broker.Op) bool { return p.num == op.Num })
		case broker.OpPush, broker.OpReceived:
			d[at] = op
		case broker.OpPop:
			delete(d, place{kind: broker.OpPush, num: op.Num, seq: op.Seq})
		case broker.OpHead:
			maps.DeleteFunc(d, func(p place, _ broker.Op) bool {
				return p.kind == broker.OpPush && p.num == op.Num && p.seq < op.Seq
			})
		case broker.OpReleased:
			delete(d, place{kind: broker.OpReceived, num: op.Num, seq: op.Seq})
		case broker.OpFlight:
			if d[at] = op; op.Value == nil {
				delete(d, at)
			}
		}
	}
}

// all are the records of one kind of a session, in order; of retained messages those of all topics.
func (d disk) all(kind broker.OpKind, num uint32) (out []broker.Record) {
	for p, r := range d {
		if p.kind == kind && p.num == num {
			r.Value, r.Body = slices.Clone(r.Value), slices.Clone(r.Body)
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b broker.Record) int {
		if a.Seq != b.Seq {
			return int(int64(a.Seq - b.Seq))
		}
		return strings.Compare(a.Key, b.Key)
	})
	return out
}

// sessions are the states of all sessions, by number.
func (d disk) sessions() (out []broker.Record) {
	for p, r := range d {
		if p.kind == broker.OpPutSession {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b broker.Record) int { return int(a.Num) - int(b.Num) })
	return out
}

func (d disk) find(q *broker.Query) []broker.Record {
	if q.Filter != "" {
		return d.retained(q)
	}
	entries := d.all(broker.OpPush, q.Num)
	var out []broker.Record
	if q.Whole {
		out, entries = d.whole(q.Num, entries)
	}
	n, last := 0, uint64(0)
	most := min(q.Max, pageMax)
	if q.Whole {
		most = q.Max
	}
	for _, e := range entries {
		if e.Seq < q.From {
			continue
		}
		if n >= most {
			return append(out, broker.Record{Kind: broker.OpMore, Seq: last})
		}
		n, last = n+1, e.Seq
		out = append(out, e)
	}
	return out
}

func (d disk) retained(q *broker.Query) (out []broker.Record) {
	for _, r := range d.all(broker.OpRetain, 0) {
		switch {
		case r.Key <= q.After || !topic.Match(q.Filter, []byte(r.Key)):
		case len(out) == pageMax:
			return append(out, broker.Record{Kind: broker.OpMore, Key: out[len(out)-1].Key})
		default:
			out = append(out, r)
		}
	}
	return out
}

// whole is what a session has beside its queue, and what is left of that without the flights.
func (d disk) whole(num uint32, entries []broker.Record) (out, rest []broker.Record) {
	out = append(out, broker.Record{Kind: broker.OpCount, Seq: uint64(len(entries))})
	out = append(out, d.all(broker.OpReceived, num)...)
	for _, f := range d.all(broker.OpFlight, num) {
		out = append(out, f)
		i := slices.IndexFunc(entries, func(e broker.Record) bool { return e.Seq == f.Seq })
		if i >= 0 {
			out = append(out, entries[i])
			entries = slices.Delete(entries, i, i+1)
		}
	}
	return out, entries
}
