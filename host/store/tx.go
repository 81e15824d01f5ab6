package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/hpmq/hpmq/lite/broker"
)

// runMin is how many messages in a row must go for one range deletion to be cheaper than as many
// point deletions: each makes every later read look at the ranges anew.
const runMin = 100

// tx is one group of writes on its way to the database, with what the committer must know of it
// before it is there. It is used again and again.
type tx struct {
	d     *Disk
	batch *pebble.Batch
	err   error
	key   []byte
	val   []byte
	lsn   uint64 // the number that the group gets
	nth   uint64 // retained messages in it, so far

	judged   map[uint64]struct{}     // groups
	retained map[string]retainedSize // as this group leaves them
	count    int64                   // of retained messages, and their bytes
	bytes    int64                   //
	due      []byte                  // up to where the index of expiry was swept
	runs     map[uint32]run          // messages to remove, by session
	shared   map[*byte]uint64        // of the write at work: payloads by their first byte
	refs     map[uint64]int64        // how many queues have a payload, as this group leaves it
	sharing  map[entryID]uint64      // by queue entry, as this group leaves it; 0 for gone
	grown    map[uint32]int          // how sharing of a session grew
	ending   map[entryID]broker.Time // when an entry expires, as this group leaves it; 0 for not
	marked   map[uint32]bool         // of sessions, as this group leaves it (expiry.go)
}

// retainedSize is what is known of a retained message: nothing if there is none.
type retainedSize struct {
	there  bool
	bytes  int64
	expire broker.Time
}

// stampBits hold how many retained messages came before in the same group.
const stampBits = 24

// run is messages of one queue in a row.
type run struct{ from, to uint64 }

// entryID names a message of a queue.
type entryID struct {
	num uint32
	seq uint64
}

// begin makes t empty.
func (t *tx) begin(d *Disk) {
	if t.retained == nil {
		*t = tx{
			judged: map[uint64]struct{}{}, retained: map[string]retainedSize{},
			runs: map[uint32]run{}, shared: map[*byte]uint64{}, refs: map[uint64]int64{},
			sharing: map[entryID]uint64{}, grown: map[uint32]int{},
			ending: map[entryID]broker.Time{}, marked: map[uint32]bool{},
		}
	}
	clear(t.judged)
	clear(t.retained)
	clear(t.runs)
	clear(t.refs)
	clear(t.sharing)
	clear(t.grown)
	clear(t.ending)
	clear(t.marked)
	t.d, t.err, t.batch = d, nil, d.db.NewBatch()
	t.lsn, t.nth, t.due = d.journal.Next(), 0, t.due[:0]
	t.count, t.bytes = d.stats.Retained, d.stats.RetainedBytes
}

// stamp orders retained messages among each other, and reads among them.
func (t *tx) stamp() uint64 { return t.lsn<<stampBits | min(t.nth, 1<<stampBits-1) }

// end lets go of the batch.
func (t *tx) end() {
	if err := t.batch.Close(); err != nil {
		t.d.trouble(fmt.Errorf("store: batch: %w", err))
	}
	t.batch = nil
}

func (t *tx) note(err error) { t.err = errors.Join(t.err, err) }

func (t *tx) set(key, value []byte) { t.note(t.batch.Set(key, value, nil)) }

func (t *tx) delete(key []byte) { t.note(t.batch.Delete(key, nil)) }

// apply stages one op.
func (t *tx) apply(op *broker.Op) {
	switch op.Kind {
	case broker.OpRetain:
		t.retain(op)
	case broker.OpUnretain:
		t.unretain(op.Key)
	case broker.OpPutSession:
		t.key = sessionKey(t.key[:0], op.Num)
		t.val = appendSession(t.val[:0], op.Key, op.Value)
		t.set(t.key, t.val)
	case broker.OpDropSession:
		t.dropSession(op)
	case broker.OpPush:
		t.push(op)
	case broker.OpPop:
		t.pop(op.Num, op.Seq)
	case broker.OpFlight:
		t.putOrDelete(seqKey(t.key[:0], op.Num, partFlight, op.Seq), op.Value)
	case broker.OpHead:
		t.val = binary.BigEndian.AppendUint64(t.val[:0], op.Seq)
		t.putOrDelete(partKey(t.key[:0], op.Num, partHead), t.val)
	case broker.OpReceived:
		t.key = receivedKey(t.key[:0], op.Num, op.Seq)
		t.set(t.key, nil)
	case broker.OpReleased:
		t.putOrDelete(receivedKey(t.key[:0], op.Num, op.Seq), nil)
	default:
		t.note(fmt.Errorf("store: no op of kind %d", op.Kind))
	}
}

// putOrDelete removes key if value is nil.
func (t *tx) putOrDelete(key, value []byte) {
	t.key = key
	if value == nil {
		t.delete(key)
		return
	}
	t.set(key, value)
}

// pop removes one message of a queue: later, with those next to it.
func (t *tx) pop(num uint32, seq uint64) {
	t.unshare(num, seq)
	t.unend(num, seq)
	r, ok := t.runs[num]
	switch {
	case !ok:
		r = run{seq, seq}
	case seq == r.to+1:
		r.to = seq
	default:
		t.remove(num, r)
		r = run{seq, seq}
	}
	t.runs[num] = r
}

// remove stages the deletion of a run.
func (t *tx) remove(num uint32, r run) {
	if r.to-r.from+1 >= runMin {
		from := seqKey(nil, num, partEntry, r.from)
		t.note(t.batch.DeleteRange(from, seqKey(nil, num, partEntry, r.to+1), nil))
		return
	}
	for seq := r.from; seq <= r.to; seq++ {
		t.key = seqKey(t.key[:0], num, partEntry, seq)
		t.delete(t.key)
	}
}

// dropSession removes a session. What this group did before to its queue goes first.
func (t *tx) dropSession(op *broker.Op) {
	t.key = sessionKey(t.key[:0], op.Num)
	t.delete(t.key)
	delete(t.runs, op.Num)
	if op.Seq == 0 {
		return
	}
	t.unshareAll(op.Num)
	t.unendAll(op.Num)
	t.note(t.batch.DeleteRange(
		partKey(nil, op.Num, 0), partKey(nil, op.Num, 0xFF), nil))
}

// seal stages what is only known at the end: runs, counts, and the number of the group.
func (t *tx) seal(lsn uint64) error {
	for num, r := range t.runs {
		t.remove(num, r)
	}
	t.sealShared()
	if len(t.retained) > 0 {
		t.val = binary.BigEndian.AppendUint64(t.val[:0], uint64(t.count))
		t.val = binary.BigEndian.AppendUint64(t.val, uint64(t.bytes))
		t.set(metaKey(metaRetained), t.val)
	}
	t.val = binary.BigEndian.AppendUint64(t.val[:0], lsn)
	t.set(metaKey(metaApplied), t.val)
	return t.err
}

// keep makes what the group leaves what is known.
func (t *tx) keep() {
	t.d.mu.Lock()
	t.d.stats.Retained, t.d.stats.RetainedBytes = t.count, t.bytes
	t.d.mu.Unlock()
	for num, n := range t.grown {
		if t.d.sharing[num] += n; t.d.sharing[num] <= 0 {
			delete(t.d.sharing, num)
		}
	}
	for num, has := range t.marked {
		t.d.marks.set(num, has)
	}
}
