package store

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/hpmq/hpmq/host/journal"
	"github.com/hpmq/hpmq/lite/broker"
)

// fullDisk is a device without room while full is set: of the journal, of the database.
type fullDisk struct{ journal, db, sync, blocked atomic.Bool }

// free is DiskConfig.Space.
func (f *fullDisk) free(string) (int64, error) {
	if f.db.Load() {
		return 0, nil
	}
	return 1 << 30, nil
}

// shortFile writes half of what it is given when there is no room, as a file system does.
type shortFile struct {
	*os.File
	disk *fullDisk
}

func (f shortFile) WriteAt(b []byte, at int64) (int, error) {
	if f.disk.journal.Load() {
		n, _ := f.File.WriteAt(b[:len(b)/2], at)
		return n, &os.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC}
	}
	return f.File.WriteAt(b, at)
}

func (f shortFile) Sync() error {
	if f.disk.sync.Load() {
		return &os.PathError{Op: "sync", Path: f.Name(), Err: syscall.ENOSPC}
	}
	return f.File.Sync()
}

// fullFS is the file system of a database.
type fullFS struct {
	vfs.FS
	disk *fullDisk
}

func (f fullFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.Create(name, c)
	return fullFile{file, f.disk}, err
}

type fullFile struct {
	vfs.File
	disk *fullDisk
}

func (f fullFile) Write(b []byte) (int, error) {
	if f.disk.db.Load() {
		f.disk.blocked.Store(true)
		n, _ := f.File.Write(b[:len(b)/2])
		return n, syscall.ENOSPC
	}
	return f.File.Write(b)
}

func openFull(t *testing.T, disk *fullDisk) *desktop {
	c := diskConfig(t)
	c.SegmentBytes = 64 << 10
	c.Space = disk.free
	c.fs = fullFS{vfs.Default, disk}
	c.Create = func(path string) (journal.File, error) {
		f, err := os.Create(filepath.Clean(path))
		return shortFile{f, disk}, err
	}
	return openDisk(t, c)
}

// The journal has no room: what is new is refused, what is there can be read, and it goes on by
// itself.
func TestTheJournalHasNoRoom(t *testing.T) {
	for name, fault := range map[string]func(*fullDisk) *atomic.Bool{
		"append": func(d *fullDisk) *atomic.Bool { return &d.journal },
		"sync":   func(d *fullDisk) *atomic.Bool { return &d.sync },
	} {
		t.Run(name, func(t *testing.T) {
			var disk fullDisk
			k := openFull(t, &disk)
			k.write(push(1, 1, "before"))
			fault(&disk).Store(true)
			err := k.wait(k.ask(broker.Batch{Ops: []broker.Op{push(1, 2, "refused")}}))
			if !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("err %v", err)
			}
			err = k.wait(k.ask(broker.Batch{Ops: []broker.Op{push(1, 3, "refused")}}))
			if !errors.Is(err, ErrSpace) {
				t.Errorf("err %v", err)
			}
			waitFor(t, func() bool { st := k.disk.Stats(); return st.LowSpace && st.Failing })
			k.want(broker.Query{Num: 1}, "push 1 +before")
			fault(&disk).Store(false)
			waitFor(t, func() bool { st := k.disk.Stats(); return !st.LowSpace && !st.Failing })
			k.write(push(1, 4, "after"))
			k.want(broker.Query{Num: 1}, "push 1 +before, push 4 +after")
			k.kill()
			k.again()
			k.want(broker.Query{Num: 1}, "push 1 +before, push 4 +after")
		})
	}
}

// The database has no room for what it brings to the device. It would end the process if it were
// told so; it waits instead, and nobody waits with it.
func TestTheDatabaseHasNoRoom(t *testing.T) {
	var disk fullDisk
	k := openFull(t, &disk)
	big := strings.Repeat("m", 8<<10)
	seq := uint64(0)
	more := func() error {
		seq++
		return k.wait(k.ask(broker.Batch{Ops: []broker.Op{push(1, seq, big)}}))
	}
	for range 3 {
		if err := more(); err != nil {
			t.Fatal(err)
		}
	}
	disk.db.Store(true)
	kept := []uint64{1, 2, 3}
	for !disk.blocked.Load() {
		if more() == nil {
			kept = append(kept, seq)
		}
	}
	waitFor(t, func() bool { return k.disk.Stats().LowSpace })
	if err := more(); !errors.Is(err, ErrSpace) {
		t.Errorf("err %v", err)
	}
	count := func() int { return len(k.find(broker.Query{Num: 1, Max: 1000, BytesMax: 1 << 30})) }
	if n := count(); n < 3 {
		t.Errorf("%d messages can be read", n)
	}
	disk.db.Store(false)
	waitFor(t, func() bool { return !k.disk.Stats().LowSpace })
	if err := more(); err != nil {
		t.Fatal(err)
	}
	kept = append(kept, seq)
	k.kill()
	k.again()
	if n := count(); n < len(kept) {
		t.Errorf("%d messages of %d", n, len(kept))
	}
}

// Once too little was free, a quarter more must be.
func TestLowSpaceDoesNotFlap(t *testing.T) {
	c := diskConfig(t)
	var free atomic.Int64
	free.Store(2000)
	c.FreeBytesMin = 1000
	c.Space = func(string) (int64, error) { return free.Load(), nil }
	k := openDisk(t, c)
	for _, step := range []struct {
		free int64
		low  bool
	}{{2000, false}, {1000, false}, {999, true}, {1100, true}, {1249, true}, {1250, false}} {
		free.Store(step.free)
		waitFor(t, func() bool { return k.disk.Stats().FreeBytes == step.free })
		if low := k.disk.Stats().LowSpace; low != step.low {
			t.Errorf("%d free: low %v", step.free, low)
		}
	}
}

// A session that is there may come and go, and give up a subscription, but not grow.
func TestLowSpaceAndSessions(t *testing.T) {
	c := diskConfig(t)
	var free atomic.Int64
	free.Store(2000)
	c.FreeBytesMin = 1000
	c.Space = func(string) (int64, error) { return free.Load(), nil }
	k := openDisk(t, c)
	put := func(num uint32, state string) broker.Op {
		return broker.Op{
			Kind: broker.OpPutSession, Num: num, Key: "c", Value: []byte(state),
		}
	}
	k.write(put(1, "state"))
	free.Store(1)
	waitFor(t, func() bool { return k.disk.Stats().LowSpace })
	for _, step := range []struct {
		op  broker.Op
		err error
	}{{put(1, "STATE"), nil}, {put(1, "sta"), nil}, {put(1, "statement"), ErrSpace},
		{put(2, "s"), ErrSpace}} {
		err := k.wait(k.ask(broker.Batch{Ops: []broker.Op{step.op}}))
		if !errors.Is(err, step.err) {
			t.Errorf("%s: %v", step.op.Value, err)
		}
	}
	k.view.Write(0, &broker.Batch{Ops: []broker.Op{put(1, "gone away"), put(3, "new")}})
	k.write()
	got := ""
	err := k.disk.Sessions(func(r broker.Record) error { got += string(r.Value) + " "; return nil })
	if err != nil || got != "gone away " {
		t.Errorf("%q, %v", got, err)
	}
}

// What the broker says of itself is not on the device, whoever kept it there before.
func TestWhatTheBrokerSaysIsInMemory(t *testing.T) {
	k := openDisk(t, diskConfig(t))
	topic := sysPrefix + "broker/uptime"
	k.halt() // nothing else is written now
	k.disk.tx.begin(k.disk)
	k.disk.tx.retain(&broker.Op{Kind: broker.OpRetain, Key: topic, Value: []byte("old")})
	if err := errors.Join(k.disk.save(true), k.disk.db.Close()); err != nil { // as one did before
		t.Fatal(err)
	}
	k.again()
	if st := k.disk.Stats(); st.Retained != 0 || st.RetainedBytes != 0 {
		t.Errorf("%+v", st)
	}
	k.view.Write(0, &broker.Batch{Ops: []broker.Op{
		{Kind: broker.OpRetain, Key: topic, Value: []byte("1 seconds")},
		{Kind: broker.OpRetain, Key: "t", Value: []byte("kept")},
	}})
	k.write()
	if st := k.disk.Stats(); st.Retained != 1 || k.disk.Retained() != 2 {
		t.Errorf("%+v", st)
	}
	got := ""
	at := k.view.Read(1, broker.Query{Filter: "$SYS/#"}, func(r broker.Record) {
		got += r.Key + "=" + string(r.Value)
	})
	if !at || got != topic+"=1 seconds" {
		t.Errorf("%v %q", at, got)
	}
	if n := len(k.find(broker.Query{Filter: "#", Max: 10, BytesMax: 1 << 20})); n != 1 {
		t.Errorf("# finds %d", n)
	}
}

// fill writes messages of a queue until the database has no room, and answers how many were kept.
func (k *desktop) fill(disk *fullDisk) (kept int) {
	k.t.Helper()
	big := strings.Repeat("m", 8<<10)
	disk.db.Store(true)
	for seq := uint64(1); !disk.blocked.Load(); seq++ {
		if k.wait(k.ask(broker.Batch{Ops: []broker.Op{push(1, seq, big)}})) == nil {
			kept++
		}
	}
	return kept
}

// A start on a device without room says what to do, and a store that waits for room can be closed.
// Nothing is lost by either.
func TestAFullDeviceDoesNotHang(t *testing.T) {
	var disk fullDisk
	k := openFull(t, &disk)
	k.write(broker.Op{Kind: broker.OpPutSession, Num: 1, Key: "one"})
	kept := k.fill(&disk)
	if err := k.disk.Close(); !errors.Is(err, ErrSpace) {
		t.Errorf("close: %v", err)
	}
	for range 2 {
		_, _, err := OpenDisk(k.disk.cfg)
		if !errors.Is(err, ErrSpace) || !strings.Contains(err.Error(), k.disk.cfg.Dir) ||
			!strings.Contains(err.Error(), "free ") {
			t.Fatalf("open: %v", err)
		}
	}
	disk.db.Store(false)
	k.again()
	if n := len(k.find(broker.Query{Num: 1, Max: 1000, BytesMax: 1 << 30})); n < kept {
		t.Errorf("%d messages of %d", n, kept)
	}
	rep, err := k.disk.Check()
	if err != nil || rep.FaultsFound != 0 {
		t.Errorf("%+v, %v", rep, err)
	}
}

// A device of a bounded size is filled as fast as it goes, and never overfilled. When its messages
// are gone there is room again, with nothing written and nothing started anew.
func TestAStoreThatWasDrainedHasRoomAgain(t *testing.T) {
	const size = 40 << 20
	c := diskConfig(t)
	c.FreeBytesMin, c.roomEvery = c.Reserve(), 50*time.Millisecond
	var least, others atomic.Int64
	least.Store(size)
	c.Space = func(dir string) (int64, error) {
		free := size - others.Load()
		err := filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return nil // one that goes meanwhile
			}
			if info, err := e.Info(); err == nil {
				free -= info.Size()
			}
			return nil
		})
		least.Store(min(least.Load(), free+others.Load()))
		return free, err
	}
	k := openDisk(t, c)
	noise := rand.NewChaCha8([32]byte{1})
	seq := uint64(0)
	more := func() error {
		body := make([]byte, 256<<10)
		_, _ = noise.Read(body)
		seq++
		return k.wait(k.ask(broker.Batch{Ops: []broker.Op{{
			Kind: broker.OpPush, Num: 1, Seq: seq, Body: body,
		}}}))
	}
	for more() == nil {
		if seq > size/(256<<10) {
			t.Fatal("more is kept than there is room for")
		}
	}
	if n := least.Load(); n < 0 { // what is reserved is for what was accepted
		t.Errorf("%d bytes too many, with %d reserved", -n, c.FreeBytesMin)
	}
	if err := k.disk.db.Flush(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { // for what is merged now
		m := k.disk.db.Metrics()
		return m.Compact.NumInProgress == 0 && m.Flush.NumInProgress == 0 &&
			m.Table.ZombieSize == 0 && m.Table.ObsoleteSize == 0
	})
	// A flush is merged with a part of what is there, or a merge needs as much room as all of it.
	below := int64(0)
	for _, l := range k.disk.db.Metrics().Levels[1:6] {
		below += l.TablesSize + int64(l.TableBytesCompacted+l.TableBytesMoved)
	}
	if below == 0 {
		t.Error("all is merged with all")
	}
	free, err := c.Space(c.Dir)
	if err != nil {
		t.Fatal(err)
	}
	others.Store(free - c.FreeBytesMin/4) // the journal alone cannot give that back
	for n := uint64(1); n < seq; n++ {
		k.write(pop(1, n))
	}
	waitFor(t, func() bool { return !k.disk.Stats().LowSpace })
	if err := more(); err != nil {
		t.Error(err)
	}
}

// What is written between two looks counts: a burst is stopped at the bound, not a second later.
func TestABurstIsStoppedAtTheBound(t *testing.T) {
	c := diskConfig(t)
	const least = 1 << 20
	c.FreeBytesMin = least
	var free atomic.Int64
	free.Store(3 * least)
	c.Space = func(string) (int64, error) { return free.Load(), nil }
	k := openDisk(t, c)
	k.write()
	body := make([]byte, 64<<10)
	for seq := uint64(1); ; seq++ {
		op := broker.Op{Kind: broker.OpPush, Num: 1, Seq: seq, Body: body}
		err := k.wait(k.ask(broker.Batch{Ops: []broker.Op{op}}))
		if n := free.Add(-int64(len(body))); err != nil || n < 0 {
			if n < least-least/8 || n > 2*least || !errors.Is(err, ErrSpace) {
				t.Errorf("stopped with %d bytes free: %v", n, err)
			}
			return
		}
	}
}
