package pulled

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/hpmq/hpmq/sdk/bundle/oci"
)

// made is a layout with one manifest of its own.
func made(t *testing.T, text string) (*oci.Layout, oci.Descriptor) {
	t.Helper()
	l := oci.New()
	config, err := l.Add("text/plain", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	d, err := l.AddManifest(oci.Manifest{ArtifactType: "text/test", Config: config}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return l, d
}

func opened(t *testing.T, cfg Config) *Store {
	t.Helper()
	s, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func all(oci.Digest) bool  { return true }
func none(oci.Digest) bool { return false }

// has says whether a store has a bundle, whole.
func has(t *testing.T, s *Store, d oci.Descriptor) bool {
	t.Helper()
	l, at, err := s.Get(d.Digest)
	if errors.Is(err, ErrMissing) {
		return false
	}
	if err != nil || at.Digest != d.Digest {
		t.Fatal(at, err)
	}
	if _, err := l.Manifest(at); err != nil {
		t.Fatal(err)
	}
	return true
}

func TestWhatIsPutOutlivesTheProcess(t *testing.T) {
	cfg := Default()
	for _, cfg.Dir = range []string{"", filepath.Join(t.TempDir(), "pulled")} {
		s := opened(t, cfg)
		l, d := made(t, "a")
		if has(t, s, d) {
			t.Error("it is there before it was put")
		}
		for range 2 {
			if err := s.Put(l, d, none); err != nil {
				t.Fatal(err)
			}
		}
		if !has(t, s, d) || len(s.kept) != 1 {
			t.Error("it is not there once")
		}
		if cfg.Dir == "" {
			continue
		}
		torn := filepath.Join(cfg.Dir, ".new-1")
		if err := os.WriteFile(torn, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		again := opened(t, cfg)
		if !has(t, again, d) || again.bytes != s.bytes {
			t.Errorf("after a restart: %d bytes, were %d", again.bytes, s.bytes)
		}
		if _, err := os.Stat(torn); !os.IsNotExist(err) {
			t.Error("what was not written to its end stays:", err)
		}
	}
}

// What is there and is not what its name says is not answered.
func TestDamaged(t *testing.T) {
	cfg := Default()
	cfg.Dir = t.TempDir()
	s := opened(t, cfg)
	l, d := made(t, "a")
	if err := s.Put(l, d, none); err != nil {
		t.Fatal(err)
	}
	other, _ := made(t, "b")
	if err := other.Save(s.path(d.Digest)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Get(d.Digest); !errors.Is(err, oci.ErrDigest) {
		t.Error("another bundle:", err)
	}
	if err := os.Truncate(s.path(d.Digest), 700); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Get(d.Digest); !errors.Is(err, oci.ErrLayout) {
		t.Error("cut short:", err)
	}
	if err := os.Remove(s.path(d.Digest)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Get(d.Digest); !errors.Is(err, ErrMissing) {
		t.Error("removed:", err)
	}
	if err := s.Put(l, d, none); err != nil || !has(t, s, d) {
		t.Error("put again:", err)
	}
}

func TestBounds(t *testing.T) {
	cfg := Default()
	cfg.FilesMax = 2
	for _, cfg.Dir = range []string{"", t.TempDir()} {
		s := opened(t, cfg)
		var ds []oci.Descriptor
		for i := range 3 {
			l, d := made(t, fmt.Sprint(i))
			ds = append(ds, d)
			if err := s.Put(l, d, none); err != nil {
				t.Fatal(err)
			}
		}
		if has(t, s, ds[0]) || !has(t, s, ds[1]) || !has(t, s, ds[2]) {
			t.Error("not the oldest was dropped")
		}
		l, d := made(t, "3")
		if err := s.Put(l, d, all); !errors.Is(err, ErrFull) || has(t, s, d) {
			t.Error("beside what is held:", err)
		}
		if n := s.Sweep(func(d oci.Digest) bool { return d == ds[2].Digest }); n != 1 {
			t.Errorf("%d were swept", n)
		}
		if has(t, s, ds[1]) || !has(t, s, ds[2]) || s.bytes != s.kept[ds[2].Digest].size {
			t.Error("after the sweep")
		}
		s.cfg.BytesMax = s.bytes
		if err := s.Put(l, d, all); !errors.Is(err, ErrFull) {
			t.Error("more bytes:", err)
		}
	}
}

// Who may only read leaves the folder as it is.
func TestReadOnly(t *testing.T) {
	cfg := Default()
	cfg.Dir = filepath.Join(t.TempDir(), "none")
	cfg.ReadOnly = true
	s := opened(t, cfg)
	l, d := made(t, "a")
	if err := s.Put(l, d, none); err != nil || !has(t, s, d) {
		t.Error(err)
	}
	if _, err := os.Stat(cfg.Dir); !os.IsNotExist(err) {
		t.Error("it made a folder:", err)
	}
	cfg.ReadOnly = false
	if err := opened(t, cfg).Put(l, d, none); err != nil {
		t.Fatal(err)
	}
	cfg.ReadOnly = true
	s = opened(t, cfg)
	if s.Sweep(none) != 1 || has(t, s, d) {
		t.Error("it is known after a sweep")
	}
	if !has(t, opened(t, cfg), d) {
		t.Error("who may only read removed it")
	}
}
