package store

import (
	"encoding/binary"
	"fmt"

	"github.com/hpmq/hpmq/lite/broker"
)

// A message that goes to many queues and is large stands once, as a payload of its own. Each queue
// entry that refers to it is named in a record of its own too (kindSharing), and the payload has a
// count of them (kindSharers), both kept in the same batch as the entry: the payload goes with the
// last of its entries, however those go.

// share finds the messages that several ops of one write have in common.
func (t *tx) share(ops []broker.Op) {
	clear(t.shared)
	for i := range ops {
		op := &ops[i]
		if op.Kind != broker.OpPush || len(op.Body) <= t.d.cfg.InlineBytesMax {
			continue
		}
		first := &op.Body[0]
		if id, seen := t.shared[first]; !seen {
			t.shared[first] = 0 // one has it
		} else if id == 0 {
			t.d.payload++
			t.shared[first] = t.d.payload
			t.key = sharedKey(t.key[:0], kindShared, t.d.payload)
			t.set(t.key, op.Body)
			t.refs[t.d.payload] = 0
		}
	}
}

// push stages a message of a queue.
func (t *tx) push(op *broker.Op) {
	e := entry{expire: op.Expire, value: op.Value, body: op.Body}
	if len(op.Body) > t.d.cfg.InlineBytesMax {
		e.shared, e.size = t.shared[&op.Body[0]], uint64(len(op.Body))
	}
	t.putEntry(op.Num, op.Seq, &e)
	if e.shared == 0 {
		return
	}
	t.refs[e.shared]++
	t.sharing[entryID{op.Num, op.Seq}] = e.shared
	t.grown[op.Num]++
	t.key = sharingKey(t.key[:0], op.Num, op.Seq)
	t.val = binary.BigEndian.AppendUint64(t.val[:0], e.shared)
	t.set(t.key, t.val)
}

// unshare takes note that an entry goes.
func (t *tx) unshare(num uint32, seq uint64) {
	if t.d.sharing[num]+t.grown[num] <= 0 {
		return
	}
	at := entryID{num, seq}
	id, known := t.sharing[at]
	if !known {
		v, ok, err := t.d.get(sharingKey(nil, num, seq))
		t.note(err)
		if !ok || len(v) != 8 {
			return
		}
		id = binary.BigEndian.Uint64(v)
	}
	t.release(at, id)
}

// release takes one entry off a payload.
func (t *tx) release(at entryID, id uint64) {
	if id == 0 {
		return // gone already
	}
	t.sharing[at] = 0
	t.grown[at.num]--
	t.key = sharingKey(t.key[:0], at.num, at.seq)
	t.delete(t.key)
	t.refs[id] = t.sharers(id) - 1
}

// sharers is how many entries have a payload.
func (t *tx) sharers(id uint64) int64 {
	if n, known := t.refs[id]; known {
		return n
	}
	v, ok, err := t.d.get(sharedKey(nil, kindSharers, id))
	t.note(err)
	if !ok || len(v) != 8 {
		t.note(fmt.Errorf("%w: count of payload %d", errRecord, id))
		return 0
	}
	return int64(binary.BigEndian.Uint64(v))
}

// unshareAll takes note that all entries of a session go.
func (t *tx) unshareAll(num uint32) {
	if t.d.sharing[num]+t.grown[num] <= 0 {
		return
	}
	for at, id := range t.sharing {
		if at.num == num {
			t.release(at, id)
		}
	}
	prefix := binary.BigEndian.AppendUint32([]byte{kindSharing}, num)
	t.note(t.d.eachWithin(prefix, func(key, value []byte) error {
		at := entryID{num, cutSeq(key)}
		if _, known := t.sharing[at]; !known && len(value) == 8 {
			t.release(at, binary.BigEndian.Uint64(value))
		}
		return nil
	}))
}

// sealShared stages the counts, and removes what nobody has any more.
func (t *tx) sealShared() {
	for id, n := range t.refs {
		t.key = sharedKey(t.key[:0], kindSharers, id)
		if n > 0 {
			t.val = binary.BigEndian.AppendUint64(t.val[:0], uint64(n))
			t.set(t.key, t.val)
			continue
		}
		t.delete(t.key)
		t.key = sharedKey(t.key[:0], kindShared, id)
		t.delete(t.key)
	}
}
