package store

import (
	"sync"

	"github.com/hpmq/hpmq/lite/broker"
)

// marginMax is how many notes wait for a write of their kernel. Those of a loop that does nothing
// but notes go without.
const marginMax = 4096

// margin is where the notes of one loop wait for the write that they go with. The lock is held
// until they are in the line: what is neither here nor there is committed.
type margin struct {
	mu    sync.Mutex
	notes []Note
	bytes int64
	judging
}

// add puts n behind the others. Versions grow in the order in which the memory was changed, for
// whoever brings a note holds what guards its key. The answer is nil for a note that nothing takes
// back.
func (m *margin) add(d *Disk, n *Note) *Fate {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bytes += n.bytes()
	if m.on {
		return m.judging.add(d, n)
	}
	m.notes = append(m.notes, *n)
	m.notes[len(m.notes)-1].version = d.versions.Add(1)
	if len(m.notes) >= marginMax {
		m.passLocked(d, &request{})
	}
	return nil
}

// pass puts r into the line, with the notes. False: the store is closed.
func (m *margin) pass(d *Disk, r *request) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.passLocked(d, r)
}

func (m *margin) passLocked(d *Disk, r *request) bool {
	if r.token != 0 {
		m.judging.pass(r)
	}
	r.notes = m.notes
	m.notes = nil
	r.bytes += m.bytes
	m.bytes = 0
	return d.line.put(r)
}

// flush puts the notes into the line, if there are any.
func (m *margin) flush(d *Disk) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.notes) > 0 {
		m.passLocked(d, &request{})
	}
}

func (m *margin) any() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.notes)+len(m.open)+len(m.saw) > 0
}

// Note keeps n with the next write of the kernel of v, on whose loop it must be called. It never
// waits for the device. The answer is nil if n stays whatever becomes of that write.
func (v *DiskView) Note(n *Note) *Fate { return v.margin.add(v.disk, n) }

// Noted is true if there are notes that no write has taken along yet.
func (v *DiskView) Noted() bool { return v.margin.any() }

// Note keeps n soon: it belongs to no write. It never waits for the device.
func (d *Disk) Note(n *Note) { _ = d.beside.add(d, n) }

// Room is false while notes on new keys should not be made: the file system is almost full, or the
// device refuses for so long that too much is owed.
func (d *Disk) Room() bool { return !d.noRoom.Load() }

// flushNotes makes notes that no write takes along go without, between two turns of their loop.
func (d *Disk) flushNotes() {
	d.beside.flush(d)
	d.mu.Lock()
	views := d.views
	d.mu.Unlock()
	for _, v := range views {
		if v.margin.any() {
			v.post(func(Kernel, broker.Time) { v.margin.flush(d) })
		}
	}
}

// flushAll makes all notes go; no loop runs any more.
func (d *Disk) flushAll() {
	d.beside.flush(d)
	d.mu.Lock()
	views := d.views
	d.mu.Unlock()
	for _, v := range views {
		v.margin.flush(d)
	}
}

// notebook is what the committer knows of notes. It alone uses it.
type notebook struct {
	// owed is by what it is about the last note that is not kept yet.
	owed  map[noteID]Note
	bytes int64
	// seen is the version of the last note, of those of which an older one may still come.
	seen map[noteID]uint64
	// tried is how to take back what goes if the write goes.
	tried []trial
}

func newNotebook() notebook {
	return notebook{owed: map[noteID]Note{}, seen: map[noteID]uint64{}}
}

// take notes what is to be written.
func (b *notebook) take(list []Note) {
	for i := range list {
		n := &list[i]
		id := n.id()
		if n.version <= b.seen[id] {
			continue
		}
		if n.Whole {
			b.forget(n)
		}
		b.seen[id] = n.version
		if old, ok := b.owed[id]; ok {
			b.bytes -= old.bytes()
		}
		b.owed[id] = *n
		b.bytes += n.bytes()
	}
}

// forget lets go of what is owed of a space that goes as a whole.
func (b *notebook) forget(n *Note) {
	for id, old := range b.owed {
		if id.kind == n.Kind && id.space == n.Space {
			b.bytes -= old.bytes()
			delete(b.owed, id)
		}
	}
}

// stage puts all that is owed into t: the ranges first, for they are older than what is beside
// them.
func (b *notebook) stage(t *tx) {
	for _, whole := range []bool{true, false} {
		for _, n := range b.owed {
			if n.Whole == whole {
				t.jot(&n)
			}
		}
	}
}

// kept ends what is owed. Of what is settled no older note can come any more.
func (b *notebook) kept(settled uint64) {
	clear(b.owed)
	clear(b.tried)
	b.bytes, b.tried = 0, b.tried[:0]
	for id, version := range b.seen {
		if version <= settled {
			delete(b.seen, id)
		}
	}
}

// passed is the version up to which all notes are in the line, or behind it.
func (d *Disk) passed() uint64 {
	at := d.versions.Load()
	d.mu.Lock()
	views := d.views
	d.mu.Unlock()
	for _, v := range views {
		at = v.margin.before(at)
	}
	return d.beside.before(at)
}

// before is at, or what is before the first note here.
func (m *margin) before(at uint64) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, list := range [][]Note{m.notes, m.open} {
		if len(list) > 0 {
			at = min(at, list[0].version-1)
		}
	}
	return at
}
