package store

import (
	"encoding/binary"

	"github.com/hpmq/hpmq/lite/broker"
)

// What expires is named in an index by time (kindExpiry, kindEnding), in the same batch as the
// record itself, so that what expired is found without looking at what did not.
//
// The index of queues costs a read for each message that leaves a queue: when it would have
// expired. So that only those pay who have such messages, a session that ever had one has a mark
// (partExpires), and the committer knows the marks of the sessions it met (marks).

const (
	// sweepEvery, ms, is how often the index is looked at. What a sweep leaves is swept at the next
	// tick.
	sweepEvery = 1_000
	// sweepMax bounds how much one sweep removes, so that writes do not wait for it.
	sweepMax = 1000
	// sweepGrace, ms, is how long a message stays in a queue behind its end: a kernel that began to
	// send it just before must have said so.
	sweepGrace = 5000
)

// marks says which sessions have the mark, as far as it is known: two bits for each number.
type marks map[uint32]struct{ known, has uint64 }

func (m marks) get(num uint32) (has, known bool) {
	x, bit := m[num>>6], uint64(1)<<(num&63)
	return x.has&bit != 0, x.known&bit != 0
}

func (m marks) set(num uint32, has bool) {
	x, bit := m[num>>6], uint64(1)<<(num&63)
	x.known |= bit
	if x.has |= bit; !has {
		x.has &^= bit
	}
	m[num>>6] = x
}

// expires is true if a message of the session may be in the index.
func (t *tx) expires(num uint32) bool {
	if has, known := t.marked[num]; known {
		return has
	}
	if has, known := t.d.marks.get(num); known {
		return has
	}
	_, has, err := t.d.get(partKey(nil, num, partExpires))
	t.note(err)
	t.marked[num] = has
	return has
}

// putEntry stages an entry and when it expires.
func (t *tx) putEntry(num uint32, seq uint64, e *entry) {
	t.key = seqKey(t.key[:0], num, partEntry, seq)
	t.val = appendEntry(t.val[:0], e)
	t.set(t.key, t.val)
	if e.expire == 0 {
		return
	}
	if !t.expires(num) {
		t.marked[num] = true
		t.set(partKey(nil, num, partExpires), nil)
	}
	t.ending[entryID{num, seq}] = e.expire
	t.key = endingKey(t.key[:0], e.expire, num, seq)
	t.set(t.key, nil)
}

// unend takes an entry that goes out of the index.
func (t *tx) unend(num uint32, seq uint64) {
	if !t.expires(num) {
		return
	}
	at := entryID{num, seq}
	expire, known := t.ending[at]
	if !known {
		v, ok, err := t.d.get(seqKey(nil, num, partEntry, seq))
		t.note(err)
		if e, err := readEntry(v); ok && err == nil {
			expire = e.expire
		}
	}
	t.ended(at, expire)
}

// ended stages that an entry is not in the index any more; expire 0 says that it is not.
func (t *tx) ended(at entryID, expire broker.Time) {
	t.ending[at] = 0
	if expire != 0 {
		t.key = endingKey(t.key[:0], expire, at.num, at.seq)
		t.delete(t.key)
	}
}

// unendAll takes all entries of a session out of the index.
func (t *tx) unendAll(num uint32) {
	if !t.expires(num) {
		return
	}
	for at, expire := range t.ending {
		if at.num == num {
			t.ended(at, expire)
		}
	}
	t.note(t.d.eachWithin(partKey(nil, num, partEntry), func(key, value []byte) error {
		at := entryID{num, cutSeq(key)}
		e, err := readEntry(value)
		if _, known := t.ending[at]; !known && err == nil && e.expire != 0 {
			t.ended(at, e.expire)
		}
		return nil
	}))
	t.marked[num] = false
}

// sweep removes what expired, a bounded part of it at a time.
func (d *Disk) sweep() {
	now := d.cfg.Now()
	if now >= d.swept && now-d.swept < sweepEvery {
		return
	}
	d.swept = now
	retained, err := d.sweepRetained(now)
	if err != nil {
		d.trouble(err)
		return
	}
	queued, err := d.sweepQueues(now - sweepGrace)
	if err != nil {
		d.trouble(err)
		return
	}
	if retained || queued {
		d.swept = now - sweepEvery // there is more
	}
}

// sweepRetained removes the retained messages that expired. True: there may be more.
func (d *Disk) sweepRetained(now broker.Time) (more bool, err error) {
	var topics []string
	end := expiryKey(nil, now+1, "")
	err = d.eachBetween([]byte{kindExpiry}, end, func(key, _ []byte) error {
		if len(key) > 9 {
			topics = append(topics, string(key[9:]))
		}
		if len(topics) >= sweepMax {
			return errEnough
		}
		return nil
	})
	if err != nil || len(topics) == 0 {
		return false, err
	}
	d.tx.begin(d)
	for _, topic := range topics {
		if s := d.tx.size(topic); s.there && s.expire != 0 && s.expire <= now {
			d.tx.unretain(topic)
		}
	}
	return len(topics) >= sweepMax, d.save(false)
}

// ending is one message of the index.
type ending struct {
	at     entryID
	expire broker.Time
}

// sweepQueues removes the messages of queues that expired, and tells the kernels. True: there may
// be more.
func (d *Disk) sweepQueues(now broker.Time) (more bool, err error) {
	var list []ending
	end := endingKey(nil, max(0, now)+1, 0, 0)
	err = d.eachBetween([]byte{kindEnding}, end, func(key, _ []byte) error {
		if x, ok := readEnding(key); ok {
			list = append(list, x)
		}
		if len(list) >= sweepMax {
			return errEnough
		}
		return nil
	})
	if err != nil || len(list) == 0 {
		return false, err
	}
	d.tx.begin(d)
	var gone []broker.Record
	for i := range list {
		gone = d.expire(gone, &list[i])
	}
	if err := d.save(false); err != nil {
		return false, err
	}
	d.bury(gone)
	return len(list) >= sweepMax, nil
}

// expire takes x out of the index, and out of its queue unless it is on its way to the client:
// onward delivery that began goes on [MQTT-3.3.2-5].
func (d *Disk) expire(gone []broker.Record, x *ending) []broker.Record {
	t, num, seq := &d.tx, x.at.num, x.at.seq
	t.ended(x.at, x.expire)
	v, ok, err := d.get(seqKey(nil, num, partEntry, seq))
	t.note(err)
	e, err := readEntry(v)
	if !ok || err != nil || e.expire != x.expire {
		return gone // it is not what was named
	}
	_, sent, err := d.get(seqKey(nil, num, partFlight, seq))
	t.note(err)
	if sent {
		return gone
	}
	t.pop(num, seq)
	return append(gone, broker.Record{
		Kind: broker.OpPop, Num: num, Seq: seq, Bytes: e.bytes(),
	})
}

// bury tells the kernels which messages went. A session is in one of them.
func (d *Disk) bury(gone []broker.Record) {
	if len(gone) == 0 {
		return
	}
	names := map[uint32]string{}
	for i := range gone {
		r := &gone[i]
		id, known := names[r.Num]
		if !known {
			v, ok, err := d.get(sessionKey(nil, r.Num))
			if name, _, rerr := readSession(v); ok && err == nil && rerr == nil {
				id = string(name)
			}
			names[r.Num] = id
		}
		r.Key = id
	}
	d.mu.Lock()
	d.stats.Expired += uint64(len(gone))
	views := d.views
	d.mu.Unlock()
	for _, v := range views {
		v.answer(func(k Kernel, now broker.Time) { k.Expired(now, gone) })
	}
}

// endingKey names a message of a queue by when it expires.
func endingKey(dst []byte, at broker.Time, num uint32, seq uint64) []byte {
	dst = binary.BigEndian.AppendUint64(append(dst, kindEnding), uint64(at))
	dst = binary.BigEndian.AppendUint32(dst, num)
	return binary.BigEndian.AppendUint64(dst, seq)
}

func readEnding(key []byte) (x ending, ok bool) {
	if len(key) != 21 {
		return x, false
	}
	x.expire = broker.Time(binary.BigEndian.Uint64(key[1:]))
	x.at = entryID{binary.BigEndian.Uint32(key[9:]), binary.BigEndian.Uint64(key[13:])}
	return x, true
}
