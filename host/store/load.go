package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/hpmq/hpmq/lite/broker"
)

// Part is one record of a store as Walk tells and Loader takes it. Which of its fields count, Kind
// says.
type Part struct {
	Kind PartKind
	// Op is the record as the kernel asked for it. Bytes are borrowed until return.
	Op broker.Op
	// Shared numbers a payload that many queues share, from 1 on; of a queued message 0 says that
	// its payload is its own. Sharers is how many have it.
	Shared  uint64
	Sharers uint64
	// Note is what a component made the broker remember; its Value is borrowed too.
	Note Note
}

// PartKind says what a Part is.
type PartKind byte

// The kinds, in the order in which Walk tells and Loader wants them: payloads that are shared, then
// for each session itself with all that is its, then what is retained, then what components made
// the broker remember.
const (
	PartShared PartKind = iota + 1
	PartSession
	PartReceived
	PartFlight
	PartQueued
	PartRetained
	PartNote
)

// loadBytes is about how much one group of a Loader holds.
const loadBytes = 4 << 20

// Walk tells of all that the store holds, until visit answers an error. Writes wait meanwhile, so
// visit must not ask for one.
func (d *Disk) Walk(visit func(Part) error) (err error) {
	if berr := d.between(func() { err = d.walk(visit, nil) }); berr != nil {
		return berr
	}
	return err
}

// WalkLeft is Walk that goes on behind what is damaged, and tells left of each such place. Messages
// whose payload many queues share are told with it, each.
func (d *Disk) WalkLeft(visit func(Part) error, left func(err error)) (err error) {
	skip := func(err error) error {
		left(err)
		return nil
	}
	if berr := d.between(func() { err = d.walk(visit, skip) }); berr != nil {
		return berr
	}
	return err
}

func (d *Disk) walk(visit func(Part) error, skip func(error) error) error {
	w := walking{d: d, visit: visit, shared: map[uint64]uint64{}, skip: skip}
	for _, step := range []func() error{w.payloads, w.sessions, w.retained, w.notes} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

type walking struct {
	d      *Disk
	visit  func(Part) error
	shared map[uint64]uint64 // the numbers told, by those of the store
	skip   func(error) error // hears of what is left out; nil ends by it
}

// left is the end of it, unless what is damaged is left out.
func (w *walking) left(err error) error {
	if w.skip == nil {
		return err
	}
	return w.skip(err)
}

// each is Disk.eachWithin for all that a walk looks at.
func (w *walking) each(prefix []byte, visit func(key, value []byte) error) error {
	return w.d.eachLeft(prefix, past(prefix), visit, w.left)
}

func (w *walking) payloads() error {
	if w.skip != nil {
		return nil // with each message
	}
	return w.each([]byte{kindShared}, func(key, value []byte) error {
		id := cutSeq(key)
		n, ok, err := w.d.get(sharedKey(nil, kindSharers, id))
		if err == nil && (!ok || len(n) != 8) {
			err = fmt.Errorf("%w: count of payload %d", errRecord, id)
		}
		if err != nil {
			return err
		}
		w.shared[id] = uint64(len(w.shared)) + 1
		return w.visit(Part{
			Kind: PartShared, Op: broker.Op{Body: value}, Shared: w.shared[id],
			Sharers: binary.BigEndian.Uint64(n),
		})
	})
}

func (w *walking) sessions() error {
	return w.d.sessions(func(r broker.Record) error {
		if err := w.visit(Part{Kind: PartSession, Op: r}); err != nil {
			return err
		}
		prefix := partKey(nil, r.Num, 0)
		return w.each(prefix[:len(prefix)-1], func(key, value []byte) error {
			return w.part(&r, key, value)
		})
	}, w.left)
}

// part tells of one record of a session.
func (w *walking) part(of *broker.Record, key, value []byte) error {
	if len(key) < 6 {
		return w.left(fmt.Errorf("%w: key %x", errRecord, key))
	}
	p := Part{Op: broker.Op{Num: of.Num, Key: of.Key, Seq: cutSeq(key)}}
	switch key[5] {
	case partReceived:
		p.Kind, p.Op.Kind = PartReceived, broker.OpReceived
		p.Op.Seq = uint64(binary.BigEndian.Uint16(key[len(key)-2:]))
	case partFlight:
		p.Kind, p.Op.Kind, p.Op.Value = PartFlight, broker.OpFlight, value
	case partEntry:
		if err := w.entry(&p, key, value); err != nil {
			return w.left(err)
		}
	default: // a hint
		return nil
	}
	return w.visit(p)
}

// entry reads a message of a queue.
func (w *walking) entry(p *Part, key, value []byte) error {
	e, err := readEntry(value)
	if err != nil {
		return fmt.Errorf("%w: key %x", err, key)
	}
	p.Kind, p.Op.Kind, p.Op.Value, p.Op.Body = PartQueued, broker.OpPush, e.value, e.body
	p.Op.Expire = e.expire
	if e.shared == 0 {
		return nil
	}
	missing := fmt.Errorf("%w: key %x: payload %d is not there", errRecord, key, e.shared)
	if w.skip == nil {
		if p.Shared = w.shared[e.shared]; p.Shared == 0 {
			return missing
		}
		return nil
	}
	body, ok, err := w.d.get(sharedKey(nil, kindShared, e.shared))
	if err == nil && !ok {
		err = missing
	}
	p.Op.Body = body
	return err
}

func (w *walking) retained() error {
	return w.each([]byte{kindRetained}, func(key, value []byte) error {
		r, err := readRetained(value)
		if err != nil {
			return w.left(fmt.Errorf("%w: retained %q", err, topicOf(key)))
		}
		return w.visit(Part{Kind: PartRetained, Op: broker.Op{
			Kind: broker.OpRetain, Key: topicOf(key), Value: r.value, Expire: r.expire,
		}})
	})
}

func (w *walking) notes() error {
	for _, kind := range []NoteKind{NoteKV, NoteHistory} {
		err := w.each([]byte{byte(kind)}, func(key, value []byte) error {
			n, err := readNote(key, value)
			if err != nil {
				return w.left(fmt.Errorf("%w: note %x", err, key))
			}
			return w.visit(Part{Kind: PartNote, Note: n})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Loader puts what Walk told into a store that nobody else uses.
type Loader struct {
	d      *Disk
	there  map[owner][]uint32 // before, by what is loaded in their place
	loaded map[string]bool    // clients whose session was
	num    uint32             // of the session that was loaded last, and its client
	client string
	last   uint32
	boot   uint64
	shared map[uint64]sharing
	bytes  int
}

// owner is whose a session is: its client's, or if it ended those whom it left something to.
type owner struct {
	client string
	estate bool
}

func ownerOf(op *broker.Op) owner {
	return owner{op.Key, string(op.Value) == broker.StoredEstate}
}

// sharing is a payload that was loaded.
type sharing struct {
	id    uint64
	bytes uint64
}

// Load runs f, with a Loader that holds until it returns, in place of all writes. What it loads is
// safe on the device when it returns. After an error there may be some of it: load into a store
// that is put in its place when it is whole.
func (d *Disk) Load(f func(*Loader) error) (err error) {
	if cerr := d.between(func() { err = d.load(f) }); cerr != nil {
		return cerr
	}
	return err
}

func (d *Disk) load(f func(*Loader) error) error {
	l := &Loader{
		d: d, there: map[owner][]uint32{}, loaded: map[string]bool{}, boot: d.boot,
		shared: map[uint64]sharing{},
	}
	err := d.Sessions(func(r broker.Record) error {
		who := ownerOf(&r)
		l.there[who], l.last = append(l.there[who], r.Num), max(l.last, r.Num)
		return nil
	})
	if err != nil {
		return err
	}
	d.tx.begin(d)
	if err := f(l); err != nil {
		d.tx.end()
		return err
	}
	l.d.tx.set(metaKey(metaBoot), binary.BigEndian.AppendUint64(nil, l.boot))
	if err := d.save(true); err != nil {
		return err
	}
	if err := d.db.Flush(); err != nil {
		return fmt.Errorf("store: load: %w", err)
	}
	return nil
}

// Errors of what is loaded.
var (
	ErrTwice    = errors.New("there twice")
	ErrOrphan   = errors.New("what it belongs to was not there before")
	ErrNoNumber = errors.New("no message, packet or payload can have that number")
)

// Put loads one record. What belongs to a session follows it. A session takes the place of that of
// the same client, the estates of a client that of those it had, a retained message that of its
// topic, a note that of its key. Numbers of sessions are the Loader's.
func (l *Loader) Put(p *Part) error {
	t := &l.d.tx
	switch p.Kind {
	case PartShared:
		return l.payload(p)
	case PartSession:
		return l.session(p)
	case PartRetained:
		t.apply(&p.Op)
		return l.put(&p.Op)
	case PartNote:
		t.jot(&p.Note)
		return l.put(&broker.Op{Key: p.Note.Key, Value: p.Note.Value})
	}
	switch {
	case l.num == 0 || l.client != p.Op.Key:
		return fmt.Errorf("session %q: %w", p.Op.Key, ErrOrphan)
	case p.Op.Seq == 0 || p.Op.Seq >= 1<<63 || p.Kind == PartReceived && p.Op.Seq > 65535:
		return fmt.Errorf("%d: %w", p.Op.Seq, ErrNoNumber)
	}
	p.Op.Num = l.num
	if p.Kind == PartQueued {
		l.boot = max(l.boot, p.Op.Seq>>40)
	}
	if p.Shared == 0 {
		l.apply(&p.Op)
		return l.put(&p.Op)
	}
	return l.refer(p)
}

// Forget removes all notes of a component or listener.
func (l *Loader) Forget(kind NoteKind, space string) error {
	l.d.tx.jot(&Note{Kind: kind, Space: space, Gone: true, Whole: true})
	if kind == NoteKV {
		l.d.tx.jot(&Note{Kind: kind, Space: space + schemaMark, Gone: true, Whole: true})
	}
	return l.d.tx.err
}

// apply is tx.apply with the message in the entry, however large.
func (l *Loader) apply(op *broker.Op) {
	t := &l.d.tx
	if op.Kind != broker.OpPush {
		t.apply(op)
		return
	}
	t.putEntry(op.Num, op.Seq, &entry{expire: op.Expire, value: op.Value, body: op.Body})
}

func (l *Loader) payload(p *Part) error {
	if _, twice := l.shared[p.Shared]; twice || p.Shared == 0 || p.Sharers == 0 {
		return fmt.Errorf("payload %d: %w", p.Shared, ErrTwice)
	}
	d := l.d
	d.payload++
	l.shared[p.Shared] = sharing{d.payload, uint64(len(p.Op.Body))}
	d.tx.set(sharedKey(nil, kindShared, d.payload), p.Op.Body)
	d.tx.set(sharedKey(nil, kindSharers, d.payload),
		binary.BigEndian.AppendUint64(nil, p.Sharers))
	return l.put(&p.Op)
}

// session makes room for a session and says that it is there.
func (l *Loader) session(p *Part) error {
	who := ownerOf(&p.Op)
	if !who.estate {
		if l.loaded[who.client] {
			return fmt.Errorf("session %q: %w", who.client, ErrTwice)
		}
		l.loaded[who.client] = true
	}
	for _, num := range l.there[who] {
		l.d.tx.apply(&broker.Op{Kind: broker.OpDropSession, Num: num, Seq: 1})
	}
	delete(l.there, who)
	l.last++
	l.num, l.client = l.last, who.client
	p.Op.Kind, p.Op.Num = broker.OpPutSession, l.num
	l.d.tx.apply(&p.Op)
	return l.put(&p.Op)
}

// refer loads a message whose payload was loaded before.
func (l *Loader) refer(p *Part) error {
	s, ok := l.shared[p.Shared]
	if !ok || p.Kind != PartQueued {
		return fmt.Errorf("payload %d: %w", p.Shared, ErrOrphan)
	}
	t := &l.d.tx
	e := entry{expire: p.Op.Expire, value: p.Op.Value, shared: s.id, size: s.bytes}
	t.putEntry(p.Op.Num, p.Op.Seq, &e)
	t.set(sharingKey(nil, p.Op.Num, p.Op.Seq), binary.BigEndian.AppendUint64(nil, s.id))
	t.grown[p.Op.Num]++
	return l.put(&p.Op)
}

// put commits what is staged when it is much.
func (l *Loader) put(op *broker.Op) error {
	l.bytes += len(op.Key) + len(op.Value) + len(op.Body) + 64
	if l.bytes < loadBytes {
		return l.d.tx.err
	}
	l.bytes = 0
	err := l.d.save(false)
	l.d.tx.begin(l.d)
	return err
}

// Compact has the database write all it holds anew, without what was removed, a range of keys after
// the other; progress hears of each and may be nil. It blocks for as long as that takes, or until
// ctx ends.
func (d *Disk) Compact(ctx context.Context, progress func(done, of int)) error {
	if err := d.db.Flush(); err != nil {
		return fmt.Errorf("store: compact: %w", err)
	}
	bounds := []byte{
		0, kindEnding, kindSharing, kindShared, kindQueue, kindRetained, kindSession, 0xFF,
	}
	for i := range len(bounds) - 1 {
		if err := d.db.Compact(ctx, bounds[i:i+1], bounds[i+1:i+2], false); err != nil {
			return fmt.Errorf("store: compact: %w", err)
		}
		if progress != nil {
			progress(i+1, len(bounds)-1)
		}
	}
	return nil
}
