//go:build faults

package fault

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// On is true in a build for crash tests.
const On = true

// Variable of the environment with the rules.
const Variable = "BROKER_FAULTS"

// ErrDevice is what a device that fails says.
var ErrDevice = errors.New("fault: the device failed")

// told are the rules of this process, disk the files it writes.
var (
	told = parse(os.Getenv(Variable))
	disk = newFiles()
)

// Point is passed: what is told to happen there happens. It may not return.
func Point(name string) { _, _ = Write(name, 0) }

// Write is Point before a write of so many bytes: it answers how many may be written before the
// process ends or err is the answer.
func Write(name string, bytes int) (part int, err error) {
	r, n := told.pass(name, time.Now())
	if r == nil {
		return bytes, nil
	}
	if r.span == 0 || n == r.from {
		fmt.Fprintf(os.Stderr, "fault: %s at %s, pass %d\n", r.action, name, n)
	}
	switch r.action {
	case "slow":
		time.Sleep(r.wait)
	case "error":
		return 0, ErrDevice
	case "short":
		return bytes / 2, ErrDevice
	case "full":
		return 0, syscall.ENOSPC
	case "torn":
		if bytes > 0 {
			return bytes / 2, errKill
		}
		Kill()
	case "kill":
		Kill()
	case "power":
		disk.cut(n)
		Kill()
	}
	return bytes, nil
}

var errKill = errors.New("fault: end now")

// Torn ends the process if err of Write asked for that after the part.
func Torn(err error) {
	if errors.Is(err, errKill) {
		Kill()
	}
}

// Wrong is true where the order is to be the wrong one on purpose.
func Wrong(name string) bool {
	r, _ := told.pass(name, time.Now())
	return r != nil && r.action == "wrong"
}

// Kill ends the process as kill -9 does. It does not return.
func Kill() {
	p, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = p.Kill()
	}
	if err != nil {
		panic(err)
	}
	select {}
}

// Created, Written, Synced, Removed and DirSynced note what of a file a power cut leaves.
func Created(path string) { disk.created(path) }

// Written is a file that ends at size now.
func Written(path string, size int64) { disk.written(path, size) }

// Synced is a file that is safe up to size.
func Synced(path string, size int64) { disk.synced(path, size) }

// Removed is a file that is about to be removed.
func Removed(path string) { disk.removed(path) }

// DirSynced notes that the names in a folder are safe.
func DirSynced(dir string) { disk.dirSynced(dir) }

// files know what is not safe yet.
type files struct {
	mu   sync.Mutex
	list map[string]*file
	// gone is what safe files held whose removal is not: a folder keeps its changes in their order,
	// so a name that was made before another was removed is not lost alone.
	gone map[string][]byte
}

type file struct {
	size, safe int64
	named      bool // the folder knows it
}

func newFiles() *files {
	return &files{list: make(map[string]*file), gone: make(map[string][]byte)}
}

func (d *files) created(path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list[filepath.Clean(path)] = &file{}
}

func (d *files) written(path string, size int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.list[filepath.Clean(path)]; f != nil {
		f.size = size
		f.safe = min(f.safe, size)
	}
}

func (d *files) synced(path string, size int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.list[filepath.Clean(path)]; f != nil {
		f.safe = max(f.safe, min(size, f.size))
	}
}

func (d *files) removed(path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	path = filepath.Clean(path)
	f := d.list[path]
	delete(d.list, path)
	if f != nil && !f.named {
		return
	}
	held, err := os.ReadFile(path)
	if err != nil {
		return // it was not there
	}
	if f != nil {
		held = held[:min(int64(len(held)), f.safe)]
	}
	d.gone[path] = held
}

func (d *files) dirSynced(dir string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for path, f := range d.list {
		if filepath.Dir(path) == filepath.Clean(dir) {
			f.named = true
		}
	}
	for path := range d.gone {
		if filepath.Dir(path) == filepath.Clean(dir) {
			delete(d.gone, path)
		}
	}
}

// cut takes away what was not safe: all, half or nothing of it, by n. It keeps the lock: nothing is
// written any more.
func (d *files) cut(n int) {
	d.mu.Lock()
	for path, f := range d.list {
		left := f.safe + (f.size-f.safe)*int64(n%3)/2
		var err error
		switch {
		case !f.named && n%2 == 0:
			err = os.Remove(path)
		case left < f.size:
			err = os.Truncate(path, left)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "fault: power: %v\n", err)
		}
	}
	if n%2 != 0 {
		return
	}
	for path, held := range d.gone {
		if err := os.WriteFile(path, held, 0o600); err != nil {
			fmt.Fprintf(os.Stderr, "fault: power: %v\n", err)
		}
	}
}
