package store

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/journal"
	"github.com/hpmq/hpmq/lite/broker"
)

func setKey(key, value string) *Note {
	return &Note{Kind: NoteKV, Space: "c", Key: key, Value: []byte(value)}
}

// notes says what is kept of kv, in order.
func (k *desktop) notes() string {
	k.t.Helper()
	var out []string
	err := k.disk.Notes(NoteKV, func(n Note) error {
		text := fmt.Sprintf("%s/%s=%s", n.Space, n.Key, n.Value)
		if n.Counter {
			text = fmt.Sprintf("%s/%s=#%d", n.Space, n.Key, n.N)
		}
		if n.Expire != 0 {
			text += fmt.Sprintf("@%d/%d", n.Expire, n.TTL)
		}
		out = append(out, text)
		return nil
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return strings.Join(out, " ")
}

func (k *desktop) wantNotes(want string) {
	k.t.Helper()
	if got := k.notes(); got != want {
		k.t.Errorf("notes: %q, want %q", got, want)
	}
}

// still is a store that does nothing by the clock.
func still(t testing.TB) DiskConfig {
	c := diskConfig(t)
	c.Interval = time.Hour
	return c
}

// What was noted before a write is in the same record of the journal: a kill leaves both or none.
func TestNotesGoWithTheWriteThatFollows(t *testing.T) {
	k := openDisk(t, still(t))
	k.view.Note(setKey("a", "1"))
	k.view.Note(&Note{Kind: NoteKV, Space: "c", Key: "n", Counter: true, N: math.MinInt64})
	k.view.Note(&Note{Kind: NoteKV, Space: "c", Key: "t", Value: []byte{}, Expire: 99, TTL: 5})
	if !k.view.Noted() {
		t.Error("nothing noted")
	}
	k.write(push(1, 1, "m"))
	if k.view.Noted() {
		t.Error("still noted")
	}
	k.view.Note(setKey("a", "2"))
	k.view.Note(setKey("late", "x"))
	k.kill()
	k.again()
	k.wantNotes("c/a=1 c/n=#-9223372036854775808 c/t=@99/5")
	k.want(broker.Query{Num: 1}, "push 1 +m")
	k.view.Note(&Note{Kind: NoteKV, Space: "c", Key: "t", Gone: true})
	if err := k.wait(k.ask(broker.Batch{})); err != nil { // an empty write takes them too
		t.Fatal(err)
	}
	k.kill()
	k.again()
	k.wantNotes("c/a=1 c/n=#-9223372036854775808")
}

func TestNotesThatFollowNoWriteGoSoon(t *testing.T) {
	k := openDisk(t, diskConfig(t))
	k.view.Note(setKey("loop", "1"))
	k.disk.Note(setKey("beside", "2"))
	waitFor(t, func() bool { return k.notes() == "c/beside=2 c/loop=1" })
	k.kill()
	k.again()
	k.wantNotes("c/beside=2 c/loop=1")
}

func TestNotesOfACloseAreKept(t *testing.T) {
	k := openDisk(t, still(t))
	k.view.Note(setKey("loop", "1"))
	k.disk.Note(setKey("beside", "2"))
	if err := k.disk.Close(); err != nil {
		t.Fatal(err)
	}
	k.again()
	k.wantNotes("c/beside=2 c/loop=1")
}

// Of two loops that change a key the later change stays, though its write comes first.
func TestTheLastNoteOfAKeyStays(t *testing.T) {
	k := openDisk(t, still(t))
	other := newDesktop(t, k.disk)
	for i := range 3 {
		k.view.Note(setKey("a", "older"))
		k.view.Note(setKey("mine", fmt.Sprint(i)))
		other.view.Note(setKey("a", "newer"))
		other.write(push(2, uint64(i+1), "m"))
		k.wantNotes(map[bool]string{
			true: "c/a=newer", false: fmt.Sprintf("c/a=newer c/mine=%d", i-1)}[i == 0])
		k.write(push(1, uint64(i+1), "m"))
		k.wantNotes(fmt.Sprintf("c/a=newer c/mine=%d", i))
	}
	k.write(push(1, 9, "m")) // by now no older note can come
	k.write(push(1, 10, "m"))
	k.kill()
	if n := len(k.disk.book.seen); n != 0 {
		t.Errorf("%d versions are remembered for ever", n)
	}
	k.again()
	k.wantNotes("c/a=newer c/mine=2")
}

// A note that the device refused is owed: it is in the next write that is kept, whoever asks.
func TestNotesThatTheDeviceRefusedAreOwed(t *testing.T) {
	c := still(t)
	c.PendingBytesMax = 5000
	var bad flaky
	c.Create = func(path string) (journal.File, error) {
		f, err := os.Create(filepath.Clean(path))
		return brokenFile{f, &bad}, err
	}
	k := openDisk(t, c)
	for i, fault := range [][2]bool{{true, false}, {false, true}} {
		seq := uint64(i*10 + 1)
		k.view.Note(setKey("a", fmt.Sprint("old", i)))
		k.write(push(1, seq, "m"))
		bad.set(fault[0], fault[1])
		k.view.Note(setKey("a", fmt.Sprint("new", i)))
		err := k.wait(k.ask(broker.Batch{Ops: []broker.Op{push(1, seq+1, "refused")}}))
		if !errors.Is(err, errDevice) {
			t.Fatal(err)
		}
		k.wantNotes(fmt.Sprint("c/a=old", i))
		bad.set(false, false)
		k.write(push(1, seq+2, "m"))
		k.wantNotes(fmt.Sprint("c/a=new", i))
		k.kill()
		k.again()
		k.wantNotes(fmt.Sprint("c/a=new", i))
	}
	bad.set(true, false)
	for i := 0; k.disk.Room(); i++ {
		if i == 1000 {
			t.Fatal("there is room for ever")
		}
		k.view.Note(setKey(fmt.Sprint("k", i), "v"))
		_ = k.wait(k.ask(broker.Batch{}))
	}
	bad.set(false, false)
	k.write(push(1, 100, "m"))
	if !k.disk.Room() {
		t.Error("no room though all is kept")
	}
}

// What becomes of a write does not change what was noted while it was asked for.
func TestNotesOfARefusedWriteAreKept(t *testing.T) {
	c := still(t)
	c.RetainedMax = 0
	k := openDisk(t, c)
	k.view.Note(setKey("a", "1"))
	err := k.wait(k.ask(broker.Batch{Ops: []broker.Op{retain("r", "1", 0)}}))
	if !errors.Is(err, ErrFull) {
		t.Fatal(err)
	}
	k.wantNotes("c/a=1")
}

func TestASpaceGoesAsAWhole(t *testing.T) {
	k := openDisk(t, still(t))
	for _, n := range []Note{
		{Kind: NoteKV, Space: "a", Key: ""}, {Kind: NoteKV, Space: "a", Key: "\xFF\xFF"},
		{Kind: NoteKV, Space: "ab", Key: "x"}, {Kind: NoteKV, Space: "", Key: "x"},
		{Kind: NoteHistory, Space: "a", Key: "t/x"}, {Kind: NoteKV, Space: "\xFF", Key: "x"},
	} {
		k.view.Note(&n)
	}
	k.write(push(1, 1, "m"))
	spaces, err := k.disk.NoteSpaces()
	want := "[{kv  1 1 0} {kv a 2 2 0} {kv \xFF 1 1 0} {kv ab 1 1 0} {history a 1 3 0}]"
	if got := fmt.Sprint(spaces); got != want || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	k.view.Note(&Note{Kind: NoteKV, Space: "a", Key: "fresh"})
	k.view.Note(&Note{Kind: NoteKV, Space: "a", Gone: true, Whole: true})
	k.view.Note(&Note{Kind: NoteKV, Space: "\xFF", Gone: true, Whole: true})
	k.view.Note(&Note{Kind: NoteKV, Space: "a", Key: "after"})
	k.write(push(1, 2, "m"))
	k.wantNotes("/x= a/after= ab/x=")
	if rep, err := k.disk.Check(); err != nil || rep.Notes != 4 || rep.FaultsFound > 2 {
		t.Errorf("%+v, %v", rep, err)
	}
}

// A loop that notes and never writes does not let them grow.
func TestManyNotesGoWithoutAWrite(t *testing.T) {
	k := openDisk(t, still(t))
	for i := range marginMax {
		k.view.Note(setKey(fmt.Sprint(i), "v"))
	}
	if k.view.Noted() {
		t.Error("they wait")
	}
}

func FuzzNote(f *testing.F) {
	for _, n := range []Note{
		{Kind: NoteKV, Space: "c", Key: "k", Value: []byte("v"), Expire: 7, TTL: 9},
		{Kind: NoteKV, Counter: true, N: -5}, {Kind: NoteHistory, Space: "l", Key: "a/b"},
	} {
		f.Add(n.appendKey(nil), n.appendValue(nil))
	}
	f.Fuzz(func(t *testing.T, key, value []byte) {
		n, err := readNote(key, value)
		if err != nil {
			return
		}
		again, err := readNote(n.appendKey(nil), n.appendValue(nil))
		if err != nil || again.Key != n.Key || again.Space != n.Space || again.N != n.N ||
			again.Expire != n.Expire || again.TTL != n.TTL || again.Counter != n.Counter ||
			!bytes.Equal(again.Value, n.Value) {
			t.Errorf("%+v became %+v, %v", n, again, err)
		}
	})
}
