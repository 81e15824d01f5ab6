package backup

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/store"
	"github.com/hpmq/hpmq/lite/broker"
)

// kernel waits for one write at a time.
type kernel struct {
	disk  *store.Disk
	view  *store.DiskView
	told  chan error
	n     uint64
	close func() error
}

func (k *kernel) Written(_ broker.Time, _ broker.Token, err error) { k.told <- err }

func (k *kernel) Read(broker.Time, broker.Token, []broker.Record, error) {}

func (k *kernel) Expired(broker.Time, []broker.Record) {}

// openStore opens the store of a data folder.
func openStore(t *testing.T, data string) *kernel {
	t.Helper()
	cfg := store.ForMemory(0)
	cfg.Dir, cfg.FreeBytesMin, cfg.SegmentBytes = filepath.Join(data, storeName), 0, 8<<10
	d, _, err := store.OpenDisk(cfg)
	if err != nil {
		t.Fatal(err)
	}
	k := &kernel{disk: d, told: make(chan error, 1)}
	k.close = sync.OnceValue(d.Close)
	t.Cleanup(func() { _ = k.close() })
	k.view = d.View(func(f func(store.Kernel, broker.Time)) { f(k, 0) })
	return k
}

// retain keeps n messages more, each acknowledged.
func (k *kernel) retain(t *testing.T, n int) {
	t.Helper()
	for range n {
		k.n++
		op := broker.Op{
			Kind: broker.OpRetain, Key: fmt.Sprintf("t/%d", k.n),
			Value: bytes.Repeat([]byte("v"), 200),
		}
		if k.view.Write(1, &broker.Batch{Ops: []broker.Op{op}}) {
			continue
		}
		if err := <-k.told; err != nil {
			t.Fatal(err)
		}
	}
}

func keeper(t *testing.T, data string) *Keeper {
	t.Helper()
	k, err := Open(Config{Dir: filepath.Join(data, Folder), CountMax: 2, Program: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// A backup has what was acknowledged before, is found whole, and is put in the place of the store.
func TestCreateVerifyRestore(t *testing.T) {
	data := t.TempDir()
	s, k := openStore(t, data), keeper(t, data)
	s.retain(t, 100)
	info, err := k.Create(s.disk, "", noon)
	if err != nil || info.Name != "20260102T120000Z" || info.Bytes() == 0 {
		t.Fatalf("%+v, %v", info, err)
	}
	s.retain(t, 50)
	if _, err := k.Create(s.disk, "second", noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	list, err := k.List()
	if err != nil || len(list) != 2 || list[1].Name != "second" || list[1].Bytes() == 0 {
		t.Fatalf("%+v, %v", list, err)
	}
	for name, want := range map[string]int64{info.Name: 100, "second": 150} {
		if _, rep, err := k.Verify(name); err != nil || rep.Retained != want {
			t.Errorf("%s: %+v, %v", name, rep, err)
		}
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	heard := int64(0)
	_, rep, err := Restore(filepath.Join(data, Folder, info.Name), data,
		func(n int64) error { heard += n; return nil })
	if err != nil || rep.Retained != 100 || heard < info.Bytes() {
		t.Fatalf("heard of %d bytes: %+v, %v", heard, rep, err)
	}
	if n := openStore(t, data).disk.Stats().Retained; n != 100 {
		t.Errorf("%d restored", n)
	}
	// What was restored goes its own way: the backup is as it was.
	if _, rep, err := k.Verify(info.Name); err != nil || rep.Retained != 100 {
		t.Errorf("%+v, %v", rep, err)
	}
	for _, name := range []string{comingName, formerName} {
		if there(filepath.Join(data, name)) {
			t.Errorf("%s is left", name)
		}
	}
}

// What cannot be is refused with a reason, and changes nothing.
func TestRefusals(t *testing.T) {
	data := t.TempDir()
	s, k := openStore(t, data), keeper(t, data)
	for _, name := range []string{"../up", "a/b", ".hidden", "-rf", strings.Repeat("n", 65), "ä"} {
		if _, err := k.Create(s.disk, name, noon); !errors.Is(err, ErrName) {
			t.Errorf("%q: %v", name, err)
		}
		if err := k.Delete(name); !errors.Is(err, ErrName) {
			t.Errorf("delete %q: %v", name, err)
		}
	}
	if _, err := k.Create(s.disk, "a", noon); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Create(s.disk, "a", noon); !errors.Is(err, ErrExists) {
		t.Errorf("again: %v", err)
	}
	k.cfg.FreeBytesMin = math.MaxInt64
	if _, err := k.Create(s.disk, "b", noon); !errors.Is(err, ErrSpace) {
		t.Errorf("no space: %v", err)
	}
	k.cfg.FreeBytesMin = 0
	if _, err := k.Create(s.disk, "b", noon); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Create(s.disk, "c", noon); !errors.Is(err, ErrMany) {
		t.Errorf("too many: %v", err)
	}
	if err := k.Delete("b"); err != nil {
		t.Fatal(err)
	}
	if err := k.Delete("b"); !errors.Is(err, ErrUnknown) {
		t.Errorf("delete again: %v", err)
	}
	k.busy.Lock()
	if _, err := k.Create(s.disk, "c", noon); !errors.Is(err, ErrBusy) {
		t.Errorf("two at once: %v", err)
	}
	k.busy.Unlock()
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Create(s.disk, "c", noon); !errors.Is(err, store.ErrClosed) {
		t.Errorf("of a closed store: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(data, Folder, ".*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// What is wrong with a backup is found, and none of it takes the place of a store.
func TestDamage(t *testing.T) {
	data := t.TempDir()
	s, k := openStore(t, data), keeper(t, data)
	s.retain(t, 200)
	if _, err := k.Create(s.disk, "b", noon); err != nil {
		t.Fatal(err)
	}
	s.retain(t, 1)
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(data, Folder, "b")
	segments, _ := filepath.Glob(filepath.Join(dir, "journal", "*"))
	for what, harm := range map[string]func(dir string) error{
		"no list":     func(dir string) error { return os.Remove(filepath.Join(dir, listName)) },
		"a file less": func(dir string) error { return os.RemoveAll(filepath.Join(dir, "db")) },
		"cut": func(dir string) error {
			return os.Truncate(filepath.Join(dir, "journal", filepath.Base(segments[0])), 100)
		},
		"a bit": func(dir string) error {
			return flip(filepath.Join(dir, "journal", filepath.Base(segments[0])))
		},
	} {
		bad := filepath.Join(data, Folder, "bad")
		err := errors.Join(os.RemoveAll(bad), os.CopyFS(bad, os.DirFS(dir)), harm(bad))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := k.Verify("bad"); err == nil {
			t.Errorf("%s: not found", what)
		}
		if _, _, err := Restore(bad, data, nil); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: restored: %v", what, err)
		}
	}
	if n := openStore(t, data).disk.Stats().Retained; n != 201 {
		t.Errorf("%d in the store", n)
	}
}

func flip(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	b[len(b)/2] ^= 1
	return os.WriteFile(path, b, 0o600)
}

// Wherever a crash breaks a change off, the next start finds one whole store.
func TestSettle(t *testing.T) {
	mark := func(dir, text string) error {
		return errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(filepath.Join(dir, text), nil, 0o600))
	}
	for step, want := range []string{"old", "old", "old", "new", "new"} {
		data := t.TempDir()
		at := filepath.Join(data, storeName)
		former := filepath.Join(data, formerName)
		steps := []func() error{
			func() error { return mark(Coming(data), "new") },
			func() error { return os.Rename(at, former) },
			func() error { return os.Rename(Coming(data), at) },
			func() error { return os.RemoveAll(former) },
		}
		if err := mark(at, "old"); err != nil {
			t.Fatal(err)
		}
		for _, do := range steps[:step] {
			if err := do(); err != nil {
				t.Fatal(err)
			}
		}
		if err := Settle(data); err != nil {
			t.Fatal(err)
		}
		if !there(filepath.Join(at, want)) || there(former) || there(Coming(data)) {
			t.Errorf("after step %d: not the %s one alone", step, want)
		}
	}
}

// A list that is no list is refused, and none leads out of its folder.
func FuzzParseList(f *testing.F) {
	good, err := json.Marshal(Info{Version: 1, Files: []File{{"db/1.sst", 3}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"version":1,"files":[{"path":"../x"}]}`))
	f.Add([]byte(`{"version":2}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		info, err := parseList(b)
		for _, x := range info.Files {
			if err == nil && !filepath.IsLocal(x.Path) {
				t.Errorf("%q", x.Path)
			}
		}
	})
}
