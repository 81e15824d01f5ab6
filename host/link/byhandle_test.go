package link

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/lite/broker"
)

// TestByHandle runs each test in both forms, compiled and interpreted.
func TestByHandle(t *testing.T) {
	for _, engine := range []string{"ByCompiler", "ByInterpreter"} {
		for _, form := range []string{"InCoreForm", "InComponentForm"} {
			t.Run(engine+"/"+form, func(t *testing.T) {
				for name, test := range map[string]func(*testing.T){
					"as the whole": testByHandleAsTheWhole, "where": testWhereAPayloadGoes,
					"send-as": testSendAs, "bad send-as": testBadSendAs,
					"misuse": testMisuseOfHandles, "kept": testAHandleThatIsKept,
					"deduplicator": testDeduplicatorByHandle, "worker": testWorkerByHandle,
					"fuel": testReadingTakesFuel, "chain": testAChainByHandle,
					"no allocations": testByHandleDoesNotAllocate,
				} {
					t.Run(name, test)
				}
			})
		}
	}
}

// large is a message whose payload of n bytes has no two equal parts.
func large(topic string, n int) *broker.Message {
	m := message(topic, string(make([]byte, n)))
	for i := range m.Payload {
		m.Payload[i] = byte(i ^ i>>8*7 ^ i>>16*13)
	}
	return m
}

// handles sets the size from which on the component in the first place of a role of listener main
// gets payloads by handle.
func (h *house) handles(r Role, above int) {
	h.linker.listener("main").table.Load().chains[r].entries[0].lendsAbove = above
}

// testByHandleAsTheWhole asks the same policy both ways.
func testByHandleAsTheWhole(t *testing.T) {
	for _, words := range []string{"", "tag=v1:;", "drop", "topic=x/y;", "copies=3"} {
		h := newHouse(t, nil)
		p := h.one(RoleTransformer, ref("transformer-by-handle", words))
		for _, n := range []int{handleAbove, handleAbove + 1, 64 << 10, 64<<10 + 1} {
			h.bothWays(p, words, large("sensors/a", n))
		}
		if v := h.seen(RoleTransformer, 0); v.Faults != 0 || v.Calls != 16 {
			t.Errorf("%d calls, %d faults: %s", v.Calls, v.Faults, v.LastFault)
		}
	}
}

// bothWays asks the first transformer of listener main by handle, and whole.
func (h *house) bothWays(p broker.Policy, words string, m *broker.Message) {
	h.t.Helper()
	for _, d := range []broker.Direction{broker.Upstream, broker.Downstream} {
		ask := func(above int) string {
			h.handles(RoleTransformer, above)
			var out []broker.Message
			v := p.Transform(h.clock.now(), d, &device, m, &out)
			return fmt.Sprint(v, texts(out))
		}
		if lent, whole := ask(handleAbove), ask(math.MaxInt); lent != whole {
			h.t.Errorf("%q, %d bytes, %v: %.100q by handle, %.100q whole", words, len(m.Payload),
				d, lent, whole)
		}
	}
}

// testWhereAPayloadGoes looks for payloads in the guest's memory: small ones are there, of large
// ones what was read. One that is larger than all its memory is asked about, too.
func testWhereAPayloadGoes(t *testing.T) {
	for words, seen := range map[string]int{"blind": 0, "ends look": 64} {
		h := newHouse(t, nil)
		p := h.one(RoleTransformer, ref("transformer-by-handle", words))
		for _, n := range []int{1000, handleAbove, handleAbove + 1, 3 << 20} {
			want := seen
			if n <= handleAbove {
				want = n
			}
			m, out := large("a", n), []broker.Message(nil)
			v := p.Transform(h.clock.now(), broker.Upstream, &device, m, &out)
			g := h.guest(RoleTransformer)
			all, _ := g.Memory().Read(0, g.Memory().Size())
			more := n > want && bytes.Contains(all, m.Payload[:want+64])
			if v != broker.Keep || more || !bytes.Contains(all, m.Payload[:want]) {
				t.Errorf("%s, %d bytes: %v, more than %d copied: %v", words, n, v, want, more)
			}
		}
		if v := h.seen(RoleTransformer, 0); v.Faults != 0 {
			t.Error(v.LastFault)
		}
	}
}

func testSendAs(t *testing.T) {
	h := newHouse(t, nil)
	for _, n := range []int{0, 1, 3, 64} {
		p := h.one(RoleTransformer, ref("transformer-by-handle", fmt.Sprintf("sendas=%d;", n)))
		m := large("x", 3<<20)
		m.QoS, m.Retain, m.Expire = 2, true, 77
		out := []broker.Message{{Topic: []byte("before")}}
		v := p.Transform(h.clock.now(), broker.Upstream, &device, m, &out)
		if (v == broker.Drop) != (n == 0) || v == broker.Keep || len(out) != n+1 {
			t.Fatalf("%d envelopes: %v, %d messages", n, v, len(out)-1)
		}
		for i, got := range out[1:] {
			want := string(rune('a'+i%26)) + "/x"
			if string(got.Topic) != want || &got.Payload[0] != &m.Payload[0] || got.QoS != 2 ||
				len(got.Payload) != len(m.Payload) || !got.Retain || got.Expire != 77 ||
				got.From != m.From {
				t.Errorf("%d of %d: %s, a copy of %d bytes", i, n, got.Topic, len(got.Payload))
			}
		}
		if v := h.seen(RoleTransformer, 0); v.Faults != 0 {
			t.Error(v.LastFault)
		}
	}
}

func testBadSendAs(t *testing.T) {
	for _, words := range []string{
		"sendas=65;", "sendas=4; garbage:topic", "sendas=2; garbage:text", "sendas=1; garbage:qos",
		"sendas=1; garbage:list", "sendas=1; garbage:length",
	} {
		h := newHouse(t, nil)
		p := h.one(RoleTransformer, ref("transformer-by-handle", words))
		h.faulty(p, large("a", 20_000), words)
	}
}

// faulty expects that a transformer that fails open cannot answer.
func (h *house) faulty(p broker.Policy, m *broker.Message, what string) {
	h.t.Helper()
	before := h.seen(RoleTransformer, 0)
	var out []broker.Message
	v := p.Transform(h.clock.now(), broker.Upstream, &device, m, &out)
	after := h.seen(RoleTransformer, 0)
	if v != broker.Keep || out != nil || after.Faults != before.Faults+1 {
		h.t.Errorf("%s: %v, %d messages, %d faults: %s", what, v, len(out), after.Faults,
			after.LastFault)
	}
}

// testMisuseOfHandles: each is a fault of that guest, and the message goes on.
func testMisuseOfHandles(t *testing.T) {
	for words, want := range map[string]string{
		"twice": "handle index", "after": "handle index", "other": "handle index",
		"none": "handle index", "huge": "handle index", "return": "return area",
		"odd": "return area", "forever": "fuel", "sums": "fuel", "leave": "borrow handles remain",
	} {
		h := newHouse(t, nil)
		p := h.one(RoleTransformer, ref("transformer-by-handle", "blind bad:"+words))
		if words == "leave" && !h.inComponentForm() {
			continue // a core module need not drop it: testAHandleThatIsKept
		}
		h.faulty(p, large("a", 300_000), words)
		if v := h.seen(RoleTransformer, 0); !strings.Contains(v.LastFault, want) {
			t.Errorf("%s: %s", words, v.LastFault)
		}
	}
}

// testAHandleThatIsKept is used in a call that was lent nothing, then in one that was: it shows
// nothing of what was lent before.
func testAHandleThatIsKept(t *testing.T) {
	words := "blind bad:late"
	h := newHouse(t, nil)
	if !h.inComponentForm() {
		words += " bad:leave"
	}
	p := h.one(RoleTransformer, ref("transformer-by-handle", words))
	for range 3 {
		var out []broker.Message
		m := large("a", 20_000)
		if v := p.Transform(h.clock.now(), broker.Upstream, &device, m, &out); v != broker.Keep {
			t.Error(v)
		}
		if in := h.guest(RoleTransformer).Env().(*instance); in.lent != nil {
			t.Errorf("%d bytes are still lent", len(in.lent))
		}
	}
	if v := h.seen(RoleTransformer, 0); v.Faults != 0 {
		t.Error(v.LastFault)
	}
	h.faulty(p, large("a", 100), "late")
}

func testDeduplicatorByHandle(t *testing.T) {
	h := newHouse(t, nil)
	p := h.one(RoleDeduplicator, ref("deduplicator-by-handle", "sum"))
	one, other := large("a", 2<<20), large("a", 2<<20)
	other.Payload[1<<20]++
	for i, c := range []struct {
		m    *broker.Message
		want bool
	}{{one, true}, {one, false}, {other, true}, {other, false}, {one, true}} {
		if got := p.Fresh(h.clock.now(), &device, c.m); got != c.want {
			t.Errorf("message %d is fresh: %v", i, got)
		}
	}
	p = h.one(RoleDeduplicator, ref("deduplicator-by-handle", ""))
	again := large("a", 100_000)
	copy(again.Payload, "again")
	if p.Fresh(h.clock.now(), &device, again) || !p.Fresh(h.clock.now(), &device, one) {
		t.Error("the beginning was not seen")
	}
	p = h.one(RoleDeduplicator, ref("deduplicator-by-handle", "answer=3"))
	if !p.Fresh(h.clock.now(), &device, one) || h.seen(RoleDeduplicator, 0).Faults != 1 {
		t.Error("3 is a freshness")
	}
}

func testWorkerByHandle(t *testing.T) {
	h, _, out := workerHouse(t, nil)
	w := worker("")
	w.Use = "worker-by-handle"
	h.link(Spec{RoleWorker: {w}})
	h.accept("a", "small")
	h.accept("a", "abcdefgh"+strings.Repeat("x", 2<<20))
	h.accept("a", strings.Repeat("y", handleAbove))
	h.hears(out, "timer ", "told small", "lent abcdefgh",
		"told "+strings.Repeat("y", handleAbove))
}

// testReadingTakesFuel: by what is copied, not by what there is.
func testReadingTakesFuel(t *testing.T) {
	spent := func(words string, n int) uint64 {
		h := newHouse(t, nil)
		p := h.one(RoleTransformer, ref("transformer-by-handle", words))
		var out []broker.Message
		p.Transform(h.clock.now(), broker.Upstream, &device, large("a", n), &out)
		if v := h.seen(RoleTransformer, 0); v.Faults != 0 {
			t.Error(v.LastFault)
		}
		return h.guest(RoleTransformer).Fuel()
	}
	for _, words := range []string{"blind", "look"} {
		if small, giant := spent(words, 20_000), spent(words, 5<<20); small != giant {
			t.Errorf("%s: 20,000 bytes take %d, 5 MiB %d", words, small, giant)
		}
	}
	if few, many := spent("", 100_000), spent("", 200_000); many < few+100_000/8 {
		t.Errorf("100,000 bytes take %d, 200,000 %d", few, many)
	}
}

// testAChainByHandle: what one entry sends as another topic, the next sees by handle; it may be one
// that takes none.
func testAChainByHandle(t *testing.T) {
	h := newHouse(t, nil)
	h.link(Spec{RoleTransformer: {
		ref("transformer-by-handle", "sendas=2;"), ref("transformer-by-handle", "sendas=2;"),
		ref("transformer", "tag=v1:;"),
	}})
	m, out := large("x", 50_000), []broker.Message(nil)
	p := h.linker.Policy("main", 0)
	if v := p.Transform(h.clock.now(), broker.Downstream, &device, m, &out); v != broker.Replace {
		t.Fatal(v)
	}
	var topics []string
	for _, o := range out {
		topics = append(topics, string(o.Topic))
		if string(o.Payload) != "v1:"+string(m.Payload) {
			t.Errorf("%s has another payload", o.Topic)
		}
	}
	if got := strings.Join(topics, " "); got != "a/a/x b/a/x a/b/x b/b/x" {
		t.Error(got)
	}
}

func testByHandleDoesNotAllocate(t *testing.T) {
	if strings.Contains(t.Name(), "ByInterpreter/") {
		return // wazero's interpreter does
	}
	for _, words := range []string{"blind", "look", "sendas=3;"} {
		h := newHouse(t, nil)
		p := h.one(RoleTransformer, ref("transformer-by-handle", words))
		m, now, out := large("a", 100_000), h.clock.now(), make([]broker.Message, 0, 8)
		n := testing.AllocsPerRun(100, func() {
			out = out[:0]
			p.Transform(now, broker.Upstream, &device, m, &out)
		})
		if v := h.seen(RoleTransformer, 0); n != 0 || v.Faults != 0 {
			t.Errorf("%s: %v allocations %s", words, n, v.LastFault)
		}
	}
}

// TestAllByHandleOrNothing refuses a guest that has one of the two functions of its role.
func TestAllByHandleOrNothing(t *testing.T) {
	err := refusedAs(t, RoleTransformer, ref("half-by-handle", ""))
	if err.Step != StepExports ||
		!strings.Contains(err.Error(), "transformer-by-handle@0.1.0#downstream") {
		t.Error(err)
	}
	h := newHouse(t, nil)
	for use, want := range map[string]bool{"transformer-by-handle": true, "transformer": false} {
		art, _ := h.readTestdata(t.Context(), use)
		in, err := h.linker.Inspect(t.Context(), art.Code)
		if err != nil || in.ByHandle != want || len(in.Roles) != 1 {
			t.Errorf("%s: by handle %v, %v, %v", use, in.ByHandle, in.Roles, err)
		}
	}
}

// FuzzLiftSendAs lets a guest that was lent a payload answer with any bytes.
func FuzzLiftSendAs(f *testing.F) {
	f.Add(words(0))
	f.Add(append(words(3, at(12), 1, at(24), 3, 1), "a/bxy"...))
	f.Add(append(words(3, at(12), 2, at(36), 3, 1, at(36), 3, 0x103), "a/b"...))
	f.Add(words(3, at(12), 0xffffffff))
	f.Add(words(3, 0xfffffff0, 1))
	h := newHouse(f, func(c *Config) {
		c.Pool.DeathsMax, c.Pool.BuildsPerSecond, c.Pool.BuildsBurst = 1<<20, 1e6, 1<<20
	})
	p := h.one(RoleTransformer, with(ref("transformer-by-handle", "raw"), FaultClosed))
	h.handles(RoleTransformer, -1)
	f.Fuzz(func(t *testing.T, b []byte) {
		var out []broker.Message
		m := &broker.Message{Topic: []byte("a"), Payload: b}
		v := p.Transform(h.clock.now(), broker.Upstream, &device, m, &out)
		if (v == broker.Replace) != (len(out) > 0) {
			t.Errorf("verdict %d with %d messages", v, len(out))
		}
		checkMessages(t, &h.linker.cfg, out)
	})
}
