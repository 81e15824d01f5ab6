package store

import (
	"encoding/binary"
	"fmt"

	"github.com/hpmq/hpmq/lite/broker"
)

// NoteKind says whose a Note is.
type NoteKind byte

const (
	// NoteKV is a key of a component; Space is the component's name.
	NoteKV NoteKind = 'k'
	// NoteHistory is the last payload of a topic; Space is the name of a listener.
	NoteHistory NoteKind = 'h'
)

// String is how operators call the kind.
func (k NoteKind) String() string {
	if k == NoteHistory {
		return "history"
	}
	return "kv"
}

// Note is what a component made the broker remember under one key, or that it is gone.
//
// Notes of one loop go with the next write of that loop's kernel, in the same record of the
// journal: what a component noted while it judged a message is kept together with the message. A
// note that follows no write is written within DiskConfig.Interval. Of several notes of a key the
// last stays, whichever loops they come from: the caller brings them one after the other.
//
// A note that the device refused is owed: each write that follows has it again, until one is kept.
// One that was made while a PUBLISH was judged is not: it goes with the PUBLISH, see Fate.
type Note struct {
	Kind  NoteKind
	Space string
	Key   string
	// Gone removes the key. With Whole all of Space goes.
	Gone, Whole bool
	// Counter says that N is the value, not Value. Value must not change any more.
	Counter bool
	N       int64
	Value   []byte
	// Expire is when it ends, 0 for never, TTL how many milliseconds it was to live.
	Expire broker.Time
	TTL    uint64
	// Change is the caller's own: by it Disk.Settle calls the note.
	Change uint64

	version uint64
}

// noteID is what a note is about.
type noteID struct {
	kind       NoteKind
	whole      bool
	space, key string
}

func (n *Note) id() noteID { return noteID{n.Kind, n.Whole, n.Space, n.Key} }

func (n *Note) bytes() int64 {
	return int64(len(n.Space)+len(n.Key)+len(n.Value)) + 128
}

// spaceKey is the start of all of one space.
func spaceKey(dst []byte, kind NoteKind, space string) []byte {
	return appendText(append(dst, byte(kind)), space)
}

func (n *Note) appendKey(dst []byte) []byte {
	return append(spaceKey(dst, n.Kind, n.Space), n.Key...)
}

const noteCounter = 1

func (n *Note) appendValue(dst []byte) []byte {
	flags := byte(0)
	if n.Counter {
		flags = noteCounter
	}
	dst = append(dst, flags)
	dst = binary.AppendUvarint(dst, uint64(min(n.Expire, 1<<62)))
	dst = binary.AppendUvarint(dst, n.TTL)
	if n.Counter {
		return binary.AppendVarint(dst, n.N)
	}
	return append(dst, n.Value...)
}

// readNote takes a record apart. Space and Key are copies, Value aliases value.
func readNote(key, value []byte) (n Note, err error) {
	if len(key) == 0 || len(value) == 0 || value[0]&^noteCounter != 0 {
		return n, errRecord
	}
	n.Kind = NoteKind(key[0])
	space, rest, ok := cutText(key[1:])
	if !ok || n.Kind != NoteKV && n.Kind != NoteHistory {
		return n, errRecord
	}
	n.Space, n.Key = string(space), string(rest)
	expire, rest, ok := cutUint(value[1:])
	if !ok || expire > 1<<62 {
		return n, errRecord
	}
	n.Expire = broker.Time(expire)
	if n.TTL, rest, ok = cutUint(rest); !ok {
		return n, errRecord
	}
	if n.Counter = value[0]&noteCounter != 0; !n.Counter {
		n.Value = rest
		return n, nil
	}
	num, used := binary.Varint(rest)
	if used <= 0 || used != len(rest) {
		return n, errRecord
	}
	n.N = num
	return n, nil
}

// jot stages a note.
func (t *tx) jot(n *Note) {
	switch {
	case n.Whole:
		from := spaceKey(nil, n.Kind, n.Space)
		t.note(t.batch.DeleteRange(from, past(from), nil))
	case n.Gone:
		t.key = n.appendKey(t.key[:0])
		t.delete(t.key)
	default:
		t.key = n.appendKey(t.key[:0])
		t.val = n.appendValue(t.val[:0])
		t.set(t.key, t.val)
	}
}

// Notes calls visit for each note of a kind that is kept, in the order of spaces and keys, until it
// answers an error. Value is borrowed until visit returns. A record that is damaged is an error.
func (d *Disk) Notes(kind NoteKind, visit func(Note) error) error {
	return d.each([]byte{byte(kind)}, func(key, value []byte) error {
		n, err := readNote(key, value)
		if err != nil {
			return fmt.Errorf("%w: note %x", err, key)
		}
		return visit(n)
	})
}

// NoteSpace is what is kept of one component or listener.
type NoteSpace struct {
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Entries int64  `json:"entries"`
	Bytes   int64  `json:"bytes"` // of keys and values
	// Schema is the version that a component said its keys are of, 0 if it never said.
	Schema uint32 `json:"schema,omitempty"`
}

// NoteSpaces counts what is kept, by kind and name.
func (d *Disk) NoteSpaces() (list []NoteSpace, err error) {
	schemas := map[string]uint32{}
	for _, kind := range []NoteKind{NoteKV, NoteHistory} {
		err := d.Notes(kind, func(n Note) error {
			if component, schema, ok := n.Schema(); ok {
				schemas[component] = schema
				return nil
			}
			last := len(list) - 1
			if last < 0 || list[last].Name != n.Space || list[last].Kind != kind.String() {
				list = append(list, NoteSpace{Kind: kind.String(), Name: n.Space})
				last++
			}
			list[last].Entries++
			list[last].Bytes += int64(len(n.Key) + len(n.Value))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	for i := range list {
		if list[i].Kind == NoteKV.String() {
			list[i].Schema = schemas[list[i].Name]
		}
	}
	return list, nil
}
