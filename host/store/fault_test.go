package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/hpmq/hpmq/host/journal"
	"github.com/hpmq/hpmq/lite/broker"
)

var errDevice = errors.New("device")

// brokenFile fails while broken is set.
type brokenFile struct {
	*os.File
	broken *flaky
}

type flaky struct {
	mu          sync.Mutex
	write, sync bool
}

func (f *flaky) set(write, sync bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.write, f.sync = write, sync
}

func (f *flaky) get() (write, sync bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.write, f.sync
}

func (f brokenFile) WriteAt(b []byte, at int64) (int, error) {
	if w, _ := f.broken.get(); w {
		return 0, errDevice
	}
	return f.File.WriteAt(b, at)
}

func (f brokenFile) Sync() error {
	if _, s := f.broken.get(); s {
		return errDevice
	}
	return f.File.Sync()
}

func TestAFailingDeviceIsToldAndGoneAround(t *testing.T) {
	c := diskConfig(t)
	var bad flaky
	c.Create = func(path string) (journal.File, error) {
		f, err := os.Create(filepath.Clean(path))
		return brokenFile{f, &bad}, err
	}
	k := openDisk(t, c)
	want := ""
	for i, fault := range [][2]bool{{true, false}, {false, true}, {true, true}} {
		seq := uint64(i * 10)
		k.write(push(1, seq+1, "good"))
		bad.set(fault[0], fault[1])
		err := k.wait(k.ask(broker.Batch{Ops: []broker.Op{push(1, seq+2, "bad")}}))
		if !errors.Is(err, errDevice) {
			t.Errorf("err %v", err)
		}
		k.view.Write(0, &broker.Batch{Ops: []broker.Op{push(1, seq+3, "nobody waits")}})
		if err := k.wait(k.ask(broker.Batch{})); !errors.Is(err, errDevice) {
			t.Errorf("err %v", err)
		}
		bad.set(false, false)
		k.write(push(1, seq+4, "good"))
		want += fmt.Sprintf(", push %d +good, push %d +nobody wa, push %d +good",
			seq+1, seq+3, seq+4)
		k.want(broker.Query{Num: 1}, want[2:])
		k.kill()
		k.again()
		k.want(broker.Query{Num: 1}, want[2:])
	}
}

func TestLowSpaceRefusesWhatIsNew(t *testing.T) {
	c := diskConfig(t)
	var free int64 = 1000
	var mu sync.Mutex
	set := func(n int64) { mu.Lock(); free = n; mu.Unlock() }
	c.FreeBytesMin = 500
	c.Space = func(string) (int64, error) { mu.Lock(); defer mu.Unlock(); return free, nil }
	k := openDisk(t, c)
	k.write(push(1, 1, "a"))
	set(100)
	waitFor(t, func() bool { return k.disk.Stats().LowSpace })
	err := k.wait(k.ask(broker.Batch{Ops: []broker.Op{push(1, 2, "b")}}))
	if !errors.Is(err, ErrSpace) {
		t.Errorf("err %v", err)
	}
	k.write(pop(1, 1))
	set(1000)
	waitFor(t, func() bool { return !k.disk.Stats().LowSpace })
	k.write(push(1, 3, "c"))
	k.want(broker.Query{Num: 1}, "push 3 +c")
}

func TestTheFolderIsLocked(t *testing.T) {
	k := openDisk(t, diskConfig(t))
	if _, _, err := OpenDisk(k.disk.cfg); err == nil {
		t.Fatal("opened twice")
	}
	k.write(push(1, 1, "still works"))
}

// The journal goes on in new files, and old ones go when the database has what they hold.
func TestTheJournalStaysSmall(t *testing.T) {
	c := diskConfig(t)
	c.SegmentBytes = 20_000
	k := openDisk(t, c)
	for seq := uint64(1); seq <= 300; seq++ {
		k.write(push(1, seq, strings.Repeat("m", 1000)))
	}
	files := func() int {
		names, _ := filepath.Glob(filepath.Join(c.Dir, "journal", "*"))
		return len(names)
	}
	waitFor(t, func() bool { return files() <= 3 })
	k.kill()
	k.again()
	if n := len(k.find(broker.Query{Num: 1, Max: 1000})); n != 300 {
		t.Errorf("%d messages of 300", n)
	}
}

// A journal that is gone beside a database that had it is missed.
func TestAnEmptyJournalIsMissed(t *testing.T) {
	k := openDisk(t, diskConfig(t))
	k.write(push(1, 1, "kept"))
	if err := k.disk.Close(); err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(k.disk.cfg.Dir, "journal")
	if err := os.Rename(at, at+".away"); err != nil {
		t.Fatal(err)
	}
	_, _, err := OpenDisk(k.disk.cfg)
	if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "store restore") {
		t.Errorf("err %v", err)
	}
	if err := errors.Join(os.RemoveAll(at), os.Rename(at+".away", at)); err != nil {
		t.Fatal(err)
	}
	k.again()
	k.want(broker.Query{Num: 1}, "push 1 +kept")
}
