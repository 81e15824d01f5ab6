package witness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/msglog"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// judge is a Policy whose answers are in the topic: a level for each role, as in "x/drop".
type judge struct{ broker.Policy }

func has(m *broker.Message, word string) bool { return bytes.Contains(m.Topic, []byte(word)) }

func (judge) Authorize(
	_ broker.Time, _ *broker.Identity, _ broker.Action, name []byte, _ mqtt.QoS,
) mqtt.ReasonCode {
	if bytes.Contains(name, []byte("deny")) {
		return mqtt.NotAuthorized
	}
	return mqtt.Success
}

func (judge) Transform(_ broker.Time, d broker.Direction, _ *broker.Identity, m *broker.Message,
	out *[]broker.Message) broker.Verdict {
	switch {
	case d == broker.Downstream:
		return broker.Keep
	case has(m, "gone"):
		return broker.Drop
	case has(m, "split"):
		one, two := *m, *m
		one.Topic, two.Topic = []byte("one"), []byte("two/stale")
		two.Payload = []byte("other")
		one.Trace, two.Trace = 77, 78 // what a Policy leaves there must not count
		*out = append(*out, one, two)
		return broker.Replace
	}
	return broker.Keep
}

func (judge) Fresh(_ broker.Time, _ *broker.Identity, m *broker.Message) bool {
	return !has(m, "stale")
}

func (judge) Route(_ broker.Time, _ *broker.Identity, m *broker.Message,
	out *[]broker.Message) broker.Verdict {
	if has(m, "away") {
		to := *m
		to.Topic = []byte("elsewhere")
		*out = append(*out, to)
		return broker.Replace
	}
	return broker.Keep
}

func (judge) Share(string, string) broker.Strategy { return broker.RoundRobin }

func (judge) Why() (component, reason string) { return "judge", "repeated" }

// drain is a Sink that takes everything.
type drain struct{}

func (drain) Write([]byte) {}
func (drain) Room() int    { return 1 << 20 }
func (drain) Held() int64  { return 0 }
func (drain) Close()       {}

// stand is a Witness whose goroutine the test is, with a kernel or two.
type stand struct {
	t       testing.TB
	w       *Witness
	now     broker.Time
	kernels []*broker.Kernel
	lis     []*broker.Listener
	mail    []func()
}

// post is broker.Peers of one kernel.
type post struct {
	s    *stand
	from broker.PeerID
}

func (p post) Send(to broker.PeerID, frame []byte) {
	f := bytes.Clone(frame)
	p.s.mail = append(p.s.mail, func() { p.s.kernels[to].Peer(p.s.now, p.from, f) })
}

func newStand(t testing.TB, loops int, s Settings, change func(*Config)) *stand {
	t.Helper()
	st := &stand{t: t, now: 1_000_000}
	cfg := Default()
	cfg.Dir, cfg.Loops, cfg.Interval = t.TempDir(), loops, time.Hour
	cfg.Now = func() broker.Time { return st.now }
	if change != nil {
		change(&cfg)
	}
	w, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.runs = true // the test is the goroutine
	close(w.ended)
	t.Cleanup(func() { _ = w.Close() })
	st.w = w
	tap, err := w.Tap("l", s, func(int) broker.Policy { return judge{} })
	if err != nil {
		t.Fatal(err)
	}
	for i := range loops {
		c := broker.Default()
		c.Self, c.Peers = broker.PeerID(i), loops
		k := broker.New(c, nil, post{st, broker.PeerID(i)})
		k.OnTrace(w.Trace(i))
		st.kernels = append(st.kernels, k)
		st.lis = append(st.lis, &broker.Listener{
			Name: "l", Policy: tap(i), Limits: broker.DefaultLimits(),
		})
	}
	return st
}

// settle lets the kernels talk until they have nothing to say.
func (s *stand) settle() {
	for len(s.mail) > 0 {
		mail := s.mail
		s.mail = nil
		for _, f := range mail {
			f()
		}
	}
}

// client connects to a loop, subscribed to filters.
func (s *stand) client(loop int, id string, filters ...string) *broker.Conn {
	s.t.Helper()
	c := s.kernels[loop].Open(s.now, s.lis[loop], "127.0.0.1", drain{})
	hi := mqtt.Connect{Version: mqtt.V311, CleanStart: true, ClientID: []byte(id)}
	s.packet(loop, c, hi.Append(nil))
	for _, f := range filters {
		list := []mqtt.Subscription{{Filter: []byte(f)}}
		s.packet(loop, c, mqtt.AppendSubscribe(nil, mqtt.V311, 1, nil, list))
	}
	return c
}

func (s *stand) packet(loop int, c *broker.Conn, frame []byte) {
	s.kernels[loop].Packet(s.now, c, frame)
	s.settle()
}

func (s *stand) publish(loop int, c *broker.Conn, name, payload string) {
	p := mqtt.Publish{Topic: []byte(name), Payload: []byte(payload)}
	s.packet(loop, c, p.Append(nil, mqtt.V311))
}

// told is all records in few words.
func (s *stand) told(q Question) string {
	s.t.Helper()
	var out strings.Builder
	q.Max, q.BytesMax = max(q.Max, 1), 1<<20
	for {
		a, err := s.w.Look(s.t.Context(), q, func(r *msglog.Record) bool {
			tell(&out, &r.Part)
			for i := range r.Became {
				out.WriteString(" ->")
				tell(&out, &r.Became[i])
			}
			out.WriteByte('\n')
			return true
		})
		if err != nil {
			s.t.Fatal(err)
		}
		if !a.More {
			return out.String()
		}
		if q.After = a.Next; q.Newest {
			q.After, q.Before = 0, a.Next
		}
	}
}

func tell(out *strings.Builder, p *msglog.Part) {
	fmt.Fprintf(out, " %s %s %s %q %d", p.Topic, p.Outcome, p.Held, p.Payload, p.Receivers)
	if len(p.Why) > 0 {
		fmt.Fprintf(out, " %s:%s", p.By, p.Why)
	}
}

// TestStepsBecomeRecords: whatever the goroutine finds at whatever moment, one record a message.
func TestStepsBecomeRecords(t *testing.T) {
	const want = ` a delivered whole "P" 3
 a/deny denied none "" 0 :Not authorized
 a/gone dropped whole "P" 0 :transformer
 a/stale suppressed whole "P" 0 judge:repeated
 a/split delivered whole "P" 1` +
		` -> one delivered same "" 1 -> two/stale suppressed whole "other" 0 judge:repeated
 a/away delivered whole "P" 2 -> elsewhere delivered same "" 2
 away/split delivered whole "P" 1` +
		` -> one delivered same "" 1 -> two/stale suppressed whole "other" 0 judge:repeated
`
	for _, turns := range []bool{false, true} {
		s := newStand(t, 2, Whole(), nil)
		pub := s.client(0, "pub", "a")
		s.client(1, "x", "#")
		s.client(1, "y", "a", "elsewhere")
		for _, name := range []string{
			"a", "a/deny", "a/gone", "a/stale", "a/split", "a/away", "away/split",
		} {
			s.publish(0, pub, name, "P")
			if turns {
				s.w.turn()
			}
		}
		s.w.turn()
		s.w.turn()
		if got := s.told(Question{}); got != want {
			t.Errorf("turns %v: got\n%s\nwant\n%s", turns, got, want)
		}
	}
}

// TestAPageTakenInTheMiddleOfAMessage: the steps that follow find its record.
func TestAPageTakenInTheMiddleOfAMessage(t *testing.T) {
	s := newStand(t, 1, Whole(), nil)
	l := s.w.loops[0]
	tap, ok := s.lis[0].Policy.(*tap)
	if !ok {
		t.Fatal("no tap")
	}
	who := &broker.Identity{ClientID: "c"}
	m := broker.Message{Topic: []byte("a"), Payload: []byte("p")}
	trace := l.arrived(tap.ledger, s.now, who, &m)
	s.w.turn()
	one := l.became(tap.ledger, trace, &m, false)
	l.went(broker.Traced{Trace: one, Receivers: 2})
	l.ended(l.became(tap.ledger, trace, &m, true), msglog.Suppressed, "x", "y")
	s.w.turn()
	l.went(broker.Traced{Trace: one, Receivers: 5}) // too late
	s.w.turn()
	const want = ` a delivered whole "p" 2 -> a delivered whole "p" 2` +
		` -> a suppressed same "" 0 x:y` + "\n"
	if got := s.told(Question{}); got != want {
		t.Errorf("got %s", got)
	}
}

// TestWhatDoesNotFitGoesUnloggedAndIsCounted, and is delivered all the same.
func TestWhatDoesNotFitGoesUnloggedAndIsCounted(t *testing.T) {
	s := newStand(t, 1, Whole(), func(c *Config) { c.LoopBytesMax = 4096 })
	pub := s.client(0, "pub", "#")
	for range 100 {
		s.publish(0, pub, "t", strings.Repeat("x", 200))
	}
	s.w.turn()
	s.w.turn()
	s.w.between()
	kept := strings.Count(s.told(Question{}), "\n")
	missed := s.w.Stats()["l"].Missed
	if kept < 10 || uint64(kept)+missed != 100 {
		t.Errorf("%d kept, %d missed", kept, missed)
	}
	if got := s.kernels[0].Stats().MessagesSent; got != 100 {
		t.Errorf("%d delivered", got)
	}
	if n := len(s.w.loops[0].page.buf); n > 4096 {
		t.Errorf("%d bytes wait", n)
	}
}

// blind is a Redactor that hides digits, refuses "secret" and fails at "fault".
type blind struct{}

func (blind) Transform(_ broker.Time, _ broker.Direction, who *broker.Identity,
	m *broker.Message, out *[]broker.Message) broker.Verdict {
	if has(m, "open") && who.ClientID == "pub" {
		return broker.Keep
	}
	if bytes.Contains(m.Payload, []byte("secret")) {
		return broker.Drop
	}
	x := *m
	x.Payload = bytes.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return '*'
		}
		return r
	}, m.Payload)
	*out = append(*out, x)
	return broker.Replace
}

func TestPayloads(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Settings)
		want   string
	}{
		"full": {func(*Settings) {}, ` a delivered whole "pin 12" 0
 b delivered whole "secret" 0
 c/open delivered cut "longer t" 0
`},
		"none": {func(s *Settings) { s.Payload = None }, ` a delivered none "" 0
 b delivered none "" 0
 c/open delivered none "" 0
`},
		"redacted": {func(s *Settings) { s.Payload, s.Redactor = Redacted, blind{} },
			` a delivered redacted "pin **" 0
 b delivered withheld "" 0
 c/open delivered withheld "" 0
`},
		"no redactor": {func(s *Settings) { s.Payload = Redacted },
			` a delivered withheld "" 0
 b delivered withheld "" 0
 c/open delivered withheld "" 0
`},
		"filtered": {func(s *Settings) { s.Filters = []string{"+/open", "x"} },
			` c/open delivered cut "longer t" 0
`},
	} {
		t.Run(name, func(t *testing.T) {
			set := Whole()
			set.PayloadBytesMax = 8
			c.change(&set)
			s := newStand(t, 1, set, nil)
			pub := s.client(0, "pub")
			s.publish(0, pub, "a", "pin 12")
			s.publish(0, pub, "b", "secret")
			s.publish(0, pub, "c/open", "longer than eight")
			s.w.turn()
			s.w.turn()
			if got := s.told(Question{}); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// TestPropertiesAreKept: those of MQTT 5 as they arrived, as far as payloads are kept, and what a
// replay published is marked.
func TestPropertiesAreKept(t *testing.T) {
	small := mqtt.Props(nil).AppendBytes(mqtt.ContentType, []byte("text/plain")).
		AppendUser([]byte("pin"), []byte("12"))
	mark := mqtt.Props(nil).AppendUser([]byte(ReplayMark), []byte("2026-01-31T15:04:05Z"))
	huge := mqtt.Props(nil).AppendUser([]byte("a"), make([]byte, PropertiesBytesMax)).
		AppendUser([]byte(ReplayMark), nil)
	for name, c := range map[string]struct {
		change func(*Settings)
		want   [3]string
	}{
		"full": {func(*Settings) {}, [3]string{
			fmt.Sprintf("%q 60 false false", small), fmt.Sprintf("%q 0 false true", mark),
			`"" 0 true true`}},
		"none": {func(s *Settings) { s.Payload = None }, [3]string{
			`"" 60 true false`, `"" 0 true true`, `"" 0 true true`}},
		"withheld": {func(s *Settings) { s.Payload = Redacted }, [3]string{
			`"" 60 true false`, `"" 0 true true`, `"" 0 true true`}},
		"redacted": {func(s *Settings) { s.Payload, s.Redactor = Redacted, noProps{} }, [3]string{
			`"" 60 false false`, `"" 0 false true`, `"" 0 true true`}},
	} {
		t.Run(name, func(t *testing.T) {
			set := Whole()
			c.change(&set)
			s := newStand(t, 1, set, nil)
			l := s.w.loops[0]
			tap, ok := s.lis[0].Policy.(*tap)
			if !ok {
				t.Fatal("no tap")
			}
			for i, p := range []mqtt.Props{small, mark, huge} {
				m := broker.Message{Topic: []byte("a"), Payload: []byte("p"), Props: p}
				if i == 0 {
					m.Expire = s.now + 60_000
				}
				l.arrived(tap.ledger, s.now, &broker.Identity{ClientID: "c"}, &m)
			}
			s.w.turn()
			s.w.turn()
			var got []string
			_, err := s.w.Look(t.Context(), Question{Max: 9, BytesMax: 1 << 20},
				func(r *msglog.Record) bool {
					got = append(got, fmt.Sprintf("%q %d %v %v", r.Properties, r.Expiry,
						r.Incomplete, r.Replayed))
					return true
				})
			if err != nil || !slices.Equal(got, c.want[:]) {
				t.Errorf("%v: got\n%q\nwant\n%q", err, got, c.want)
			}
		})
	}
}

// noProps is a Redactor that takes properties off.
type noProps struct{}

func (noProps) Transform(_ broker.Time, _ broker.Direction, _ *broker.Identity,
	m *broker.Message, out *[]broker.Message) broker.Verdict {
	x := *m
	x.Props = nil
	*out = append(*out, x)
	return broker.Replace
}

// TestQuestionsOverManyListeners are answered in one order, page by page, both ways.
func TestQuestionsOverManyListeners(t *testing.T) {
	s := newStand(t, 1, Whole(), func(c *Config) { c.ScanBytesMax = 1 })
	taps := make([]broker.Policy, 4)
	for i := range taps {
		tap, err := s.w.Tap(fmt.Sprint("l", i), Whole(), func(int) broker.Policy { return judge{} })
		if err != nil {
			t.Fatal(err)
		}
		taps[i] = tap(0)
	}
	var want, reverse string
	for i := range 200 {
		s.lis[0].Policy = taps[i*i%7%len(taps)]
		s.publish(0, s.client(0, "pub"), fmt.Sprint("t", i), "")
		s.w.turn()
		line := fmt.Sprintf(" t%d delivered whole \"\" 0\n", i)
		want, reverse = want+line, line+reverse
		if i%9 == 0 {
			for _, b := range s.w.books {
				b.log.Flush(0)
			}
		}
	}
	s.w.turn()
	for _, n := range []int{1, 7, 1000} {
		if got := s.told(Question{Max: n}); got != want {
			t.Fatalf("pages of %d:\n%s", n, got)
		}
		newest := Question{Max: n}
		newest.Newest = true
		if got := s.told(newest); got != reverse {
			t.Fatalf("newest, pages of %d:\n%s", n, got)
		}
	}
	one := Question{Listener: "l1", Max: 3}
	one.Filter = "t2"
	if got := s.told(one); strings.Count(got, "\n") > 1 {
		t.Error(got)
	}
}

func TestTooManyQuestions(t *testing.T) {
	s := newStand(t, 1, Whole(), func(c *Config) { c.QueriesMax, c.FollowersMax = 2, 1 })
	s.w.asks <- struct{}{}
	s.w.asks <- struct{}{}
	all := func(*msglog.Record) bool { return true }
	if _, err := s.w.Look(t.Context(), Question{}, all); !errors.Is(err, ErrBusy) {
		t.Error(err)
	}
	<-s.w.asks
	<-s.w.asks
	s.w.tails <- struct{}{}
	err := s.w.Follow(t.Context(), Question{}, all, func() bool { return true })
	if <-s.w.tails; !errors.Is(err, ErrBusy) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.w.Follow(ctx, Question{}, all, nil); err != nil {
		t.Error(err)
	}
	if _, err := s.w.Look(t.Context(), Question{Listener: "x"}, all); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
}

// TestNotingAllocatesNothing, once the buffer has grown.
func TestNotingAllocatesNothing(t *testing.T) {
	s := newStand(t, 1, Whole(), nil)
	pub := s.client(0, "pub", "#")
	p := mqtt.Publish{Topic: []byte("plant/a"), Payload: []byte("21.5")}
	frame := p.Append(nil, mqtt.V311)
	for range 3 {
		for range 2000 {
			s.kernels[0].Packet(s.now, pub, frame)
		}
		s.w.turn()
	}
	if n := testing.AllocsPerRun(500, func() { s.kernels[0].Packet(s.now, pub, frame) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
