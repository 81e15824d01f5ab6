package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

var errDisk = errors.New("disk")

// faulty is a device that fails when it is told to.
type faulty struct {
	*os.File
	plan *plan
}

type plan struct{ write, sync, truncate, create int } // how many succeed; -1 for all

func (p *plan) take(n *int) bool {
	if *n == 0 {
		return false
	}
	if *n > 0 {
		*n--
	}
	return true
}

func (f faulty) WriteAt(b []byte, at int64) (int, error) {
	if f.plan.take(&f.plan.write) {
		return f.File.WriteAt(b, at)
	}
	n, _ := f.File.WriteAt(b[:len(b)/2], at) // a short write
	return n, errDisk
}

func (f faulty) Sync() error {
	if f.plan.take(&f.plan.sync) {
		return f.File.Sync()
	}
	return errDisk
}

func (f faulty) Truncate(n int64) error {
	if f.plan.take(&f.plan.truncate) {
		return f.File.Truncate(n)
	}
	return errDisk
}

// open is Config.Create of such a device.
func (p *plan) open(path string) (File, error) {
	if !p.take(&p.create) {
		return nil, errDisk
	}
	f, err := os.Create(filepath.Clean(path))
	return faulty{f, p}, err
}

// tryAll appends until it works again and answers what was acknowledged.
func tryAll(t *testing.T, j *Journal, p *plan, bodies ...string) (acked []string) {
	t.Helper()
	for _, b := range bodies {
		lsn, err := j.Append([]byte(b))
		if err == nil {
			err = j.Sync()
		}
		if err == nil {
			acked = append(acked, fmt.Sprintf("%d=%s", lsn, b))
			continue
		}
		if !errors.Is(err, errDisk) {
			t.Fatal(err)
		}
		*p = plan{-1, -1, -1, -1}
	}
	return acked
}

// Whatever fails: what was refused never comes back, what was acknowledged does, and the journal
// goes on as soon as the device does.
func TestFailingDevice(t *testing.T) {
	for i, p := range []plan{
		{1, -1, -1, -1}, {1, -1, 0, -1}, {-1, 1, -1, -1}, {-1, 1, 0, -1}, {1, 1, 0, 0},
		{2, 2, 0, 0},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			all := plan{-1, -1, -1, -1}
			cfg := config(t)
			cfg.Create = all.open
			j, _, _ := open(t, cfg, 0)
			all = p
			acked := tryAll(t, j, &all, "one", "two", "three", "four", "five")
			if len(acked) < 3 {
				t.Fatalf("acknowledged only %v", acked)
			}
			cfg.Create = nil
			if _, _, got := open(t, cfg, 0); fmt.Sprint(got) != fmt.Sprint(acked) {
				t.Errorf("acknowledged %v, replayed %v", acked, got)
			}
		})
	}
}

// A segment cannot be begun: the old one goes on only if the new one cannot be mistaken for it.
func TestFailingCut(t *testing.T) {
	for name, p := range map[string]plan{
		"create": {-1, -1, -1, 0}, "write": {0, -1, -1, -1}, "sync": {-1, 0, -1, -1},
	} {
		t.Run(name, func(t *testing.T) {
			all := plan{-1, -1, -1, -1}
			cfg := config(t)
			cfg.Create = all.open
			j, _, _ := open(t, cfg, 0)
			add(t, j, "one")
			all = p
			if err := j.Cut(); !errors.Is(err, errDisk) {
				t.Fatalf("err %v", err)
			}
			all = plan{-1, -1, -1, -1}
			add(t, j, "two")
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			cfg.Create = nil
			if _, _, got := open(t, cfg, 0); fmt.Sprint(got) != "[1=one 2=two]" {
				t.Errorf("replayed %v", got)
			}
		})
	}
}
