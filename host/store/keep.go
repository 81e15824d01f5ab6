package store

import (
	"fmt"
	"strings"
)

// schemaMark ends the name of the space in which the schema version of a component's keys stands,
// as a counter with the key "". No component has such a name.
const schemaMark = "\x00schema"

// SchemaNote is the note of the schema version of what a component keeps.
func SchemaNote(component string, schema uint32) Note {
	return Note{Kind: NoteKV, Space: component + schemaMark, Counter: true, N: int64(schema)}
}

// Schema answers what SchemaNote noted; ok is false for any other note.
func (n *Note) Schema() (component string, schema uint32, ok bool) {
	component, ok = strings.CutSuffix(n.Space, schemaMark)
	ok = ok && n.Kind == NoteKV
	return component, uint32(n.N), ok
}

// Keep keeps notes of single keys in one write, on the device when it returns, or none of them:
// then it answers an error. What was noted before, and is with a write or with none, is kept too by
// then, and settled; without notes that is all. It waits for the device, but for no loop: if a
// write before it waits for a part that a loop has yet to bring, it answers ErrGroup at once.
func (d *Disk) Keep(notes []Note) error {
	d.beside.flush(d)
	d.mu.Lock()
	views := d.views
	d.mu.Unlock()
	for _, v := range views {
		v.margin.flush(d)
	}
	r := &request{open: notes, told: make(chan error, 1)}
	for i := range notes {
		r.bytes += notes[i].bytes()
		notes[i].version = d.versions.Add(1)
	}
	if err := d.line.putWhole(r); err != nil {
		return fmt.Errorf("store: keep: %w", err)
	}
	if err := <-r.told; err != nil {
		return fmt.Errorf("store: keep: %w", err)
	}
	return nil
}

// putWhole is put if nothing in the line waits for more to come.
func (l *line) putWhole(r *request) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return ErrClosed
	case len(l.groups) > 0 || l.short > 0:
		return ErrGroup
	}
	l.bytes += r.bytes
	l.items = append(l.items, r)
	l.whole = len(l.items)
	l.more.Signal()
	return nil
}
