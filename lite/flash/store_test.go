package flash

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hpmq/hpmq/lite/broker"
)

const patience = 2 * time.Minute

// desk is the kernel's side of a store: it notes answers and runs what is posted when it is told
// to.
type desk struct {
	t     *testing.T
	store *Store
	posts chan func(Kernel, broker.Time)
	got   []string
}

// write asks for ops to be kept.
func (d *desk) write(t broker.Token, ops []broker.Op) bool {
	return d.store.Write(t, &broker.Batch{Ops: ops})
}

func (d *desk) Written(_ broker.Time, t broker.Token, err error) {
	d.got = append(d.got, fmt.Sprintf("written %d %s", t, short(err)))
}

func (d *desk) Read(_ broker.Time, t broker.Token, recs []broker.Record, err error) {
	d.got = append(d.got, fmt.Sprintf("read %d %s %s", t, words(recs), short(err)))
}

func short(err error) string {
	for _, e := range []error{ErrFull, ErrKind, ErrBusy, ErrClosed, syscall.ENOSPC, syscall.EIO} {
		if errors.Is(err, e) {
			return e.Error()
		}
	}
	if err == nil {
		return "ok"
	}
	return "error"
}

func words(recs []broker.Record) string {
	var list []string
	for _, r := range recs {
		list = append(list, r.Key+"="+string(r.Value))
	}
	slices.Sort(list)
	return "[" + strings.Join(list, " ") + "]"
}

// answers waits until n answers have come since the last call.
func (d *desk) answers(n int) string {
	d.t.Helper()
	end := time.After(patience)
	for len(d.got) < n {
		select {
		case f := <-d.posts:
			f(d, 0)
		case <-end:
			d.t.Fatalf("answers: %q", d.got)
		}
	}
	text := strings.Join(d.got, ", ")
	d.got = nil
	return text
}

func (d *desk) want(n int, text string) {
	d.t.Helper()
	if got := d.answers(n); got != text {
		d.t.Errorf("got  %s\nwant %s", got, text)
	}
}

// now reads what filter matches, which must be answered at once.
func (d *desk) now(filter string) string {
	d.t.Helper()
	var recs []broker.Record
	visit := func(r broker.Record) { recs = append(recs, r) }
	if !d.store.Read(1, broker.Query{Filter: filter}, visit) {
		d.t.Fatal("not answered at once")
	}
	return words(recs)
}

func config(dir string) Config {
	cfg := Default()
	cfg.Dir = dir
	cfg.RetryPause = 0
	return cfg
}

func open(t *testing.T, cfg Config) (*desk, Report) {
	t.Helper()
	d := &desk{t: t, posts: make(chan func(Kernel, broker.Time), 10_000)}
	s, rep, err := Open(cfg, func(f func(Kernel, broker.Time)) { d.posts <- f })
	if err != nil {
		t.Fatal(err)
	}
	d.store = s
	t.Cleanup(func() { _ = s.Close() })
	return d, rep
}

func (d *desk) close() {
	d.t.Helper()
	if err := d.store.Close(); err != nil {
		d.t.Fatal(err)
	}
}

func put(key, value string) broker.Op {
	return broker.Op{Kind: broker.OpRetain, Key: key, Value: []byte(value)}
}

func drop(key string) broker.Op { return broker.Op{Kind: broker.OpUnretain, Key: key} }

func TestKeepsOverARestart(t *testing.T) {
	cfg := config(t.TempDir())
	d, rep := open(t, cfg)
	if rep.Entries != 0 || rep.CutBytes != 0 {
		t.Errorf("a new store: %+v", rep)
	}
	value := []byte("one")
	ops := []broker.Op{{Kind: broker.OpRetain, Key: "a/1", Value: value}, put("a/2", "two")}
	if d.write(1, ops) {
		t.Fatal("answered before the device has it")
	}
	copy(value, "???") // was borrowed
	d.write(2, []broker.Op{put("b", "x"), drop("a/2")})
	d.write(3, []broker.Op{put("$SYS/x", "y"), put("b", "z")})
	d.want(3, "written 1 ok, written 2 ok, written 3 ok")
	d.close()
	d, rep = open(t, cfg)
	if rep.Entries != 3 || rep.CutBytes != 0 || rep.Bytes != int64(len("a/1one"+"bz"+"$SYS/xy")) {
		t.Errorf("%+v", rep)
	}
	for filter, want := range map[string]string{
		"#": "[a/1=one b=z]", "$SYS/#": "[$SYS/x=y]", "a/+": "[a/1=one]", "": "[]", "no": "[]",
	} {
		if got := d.now(filter); got != want {
			t.Errorf("%s: %s, want %s", filter, got, want)
		}
	}
}

func TestAnswersComeInOrder(t *testing.T) {
	d, _ := open(t, config(t.TempDir()))
	d.write(1, []broker.Op{put("a", "1")})
	if d.store.Read(2, broker.Query{Filter: "#"}, nil) {
		t.Fatal("overtook a write")
	}
	d.write(3, []broker.Op{{Kind: broker.OpPush, Key: "s"}})
	d.write(4, []broker.Op{drop("a")})
	d.store.Read(5, broker.Query{Filter: "#"}, nil)
	d.want(5, "written 1 ok, read 2 [a=1] ok, written 3 "+ErrKind.Error()+
		", written 4 ok, read 5 [] ok")
	if d.now("#") != "[]" {
		t.Error("a is still there")
	}
}

func TestLimitsRefuse(t *testing.T) {
	for name, c := range map[string]struct {
		entries int
		bytes   int64
	}{"entries": {2, 1000}, "bytes": {1000, 8}} {
		t.Run(name, func(t *testing.T) {
			cfg := config(t.TempDir())
			cfg.EntriesMax, cfg.BytesMax = c.entries, c.bytes
			clock := broker.Time(1000)
			cfg.Now = func() broker.Time { return clock }
			d, _ := open(t, cfg)
			d.write(1, []broker.Op{put("a", "1"), put("b", "2")})
			d.write(2, []broker.Op{drop("zzz"), put("c", "34567")})
			d.write(3, []broker.Op{put("a", "x")})
			d.write(4, []broker.Op{drop("b")})
			d.want(4, "written 1 ok, written 2 "+ErrFull.Error()+", written 3 ok, written 4 ok")
			if got := d.now("#"); got != "[a=x]" {
				t.Error(got)
			}
			// What expired makes room.
			short := put("b", "2")
			short.Expire = clock + 1
			d.write(5, []broker.Op{short})
			d.want(1, "written 5 ok")
			clock += sweepEvery
			d.write(6, []broker.Op{put("c", "34")})
			d.want(1, "written 6 ok")
		})
	}
}

func TestExpiredIsGoneAfterARestart(t *testing.T) {
	cfg := config(t.TempDir())
	clock := broker.Time(1000)
	cfg.Now = func() broker.Time { return clock }
	d, _ := open(t, cfg)
	soon := put("soon", "x")
	soon.Expire = 1001
	d.write(1, []broker.Op{soon, put("ever", "y")})
	d.want(1, "written 1 ok")
	d.close()
	clock = 1001
	d, rep := open(t, cfg)
	if got := d.now("#"); got != "[ever=y]" || rep.Entries != 1 {
		t.Errorf("%s %+v", got, rep)
	}
}

func TestGarbageIsTakenOut(t *testing.T) {
	cfg := config(t.TempDir())
	cfg.GarbageBytesMin = 1 << 10
	d, _ := open(t, cfg)
	for i := range 2000 {
		d.write(broker.Token(i+1), []broker.Op{put(fmt.Sprint("t/", i%10), fmt.Sprint(i))})
		d.answers(1)
	}
	want := d.now("#")
	d.close()
	st := d.store.Stats()
	if st.Rewrites == 0 || st.FileBytes > 4<<10 || st.Entries != 10 {
		t.Errorf("%+v", st)
	}
	d, rep := open(t, cfg)
	if got := d.now("#"); got != want || rep.CutBytes != 0 {
		t.Errorf("got %s, want %s, %+v", got, want, rep)
	}
}

func TestManyWritesAreOneCommit(t *testing.T) {
	cfg := config(t.TempDir())
	hold := make(chan struct{})
	d, _ := open(t, cfg)
	d.store.seg.file = &faulty{file: d.store.seg.file, hold: hold}
	d.write(9999, []broker.Op{put("first", "x")})
	for i := 1; i <= 500; i++ {
		d.write(broker.Token(i+1), []broker.Op{put(fmt.Sprint("t/", i), "x")})
	}
	close(hold)
	d.answers(501)
	d.close()
	if st := d.store.Stats(); st.Writes != 501 || st.Commits > 3 {
		t.Errorf("%+v", st)
	}
}

func TestPendingIsBounded(t *testing.T) {
	for _, sync := range []Sync{SyncCommit, SyncNone} {
		cfg := config(t.TempDir())
		cfg.Sync, cfg.PendingBytesMax = sync, 100
		d, _ := open(t, cfg)
		hold := make(chan struct{})
		f := &faulty{file: d.store.seg.file, hold: hold, entered: make(chan struct{}, 9)}
		d.store.seg.file = f
		d.write(1, []broker.Op{put("a", strings.Repeat("x", 200))})
		<-f.entered // the first is on its way, what follows waits
		d.write(2, []broker.Op{put("b", strings.Repeat("x", 60))})
		if d.write(3, []broker.Op{put("c", strings.Repeat("x", 60))}) {
			t.Error("more than what may wait was taken")
		}
		close(hold)
		want, n := "written 1 ok, written 2 ok, written 3 "+ErrBusy.Error(), 3
		if sync == SyncNone {
			want, n = "written 3 "+ErrBusy.Error(), 1
		}
		d.want(n, want)
	}
}

func TestWithoutSyncAnswersAtOnce(t *testing.T) {
	cfg := config(t.TempDir())
	cfg.Sync = SyncNone
	d, _ := open(t, cfg)
	if !d.write(1, []broker.Op{put("a", "1")}) || d.now("#") != "[a=1]" {
		t.Error("not kept at once")
	}
	if d.write(2, []broker.Op{{Kind: broker.OpPutSession, Key: "s"}}) ||
		d.write(3, []broker.Op{put("b", "2")}) {
		t.Error("overtook a refusal")
	}
	d.want(2, "written 2 "+ErrKind.Error()+", written 3 ok")
	d.close()
	if d, _ = open(t, cfg); d.now("#") != "[a=1 b=2]" {
		t.Error(d.now("#"))
	}
}

func TestMemoryAloneHasLimitsToo(t *testing.T) {
	cfg := config(Memory)
	cfg.EntriesMax = 1
	d, _ := open(t, cfg)
	if !d.write(1, []broker.Op{put("a", "1")}) {
		t.Error("not kept at once")
	}
	if d.write(2, []broker.Op{put("b", "1")}) ||
		d.write(3, []broker.Op{put("a", "2")}) {
		t.Error("taken beyond the limit, or overtook a refusal")
	}
	d.store.Read(4, broker.Query{Filter: "#"}, nil)
	d.want(3, "written 2 "+ErrFull.Error()+", written 3 ok, read 4 [a=2] ok")
	d.close()
	if _, err := os.Stat(Memory); err == nil {
		t.Error("it wrote a file")
	}
}

func TestTwoProcessesDoNotShare(t *testing.T) {
	cfg := config(t.TempDir())
	d, _ := open(t, cfg)
	if _, _, err := Open(cfg, nil); err == nil {
		t.Skip("this system has no file locks")
	}
	d.close()
	if _, _, err := Open(cfg, nil); err != nil {
		t.Error(err)
	}
}

func TestForeignFilesAreLeftAlone(t *testing.T) {
	newer := []byte(magic + "\x02\x00\x00\x00\x00")
	newer = append(newer, 0, 0, 0, 0)
	fixed := appendHeader(nil)
	copy(newer[12:], fixed[12:])
	for name, text := range map[string]string{
		"empty": "", "text": "a letter to a friend, long enough", "short": magic,
	} {
		cfg := config(t.TempDir())
		path := filepath.Join(cfg.Dir, logName)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Open(cfg, nil); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
		if b, _ := os.ReadFile(path); string(b) != text {
			t.Errorf("%s was changed", name)
		}
	}
	if err := checkHeader(newer); !errors.Is(err, ErrFormat) {
		t.Errorf("a header with a wrong checksum: %v", err)
	}
}

// faulty is a file whose device fails on demand.
type faulty struct {
	file
	hold    chan struct{} // writes wait until it is closed
	entered chan struct{}
	mu      sync.Mutex
	room    int // bytes until the device is full, if full
	full    bool
	noSync  bool
	noCut   bool
}

func (f *faulty) Write(p []byte) (int, error) {
	if f.entered != nil {
		f.entered <- struct{}{}
	}
	if f.hold != nil {
		<-f.hold
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.full {
		return f.file.Write(p)
	}
	n := min(f.room, len(p))
	f.room -= n
	if n, err := f.file.Write(p[:n]); err != nil || n == len(p) {
		return n, err
	}
	return n, syscall.ENOSPC
}

func (f *faulty) Sync() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.noSync {
		return syscall.EIO
	}
	return f.file.Sync()
}

func (f *faulty) Truncate(n int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.noCut {
		return syscall.EIO
	}
	return f.file.Truncate(n)
}

func (f *faulty) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func TestAFullDeviceIsTold(t *testing.T) {
	cfg := config(t.TempDir())
	var heard []error
	cfg.Trouble = func(err error) { heard = append(heard, err) }
	d, _ := open(t, cfg)
	f := &faulty{file: d.store.seg.file}
	d.store.seg.file = f
	d.write(1, []broker.Op{put("a", "1")})
	d.want(1, "written 1 ok")
	f.set(func() { f.full, f.room = true, 10 })
	d.write(2, []broker.Op{put("a", "2"), put("b", "2")})
	d.store.Read(3, broker.Query{Filter: "#"}, nil)
	d.want(2, "written 2 "+syscall.ENOSPC.Error()+", read 3 [a=1] ok")
	f.set(func() { f.full = false })
	d.write(4, []broker.Op{put("c", "3")})
	d.want(1, "written 4 ok")
	d.close()
	if len(heard) != 1 {
		t.Errorf("heard %v", heard)
	}
	d, rep := open(t, cfg)
	if got := d.now("#"); got != "[a=1 c=3]" || rep.CutBytes != 0 {
		t.Errorf("%s %+v", got, rep)
	}
}

func TestAFileInDoubtIsWrittenAnew(t *testing.T) {
	for name, fail := range map[string]func(*faulty){
		"sync":   func(f *faulty) { f.noSync = true },
		"append": func(f *faulty) { f.full, f.room, f.noCut = true, 10, true },
	} {
		for _, sync := range []Sync{SyncCommit, SyncNone} {
			if sync == SyncNone && name == "sync" {
				continue // it does not sync
			}
			t.Run(fmt.Sprint(name, sync), func(t *testing.T) {
				cfg := config(t.TempDir())
				cfg.Sync = sync
				d, _ := open(t, cfg)
				f := &faulty{file: d.store.seg.file}
				d.store.seg.file = f
				f.set(func() { fail(f) })
				d.write(1, []broker.Op{put("lost", "1")})
				want := "[kept=2]"
				if sync == SyncCommit {
					if got := d.answers(1); strings.HasSuffix(got, "ok") {
						t.Errorf("got %s", got)
					}
				} else {
					want = "[kept=2 lost=1]"
				}
				d.write(2, []broker.Op{put("kept", "2")})
				if sync == SyncCommit {
					d.want(1, "written 2 ok")
				}
				d.close()
				d, rep := open(t, cfg)
				if got := d.now("#"); got != want || rep.CutBytes != 0 {
					t.Errorf("%s, want %s, %+v", got, want, rep)
				}
			})
		}
	}
}

func TestAFailedRewriteKeepsTheOldFile(t *testing.T) {
	cfg := config(t.TempDir())
	cfg.GarbageBytesMin = 100
	d, _ := open(t, cfg)
	d.close()
	cfg.create = func(path string) (file, error) {
		f, err := createFile(path)
		return &faulty{file: f, full: true, room: 20}, err
	}
	d, _ = open(t, cfg)
	for i := range 100 {
		d.write(broker.Token(i+1), []broker.Op{put("a", fmt.Sprint(i))})
		d.answers(1)
	}
	d.close()
	if st := d.store.Stats(); st.Failures == 0 || st.Rewrites != 0 {
		t.Errorf("%+v", st)
	}
	d, _ = open(t, config(cfg.Dir))
	if got := d.now("#"); got != "[a=99]" {
		t.Error(got)
	}
}
