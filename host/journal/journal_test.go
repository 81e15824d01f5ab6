package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"
)

// open opens a journal and answers what it replayed.
func open(t *testing.T, cfg Config, known uint64) (*Journal, Report, []string) {
	t.Helper()
	var got []string
	j, rep, err := Open(cfg, known, func(lsn uint64, body []byte) error {
		got = append(got, fmt.Sprintf("%d=%s", lsn, body))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return j, rep, got
}

func config(t *testing.T) Config {
	cfg := Default()
	cfg.Dir = t.TempDir()
	return cfg
}

func add(t *testing.T, j *Journal, bodies ...string) {
	t.Helper()
	for _, b := range bodies {
		if _, err := j.Append([]byte(b)); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Sync(); err != nil {
		t.Fatal(err)
	}
}

func TestWhatWasAppendedIsReplayed(t *testing.T) {
	cfg := config(t)
	j, _, _ := open(t, cfg, 0)
	add(t, j, "a", "b")
	if err := j.Cut(); err != nil {
		t.Fatal(err)
	}
	add(t, j, "c")
	// No Close: the process is killed.
	j, rep, got := open(t, cfg, 1)
	if fmt.Sprint(got) != "[2=b 3=c]" || rep.Passed != 1 {
		t.Errorf("got %v, %+v", got, rep)
	}
	add(t, j, "d")
	n, _ := j.Segment()
	if err := j.Drop(n); err != nil {
		t.Fatal(err)
	}
	if _, _, got = open(t, cfg, 3); fmt.Sprint(got) != "[4=d]" {
		t.Errorf("got %v", got)
	}
	if j.cfg.RecordBytesMax = 3; true {
		if _, err := j.Append([]byte("long")); !errors.Is(err, ErrTooLarge) {
			t.Errorf("err %v", err)
		}
	}
}

// A crash breaks the last write off at any byte: what was whole is there, and the journal goes on.
func TestTornAtEveryByte(t *testing.T) {
	cfg := config(t)
	j, _, _ := open(t, cfg, 0)
	add(t, j, "one", "two")
	n, two := j.Segment()
	add(t, j, "three")
	path := segmentPath(cfg.Dir, n)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for size := int(two); size < len(whole); size++ {
		again := config(t)
		data := append(bytes.Clone(whole[:size]), make([]byte, size%3)...)
		if err := os.WriteFile(segmentPath(again.Dir, n), data, 0o600); err != nil {
			t.Fatal(err)
		}
		j, rep, got := open(t, again, 0)
		if fmt.Sprint(got) != "[1=one 2=two]" || rep.CutBytes != int64(len(data))-two {
			t.Fatalf("%d bytes: %v, %+v", size, got, rep)
		}
		add(t, j, "four")
		if _, _, got = open(t, again, 0); fmt.Sprint(got) != "[1=one 2=two 3=four]" {
			t.Fatalf("%d bytes, again: %v", size, got)
		}
	}
}

func TestDamageInTheMiddleIsAnError(t *testing.T) {
	cfg := config(t)
	j, _, _ := open(t, cfg, 0)
	add(t, j, "one", "two")
	n, _ := j.Segment()
	if err := j.Cut(); err != nil {
		t.Fatal(err)
	}
	add(t, j, "three")
	path := segmentPath(cfg.Dir, n)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[headerBytes+prefixBytes] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(cfg, 0, nil); !errors.Is(err, ErrCorrupt) {
		t.Errorf("err %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(cfg, 1, nil); !errors.Is(err, ErrCorrupt) {
		t.Errorf("without it: %v", err)
	}
	if _, _, got := open(t, cfg, 2); fmt.Sprint(got) != "[3=three]" {
		t.Errorf("without what is known: %v", got)
	}
}

// What was safe when a later record was written cannot be torn: whatever byte of it is damaged, it
// is an error, and with Damaged all but that record is there.
func TestDamageInTheLastSegmentIsAnError(t *testing.T) {
	cfg := config(t)
	j, _, _ := open(t, cfg, 0)
	add(t, j, "one")
	n, one := j.Segment()
	add(t, j, "two")
	_, two := j.Segment()
	add(t, j, "three")
	whole, err := os.ReadFile(segmentPath(cfg.Dir, n))
	if err != nil {
		t.Fatal(err)
	}
	for at := one; at < two; at++ {
		again := config(t)
		data := bytes.Clone(whole)
		data[at] ^= 0x10
		if err := os.WriteFile(segmentPath(again.Dir, n), data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Open(again, 0, func(uint64, []byte) error { return nil }); !errors.Is(
			err, ErrCorrupt) {
			t.Fatalf("at %d: %v", at, err)
		}
		told := 0
		again.Damaged = func(error) { told++ }
		if _, _, got := open(t, again, 0); fmt.Sprint(got) != "[1=one 3=three]" || told != 1 {
			t.Fatalf("at %d: %v, told %d times", at, got, told)
		}
	}
}

// A power cut may leave a later write and not the one before: nobody was told of either.
func TestAHoleInWhatWasNotSafeIsTorn(t *testing.T) {
	cfg := config(t)
	j, _, _ := open(t, cfg, 0)
	add(t, j, "one")
	n, one := j.Segment()
	for _, b := range []string{"two", "three"} {
		if _, err := j.Append([]byte(b)); err != nil {
			t.Fatal(err)
		}
	}
	path := segmentPath(cfg.Dir, n)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[one+prefixBytes] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, rep, got := open(t, cfg, 0); fmt.Sprint(got) != "[1=one]" || rep.CutBytes == 0 {
		t.Errorf("%v, %+v", got, rep)
	}
}

// Segments that are gone are missed, and a file that is no segment any more is kept aside.
func TestMissingSegmentsAreAnError(t *testing.T) {
	for name, harm := range map[string]func(path string) error{
		"missing": os.Remove,
		"header": func(path string) error {
			f, err := os.OpenFile(filepath.Clean(path), os.O_WRONLY, 0)
			if err == nil {
				_, err = f.WriteAt([]byte("x"), 0)
			}
			return errors.Join(err, f.Close())
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(t)
			j, _, _ := open(t, cfg, 0)
			add(t, j, "one")
			n, _ := j.Segment()
			if err := harm(segmentPath(cfg.Dir, n)); err != nil {
				t.Fatal(err)
			}
			if _, _, err := Open(cfg, 1, nil); !errors.Is(err, ErrCorrupt) {
				t.Errorf("err %v", err)
			}
			cfg.Damaged = func(error) {}
			j, _, _ = open(t, cfg, 1)
			add(t, j, "two")
			kept, err := os.ReadFile(segmentPath(cfg.Dir, n) + aside)
			if name == "header" && (err != nil || !bytes.Contains(kept, []byte("one"))) {
				t.Errorf("not kept aside: %v", err)
			}
			if _, _, got := open(t, cfg, 1); fmt.Sprint(got) != "[2=two]" {
				t.Errorf("after: %v", got)
			}
		})
	}
}

// Who keeps no number begins with the first segment there is.
func TestTheTailIsNotMissing(t *testing.T) {
	cfg := config(t)
	cfg.Tail = true
	j, _, _ := open(t, cfg, 0)
	add(t, j, "one", "two")
	if err := j.Cut(); err != nil {
		t.Fatal(err)
	}
	add(t, j, "three")
	n, _ := j.Segment()
	if err := j.Drop(n); err != nil {
		t.Fatal(err)
	}
	j, _, got := open(t, cfg, 0)
	add(t, j, "four")
	if _, _, again := open(t, cfg, 0); fmt.Sprint(got, again) != "[3=three] [3=three 4=four]" {
		t.Errorf("got %v, then %v", got, again)
	}
	cfg.Tail = false
	if _, _, err := Open(cfg, 0, nil); !errors.Is(err, ErrCorrupt) {
		t.Errorf("without Tail: %v", err)
	}
}

// Segments of version 1 say nothing of what was safe, and are read.
func TestVersionOneIsRead(t *testing.T) {
	cfg := config(t)
	head := appendHeader(nil, header{number: 1, lsn: 9})
	binary.BigEndian.PutUint32(head[8:], 1)
	binary.BigEndian.PutUint32(head[36:], crc32.Checksum(head[:36], castagnoli))
	b := binary.BigEndian.AppendUint32(nil, 3)
	b = binary.BigEndian.AppendUint64(append(b, 0, 0, 0, 0), 1)
	binary.BigEndian.PutUint32(b[4:], checksum(b, []byte("one")))
	data := append(append(head, b...), "one and the rest"...)
	if err := os.WriteFile(segmentPath(cfg.Dir, 1), data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, rep, got := open(t, cfg, 0); fmt.Sprint(got) != "[1=one]" || rep.CutBytes != 13 {
		t.Errorf("%v, %+v", got, rep)
	}
}

// FuzzRecord gives any bytes to the decoder: what it takes encodes to the same bytes.
func FuzzRecord(f *testing.F) {
	f.Add(appendRecord(nil, record{1, 40, []byte("body")}))
	f.Add(appendRecord(appendRecord(nil, record{1, 40, nil}), record{2, 64, []byte("x")}))
	f.Add(make([]byte, 32))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, rest, err := (&header{}).cutRecord(data, 1<<20)
		if err != nil {
			return
		}
		if again := appendRecord(nil, r); !bytes.Equal(append(again, rest...), data) {
			t.Fatalf("%x became %x", data, again)
		}
	})
}

// FuzzHeader does the same for headers.
func FuzzHeader(f *testing.F) {
	f.Add(appendHeader(nil, header{number: 1, lsn: 2, end: 3}))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := readHeader(data)
		if err == nil && !h.one && !bytes.Equal(appendHeader(nil, h), data[:headerBytes]) {
			t.Fatalf("%x became %+v", data, h)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	cfg := Default()
	cfg.Dir = b.TempDir()
	j, _, err := Open(cfg, 0, nil)
	if err != nil {
		b.Fatal(err)
	}
	body := make([]byte, 128*180)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := j.Append(body); err != nil {
			b.Fatal(err)
		}
		if err := j.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}
