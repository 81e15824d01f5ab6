package shelf

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func open(t *testing.T, cfg Config) *Shelf {
	t.Helper()
	s, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t *testing.T, s *Shelf, text string, held ...string) string {
	t.Helper()
	d, err := s.Put([]byte(text), func(digest string) bool {
		return strings.Contains(strings.Join(held, " "), digest)
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func has(s *Shelf, digest, text string) bool {
	b, err := s.Get(digest)
	return err == nil && string(b) == text
}

func TestAFileOutlivesTheShelf(t *testing.T) {
	for name, dir := range map[string]string{"folder": t.TempDir(), "memory": ""} {
		t.Run(name, func(t *testing.T) {
			cfg := Default()
			cfg.Dir = dir
			s := open(t, cfg)
			d := put(t, s, "one")
			if again := put(t, s, "one"); again != d || !IsDigest(d) || s.bytes != 3 {
				t.Errorf("%s, then %s, %d bytes", d, again, s.bytes)
			}
			if !has(s, d, "one") {
				t.Error("it is not there")
			}
			if dir != "" && !has(open(t, cfg), d, "one") {
				t.Error("it did not outlive the shelf")
			}
		})
	}
}

func TestWhatIsDamagedIsNotAnswered(t *testing.T) {
	cfg := Default()
	cfg.Dir = t.TempDir()
	s := open(t, cfg)
	d := put(t, s, "one")
	path := filepath.Join(cfg.Dir, strings.TrimPrefix(d, prefix))
	if err := os.WriteFile(path, []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(d); !errors.Is(err, ErrDamaged) {
		t.Errorf("damaged: %v", err)
	}
	if put(t, s, "one"); !has(s, d, "one") {
		t.Error("it was not mended")
	}
	if err := os.WriteFile(path+unfinished, []byte("o"), 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, cfg)
	if _, err := os.Stat(path + unfinished); err == nil {
		t.Error("what a crash left is still there")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(d); !errors.Is(err, ErrMissing) {
		t.Errorf("removed: %v", err)
	}
	if _, err := s.Get("sha256:../../x"); !errors.Is(err, ErrMissing) {
		t.Errorf("no digest: %v", err)
	}
}

func TestTheOldestGoThatNobodyHolds(t *testing.T) {
	for _, cfg := range []Config{
		{BytesMax: 8, FilesMax: 100}, {BytesMax: 100, FilesMax: 2},
		{Dir: t.TempDir(), BytesMax: 8, FilesMax: 100},
	} {
		s := open(t, cfg)
		a := put(t, s, "aaaa")
		b := put(t, s, "bbbb")
		s.files[a].at = s.files[b].at.Add(-time.Second)
		c := put(t, s, "cccc", a)
		if !has(s, a, "aaaa") || has(s, b, "bbbb") || !has(s, c, "cccc") {
			t.Errorf("%+v: the wrong one went", cfg)
		}
		all := func(string) bool { return true }
		if _, err := s.Put([]byte("dddd"), all); !errors.Is(err, ErrFull) {
			t.Errorf("%+v: full: %v", cfg, err)
		}
	}
}

func TestSweepKeepsWhatIsNeededOrYoung(t *testing.T) {
	s := open(t, Default())
	a, b, c := put(t, s, "a"), put(t, s, "b"), put(t, s, "c")
	now := time.Now()
	s.files[a].at, s.files[b].at = now.Add(-time.Hour), now.Add(-time.Hour)
	s.files[c].at = now
	n := s.Sweep(now.Add(-time.Minute), func(d string) bool { return d == a })
	if n != 1 || !has(s, a, "a") || has(s, b, "b") || !has(s, c, "c") {
		t.Errorf("%d went", n)
	}
}
