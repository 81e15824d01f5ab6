package store

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/hpmq/hpmq/lite/broker"
)

// fakeKernel notes the answers that come by event.
type fakeKernel struct{ got []string }

func (f *fakeKernel) Written(_ broker.Time, t broker.Token, err error) {
	f.got = append(f.got, fmt.Sprintf("written %d %v", t, err))
}

func (f *fakeKernel) Expired(broker.Time, []broker.Record) {}

func (f *fakeKernel) Read(_ broker.Time, t broker.Token, recs []broker.Record, err error) {
	f.got = append(f.got, fmt.Sprintf("read %d %s %v", t, names(recs), err))
}

func names(recs []broker.Record) []string {
	var ns []string
	for _, r := range recs {
		ns = append(ns, r.Key+"="+string(r.Value))
	}
	return ns
}

// events is a Post that a test runs by hand.
type events struct {
	kernel fakeKernel
	wait   []func(Kernel, broker.Time)
}

func (e *events) post(f func(Kernel, broker.Time)) { e.wait = append(e.wait, f) }

func (e *events) run() []string {
	wait := e.wait
	e.wait = nil
	for _, f := range wait {
		f(&e.kernel, 0)
	}
	got := e.kernel.got
	e.kernel.got = nil
	return got
}

// testView writes ops that are a batch of their own.
type testView struct{ *View }

func (v testView) Write(t broker.Token, ops []broker.Op) bool {
	return v.View.Write(t, &broker.Batch{Ops: ops})
}

func retain(name, value string, expire broker.Time) broker.Op {
	return broker.Op{Kind: broker.OpRetain, Key: name, Value: []byte(value), Expire: expire}
}

func unretain(name string) broker.Op { return broker.Op{Kind: broker.OpUnretain, Key: name} }

// ask reads and must be answered at once.
func ask(t *testing.T, v testView, filter string) []string {
	t.Helper()
	var recs []broker.Record
	if !v.Read(1, broker.Query{Filter: filter}, func(r broker.Record) { recs = append(recs, r) }) {
		t.Fatal("not answered at once")
	}
	return names(recs)
}

func TestViewsShareWhatIsRetained(t *testing.T) {
	m := New(Default())
	var e events
	a, b := testView{m.View(e.post)}, testView{m.View(e.post)}
	value := []byte("one")
	one := broker.Op{Kind: broker.OpRetain, Key: "x/1", Value: value}
	if !a.Write(1, []broker.Op{one, retain("x/2", "two", 0)}) {
		t.Fatal("not answered at once")
	}
	copy(value, "???") // was borrowed
	if got := ask(t, b, "x/+"); !slices.Equal(got, []string{"x/1=one", "x/2=two"}) {
		t.Errorf("got %q", got)
	}
	b.Write(2, []broker.Op{retain("x/1", "uno", 0), unretain("x/2"), unretain("x/3")})
	if got := ask(t, a, "#"); !slices.Equal(got, []string{"x/1=uno"}) {
		t.Errorf("got %q", got)
	}
	if st := m.Stats(); st.Retained != 1 || st.RetainedBytes != len("x/1uno") {
		t.Errorf("stats: %+v", st)
	}
	if got := ask(t, a, ""); got != nil {
		t.Errorf("of a session: %q", got)
	}
	if !a.Write(3, []broker.Op{{Kind: broker.OpPush, Key: "s", Value: value}}) {
		t.Error("a session's write was not accepted")
	}
}

func TestLimitsRefuseAllOrNothing(t *testing.T) {
	for name, cfg := range map[string]Config{
		"count": {RetainedMax: 2, RetainedBytesMax: 1000},
		"bytes": {RetainedMax: 1000, RetainedBytesMax: 8},
	} {
		t.Run(name, func(t *testing.T) {
			m := New(cfg)
			var e events
			v := testView{m.View(e.post)}
			if !v.Write(1, []broker.Op{retain("a", "1", 0), retain("b", "2", 0)}) {
				t.Fatal("refused within the limits")
			}
			if v.Write(2, []broker.Op{
				unretain("zzz"), retain("c", "345", 0), retain("d", "4", 0),
			}) {
				t.Fatal("accepted above the limits")
			}
			// What is asked while the refusal is on its way is answered behind it.
			if v.Read(3, broker.Query{Filter: "#"}, nil) {
				t.Fatal("answered before what was asked before")
			}
			if v.Write(4, []broker.Op{unretain("zzz")}) {
				t.Fatal("written before what was asked before")
			}
			refused := m.write([]broker.Op{retain("c", "345", 0), retain("d", "4", 0)})
			want := fmt.Sprintf("[written 2 %v read 3 [a=1 b=2] <nil> written 4 <nil>]", refused)
			if got := fmt.Sprint(e.run()); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			// Replacing by the same size and removing work at the limit.
			if !v.Write(5, []broker.Op{retain("a", "x", 0)}) ||
				!v.Write(6, []broker.Op{unretain("b")}) {
				t.Error("refused at the limit")
			}
		})
	}
	m := New(Config{})
	if err := m.write([]broker.Op{retain("a", "1", 0)}); !errors.Is(err, ErrFull) {
		t.Errorf("err: %v", err)
	}
}

func TestLateViewAnswersByEventInOrder(t *testing.T) {
	m := New(Default())
	var e events
	v := testView{m.LateView(e.post)}
	if v.Write(1, []broker.Op{retain("a", "1", 0)}) || v.Read(2, broker.Query{Filter: "+"}, nil) ||
		v.Write(3, []broker.Op{unretain("a")}) || v.Read(4, broker.Query{Filter: "+"}, nil) {
		t.Fatal("answered at once")
	}
	want := "[written 1 <nil> read 2 [a=1] <nil> written 3 <nil> read 4 [] <nil>]"
	if got := fmt.Sprint(e.run()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestSweepForgetsWhatExpired(t *testing.T) {
	m := New(Default())
	var e events
	v := testView{m.View(e.post)}
	v.Write(1, []broker.Op{retain("a", "1", 10), retain("b", "2", 20), retain("c", "3", 0)})
	v.Write(1, []broker.Op{retain("a", "4", 30)}) // lives longer now
	for i := range 10_000 {
		v.Write(1, []broker.Op{retain("b", "2", broker.Time(20+i%2))})
	}
	if len(m.due) > 200 {
		t.Errorf("%d dues for 3 records", len(m.due))
	}
	for _, step := range []struct {
		now  broker.Time
		n    int
		left []string
	}{
		{15, 0, []string{"a=4", "b=2", "c=3"}},
		{25, 1, []string{"a=4", "c=3"}},
		{30, 1, []string{"c=3"}},
	} {
		n := m.Sweep(step.now)
		got := ask(t, v, "#")
		slices.Sort(got)
		if n != step.n || !slices.Equal(got, step.left) {
			t.Errorf("at %d: %d swept, left %q", step.now, n, got)
		}
	}
}

// visit may lead to a write and to another read.
func TestVisitMayUseTheStore(t *testing.T) {
	m := New(Default())
	var e events
	v := testView{m.View(e.post)}
	v.Write(1, []broker.Op{retain("a", "1", 0), retain("b", "2", 0)})
	var inner [][]string
	v.Read(2, broker.Query{Filter: "+"}, func(r broker.Record) {
		v.Write(3, []broker.Op{unretain(r.Key)})
		inner = append(inner, ask(t, v, "+"))
	})
	if fmt.Sprint(inner) != "[[b=2] []]" {
		t.Errorf("got %v", inner)
	}
}

func TestManyLoopsAtOnce(t *testing.T) {
	m := New(Default())
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			v := testView{m.View(func(func(Kernel, broker.Time)) { t.Error("an event") })}
			for n := range 500 {
				v.Write(1, []broker.Op{retain(fmt.Sprintf("t/%d/%d", i, n), "v", broker.Time(n))})
				v.Read(2, broker.Query{Filter: "t/+/7"}, func(broker.Record) {})
				m.Sweep(broker.Time(n / 2))
			}
		}()
	}
	wg.Wait()
	m.Sweep(1000)
	if st := m.Stats(); st.Retained != 4 { // those of Expire 0 stay
		t.Errorf("%+v", st)
	}
}

func BenchmarkReadRetained(b *testing.B) {
	m := New(Default())
	v := testView{m.View(nil)}
	for n := range 1000 {
		v.Write(1, []broker.Op{retain(fmt.Sprintf("t/%d", n), "some value", 0)})
	}
	b.ReportAllocs()
	b.SetBytes(10)
	for b.Loop() {
		v.Read(2, broker.Query{Filter: "t/7"}, func(broker.Record) {})
	}
}
