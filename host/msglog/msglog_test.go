package msglog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/zstd"
	"github.com/hpmq/hpmq/sdk/topic"
)

// stand is a Log with a clock of its own.
type stand struct {
	t     testing.TB
	cfg   Config
	codec *zstd.Blocks
	log   *Log
	now   int64
	id    uint64
	told  []string
}

func newStand(t testing.TB, change func(*Config)) *stand {
	t.Helper()
	codec, err := zstd.NewBlocks(2, rawBytesMax)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(codec.Close)
	s := &stand{t: t, codec: codec, now: 1_000_000, cfg: Default()}
	s.cfg.Dir, s.cfg.Listener = t.TempDir(), "mqtt"
	s.cfg.Now = func() int64 { return s.now }
	s.cfg.Trouble = func(err error) { s.told = append(s.told, fmt.Sprint(err)) }
	s.cfg.BlockBytesMax, s.cfg.SegmentBytesMax = 1<<10, 4<<10
	if change != nil {
		change(&s.cfg)
	}
	s.open()
	t.Cleanup(func() { _ = s.log.Close() })
	return s
}

func (s *stand) open() Report {
	s.t.Helper()
	l, rep, err := Open(s.cfg, s.codec)
	if err != nil {
		s.t.Fatal(err)
	}
	s.log = l
	return rep
}

// add appends a record a millisecond after the last.
func (s *stand) add(name, client string, o Outcome) *Record {
	s.now++
	s.id++
	r := &Record{ID: s.id, Time: s.now, Client: []byte(client), Part: Part{
		Topic: []byte(name), Payload: fmt.Appendf(nil, "%d %x", s.id, rand.Uint64()), Held: Whole,
		Size: 9, QoS: 1, Outcome: o,
	}}
	s.log.Append(r)
	return r
}

// ask answers the IDs of the records of q.
func (s *stand) ask(q Query) ([]uint64, Progress) {
	s.t.Helper()
	var p Progress
	var ids []uint64
	for r := range s.log.Records(s.t.Context(), q, &p) {
		ids = append(ids, r.ID)
	}
	if p.Err != nil {
		s.t.Fatal(p.Err)
	}
	return ids, p
}

// TestQueriesAnswerAsALookAtAllWould compares random questions with a model, over blocks that are
// written and one that is not, before and after a start.
func TestQueriesAnswerAsALookAtAllWould(t *testing.T) {
	s := newStand(t, nil)
	var all []*Record
	names := []string{"a", "a/b", "a/b/c", "b/b/c", "$x/a", "long/way/down/to/a/leaf"}
	filters := []string{"", "#", "a/#", "a/+", "+/b/c", "a/b/c", "$x/#", "none/#", "none", "+"}
	for i := range 2000 {
		o := Outcome(rand.IntN(4) + 1)
		// Clients and topics change slowly, so that summaries matter.
		r := s.add(names[i/400%len(names)], fmt.Sprint("c", i/300), o)
		all = append(all, r)
	}
	if st := s.log.Stats(); st.Segments < 3 || st.Records != 2000 {
		t.Fatalf("%+v", st)
	}
	for round := range 600 {
		if round == 300 {
			if err := s.log.Close(); err != nil {
				t.Fatal(err)
			}
			s.open()
		}
		q := Query{Filter: filters[rand.IntN(len(filters))], Newest: rand.IntN(2) == 0}
		if rand.IntN(2) == 0 {
			q.Client = fmt.Sprint("c", rand.IntN(8))
		}
		if rand.IntN(2) == 0 {
			q.Outcome = Outcome(rand.IntN(4) + 1)
		}
		if rand.IntN(2) == 0 {
			q.From = 1_000_000 + rand.Int64N(2000)
			q.To = q.From + rand.Int64N(1000)
		}
		if rand.IntN(2) == 0 {
			q.After = rand.Uint64N(2000)
			q.Before = q.After + rand.Uint64N(1000)
		}
		got, _ := s.ask(q)
		if want := look(all, q); !slices.Equal(got, want) {
			t.Fatalf("%+v: got %v, want %v", q, got, want)
		}
	}
}

// look answers q the slow way.
func look(all []*Record, q Query) []uint64 {
	var ids []uint64
	for _, r := range all {
		match := q.Filter == "" || q.Filter == "#" || topic.Match(q.Filter, r.Topic)
		if match && (q.Client == "" || q.Client == string(r.Client)) &&
			(q.Outcome == 0 || q.Outcome == r.Outcome) && r.Time >= q.From &&
			(q.To == 0 || r.Time <= q.To) && r.ID > q.After &&
			(q.Before == 0 || r.ID < q.Before) {
			ids = append(ids, r.ID)
		}
	}
	if q.Newest {
		slices.Reverse(ids)
	}
	return ids
}

func TestAQuestionSkipsBlocks(t *testing.T) {
	s := newStand(t, nil)
	for i := range 1000 {
		s.add(fmt.Sprintf("plant/%d/temperature", i/100), fmt.Sprint("c", i/100), Delivered)
	}
	_, all := s.ask(Query{})
	for _, q := range []Query{
		{Filter: "plant/3/temperature"}, {Filter: "plant/3/#"}, {Client: "c3"},
		{Filter: "plant/3/+", Client: "c3"}, {From: 1_000_301, To: 1_000_400}, {After: 900},
	} {
		ids, p := s.ask(q)
		if len(ids) != 100 || p.Blocks > all.Blocks/4 {
			t.Errorf("%+v: %d answers from %d of %d blocks", q, len(ids), p.Blocks, all.Blocks)
		}
	}
	if ids, p := s.ask(Query{Outcome: Denied}); len(ids) != 0 || p.Blocks != 0 {
		t.Errorf("%v from %d blocks", ids, p.Blocks)
	}
}

// TestABoundedScanGoesOnWhereItStopped pages by Progress alone.
func TestABoundedScanGoesOnWhereItStopped(t *testing.T) {
	s := newStand(t, nil)
	for i := range 1000 {
		s.add("t", "c", Outcome(1+i%4))
	}
	q := Query{Outcome: Suppressed, ScanBytesMax: 1}
	var got []uint64
	pages := 0
	for {
		ids, p := s.ask(q)
		got = append(got, ids...)
		pages++
		if !p.Stopped {
			break
		}
		q.After = p.At
	}
	if len(got) != 250 || pages < 10 {
		t.Errorf("%d answers in %d pages", len(got), pages)
	}
}

func TestTheOldAndTheTooMuchGo(t *testing.T) {
	s := newStand(t, func(c *Config) { c.BytesMax = 16 << 10; c.Age = time.Hour })
	for range 5000 {
		s.add("t", "c", Delivered)
		if st := s.log.Stats(); st.Bytes > 16<<10 {
			t.Fatalf("%+v", st)
		}
	}
	ids, _ := s.ask(Query{})
	if len(ids) < 100 || ids[len(ids)-1] != 5000 || ids[0] == 1 {
		t.Fatalf("%d, from %d to %d", len(ids), ids[0], ids[len(ids)-1])
	}
	s.now += time.Hour.Milliseconds() + 1
	s.log.Flush(0)
	if ids, _ := s.ask(Query{}); len(ids) != 0 {
		t.Errorf("%d are too old", len(ids))
	}
	s.add("t", "c", Delivered)
	s.log.Flush(0)
	if st := s.log.Stats(); st.Segments != 1 || st.Records != 1 {
		t.Errorf("%+v", st)
	}
}

// TestATornEndIsCut cuts the last file at every place and changes a byte of every block.
func TestATornEndIsCut(t *testing.T) {
	s := newStand(t, func(c *Config) { c.SegmentBytesMax = 1 << 20; c.BytesMax = 2 << 20 })
	for range 60 {
		s.add("a/b", "c", Delivered)
	}
	_ = s.log.Close()
	whole, err := os.ReadFile(segmentPath(s.cfg.Dir, 1))
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at <= len(whole); at += 7 {
		s.cfg.Dir = t.TempDir()
		if err := os.WriteFile(segmentPath(s.cfg.Dir, 1), whole[:at], 0o600); err != nil {
			t.Fatal(err)
		}
		rep := s.open()
		ids, _ := s.ask(Query{})
		for i, id := range ids {
			if id != uint64(i+1) {
				t.Fatalf("cut at %d: %v", at, ids)
			}
		}
		s.id = s.log.Last()
		s.add("a/b", "c", Denied)
		_ = s.log.Close()
		if again := s.open(); !reflect.DeepEqual(again, Report{}) {
			t.Fatalf("cut at %d: %+v, then %+v", at, rep, again)
		}
		if more, _ := s.ask(Query{}); len(more) != len(ids)+1 {
			t.Fatalf("cut at %d: %v, then %v", at, ids, more)
		}
	}
}

// fullDevice takes left bytes.
type fullDevice struct {
	*os.File
	left *int
}

func (d fullDevice) WriteAt(b []byte, at int64) (int, error) {
	if len(b) > *d.left {
		n, _ := d.File.WriteAt(b[:*d.left], at)
		return n, syscall.ENOSPC
	}
	*d.left -= len(b)
	return d.File.WriteAt(b, at)
}

func TestAFullDeviceStopsTheLogForAWhile(t *testing.T) {
	left := 3000
	s := newStand(t, func(c *Config) {
		c.Create = func(path string) (File, error) {
			f, err := os.Create(path)
			return fullDevice{f, &left}, err
		}
	})
	for range 500 {
		s.add("t", "c", Delivered)
	}
	st := s.log.Stats()
	kept, _ := s.ask(Query{})
	if len(s.told) != 1 || !errors.Is(st.Stopped, syscall.ENOSPC) ||
		st.Missed+uint64(len(kept)) != 500 || len(kept) == 0 {
		t.Fatalf("told %v, %+v, %d kept", s.told, st, len(kept))
	}
	left = 1 << 20
	s.now += 60_000
	for range 100 {
		s.add("t", "c", Delivered)
	}
	s.log.Flush(0)
	ids, p := s.ask(Query{})
	if len(s.told) != 2 || s.told[1] != "<nil>" || len(ids) != len(kept)+100 ||
		p.Missed != st.Missed {
		t.Errorf("told %v, %d answers, %d missed of %d", s.told, len(ids), p.Missed, st.Missed)
	}
	_ = s.log.Close()
	if rep := s.open(); !reflect.DeepEqual(rep, Report{}) {
		t.Errorf("%+v", rep)
	}
}

func TestLittleFreeIsLikeFull(t *testing.T) {
	free := int64(10)
	s := newStand(t, func(c *Config) {
		c.FreeBytesMin, c.Free = 100, func(string) (int64, error) { return free, nil }
	})
	s.add("t", "c", Delivered)
	s.log.Flush(0)
	if len(s.told) != 1 || !strings.Contains(s.told[0], "10 bytes are free") {
		t.Fatal(s.told)
	}
	free = 1000
	s.log.Flush(time.Hour) // nothing waits
	if len(s.told) != 2 || s.told[1] != "<nil>" {
		t.Errorf("it is not seen that there is room: %v", s.told)
	}
	s.add("t", "c", Delivered)
	s.log.Flush(0)
	if ids, _ := s.ask(Query{}); len(s.told) != 2 || len(ids) != 1 {
		t.Errorf("%v, %v", s.told, ids)
	}
}

// A device that failed is tried again without a record, not before Retry, with and without an open
// file.
func TestAFailingDeviceIsTriedAgain(t *testing.T) {
	for _, open := range []bool{false, true} {
		left := 0
		s := newStand(t, func(c *Config) {
			c.Create = func(path string) (File, error) {
				f, err := os.Create(path)
				return fullDevice{f, &left}, err
			}
		})
		want := 0
		if open {
			left = 2000
			s.add("t", "c", Delivered)
			s.log.Flush(0)
			left, want = 0, 1
		}
		s.add("t", "c", Delivered)
		s.log.Flush(0)
		s.log.Flush(time.Hour)
		s.now += s.cfg.Retry.Milliseconds()
		s.log.Flush(time.Hour)
		if len(s.told) != 1 || s.log.Stats().Stopped == nil {
			t.Fatalf("open %v: %v", open, s.told)
		}
		left = 1 << 20
		s.log.Flush(time.Hour)
		if len(s.told) != 1 {
			t.Errorf("open %v: tried before its time: %v", open, s.told)
		}
		s.now += s.cfg.Retry.Milliseconds()
		s.log.Flush(time.Hour)
		if len(s.told) != 2 || s.log.Stats().Stopped != nil {
			t.Errorf("open %v: not tried again: %v", open, s.told)
		}
		s.add("t", "c", Delivered)
		s.log.Flush(0)
		if ids, p := s.ask(Query{}); len(ids) != want+1 || p.Missed != 1 {
			t.Errorf("open %v: %v, %+v", open, ids, p)
		}
		_ = s.log.Close()
		if rep := s.open(); !reflect.DeepEqual(rep, Report{}) {
			t.Errorf("open %v: %+v", open, rep)
		}
	}
}

// TestDamageInTheMiddle leaves out a block and goes on behind it.
func TestDamageInTheMiddle(t *testing.T) {
	s := newStand(t, nil)
	for range 500 {
		s.add("t", "c", Delivered)
	}
	s.log.Flush(0)
	path := filepath.Join(s.cfg.Dir, "000000000002.mlog")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1 // in the body of the last block
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	ids, _ := s.ask(Query{})
	if len(ids) >= 500 || len(ids) < 400 || ids[len(ids)-1] != 500 {
		t.Errorf("%d, up to %d", len(ids), ids[len(ids)-1])
	}
}

func TestRecordsComeBackAsTheyWere(t *testing.T) {
	s := newStand(t, nil)
	r := &Record{ID: 7, Time: s.now, Client: []byte("c"), User: []byte("u"),
		Address: []byte("::1"), Tenant: []byte("t"), Properties: []byte{1, 1}, Expiry: 60,
		Incomplete: true, Replayed: true,
		Part: Part{Topic: []byte("a"), Payload: []byte{0, 255}, Size: 2, Held: Whole, QoS: 2,
			Retain: true},
		Became: []Part{
			{Topic: []byte("b"), Held: Redacted, Outcome: Suppressed, By: []byte("x"),
				Why: []byte("repeated")},
			{Topic: []byte("c"), Outcome: Delivered, Receivers: 3, Lost: 1},
		},
	}
	r.Settle()
	s.log.Append(r)
	var p Progress
	n := 0
	for got := range s.log.Records(t.Context(), Query{Filter: "b", Outcome: Suppressed}, &p) {
		n++
		r.Listener = "mqtt"
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", r) || got.Outcome != Delivered ||
			got.Receivers != 3 {
			t.Errorf("got %+v, want %+v", got, r)
		}
	}
	if n != 1 {
		t.Errorf("%d answers", n)
	}
}

// TestSegmentsOfANewerVersionAreSetAside, as they were, and the log goes on.
func TestSegmentsOfANewerVersionAreSetAside(t *testing.T) {
	s := newStand(t, nil)
	s.add("t", "c", Delivered)
	for round := range 2 { // the second has the number of the first
		if err := s.log.Close(); err != nil {
			t.Fatal(err)
		}
		path := segmentPath(s.cfg.Dir, 1)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		binary.BigEndian.PutUint32(b[8:], Version+1)
		binary.BigEndian.PutUint32(b[20:], crc32.Checksum(b[:20], castagnoli))
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		aside := fmt.Sprintf("%s.aside%d", path, round+1)
		if rep := s.open(); !slices.Equal(rep.Aside, []string{aside}) || rep.Damaged > 0 {
			t.Fatalf("%+v", rep)
		}
		if kept, err := os.ReadFile(aside); err != nil || !bytes.Equal(kept, b) {
			t.Errorf("%s is not as it was: %v", aside, err)
		}
		s.add("t", "c", Delivered)
		if ids, _ := s.ask(Query{}); len(ids) != 1 {
			t.Errorf("%v", ids)
		}
	}
}

// TestRecordsOfVersion1AreRead: they end behind their parts.
func TestRecordsOfVersion1AreRead(t *testing.T) {
	s := newStand(t, nil)
	s.add("t", "c", Delivered)
	_ = s.log.Close()
	path := segmentPath(s.cfg.Dir, 1)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	binary.BigEndian.PutUint32(b[8:], 1)
	binary.BigEndian.PutUint32(b[20:], crc32.Checksum(b[:20], castagnoli))
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	rep := s.open()
	if ids, _ := s.ask(Query{}); len(ids) != 1 || len(rep.Aside) > 0 || rep.Damaged > 0 {
		t.Errorf("%v, %+v", ids, rep)
	}
}
