package flash

import (
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/topic"
)

// ErrFull refuses what would go beyond a limit of the Config.
var ErrFull = errors.New("flash: full")

// ErrKind refuses what this store does not keep: sessions.
var ErrKind = errors.New("flash: only retained messages are kept")

// entry is a retained message. It never changes, so readers may hold it.
type entry struct {
	op     broker.Op
	onFile int64 // bytes of its record
}

func (e *entry) bytes() int64 { return int64(len(e.op.Key) + len(e.op.Value)) }

// index is all that is kept.
type index struct {
	all    map[string]*entry
	names  topic.Names[*entry] // the same, to be found by filter
	bytes  int64
	onFile int64
	swept  broker.Time
}

// change is how to undo an op: the entry that was there, or nil.
type change struct {
	key string
	old *entry
}

// check refuses ops that this store does not keep, or that grow what is kept beyond a limit.
func (x *index) check(ops []broker.Op, cfg *Config) error {
	err := x.fits(ops, cfg)
	if !errors.Is(err, ErrFull) {
		return err
	}
	if now := cfg.Now(); now >= x.swept+sweepEvery {
		x.sweep(now)
		return x.fits(ops, cfg)
	}
	return err
}

// sweepEvery, ms, is how often a full store looks for what expired: it looks at all there is.
const sweepEvery = 1000

func (x *index) fits(ops []broker.Op, cfg *Config) error {
	count, bytes := len(x.all), x.bytes
	grows := false
	for i := range ops {
		op := &ops[i]
		if op.Kind == broker.OpUnretain {
			continue
		}
		if op.Kind != broker.OpRetain {
			return fmt.Errorf("%w, not ops of kind %d", ErrKind, op.Kind)
		}
		grow := int64(len(op.Key) + len(op.Value))
		if old := x.all[op.Key]; old != nil {
			grow -= old.bytes()
		} else {
			count++
		}
		grows = grows || grow > 0
		bytes += grow
	}
	switch {
	case grows && count > cfg.EntriesMax:
		return fmt.Errorf("%w: %d retained messages", ErrFull, cfg.EntriesMax)
	case grows && bytes > cfg.BytesMax:
		return fmt.Errorf("%w: %d bytes of retained messages", ErrFull, cfg.BytesMax)
	}
	return nil
}

// apply does ops, whose bytes belong to the index from now on, and appends to undo how to undo
// them.
func (x *index) apply(ops []broker.Op, undo []change) []change {
	for i := range ops {
		op := &ops[i]
		undo = append(undo, change{op.Key, x.all[op.Key]})
		if op.Kind == broker.OpUnretain {
			x.set(op.Key, nil)
			continue
		}
		x.set(op.Key, &entry{op: *op, onFile: recordBytes(op)})
	}
	return undo
}

// recordBytes is what an op takes in a record of its own. In one with others it is a little less.
func recordBytes(op *broker.Op) int64 {
	const varints = 10 // three of them; what they are off by is of no weight beside a garbage share
	return prefixBytes + 1 + varints + int64(len(op.Key)+len(op.Value))
}

// undo goes back over what apply noted.
func (x *index) undo(changes []change) {
	for _, c := range slices.Backward(changes) {
		x.set(c.key, c.old)
	}
}

// set makes e what is kept under key; nil removes.
func (x *index) set(key string, e *entry) {
	if old := x.all[key]; old != nil {
		x.bytes -= old.bytes()
		x.onFile -= old.onFile
	}
	if e == nil {
		delete(x.all, key)
		x.names.Delete(key)
		return
	}
	x.all[key] = e
	x.names.Put(key, e)
	x.bytes += e.bytes()
	x.onFile += e.onFile
}

// sweep forgets what expired.
func (x *index) sweep(now broker.Time) {
	x.swept = now
	for key, e := range x.all {
		if e.op.Expire != 0 && e.op.Expire <= now {
			x.set(key, nil)
		}
	}
}

// sorted is all there is, by topic.
func (x *index) sorted() []*entry {
	list := make([]*entry, 0, len(x.all))
	for _, e := range x.all {
		list = append(list, e)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].op.Key < list[j].op.Key })
	return list
}

// match appends what filter matches. An empty filter asks for a session, and finds none.
func (x *index) match(dst []broker.Record, filter string) []broker.Record {
	if filter == "" {
		return dst
	}
	x.names.Match(filter, func(_ string, e *entry) bool {
		dst = append(dst, e.op)
		return true
	})
	return dst
}
