package link

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/lite/broker"
)

// asks sends a message to the transformers of main.
func (h *house) asks(loop int, topic, payload string) {
	var out []broker.Message
	p := h.linker.Policy("main", loop)
	p.Transform(h.clock.now(), broker.Upstream, &device, message(topic, payload), &out)
}

// failures are those of a kind.
func (h *house) failures(k FailureKind) (all []Failure) {
	for _, f := range h.linker.Failures() {
		if f.Kind == k {
			all = append(all, f)
		}
	}
	return all
}

// failed is the only one.
func (h *house) failed() Failure {
	h.t.Helper()
	all := h.linker.Failures()
	if len(all) != 1 {
		h.t.Fatalf("%d failures: %+v", len(all), all)
	}
	return all[0]
}

func TestFailuresOfHostileGuests(t *testing.T) {
	for name, want := range map[string]Failure{
		"loop":    {Kind: FailureFuel, Text: "it may spend", Fuel: Default().Limits.Fuel},
		"trap":    {Kind: FailureTrap, Text: "unreachable"},
		"memory":  {Kind: FailureMemory, Text: "it asked for more than the 16MiB of memory"},
		"recurse": {Kind: FailureDepth, Text: "its calls may nest "},
		"garbage": {Kind: FailureGarbage, Text: ErrGarbage.Error() + ": transformer outcome 9"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, nil)
			h.one(RoleTransformer, hostile(t, name))
			began := h.linker.time()
			h.asks(0, "a/b", "x")
			h.clock.pass(time.Second)
			h.asks(0, "a/c", "x")
			f, v := h.failed(), h.seen(RoleTransformer, 0)
			if f.Kind != want.Kind || !strings.HasPrefix(f.Text, want.Text) ||
				f.Fuel < want.Fuel || f.FuelMax < Default().Limits.Fuel {
				t.Errorf("%+v", f)
			}
			if f.Listener != "main" || f.Role != RoleTransformer || !f.Linked || f.Canary ||
				f.Position != 0 || f.Name != v.Name || f.Digest != v.Digest ||
				f.OnFault != FaultOpen {
				t.Errorf("%+v", f)
			}
			if f.Count != 2 || !f.First.Equal(began) || !f.Last.Equal(began.Add(time.Second)) {
				t.Errorf("%d from %v to %v", f.Count, f.First, f.Last)
			}
			if f.Client != "dev1" || f.Topic != "a/c" || f.Redacted ||
				f.Function != "hpmq:broker/transformer@0.1.0#upstream" {
				t.Errorf("%q %q %q", f.Client, f.Topic, f.Function)
			}
			if (len(f.Backtrace) == 0) != (f.Kind == FailureGarbage) {
				t.Errorf("%q", f.Backtrace)
			}
		})
	}
}

// TestABacktraceOfGo is that of a guest whose functions have names: it is given too little memory,
// says so, and traps.
func TestABacktraceOfGo(t *testing.T) {
	code, err := os.ReadFile("../../sdk/guest/go/example/vendor.core.wasm")
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, nil)
	h.one(RoleTransformer, Ref{
		Use: "vendor", Code: code, Grants: []string{"history"},
		Limits: Limits{MemoryBytesMax: 256 << 10},
	})
	if h.asks(0, "meter/7/up", "t=21.5"); len(h.linker.Failures()) != 0 {
		t.Fatalf("%+v", h.linker.Failures())
	}
	h.asks(0, "meter/7/up", "t="+strings.Repeat("x", 200<<10))
	f := h.failed()
	if f.Kind != FailureMemory || !slices.Contains(f.Said, "panic: runtime error: out of memory") ||
		!slices.Contains(f.Backtrace, "runtime.alloc") {
		t.Errorf("%+v", f)
	}
}

// TestLinesAreOfTheCall: what a guest wrote before is not what it wrote when it failed.
func TestLinesAreOfTheCall(t *testing.T) {
	h := newHouse(t, nil)
	h.one(RoleTransformer, hostile(t, "trap"))
	g, err := h.entryOf(RoleTransformer).seats[0].pool.Guest(h.linker.time())
	if err != nil {
		t.Fatal(err)
	}
	g.Env().(*instance).GuestLog("info", "long ago")
	h.asks(0, "a", "x")
	if f := h.failed(); f.Said != nil {
		t.Errorf("%q", f.Said)
	}
}

// TestMethodsInABacktrace: Go names methods by a parenthesis in front.
func TestMethodsInABacktrace(t *testing.T) {
	code, err := os.ReadFile("../../sdk/guest/go/example/vendor.wasm")
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, nil)
	h.one(RoleTransformer, Ref{
		Use: "vendor", Code: code, Grants: []string{"history"}, Limits: Limits{Fuel: 3000},
	})
	h.asks(0, "meter/7/up", "t=21.5"+strings.Repeat("0", 5000))
	const method = "(*github.com/hpmq/hpmq/sdk/guest/go/conversion.handler).ask"
	if f := h.failed(); f.Kind != FailureFuel || !slices.Contains(f.Backtrace, method) {
		t.Errorf("%+v", f)
	}
}

func TestFailuresFoldAndAreBounded(t *testing.T) {
	var w ward
	at := time.Unix(1000, 0)
	note := func(entry uint64, text string) {
		at = at.Add(time.Second)
		w.note(&Failure{entry: entry, Text: text, Count: 1, First: at, Last: at})
	}
	for i := range 100 {
		note(1, fmt.Sprintf("%d bytes at %d", i, 7*i))
	}
	if len(w.failures) != 1 || w.failures[0].Count != 100 ||
		w.failures[0].Last.Sub(w.failures[0].First) != 99*time.Second {
		t.Errorf("%d, %+v", len(w.failures), w.failures[0])
	}
	for i := range 100 {
		note(2, strings.Repeat("x", i))
	}
	if n := len(w.failures); n != 1+failuresOfOneMax || w.failures[0].entry != 1 {
		t.Errorf("%d after a hundred of one", n)
	}
	for i := range uint64(100) {
		note(3+i, "x")
	}
	if n := len(w.failures); n != failuresMax {
		t.Errorf("%d in all", n)
	}
	for _, f := range w.failures {
		if f.entry < 103-failuresMax {
			t.Errorf("%d is kept, the oldest were to go", f.entry)
		}
	}
}

func TestTextIsALineAndBounded(t *testing.T) {
	for in, want := range map[string]string{
		"":                             "",
		"a\nb\x1b[2J\x00":              "a\uFFFDb\uFFFD[2J\uFFFD",
		"a\xff":                        "a\uFFFD",
		strings.Repeat("é", 1000):      strings.Repeat("é", failureTextBytesMax/2) + "…",
		"x" + strings.Repeat("é", 400): "x" + strings.Repeat("é", failureTextBytesMax/2-1) + "…",
	} {
		if got := clip(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestFailuresAreRedacted(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.RedactFailures = true })
	h.link(Spec{
		RoleTransformer: {hostile(t, "garbage"), hostile(t, "trap")},
		RoleRouter:      {ref("router", "redirect=private/#;")},
	})
	h.asks(0, "secret/topic", "x")
	var out []broker.Message
	h.linker.Policy("main", 0).Route(h.clock.now(), &device, message("secret/topic", "x"), &out)
	all := h.linker.Failures()
	if len(all) != 3 {
		t.Fatalf("%+v", all)
	}
	for _, f := range all {
		if !f.Redacted || f.Client+f.Topic != "" || f.Said != nil ||
			f.Kind == FailureGarbage && f.Text != ErrGarbage.Error() {
			t.Errorf("%+v", f)
		}
	}
	if text := h.log.String() + h.shown(); strings.Contains(text, "secret") ||
		strings.Contains(text, "private") || !strings.Contains(text, "component fault") {
		t.Errorf("%s", text)
	}
}

// TestABreakerIsOfAllLoops: what kills the guests of one loop rests on the others too.
func TestABreakerIsOfAllLoops(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.Loops = 2 })
	h.link(Spec{RoleTransformer: {hostile(t, "trap"), ref("transformer", "tag=v1:;")}})
	h.eventually("the breaker is open", func() bool {
		h.asks(0, "a", "x")
		return h.seen(RoleTransformer, 0).Breaker == "open"
	})
	bad := h.seen(RoleTransformer, 0)
	h.asks(1, "a", "x")
	v := h.seen(RoleTransformer, 0)
	if v.Calls != bad.Calls || v.Absent == bad.Absent || v.BreakerOpened != 1 ||
		!v.BreakerSince.Equal(h.linker.time()) {
		t.Errorf("%+v", v)
	}
	if v := h.seen(RoleTransformer, 1); v.Breaker != "closed" || v.Calls == 0 {
		t.Errorf("%+v", v)
	}
	lost := h.failures(FailureNoGuest)
	if len(lost) != 1 || lost[0].Count != v.Absent || !lost[0].Last.Equal(h.linker.time()) {
		t.Errorf("%+v", lost)
	}
	h.clock.pass(h.linker.cfg.Pool.CoolDown)
	if v := h.seen(RoleTransformer, 0); v.Breaker != "half-open" {
		t.Errorf("nobody asks it, and it is %s", v.Breaker)
	}
}

// TestWhatWasAddedIsKnown: a rollback takes that out.
func TestWhatWasAddedIsKnown(t *testing.T) {
	h := newHouse(t, nil)
	h.one(RoleTransformer, ref("transformer", "tag=v1:;"))
	if h.seen(RoleTransformer, 0).Added {
		t.Error("what was linked first is added")
	}
	for i := 1; i < 3; i++ {
		if err := h.trySwap(ref("transformer", ""), i); err != nil {
			t.Fatal(err)
		}
		if h.seen(RoleTransformer, i-1).Added || !h.seen(RoleTransformer, i).Added {
			t.Errorf("%s", h.shown())
		}
	}
}

func TestFailuresOutliveASwap(t *testing.T) {
	h := newHouse(t, nil)
	h.one(RoleTransformer, ref("transformer", "tag=v1:;"))
	plan := h.prepare("p", Change{
		Listener: "main", Role: RoleTransformer, Ref: hostile(t, "trap"),
	})
	h.canary(plan, Selector{Percent: 100})
	h.asks(0, "a", "x")
	if f := h.failed(); !f.Linked || !f.Canary {
		t.Errorf("%+v", f)
	}
	h.commit(plan)
	if f := h.failed(); !f.Linked || f.Canary {
		t.Errorf("%+v", f)
	}
	if _, err := plan.Revert(); err != nil {
		t.Fatal(err)
	}
	if f := h.failed(); f.Linked || f.Kind != FailureTrap {
		t.Errorf("%+v", f)
	}
}

// TestAGuestThatIsNotReplaced: what keeps a new one from coming to life is on record.
func TestAGuestThatIsNotReplaced(t *testing.T) {
	h := newHouse(t, nil)
	h.one(RoleTransformer, ref("transformer", "tag=v1:;"))
	e := h.entryOf(RoleTransformer)
	e.failedStart(fmt.Errorf("%w: %w", errConfigure, &ownError{"no\nrules"}))
	if f := h.failed(); f.Kind != FailureStart || !strings.HasSuffix(f.Text, "no\uFFFDrules") {
		t.Errorf("%+v", f)
	}
}
