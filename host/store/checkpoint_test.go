package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/hpmq/hpmq/host/journal"
	"github.com/hpmq/hpmq/lite/broker"
)

// What was answered before a checkpoint is in it, while writes go on, segments come and go; and it
// is a prefix of what was written: nothing of it has a hole.
func TestCheckpointUnderLoad(t *testing.T) {
	c := diskConfig(t)
	c.SegmentBytes, c.MemTableBytes = 16<<10, 64<<10
	k := openDisk(t, c)
	k.write(broker.Op{Kind: broker.OpPutSession, Num: 1, Key: "one"})
	seq := uint64(0)
	write := func(n int) {
		for range n {
			seq++
			k.write(push(1, seq, fmt.Sprintf("%0100d", seq)))
		}
	}
	write(300)
	for round := range 3 {
		before := seq
		dir := copyUnder(t, k.disk, func() { write(20) })
		rep, err := CheckDir(dir)
		if err != nil || uint64(rep.Queued) < before || uint64(rep.Queued) > seq {
			t.Fatalf("round %d: %d messages of %d to %d, %v", round, rep.Queued, before, seq, err)
		}
		wantRow(t, dir, rep.Queued)
	}
}

// copyUnder makes a checkpoint while work is done again and again.
func copyUnder(t *testing.T, d *Disk, work func()) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "copy")
	done := make(chan error, 1)
	go func() { done <- d.Checkpoint(dir) }()
	for {
		work()
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			return dir
		default:
		}
	}
}

// wantRow wants the messages 1 to n of session 1 in the store in dir.
func wantRow(t *testing.T, dir string, n int) {
	t.Helper()
	c := diskConfig(t)
	c.Dir = dir
	k := openDisk(t, c)
	next := uint64(0)
	err := k.disk.each(partKey(nil, 1, partEntry), func(key, _ []byte) error {
		if next++; cutSeq(key) != next {
			t.Fatalf("message %d where %d should be", cutSeq(key), next)
		}
		return nil
	})
	if err != nil || next != uint64(n) {
		t.Fatalf("%d messages of %d, %v", next, n, err)
	}
}

// A checkpoint behind a failed sync leaves out what was refused.
func TestCheckpointLeavesOutWhatWasRefused(t *testing.T) {
	c := diskConfig(t)
	var bad flaky
	c.Create = func(path string) (journal.File, error) {
		f, err := os.Create(filepath.Clean(path))
		return brokenFile{f, &bad}, err
	}
	k := openDisk(t, c)
	k.write(push(1, 1, "good"))
	bad.set(false, true)
	err := k.wait(k.ask(broker.Batch{Ops: []broker.Op{push(1, 2, "bad")}}))
	if !errors.Is(err, errDevice) {
		t.Fatalf("err %v", err)
	}
	bad.set(false, false)
	dir := filepath.Join(t.TempDir(), "copy")
	if err := k.disk.Checkpoint(dir); err != nil {
		t.Fatal(err)
	}
	copied := diskConfig(t)
	copied.Dir = dir
	openDisk(t, copied).want(broker.Query{Num: 1}, "push 1 +good")
}

// A store that is closed makes no checkpoint.
func TestCheckpointOfAClosedStore(t *testing.T) {
	k := openDisk(t, diskConfig(t))
	if err := k.disk.Close(); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "copy")
	if err := k.disk.Checkpoint(dir); !errors.Is(err, ErrClosed) {
		t.Errorf("err %v", err)
	}
	k.again()
}

// Jobs do not wait for the clock, whenever the committer goes to sleep.
func TestJobsAreDoneAtOnce(t *testing.T) {
	k := openDisk(t, still(t))
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			for range 10_000 {
				if err := k.disk.between(func() {}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}
