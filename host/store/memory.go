// Package store keeps what must outlive a kernel: it answers the port broker.Store.
//
// Disk keeps all of it in a folder: sessions, their queues, what is on its way to clients and from
// them, retained messages. FORMAT.md draws the folder, disk.go says how a write goes. Memory keeps
// retained messages for as long as the process lives, shared by all kernels of the process. It
// takes what it is told of sessions and says yes, and keeps none of it: a session lives in its
// kernel, and both end together. So a kernel over it should not be Durable.
//
// The package knows no packet and no socket. What a record's Value means is the kernel's.
package store

import (
	"container/heap"
	"errors"
	"fmt"
	"sync"

	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/topic"
)

// ErrFull refuses what would go beyond a limit of the Config. Nothing of the write was kept.
var ErrFull = errors.New("store: full")

// Config bounds a Memory.
type Config struct {
	// RetainedMax bounds how many retained messages are kept, RetainedBytesMax the sum of their
	// topics and values.
	RetainedMax      int
	RetainedBytesMax int
}

// Default suits an edge broker with some memory to spare.
func Default() Config {
	return Config{
		RetainedMax:      1_000_000,
		RetainedBytesMax: 256 << 20, // a million of 256 bytes
	}
}

// Validate says what is wrong with c.
func (c *Config) Validate() error {
	if c.RetainedMax < 0 || c.RetainedBytesMax < 0 {
		return errors.New("store: limits: not below 0")
	}
	return nil
}

// Memory keeps retained messages. It is safe for concurrent use; each kernel uses it by a View.
type Memory struct {
	cfg Config

	mu    sync.RWMutex
	names topic.Names[broker.Record]
	bytes int
	due   dues
}

// New makes an empty Memory. A bad cfg is a bug of the caller and panics: see Config.Validate.
func New(cfg Config) *Memory {
	if err := cfg.Validate(); err != nil {
		panic(err)
	}
	return &Memory{cfg: cfg}
}

// Stats counts what is kept.
type Stats struct {
	Retained      int
	RetainedBytes int
}

// Stats answers the counts of now.
func (m *Memory) Stats() Stats {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return Stats{Retained: m.names.Len(), RetainedBytes: m.bytes}
}

// Sweep forgets what expired by now and answers how much that was. Readers never see what
// expired, so it is only for the memory: once a minute is plenty.
func (m *Memory) Sweep(now broker.Time) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for len(m.due) > 0 && m.due[0].at <= now {
		d := heap.Pop(&m.due).(due)
		if r, ok := m.names.Get(d.name); ok && r.Expire == d.at {
			m.deleteLocked(d.name)
			n++
		}
	}
	return n
}

// write keeps ops, all or none.
func (m *Memory) write(ops []broker.Op) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.fitsLocked(ops); err != nil {
		return err
	}
	for i := range ops {
		switch op := &ops[i]; op.Kind {
		case broker.OpRetain:
			m.putLocked(op)
		case broker.OpUnretain:
			m.deleteLocked(op.Key)
		}
	}
	return nil
}

// fitsLocked refuses ops that grow what is kept beyond a limit. Of a topic that is named twice each
// mention counts: the sum can be too careful, never too generous.
func (m *Memory) fitsLocked(ops []broker.Op) error {
	count, bytes := m.names.Len(), m.bytes
	grows := false
	for i := range ops {
		op := &ops[i]
		if op.Kind != broker.OpRetain {
			continue
		}
		old, had := m.names.Get(op.Key)
		if !had {
			count++
			bytes += len(op.Key)
			grows = true
		}
		grows = grows || len(op.Value) > len(old.Value)
		bytes += len(op.Value) - len(old.Value)
	}
	switch {
	case !grows:
		return nil
	case count > m.cfg.RetainedMax:
		return fmt.Errorf("%w: %d retained messages", ErrFull, m.cfg.RetainedMax)
	case bytes > m.cfg.RetainedBytesMax:
		return fmt.Errorf("%w: %d bytes of retained messages", ErrFull, m.cfg.RetainedBytesMax)
	}
	return nil
}

// putLocked keeps a copy of op's value. A kept value never changes, so readers may hold it.
func (m *Memory) putLocked(op *broker.Op) {
	m.deleteValueLocked(op.Key)
	r := *op
	r.Value = append(make([]byte, 0, len(op.Value)), op.Value...)
	m.names.Put(r.Key, r)
	m.bytes += len(r.Key) + len(r.Value)
	if r.Expire != 0 {
		m.dueLocked(due{r.Expire, r.Key})
	}
}

func (m *Memory) deleteLocked(name string) {
	m.deleteValueLocked(name)
	m.names.Delete(name)
}

// deleteValueLocked takes a record out of the count of bytes; it is about to be deleted or
// replaced.
func (m *Memory) deleteValueLocked(name string) {
	if old, had := m.names.Get(name); had {
		m.bytes -= len(name) + len(old.Value)
	}
}

// read appends the retained messages that filter matches. Their bytes stay as they are.
func (m *Memory) read(dst []broker.Record, filter string) []broker.Record {
	m.mu.RLock()
	defer m.mu.RUnlock()
	m.names.Match(filter, func(_ string, r broker.Record) bool {
		dst = append(dst, r)
		return true
	})
	return dst
}

// due is when a record may be forgotten.
type due struct {
	at   broker.Time
	name string
}

// dueLocked remembers d. Records that were replaced leave theirs behind; too many of them are
// cleared.
func (m *Memory) dueLocked(d due) {
	if len(m.due) > 2*m.names.Len()+64 {
		kept := m.due[:0]
		for _, d := range m.due {
			if r, ok := m.names.Get(d.name); ok && r.Expire == d.at {
				kept = append(kept, d)
			}
		}
		clear(m.due[len(kept):])
		m.due = kept
		heap.Init(&m.due)
	}
	heap.Push(&m.due, d)
}

// dues is a heap, the next first.
type dues []due

func (d dues) Len() int           { return len(d) }
func (d dues) Less(i, j int) bool { return d[i].at < d[j].at }
func (d dues) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }
func (d *dues) Push(x any)        { *d = append(*d, x.(due)) }
func (d *dues) Pop() any {
	last := len(*d) - 1
	x := (*d)[last]
	(*d)[last] = due{}
	*d = (*d)[:last]
	return x
}
