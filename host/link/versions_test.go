package link

import (
	"encoding/binary"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/cap/abi"
	"github.com/hpmq/hpmq/host/cap/config"
	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// The version 0.2 of these tests is testdata/wit-0.2: authorizer has a case of action, a parameter
// and another answer, kv a function more. Its guests are testdata/versions.c.

// actionUnsubscribe is what a kernel that speaks 0.2 would ask beside the others.
const actionUnsubscribe = broker.ActionDeliver + 1

const typeAuthorize02 = "(who: " + typeIdentity +
	", action: enum{publish, subscribe, will, deliver, unsubscribe}, topic: string, qos: " +
	typeQoS + ", protocol-version: u8) -> " +
	"record{verdict: u8, scope: enum{once, topic, action}, seconds: u32}"

// twoVersions are the contracts of a host whose wit/ is 0.2, with 0.1 in its deps.
func twoVersions() contracts {
	next, old := shape01("0.2.0"), shape01("0.1.0")
	next.roles[RoleAuthorizer] = newFace("authorizer", "0.2.0", ways{authorize: authorize02},
		[]export{{"authorize", 15, typeAuthorize02}})
	old.roles[RoleAuthorizer].ask.authorize = authorize01
	return contracts{next, old}
}

// authorize01 asks a guest of 0.1 on a host whose questions have the shape of 0.2.
func authorize01(in *instance, q question) (uint32, error) {
	if q.action == actionUnsubscribe {
		q.action = broker.ActionSubscribe
	}
	return in.authorize(q)
}

// authorize02 asks one of 0.2.
func authorize02(in *instance, q question) (uint32, error) {
	in.begin(0)
	in.identity(q.who)
	in.num(uint64(q.action))
	text(in, q.topic)
	in.num(uint64(q.qos))
	in.num(uint64(q.who.Version))
	ptr, err := in.call()
	if err != nil {
		return 0, err
	}
	area, err := in.area(ptr, 8, 4)
	if err != nil {
		return 0, err
	}
	answer := uint32(area[0]) | uint32(area[1])<<scopeShift |
		binary.LittleEndian.Uint32(area[4:])<<secondsShift
	if !validAnswer(answer) {
		return 0, garbage("authorize answered %#x", answer)
	}
	return answer, in.post(ptr)
}

// versioned is a house that serves 0.1 and 0.2, and the form its guests are taken in.
type versioned struct {
	*house
	form wasm.Form
}

// inBothVersions runs a test in both forms on both engines.
func inBothVersions(t *testing.T, change func(*Config), test func(h *versioned)) {
	t.Helper()
	for _, form := range []wasm.Form{wasm.CoreForm, wasm.ComponentForm} {
		for name, interpreter := range map[string]bool{"compiled": false, "interpreted": true} {
			t.Run(string(form)+" "+name, func(t *testing.T) {
				cfg := wasm.Default()
				cfg.Interpreter = interpreter
				test(newVersioned(t, cfg, form, change))
			})
		}
	}
}

func newVersioned(
	t testing.TB, on wasm.Config, form wasm.Form, change func(*Config),
) *versioned {
	t.Helper()
	h := newHouseOn(t, on, change)
	h.linker.contracts = twoVersions()
	next := h.kv.Module(h.clock.millis)
	next.Funcs = append(next.Funcs, wasm.HostFunc{
		Name: "take", Params: []wasm.ValueType{wasm.I32, wasm.I32, wasm.I32}, Call: h.takeOfKV,
		Type: "(key: string) -> option<list<u8>>",
	})
	for _, m := range []wasm.HostModule{next, config.Module()} {
		m.Name = strings.Replace(m.Name, "@0.1.0", "@0.2.0", 1)
		if err := h.engine.Provide(m); err != nil {
			t.Fatal(err)
		}
	}
	return &versioned{h, form}
}

// takeOfKV is the function of kv that 0.1 has not, on the same store.
func (h *house) takeOfKV(g *wasm.Guest, stack []uint64) {
	space := h.kv.Space(g.Env().(*instance).Component())
	key := abi.Text(g, stack[0], stack[1])
	v, ok := space.Get(h.clock.millis(), key)
	space.Delete(h.clock.millis(), key)
	abi.PutOption(g, stack[2], v, ok)
}

// guest is one of testdata/versions; all have the same name, and so the same kv.
func (h *versioned) guest(world, words string) Ref {
	h.t.Helper()
	folder := "testdata/versions/"
	if h.form == wasm.ComponentForm {
		folder = "testdata/components/versions/"
	}
	code, err := os.ReadFile(folder + world + ".wasm")
	if err != nil {
		h.t.Fatal(err)
	}
	r := ref("policy", words)
	r.Code = code
	return r
}

// noted is what the guests left in kv under a key.
func (h *versioned) noted(key string) string {
	v, _ := h.kv.Space("policy").Get(h.clock.millis(), []byte(key))
	return string(v)
}

// asked is how often a guest of either version was asked.
func (h *versioned) asked() int {
	h.t.Helper()
	n, err := h.kv.Space("policy").Increment(h.clock.millis(), []byte("asked"), 0)
	if err != nil {
		h.t.Fatal(err)
	}
	return int(n)
}

// speaking are the guests, with the version each is asked in, that of its lifecycle, and what it
// sees of a publish and of an unsubscribe.
var speaking = []struct{ world, contract, configured, publish, unsubscribe string }{
	{"old", "0.1", "0.1", "0.1 0 1 0 a/b", "0.1 1 0 0 x/#"},
	{"new", "0.2", "0.2", "0.2 0 1 5 a/b", "0.2 4 0 5 x/#"},
	{"mixed", "0.2", "0.1", "0.2 0 1 5 a/b", "0.2 4 0 5 x/#"},
	{"both", "0.2", "0.2", "0.2 0 1 5 a/b", "0.2 4 0 5 x/#"},
	{"old", "0.1", "0.1", "0.1 0 1 0 a/b", "0.1 1 0 0 x/#"},
}

// TestTwoVersionsOnOneListener swaps guests of each for each other: each is asked in the newest
// shape that it knows, answers in the same sense, and finds in kv what the other left.
func TestTwoVersionsOnOneListener(t *testing.T) {
	inBothVersions(t, nil, func(h *versioned) {
		h.link(Spec{RoleAuthorizer: {h.guest("old", "")}})
		p := h.linker.Policy("main", 0)
		for i, c := range speaking {
			if i > 0 {
				h.swap(RoleAuthorizer, h.guest(c.world, ""))
			}
			if v := h.seen(RoleAuthorizer, 0); v.Contract != c.contract ||
				h.noted("configured") != c.configured {
				t.Errorf("%s is linked as %s, configured as %s", c.world, v.Contract,
					h.noted("configured"))
			}
			before := h.noted("seen")
			if got := h.ask(p, broker.ActionPublish, "a/b", 1); got != mqtt.Success ||
				h.noted("seen") != c.publish {
				t.Errorf("%s: %v, saw %q", c.world, got, h.noted("seen"))
			}
			if c.world != "old" && c.world != "mixed" && h.noted("before") != before {
				t.Errorf("%s took %q, not %q", c.world, h.noted("before"), before)
			}
			if got := h.ask(p, broker.ActionPublish, "secret/x", 1); got != mqtt.NotAuthorized {
				t.Errorf("%s: secret/x: %v", c.world, got)
			}
			if got := h.ask(p, actionUnsubscribe, "x/#", 0); got != mqtt.Success ||
				h.noted("seen") != c.unsubscribe {
				t.Errorf("%s: %v, saw %q", c.world, got, h.noted("seen"))
			}
			h.remembers(p, c.world, 3*(i+1))
			if v := h.seen(RoleAuthorizer, 0); v.Faults != 0 {
				t.Errorf("%s: %s", c.world, v.LastFault)
			}
			h.kv.Space("policy").Delete(h.clock.millis(), []byte("before"))
		}
	})
}

func (h *versioned) ask(
	p broker.Policy, a broker.Action, topic string, q mqtt.QoS,
) mqtt.ReasonCode {
	return p.Authorize(h.clock.now(), &device, a, []byte(topic), q)
}

// remembers wants that how far an answer holds is lifted from either shape: for a topic, 60 s.
func (h *versioned) remembers(p broker.Policy, world string, had int) {
	h.t.Helper()
	h.ask(p, broker.ActionPublish, "a/b", 1)
	h.clock.pass(59 * time.Second)
	h.ask(p, broker.ActionPublish, "secret/x", 1)
	if n := h.asked(); n != had {
		h.t.Errorf("%s: asked %d times, not %d: an answer is not remembered", world, n, had)
	}
	h.clock.pass(2 * time.Second)
	if h.ask(p, broker.ActionPublish, "a/b", 1); h.asked() != had+1 {
		h.t.Errorf("%s: an answer is remembered for too long", world)
	}
	_, _ = h.kv.Space("policy").Increment(h.clock.millis(), []byte("asked"), -1)
}

// TestTwoVersionsInOneChain: what one leaves to the next is asked in the next one's version.
func TestTwoVersionsInOneChain(t *testing.T) {
	inBothVersions(t, nil, func(h *versioned) {
		for i, c := range []struct{ first, second, saw string }{
			{"old", "new", "0.2 0 0 5 a"}, {"new", "old", "0.1 0 0 0 a"},
			{"mixed", "old", "0.1 0 0 0 a"}, {"old", "both", "0.2 0 0 5 a"},
		} {
			h.link(Spec{RoleAuthorizer: {h.guest(c.first, "next"), h.guest(c.second, "")}})
			p := h.linker.Policy("main", 0)
			if got := h.ask(p, broker.ActionPublish, "a", 0); got != mqtt.Success ||
				h.noted("seen") != c.saw || h.asked() != 2*(i+1) {
				t.Errorf("%s, %s: %v, saw %q, asked %d", c.first, c.second, got, h.noted("seen"),
					h.asked())
			}
		}
	})
}

// TestVersionsAreSwappedUnderCalls: no question is lost or answered wrongly meanwhile.
func TestVersionsAreSwappedUnderCalls(t *testing.T) {
	const count, swaps = 2, 24
	inBothVersions(t, func(c *Config) { c.Loops = count }, func(h *versioned) {
		h.loops.count = count
		h.link(Spec{RoleAuthorizer: {h.guest("old", "next"), h.guest("new", "once")}})
		var stop atomic.Bool
		var running sync.WaitGroup
		for i := range count {
			running.Add(1)
			go func() {
				defer running.Done()
				h.asking(i, &stop)
			}()
		}
		for i := range swaps {
			words := []string{"next", "once"}[i%2]
			r := h.guest(speaking[i/2%4].world, words)
			res, err := h.linker.Swap(t.Context(), Request{
				Listener: "main", Role: RoleAuthorizer, Position: i % 2, Ref: r,
			})
			if err != nil || res.Old.Faults != 0 {
				t.Errorf("swap %d: %+v, %v", i, res.Old, err)
			}
		}
		h.eventually("a loop asks", func() bool { return h.asked() > 0 })
		stop.Store(true)
		running.Wait()
		if h.asked() == 0 || h.logged("component fault") {
			t.Errorf("asked %d times:\n%s", h.asked(), h.log)
		}
	})
}

// asking is a loop that asks until it is told to stop.
func (h *versioned) asking(loop int, stop *atomic.Bool) {
	p := h.linker.Policy("main", loop)
	for i := 0; !stop.Load(); i++ {
		n := strconv.Itoa(i)
		for _, a := range []broker.Action{broker.ActionPublish, actionUnsubscribe} {
			if got := h.ask(p, a, "a/"+n, 0); got != mqtt.Success {
				h.t.Errorf("loop %d: %v", loop, got)
				return
			}
			if got := h.ask(p, a, "secret/"+n, 0); got != mqtt.NotAuthorized {
				h.t.Errorf("loop %d: secret: %v", loop, got)
				return
			}
		}
		h.loops.turn(loop)
	}
	h.loops.turn(loop)
}

// TestAGrantIsOfEveryVersion: kv is granted by its name.
func TestAGrantIsOfEveryVersion(t *testing.T) {
	inBothVersions(t, nil, func(h *versioned) {
		for _, c := range speaking {
			r := h.guest(c.world, "")
			r.Grants = []string{}
			err := h.linker.Link(t.Context(), "main", Spec{RoleAuthorizer: {r}})
			refusedWith(t, c.world, err, "step imports", "it wants kv", "grants: [kv]")
			r.Grants = []string{"kv"}
			if err = h.linker.Link(t.Context(), "main", Spec{RoleAuthorizer: {r}}); err != nil {
				t.Errorf("%s: %v", c.world, err)
			}
		}
	})
}

func refusedWith(t *testing.T, what string, err error, words ...string) {
	t.Helper()
	for _, w := range words {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("%s: %v\nwant %q", what, err, w)
		}
	}
}

// TestARefusalNamesTheVersionsServed: of what is exported, of what is imported, in the manifest.
func TestARefusalNamesTheVersionsServed(t *testing.T) {
	inBothVersions(t, nil, func(h *versioned) {
		refused := func(world string, words ...string) {
			t.Helper()
			err := h.linker.Link(t.Context(), "main",
				Spec{RoleAuthorizer: {h.guest(world, "")}})
			refusedWith(t, world, err, words...)
			_, err = h.linker.Inspect(t.Context(), h.guest(world, "").Code)
			if (err != nil) != (world == "wanting") {
				t.Errorf("%s: inspected: %v", world, err)
			}
		}
		refused("later", "step exports",
			"exports hpmq:broker/lifecycle@0.3.0, of which this host serves 0.1 and 0.2",
			"hpmq:broker/authorizer@0.3.0, of which this host serves 0.1 and 0.2",
			"build it against the world authorizer-component of wit/",
			"hpmq:broker@0.2.0 and hpmq:broker@0.1.0")
		refused("wanting", "step compile", "hpmq:broker/config@0.3.0 json",
			"hpmq:broker/kv@0.3.0 set", "; this host serves 0.1 and 0.2 of hpmq:broker/config, "+
				"0.1 and 0.2 of hpmq:broker/kv;")
		// A mistake in the newer version is not hidden by the older one.
		h.linker.contracts[0].roles[RoleAuthorizer].exports[0].typ = "()"
		h.linker.contracts[0].roles[RoleAuthorizer].exports[0].params = 3
		refused("both", "step exports", "authorizer@0.2.0#authorize as")
		h.linker.contracts = served()
		refused("new", "hpmq:broker/authorizer@0.2.0, of which this host serves 0.1")
	})
	for text, words := range map[string]string{
		`{"contract":"hpmq:broker@0.3.1"}`: "speaks hpmq:broker@0.2.0 and hpmq:broker@0.1.0",
		`{"contract":"hpmq:broker@0.1.4"}`: "",
		`{"contract":"hpmq:broker@0.2.0"}`: "",
	} {
		h := newVersioned(t, wasm.Default(), wasm.CoreForm, nil)
		r := h.guest("both", "")
		r.Code = stamped(t, "versions/both", text)
		err := h.linker.Link(t.Context(), "main", Spec{RoleAuthorizer: {r}})
		if words == "" && err != nil {
			t.Errorf("%s: %v", text, err)
		} else if words != "" {
			refusedWith(t, text, err, words)
		}
	}
}

func TestAnInspectionTellsVersions(t *testing.T) {
	h := newVersioned(t, wasm.Default(), wasm.ComponentForm, nil)
	for world, want := range map[string]string{
		"old":   "lifecycle@0.1.0 true, authorizer@0.1.0 true",
		"mixed": "lifecycle@0.1.0 true, authorizer@0.2.0 true",
		"both": "lifecycle@0.1.0 false, lifecycle@0.2.0 true, authorizer@0.1.0 false, " +
			"authorizer@0.2.0 true",
		"later": "lifecycle@0.3.0 false, authorizer@0.3.0 false",
	} {
		in, err := h.linker.Inspect(t.Context(), h.guest(world, "").Code)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range in.Speaks {
			got = append(got, strings.TrimPrefix(s.Name, "hpmq:broker/")+" "+
				strconv.FormatBool(s.Asked))
			if s.Served != "0.1 and 0.2" {
				t.Errorf("%s: %s is served in %s", world, s.Name, s.Served)
			}
		}
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("%s: %s", world, text)
		}
	}
}

// TestServedContractsAreApart: of two versions of one track a guest could not say which it means.
func TestServedContractsAreApart(t *testing.T) {
	for _, cs := range []contracts{served(), twoVersions()} {
		tracks := map[string]bool{}
		for _, c := range cs {
			if tracks[track(c.version)] {
				t.Errorf("two contracts are %s", track(c.version))
			}
			tracks[track(c.version)] = true
			checkWays(t, &c)
		}
	}
}

// checkWays wants a way for all that is asked.
func checkWays(t *testing.T, c *contract) {
	t.Helper()
	r := &c.roles
	for what, missing := range map[string]bool{
		"configure":     c.lifecycle.ask.configure == nil,
		"authenticator": r[RoleAuthenticator].ask.authenticate == nil,
		"authorizer":    r[RoleAuthorizer].ask.authorize == nil,
		"transformer":   r[RoleTransformer].ask.transform == nil,
		"deduplicator":  r[RoleDeduplicator].ask.check == nil,
		"router":        r[RoleRouter].ask.route == nil || r[RoleRouter].ask.share == nil,
		"worker":        r[RoleWorker].ask.tell == nil,
		"that has more functions than a guest": slices.ContainsFunc(r[:], func(f face) bool {
			return len(f.exports) > len(instance{}.fns)
		}),
	} {
		if missing {
			t.Errorf("%s cannot ask one %s", c.version, what)
		}
	}
}

// TestAskingInAnyVersionDoesNotAllocate, nor does it matter how many there are.
func TestAskingInAnyVersionDoesNotAllocate(t *testing.T) {
	for _, form := range []wasm.Form{wasm.CoreForm, wasm.ComponentForm} {
		for world, ask := range versionQuestions(t, form) {
			if n := testing.AllocsPerRun(200, ask); n != 0 {
				t.Errorf("%s %s: %v allocations", form, world, n)
			}
		}
	}
}

// versionQuestions ask a guest of each world.
func versionQuestions(t testing.TB, form wasm.Form) map[string]func() {
	all := map[string]func(){}
	for _, world := range []string{"old", "new", "both"} {
		h := newVersioned(t, wasm.Default(), form, nil)
		p := h.one(RoleAuthorizer, h.guest(world, "quiet"))
		now, topic := h.clock.now(), []byte("sensors/kitchen/temperature")
		all[world] = func() { p.Authorize(now, &device, broker.ActionPublish, topic, 1) }
		all[world]()
	}
	return all
}

func BenchmarkVersions(b *testing.B) {
	for world, ask := range versionQuestions(b, wasm.CoreForm) {
		b.Run(world, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ask()
			}
		})
	}
}

func TestStrangeVersionsOfImports(t *testing.T) {
	got := twoVersions().strange([]string{"hpmq:broker/payload@0.3.0", "hpmq:broker/kv@0.1.9",
		"hpmq:broker/weather@0.1.0", "wasi:io/streams@0.9.0", "hpmq:broker/log@0.2.0-rc.1"})
	want := "0.1 and 0.2 of hpmq:broker/payload, 0.1 and 0.2 of hpmq:broker/log"
	if got != want {
		t.Errorf("%s", got)
	}
}
