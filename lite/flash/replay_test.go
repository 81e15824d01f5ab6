package flash

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/hpmq/hpmq/lite/broker"
)

// story is writes as a kernel might make them, and the file they come to.
type story struct {
	writes [][]broker.Op
	file   []byte
	ends   []int // of the file after each write; the first is the header's
}

func tell() *story {
	s := &story{file: appendHeader(nil)}
	s.ends = []int{len(s.file)}
	soon := put("c", "3")
	soon.Expire = 1 << 50
	for _, ops := range [][]broker.Op{
		{put("a", "1")}, {put("b/x", "22"), put("b/y", "33")}, {soon}, {drop("a")},
		{put("b/x", "4444"), drop("b/y")}, {put("a", "5")},
	} {
		s.writes = append(s.writes, ops)
		s.file = appendRecord(s.file, ops)
		s.ends = append(s.ends, len(s.file))
	}
	return s
}

// state is what the first n writes leave behind.
func (s *story) state(n int) string {
	kept := map[string]string{}
	for _, ops := range s.writes[:n] {
		for _, op := range ops {
			if delete(kept, op.Key); op.Kind == broker.OpRetain {
				kept[op.Key] = string(op.Value)
			}
		}
	}
	var recs []broker.Record
	for k, v := range kept {
		recs = append(recs, put(k, v))
	}
	return words(recs)
}

// whole is how many writes stand whole in the first n bytes.
func (s *story) whole(n int) int {
	for i := len(s.ends) - 1; i >= 0; i-- {
		if s.ends[i] <= n {
			return i
		}
	}
	return 0
}

// opens opens a store over file, checks what it holds, writes to it, and opens it again.
func opens(t *testing.T, file []byte, want string, cut int) {
	t.Helper()
	cfg := config(t.TempDir())
	if err := os.WriteFile(filepath.Join(cfg.Dir, logName), file, 0o600); err != nil {
		t.Fatal(err)
	}
	d, rep := open(t, cfg)
	if got := d.now("#"); got != want || rep.CutBytes != int64(cut) {
		t.Fatalf("got %s, want %s; cut %d, want %d (%s)", got, want, rep.CutBytes, cut, rep.Reason)
	}
	if cut > 0 {
		tail, err := os.ReadFile(rep.CutFile)
		if err != nil || !bytes.Equal(tail, file[len(file)-cut:]) || rep.Reason == "" {
			t.Fatalf("the tail was not kept: %x, %v, %+v", tail, err, rep)
		}
	}
	d.write(1, []broker.Op{put("a", "new")})
	d.want(1, "written 1 ok")
	after := d.now("#")
	d.close()
	if d, rep = open(t, cfg); d.now("#") != after || rep.CutBytes != 0 {
		t.Fatalf("again: got %s, want %s; %+v", d.now("#"), after, rep)
	}
	d.close()
}

func TestTornAtEveryByte(t *testing.T) {
	s := tell()
	for n := headerBytes; n <= len(s.file); n++ {
		i := s.whole(n)
		opens(t, s.file[:n], s.state(i), n-s.ends[i])
	}
}

func TestZerosBehindEveryByte(t *testing.T) {
	s := tell()
	for n := headerBytes; n < len(s.file); n++ {
		file := append(bytes.Clone(s.file[:n]), make([]byte, 64)...)
		i := s.whole(n)
		// Zeros may by chance be what was to be written.
		for i < len(s.writes) && bytes.HasPrefix(file, s.file[:s.ends[i+1]]) {
			i++
		}
		opens(t, file, s.state(i), len(file)-s.ends[i])
	}
}

func TestEveryByteMayBeWrong(t *testing.T) {
	s := tell()
	for n := headerBytes; n < len(s.file); n++ {
		file := bytes.Clone(s.file)
		file[n] ^= 0x41
		i := s.whole(n)
		opens(t, file, s.state(i), len(file)-s.ends[i])
	}
}

// A process that is killed while it writes the file anew leaves a part of the new one.
func TestKilledRewriteAtEveryByte(t *testing.T) {
	s := tell()
	for n := 0; n <= len(s.file); n += 7 {
		cfg := config(t.TempDir())
		for name, data := range map[string][]byte{logName: s.file, newName: s.file[:n]} {
			if err := os.WriteFile(filepath.Join(cfg.Dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		d, _ := open(t, cfg)
		if got := d.now("#"); got != s.state(len(s.writes)) {
			t.Errorf("at %d: %s", n, got)
		}
		if _, err := os.Stat(filepath.Join(cfg.Dir, newName)); err == nil {
			t.Error("the new file is still there")
		}
		d.close()
	}
}

func TestBodiesRoundTrip(t *testing.T) {
	for _, ops := range tell().writes {
		record := appendRecord(nil, ops)
		got, err := decodeBody(nil, record[prefixBytes:])
		if err != nil || !reflect.DeepEqual(got, ops) {
			t.Errorf("%v became %v, %v", ops, got, err)
		}
	}
}

// FuzzReplay gives any bytes to the replay: what it takes must come to the same file again.
func FuzzReplay(f *testing.F) {
	s := tell()
	f.Add(s.file[headerBytes:])
	f.Add(s.file[headerBytes : len(s.file)-3])
	f.Add(make([]byte, 32))
	f.Fuzz(func(t *testing.T, data []byte) {
		var all [][]broker.Op
		good, torn, err := replay(bytes.NewReader(data), int64(len(data)), func(ops []broker.Op) {
			all = append(all, own(ops))
		})
		if err != nil {
			t.Fatal(err)
		}
		if good < 0 || good > int64(len(data)) || (torn == nil) != (good == int64(len(data))) {
			t.Fatalf("good %d of %d, torn %v", good, len(data), torn)
		}
		var again []broker.Op
		for _, ops := range all {
			record := appendRecord(nil, ops)
			back, err := decodeBody(nil, record[prefixBytes:])
			if err != nil || fmt.Sprint(back) != fmt.Sprint(ops) {
				t.Fatalf("%v became %v, %v", ops, back, err)
			}
			again = append(again, back...)
		}
		x := index{all: map[string]*entry{}}
		undo := x.apply(again, nil)
		x.undo(undo)
		if len(x.all) != 0 || x.bytes != 0 || x.onFile != 0 {
			t.Fatalf("undone, and %d entries of %d bytes are left", len(x.all), x.bytes)
		}
	})
}

// FuzzBody gives any bytes to the decoder of bodies, past the checksum.
func FuzzBody(f *testing.F) {
	for _, ops := range tell().writes {
		f.Add(appendRecord(nil, ops)[prefixBytes:])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		ops, err := decodeBody(nil, body)
		if err != nil {
			return
		}
		back, err := decodeBody(nil, appendRecord(nil, ops)[prefixBytes:])
		if err != nil || fmt.Sprint(back) != fmt.Sprint(ops) {
			t.Fatalf("%v became %v, %v", ops, back, err)
		}
	})
}

func BenchmarkReplay(b *testing.B) {
	data := appendRecord(nil, []broker.Op{put("plant/1/line/2/temp", string(make([]byte, 100)))})
	data = bytes.Repeat(data, 1000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		_, torn, err := replay(bytes.NewReader(data), int64(len(data)), func([]broker.Op) {})
		if torn != nil || err != nil {
			b.Fatal(torn, err)
		}
	}
}
