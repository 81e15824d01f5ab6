package store

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hpmq/hpmq/lite/broker"
)

// desktop is a kernel's side of a Disk for tests: it notes the answers.
type desktop struct {
	t    testing.TB
	disk *Disk
	view *DiskView

	mu      sync.Mutex
	news    sync.Cond
	written []answer
	read    map[broker.Token][]broker.Record
	errs    map[broker.Token]error
	token   broker.Token
	expired []broker.Record
}

func (k *desktop) Expired(_ broker.Time, gone []broker.Record) {
	k.expired = append(k.expired, gone...)
}

func (k *desktop) Written(_ broker.Time, t broker.Token, err error) {
	k.written = append(k.written, answer{t, err})
}

func (k *desktop) Read(_ broker.Time, t broker.Token, recs []broker.Record, err error) {
	k.read[t], k.errs[t] = recs, err
}

func (k *desktop) post(f func(Kernel, broker.Time)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f(k, 0)
	k.news.Broadcast()
}

// diskConfig is a small store in a folder of the test.
func diskConfig(t testing.TB) DiskConfig {
	c := ForMemory(64 << 20)
	c.Dir = t.TempDir()
	c.Interval = time.Millisecond
	c.FreeBytesMin = 0
	return c
}

func openDisk(t testing.TB, c DiskConfig) *desktop {
	t.Helper()
	d, _, err := OpenDisk(c)
	if err != nil {
		t.Fatal(err)
	}
	k := newDesktop(t, d)
	t.Cleanup(func() { _ = k.disk.Close() })
	return k
}

func newDesktop(t testing.TB, d *Disk) *desktop {
	k := &desktop{
		t: t, disk: d, read: map[broker.Token][]broker.Record{}, errs: map[broker.Token]error{},
	}
	k.news.L = &k.mu
	k.view = d.View(k.post)
	return k
}

// halt ends what runs in the store.
func (k *desktop) halt() {
	k.disk.line.close()
	close(k.disk.stop)
	k.disk.desk.close()
	k.disk.done.Wait()
}

// kill leaves the store as a killed process would: the journal stays as it is.
func (k *desktop) kill() {
	k.t.Helper()
	k.halt()
	if err := k.disk.db.Close(); err != nil {
		k.t.Fatal(err)
	}
}

// again opens the store anew.
func (k *desktop) again() {
	k.t.Helper()
	d, _, err := OpenDisk(k.disk.cfg)
	if err != nil {
		k.t.Fatal(err)
	}
	k.disk, k.view = d, d.View(k.post)
}

func (k *desktop) ask(b broker.Batch) broker.Token {
	k.token++
	k.view.Write(k.token, &b)
	return k.token
}

// wait answers what came of a write.
func (k *desktop) wait(t broker.Token) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for {
		if i := slices.IndexFunc(k.written, func(a answer) bool { return a.token == t }); i >= 0 {
			return k.written[i].err
		}
		k.news.Wait()
	}
}

func (k *desktop) write(ops ...broker.Op) {
	k.t.Helper()
	if err := k.wait(k.ask(broker.Batch{Ops: ops})); err != nil {
		k.t.Fatal(err)
	}
}

func (k *desktop) find(q broker.Query) []broker.Record {
	k.t.Helper()
	if q.Max == 0 && !q.Whole {
		q.Max = 1000
	}
	if q.BytesMax == 0 {
		q.BytesMax = 1 << 20
	}
	k.token++
	k.view.Read(k.token, q, nil)
	return k.await(k.token)
}

// words shows records shortly.
func words(recs []broker.Record) string {
	kinds := map[broker.OpKind]string{
		broker.OpRetain: "retain", broker.OpPush: "push", broker.OpFlight: "flight",
		broker.OpReceived: "received", broker.OpCount: "count", broker.OpMore: "more",
		broker.OpPutSession: "session",
	}
	var list []string
	for _, r := range recs {
		w := kinds[r.Kind]
		if r.Key != "" {
			w += " " + r.Key
		}
		if r.Seq != 0 && r.Key == "" {
			w += fmt.Sprintf(" %d", r.Seq)
		}
		if len(r.Value)+len(r.Body) > 0 {
			w += fmt.Sprintf(" %.10s", append(append([]byte(nil), r.Value...), r.Body...))
		}
		list = append(list, w)
	}
	return strings.Join(list, ", ")
}

func (k *desktop) want(q broker.Query, want string) {
	k.t.Helper()
	if got := words(k.find(q)); got != want {
		k.t.Errorf("%+v:\n got  %s\n want %s", q, got, want)
	}
}

func push(num uint32, seq uint64, body string) broker.Op {
	return broker.Op{
		Kind: broker.OpPush, Num: num, Seq: seq, Value: []byte("+"), Body: []byte(body),
	}
}

func seqOp(kind broker.OpKind, num uint32, seq uint64) broker.Op {
	return broker.Op{Kind: kind, Num: num, Seq: seq}
}

func pop(num uint32, seq uint64) broker.Op { return seqOp(broker.OpPop, num, seq) }

func TestSessionsSurviveAKill(t *testing.T) {
	k := openDisk(t, diskConfig(t))
	k.write(
		broker.Op{Kind: broker.OpPutSession, Num: 1, Key: "one", Value: []byte("state")},
		broker.Op{Kind: broker.OpPutSession, Num: 2, Key: "two", Value: []byte("old")},
		push(1, 5, "five"), push(1, 6, "six"), push(1, 7, "seven"), push(2, 1, "x"),
		seqOp(broker.OpReceived, 1, 99), seqOp(broker.OpReceived, 1, 100),
		broker.Op{Kind: broker.OpFlight, Num: 1, Seq: 6, Value: []byte("sent")},
	)
	k.write(
		broker.Op{Kind: broker.OpPutSession, Num: 2, Key: "two", Value: []byte("new")},
		pop(1, 5), seqOp(broker.OpReleased, 1, 99), retain("r/1", "kept", 0),
	)
	for range 2 {
		k.kill()
		k.again()
		k.want(broker.Query{Num: 1, Whole: true, Max: 10},
			"count 2, received 100, flight 6 sent, push 6 +six, push 7 +seven")
		k.want(broker.Query{Num: 2}, "push 1 +x")
		k.want(broker.Query{Filter: "r/+"}, "retain r/1 kept")
		var list []broker.Record
		_ = k.disk.Sessions(func(r broker.Record) error {
			r.Value = bytes.Clone(r.Value)
			list = append(list, r)
			return nil
		})
		if got := words(list); got != "session one state, session two new" {
			t.Errorf("sessions: %s", got)
		}
	}
	if k.disk.boot != 3 {
		t.Errorf("boot %d", k.disk.boot)
	}
	k.write(seqOp(broker.OpDropSession, 1, 1))
	k.want(broker.Query{Num: 1, Whole: true, Max: 10}, "count")
	k.want(broker.Query{Num: 2}, "push 1 +x")
}

func TestPages(t *testing.T) {
	k := openDisk(t, diskConfig(t))
	for seq := uint64(1); seq <= 5; seq++ {
		k.write(push(7, seq, "body"), retain(fmt.Sprintf("t/%d", seq), "v", 0))
	}
	k.want(broker.Query{Num: 7, Max: 2}, "push 1 +body, push 2 +body, more 2")
	k.want(broker.Query{Num: 7, From: 3, Max: 3}, "push 3 +body, push 4 +body, push 5 +body")
	k.want(broker.Query{Num: 7, From: 3, Max: 3, BytesMax: 1}, "push 3 +body, more 3")
	k.want(broker.Query{Num: 7, Whole: true}, "count 5, more")
	k.want(broker.Query{Filter: "t/#", Max: 2}, "retain t/1 v, retain t/2 v, more t/2")
	k.want(broker.Query{Filter: "t/#", After: "t/3", Max: 2}, "retain t/4 v, retain t/5 v")
	k.write(seqOp(broker.OpHead, 7, 4))
	k.want(broker.Query{Num: 7, Whole: true, Max: 9}, "count 2, push 4 +body, push 5 +body")
}

// Runs of removed messages, by points and by ranges, take no other.
func TestPops(t *testing.T) {
	k := openDisk(t, diskConfig(t))
	var ops []broker.Op
	for seq := uint64(1); seq <= 500; seq++ {
		ops = append(ops, push(1, seq, "a"), push(2, seq, "b"))
	}
	k.write(ops...)
	ops = ops[:0]
	for seq := uint64(10); seq <= 400; seq++ {
		ops = append(ops, pop(1, seq))
		if seq%100 != 0 {
			ops = append(ops, pop(2, seq))
		}
	}
	k.write(append(ops, pop(1, 500))...)
	for num, want := range map[uint32]int{1: 9 + 99, 2: 9 + 4 + 100} {
		if got := len(k.find(broker.Query{Num: num})); got != want {
			t.Errorf("session %d has %d messages, want %d", num, got, want)
		}
	}
	// A number may be used anew, even in the same group.
	k.write(pop(1, 1), seqOp(broker.OpDropSession, 1, 1), push(1, 2, "new"))
	k.want(broker.Query{Num: 1}, "push 2 +new")
}

// shared counts what stands of payloads.
func (k *desktop) shared() string {
	counts := map[byte]int{}
	for _, kind := range []byte{kindShared, kindSharers, kindSharing} {
		_ = k.disk.each([]byte{kind}, func(_, _ []byte) error {
			counts[kind]++
			return nil
		})
	}
	return fmt.Sprint(counts[kindShared], counts[kindSharers], counts[kindSharing],
		len(k.disk.sharing))
}

func TestALargeMessageStandsOnce(t *testing.T) {
	k := openDisk(t, diskConfig(t))
	large := bytes.Repeat([]byte("x"), 5000)
	fan := func(seq uint64, nums ...uint32) (ops []broker.Op) {
		for _, num := range nums {
			ops = append(ops, broker.Op{Kind: broker.OpPush, Num: num, Seq: seq, Body: large})
		}
		return ops
	}
	k.write(fan(1, 1, 2, 3)...)
	k.write(fan(2, 1, 2)...)
	k.write(fan(3, 1)...) // one queue alone keeps it itself
	check := func(want string) {
		t.Helper()
		if got := k.shared(); got != want {
			t.Errorf("payloads, counts, references, sessions: %s, want %s", got, want)
		}
	}
	check("2 2 5 3")
	k.kill()
	k.again()
	for _, r := range k.find(broker.Query{Num: 1}) {
		if !bytes.Equal(r.Body, large) {
			t.Errorf("seq %d: %d bytes", r.Seq, len(r.Body))
		}
	}
	k.write(pop(1, 1), pop(1, 3))
	check("2 2 4 3")
	k.write(seqOp(broker.OpDropSession, 2, 1))
	check("2 2 2 2")
	k.write(append(fan(9, 4, 5), pop(4, 9), pop(3, 1))...) // shared and gone within one group
	check("2 2 2 2")
	k.write(pop(5, 9), pop(5, 9), pop(1, 2))
	check("0 0 0 0")
}

func TestRetainedLimitsAndExpiry(t *testing.T) {
	c := diskConfig(t)
	c.RetainedMax, c.RetainedBytesMax = 3, 20
	now := broker.Time(100)
	var mu sync.Mutex
	c.Now = func() broker.Time { mu.Lock(); defer mu.Unlock(); return now }
	k := openDisk(t, c)
	k.write(retain("a", "1", 150), retain("b", "2", 150), retain("b", "22", 0), retain("c", "3", 0))
	for _, ops := range [][]broker.Op{
		{retain("d", "4", 0)}, {push(1, 1, "x"), retain("c", strings.Repeat("3", 20), 0)},
	} {
		if err := k.wait(k.ask(broker.Batch{Ops: ops})); !errors.Is(err, ErrFull) {
			t.Errorf("err %v", err)
		}
	}
	k.want(broker.Query{Num: 1}, "")
	// Nobody waits: what fits is kept.
	k.view.Write(0, &broker.Batch{Ops: []broker.Op{retain("e", "5", 0), push(1, 2, "y")}})
	k.want(broker.Query{Filter: "+"}, "retain a 1, retain b 22, retain c 3")
	k.want(broker.Query{Num: 1}, "push 2 +y")
	mu.Lock()
	now = 151
	mu.Unlock()
	k.disk.Close()
	k.again()
	waitFor(t, func() bool { return k.disk.Stats().Retained == 2 })
	k.want(broker.Query{Filter: "+"}, "retain b 22, retain c 3")
	if st := k.disk.Stats(); st.RetainedBytes != int64(len("b22c3")) {
		t.Errorf("%+v", st)
	}
}

// waitFor waits for a condition.
func waitFor(t testing.TB, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !ok(); {
		if time.Now().After(end) {
			t.Fatal("it never came")
		}
		<-time.After(time.Millisecond)
	}
}

// Batches of several kernels are kept together, whatever their order.
func TestGroups(t *testing.T) {
	c := diskConfig(t)
	c.GroupTimeout = 50 * time.Millisecond
	k := openDisk(t, c)
	root := broker.Batch{Group: 1, Share: broker.GroupWhole / 2, Ops: []broker.Op{push(1, 1, "a")}}
	child := broker.Batch{Group: 1, Share: broker.GroupWhole / 4, Ops: []broker.Op{push(2, 1, "b")}}
	last := broker.Batch{Group: 1, Share: broker.GroupWhole / 4, Ops: []broker.Op{push(3, 1, "c")}}
	for _, order := range [][]broker.Batch{
		{root, child, last}, {last, root, child}, {child, last, root},
	} {
		var tokens []broker.Token
		for _, b := range order {
			tokens = append(tokens, k.ask(b))
		}
		for _, token := range tokens {
			if err := k.wait(token); err != nil {
				t.Error(err)
			}
		}
	}
	// A part that never comes: nothing is kept, and what is behind it goes on.
	root.Group, child.Group = 2, 2
	root.Ops[0].Seq, child.Ops[0].Seq = 2, 2
	first, second := k.ask(root), k.ask(child)
	k.write(push(3, 2, "behind"))
	for _, token := range []broker.Token{first, second} {
		if err := k.wait(token); !errors.Is(err, ErrGroup) {
			t.Errorf("err %v", err)
		}
	}
	last.Group = 2
	if err := k.wait(k.ask(last)); !errors.Is(err, ErrGroup) {
		t.Errorf("too late: err %v", err)
	}
	k.want(broker.Query{Num: 1}, "push 1 +a")
	k.want(broker.Query{Num: 3}, "push 1 +c, push 2 +behind")
	// A part that is refused takes the others with it.
	k.disk.cfg.RetainedMax = 0 // between groups nobody reads it
	first = k.ask(broker.Batch{Group: 3, Share: 1, Ops: []broker.Op{push(1, 9, "z")}})
	second = k.ask(broker.Batch{
		Group: 3, Share: broker.GroupWhole - 1, Ops: []broker.Op{retain("full", "x", 0)},
	})
	if a, b := k.wait(first), k.wait(second); !errors.Is(a, ErrFull) || !errors.Is(b, ErrFull) {
		t.Errorf("%v, %v", a, b)
	}
}
