package ledger

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/journal"
)

func open(t *testing.T, dir string) *Ledger {
	t.Helper()
	cfg := Default()
	cfg.Dir = dir
	l, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func load(t *testing.T, l *Ledger) string {
	t.Helper()
	var list []string
	err := l.Load(func(r []byte) error {
		list = append(list, string(r))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(list, " ")
}

func write(t *testing.T, l *Ledger, records ...string) {
	t.Helper()
	for _, r := range records {
		keep := l.Append
		if strings.HasPrefix(r, "=") {
			keep, r = l.Compact, r[1:]
		}
		if err := keep([]byte(r)); err != nil {
			t.Fatal(err)
		}
	}
}

// reopen answers what is there after a restart.
func reopen(t *testing.T, l *Ledger, dir string) (*Ledger, string) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, dir)
	return l, load(t, l)
}

func TestWhatIsAppendedIsThere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ledger")
	l := open(t, dir)
	if got := load(t, l); got != "" {
		t.Errorf("a new one has %q", got)
	}
	if err := l.Load(nil); err == nil {
		t.Error("it was handed out twice")
	}
	write(t, l, "a", "b")
	l, got := reopen(t, l, dir)
	if got != "a b" {
		t.Errorf("it has %q", got)
	}
	write(t, l, "c", "=abc", "d")
	l, got = reopen(t, l, dir)
	if got != "abc d" {
		t.Errorf("compacted it has %q", got)
	}
	write(t, l, "=abcd", "=abcd2")
	l, got = reopen(t, l, dir)
	if got != "abcd2" {
		t.Errorf("compacted twice it has %q", got)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.journal"))
	if err != nil || len(files) > 2 {
		t.Errorf("%d files, %v", len(files), err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// TestACrashWhileCompacting has the files as they are in between: from the oldest on they are gone.
func TestACrashWhileCompacting(t *testing.T) {
	from := filepath.Join(t.TempDir(), "ledger")
	l := open(t, from)
	write(t, l, "a", "b")
	l, _ = reopen(t, l, from)
	write(t, l, "c")
	l, _ = reopen(t, l, from)
	old := files(t, from)
	write(t, l, "=abc", "d")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	now := files(t, from)
	for gone := range len(old) + 1 {
		dir := t.TempDir()
		names := slices.Sorted(maps.Keys(old))
		for _, n := range names[gone:] {
			put(t, dir, n, old[n])
		}
		for n, b := range now {
			put(t, dir, n, b)
		}
		l := open(t, dir)
		if got := load(t, l); got != "abc d" {
			t.Errorf("without %d files it has %q", gone, got)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = b
	}
	return all
}

func put(t *testing.T, dir, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDamageIsTold turns a bit in what was acknowledged, and takes the begin away.
func TestDamageIsTold(t *testing.T) {
	for name, harm := range map[string]func(names []string, all map[string][]byte){
		"a bit": func(names []string, all map[string][]byte) { all[names[0]][66] ^= 1 },
		"a file": func(names []string, all map[string][]byte) {
			delete(all, names[0])
		},
	} {
		from := filepath.Join(t.TempDir(), "ledger")
		l := open(t, from)
		write(t, l, "first", "second")
		l, _ = reopen(t, l, from)
		write(t, l, "third")
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		all := files(t, from)
		harm(slices.Sorted(maps.Keys(all)), all)
		dir := t.TempDir()
		for n, b := range all {
			put(t, dir, n, b)
		}
		cfg := Default()
		cfg.Dir = dir
		if _, err := Open(cfg); !errors.Is(err, journal.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
		told := 0
		cfg.Damaged = func(error) { told++ }
		l, err := Open(cfg)
		if err != nil || told == 0 {
			t.Fatalf("%s: %v, told %d times", name, err, told)
		}
		if got := load(t, l); !strings.HasSuffix(got, "third") {
			t.Errorf("%s: what is whole is %q", name, got)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

// full is a device without room.
type full struct {
	*os.File
	is *bool
}

func (f full) WriteAt(b []byte, at int64) (int, error) {
	if *f.is {
		n, _ := f.File.WriteAt(b[:len(b)/2], at)
		return n, errors.New("no space")
	}
	return f.File.WriteAt(b, at)
}

func TestWhatFailedNeverComesBack(t *testing.T) {
	dir, is := t.TempDir(), false
	cfg := Default()
	cfg.Dir = dir
	cfg.Create = func(path string) (journal.File, error) {
		f, err := os.Create(filepath.Clean(path))
		return full{f, &is}, err
	}
	l, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	write(t, l, "a")
	is = true
	if err := l.Append([]byte("refused")); err == nil {
		t.Error("a full device took a record")
	}
	if err := l.Compact([]byte("refused")); err == nil {
		t.Error("a full device was compacted")
	}
	is = false
	write(t, l, "b")
	if _, got := reopen(t, l, dir); got != "a b" {
		t.Errorf("it has %q", got)
	}
}
