package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/hpmq/hpmq/lite/broker"
)

// desk is where reads wait for those who read. What a read must see is in the database when it
// comes here.
type desk struct {
	mu     sync.Mutex
	more   sync.Cond
	jobs   []*request
	closed bool
}

func newDesk() *desk {
	x := &desk{}
	x.more.L = &x.mu
	return x
}

func (x *desk) put(jobs []*request) {
	if len(jobs) == 0 {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.jobs = append(x.jobs, jobs...)
	x.more.Broadcast()
}

// take waits for the next job; nil is the end.
func (x *desk) take() *request {
	x.mu.Lock()
	defer x.mu.Unlock()
	for len(x.jobs) == 0 && !x.closed {
		x.more.Wait()
	}
	if len(x.jobs) == 0 {
		return nil
	}
	r := x.jobs[0]
	x.jobs[0] = nil
	x.jobs = x.jobs[1:]
	return r
}

func (x *desk) close() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.closed = true
	x.more.Broadcast()
}

// ask puts a read that need not wait for the line where those who read find it.
func (d *Disk) ask(r *request) {
	d.mu.Lock()
	d.stats.Reads++
	d.mu.Unlock()
	d.desk.put([]*request{r})
}

// serve reads, one question after the other.
func (d *Disk) serve() {
	defer d.done.Done()
	for {
		r := d.desk.take()
		if r == nil {
			return
		}
		recs, err := d.find(&r.query)
		if err != nil {
			d.trouble(err)
		}
		r.view.answer(func(k Kernel, now broker.Time) { k.Read(now, r.token, recs, err) })
	}
}

// page is an answer under construction.
type page struct {
	recs  []broker.Record
	bytes int
	max   int
	limit int
	more  bool
	asOf  uint64 // what was retained later is left out
}

func newPage(q *broker.Query) *page { return &page{max: q.Max, limit: q.BytesMax} }

// full says that one more record of so many bytes is too many; the first never is.
func (p *page) full(size int) bool {
	if p.max <= 0 || len(p.recs) > 0 && (len(p.recs) >= p.max || p.bytes+size > p.limit) {
		p.more = true
	}
	return p.more
}

func (p *page) add(r broker.Record, size int) {
	p.recs = append(p.recs, r)
	p.bytes += size
}

// find answers what q asks for, in bytes of its own.
func (d *Disk) find(q *broker.Query) ([]broker.Record, error) {
	if q.Filter != "" {
		return d.findRetained(q)
	}
	return d.findQueue(q)
}

func (d *Disk) findQueue(q *broker.Query) ([]broker.Record, error) {
	var before []broker.Record
	from := q.From
	if q.Whole {
		var err error
		if before, from, err = d.findWhole(q); err != nil {
			return nil, err
		}
	}
	flown := make(map[uint64]bool)
	for i := range before {
		if before[i].Kind == broker.OpFlight {
			flown[before[i].Seq] = true
		}
	}
	p := newPage(q)
	count := broker.Record{Kind: broker.OpCount, Num: q.Num}
	lower := seqKey(nil, q.Num, partEntry, from)
	err := d.eachBetween(lower, partKey(nil, q.Num, partEntry+1), func(key, v []byte) error {
		e, err := readEntry(v)
		if err != nil {
			return fmt.Errorf("%w: entry %x", err, key)
		}
		count.Seq++
		count.Bytes += e.bytes()
		seq := cutSeq(key)
		if p.more || flown[seq] {
			return nil
		}
		if !p.full(int(e.bytes())) {
			rec, err := d.push(q.Num, seq, &e)
			p.add(rec, int(e.bytes()))
			return err
		}
		if !q.Whole {
			return errEnough
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if q.Whole {
		before = append([]broker.Record{count}, before...)
	}
	if p.more {
		last := uint64(0) // nothing yet
		if n := len(p.recs); n > 0 {
			last = p.recs[n-1].Seq
		}
		p.recs = append(p.recs, broker.Record{Kind: broker.OpMore, Num: q.Num, Seq: last})
	}
	return append(before, p.recs...), nil
}

// push is an entry as a record of its own.
func (d *Disk) push(num uint32, seq uint64, e *entry) (broker.Record, error) {
	rec := broker.Record{Kind: broker.OpPush, Num: num, Seq: seq, Expire: e.expire}
	if e.shared == 0 {
		buf := append(append(make([]byte, 0, len(e.value)+len(e.body)), e.value...), e.body...)
		rec.Value, rec.Body = buf[:len(e.value):len(e.value)], buf[len(e.value):]
		return rec, nil
	}
	rec.Value = append([]byte(nil), e.value...)
	body, ok, err := d.get(sharedKey(nil, kindShared, e.shared))
	if err == nil && !ok {
		err = fmt.Errorf("%w: payload %d of session %d is missing", errRecord, e.shared, num)
	}
	rec.Body = body
	return rec, err
}

// findWhole answers packet identifiers and flights of a session, and where its queue begins.
func (d *Disk) findWhole(q *broker.Query) (recs []broker.Record, from uint64, err error) {
	from = q.From
	head, ok, err := d.get(partKey(nil, q.Num, partHead))
	if err != nil {
		return nil, 0, err
	}
	if ok && len(head) == 8 {
		from = max(from, binary.BigEndian.Uint64(head))
	}
	prefix := partKey(nil, q.Num, partReceived)
	err = d.eachWithin(prefix, func(key, _ []byte) error {
		if len(key) != len(prefix)+2 {
			return fmt.Errorf("%w: received %x", errRecord, key)
		}
		id := binary.BigEndian.Uint16(key[len(prefix):])
		recs = append(recs, broker.Record{
			Kind: broker.OpReceived, Num: q.Num, Seq: uint64(id),
		})
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	lower := seqKey(nil, q.Num, partFlight, from)
	err = d.eachBetween(lower, partKey(nil, q.Num, partFlight+1), func(key, v []byte) error {
		recs = append(recs, broker.Record{
			Kind: broker.OpFlight, Num: q.Num, Seq: cutSeq(key), Value: append([]byte(nil), v...),
		})
		more, err := d.flown(q.Num, cutSeq(key))
		recs = append(recs, more...)
		return err
	})
	return recs, from, err
}

// flown is the message of a flight, none if it is not there.
func (d *Disk) flown(num uint32, seq uint64) ([]broker.Record, error) {
	v, ok, err := d.get(seqKey(nil, num, partEntry, seq))
	if err != nil || !ok {
		return nil, err
	}
	e, err := readEntry(v)
	if err != nil {
		return nil, fmt.Errorf("%w: entry %d of session %d", err, seq, num)
	}
	rec, err := d.push(num, seq, &e)
	return []broker.Record{rec}, err
}

// findRetained answers retained messages in the order of their keys.
func (d *Disk) findRetained(q *broker.Query) (recs []broker.Record, err error) {
	w := newWalk(q.Filter)
	from := w.first()
	if q.After != "" {
		from = append(retainedKey(nil, q.After), 0)
	}
	it, err := d.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: w.end()})
	if err != nil {
		return nil, fmt.Errorf("store: read: %w", err)
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	p := newPage(q)
	p.asOf = q.AsOf
	for ok := it.First(); ok; {
		next, match := w.judge(it.Key())
		if !match && next == nil {
			break
		}
		if match {
			if err := p.addRetained(it); err != nil {
				return nil, err
			}
			if p.more {
				break
			}
		}
		if next == nil || match {
			ok = it.Next()
		} else {
			ok = it.SeekGE(next)
		}
	}
	if p.more {
		last := p.recs[len(p.recs)-1].Key
		p.recs = append(p.recs, broker.Record{Kind: broker.OpMore, Key: last, Seq: q.AsOf})
	}
	return p.recs, it.Error()
}

func (p *page) addRetained(it *pebble.Iterator) error {
	v, err := it.ValueAndErr()
	if err != nil {
		return fmt.Errorf("store: read: %w", err)
	}
	r, err := readRetained(v)
	if err != nil {
		return fmt.Errorf("%w: retained %q", err, it.Key())
	}
	if r.stamp > p.asOf || p.full(len(v)) {
		return nil
	}
	p.add(broker.Record{
		Kind: broker.OpRetain, Key: topicOf(it.Key()), Expire: r.expire,
		Value: append([]byte(nil), r.value...),
	}, len(v))
	return nil
}
