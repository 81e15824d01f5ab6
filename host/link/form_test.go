package link

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/lite/broker"
)

// inComponentForm says whether the guests of the test are components: if it runs as part of
// TestInComponentForm or BenchmarkInComponentForm.
func (h *house) inComponentForm() bool { return strings.Contains(h.t.Name(), "InComponentForm/") }

// TestInComponentForm runs tests of each role once more, with guests that are the core modules of
// the others wrapped as components: by wasm-tools, see tools/fixtures.sh.
func TestInComponentForm(t *testing.T) {
	for name, test := range map[string]func(*testing.T){
		"authenticator": TestAuthenticator, "authenticator chain": TestAuthenticatorChainAndFaults,
		"enhanced": TestEnhancedAuthentication, "authorizer": TestAuthorizer,
		"interest": TestAuthorizerIsAskedOnlyAboutWhatItWants, "chain": TestAuthorizerChain,
		"deliver": TestDeliverIsAskedOnTheWayDown, "transformer": TestTransformer,
		"transformers": TestTransformersAreAChain, "deduplicator": TestDeduplicator,
		"kv": TestStateOfTheHostOutlivesASwap, "router": TestRouter, "share": TestShareIsAskedOnce,
		"history": TestHistoryIsWhatWasDelivered, "look back": TestAWorkerLooksBack,
		"look back on a loop": TestNobodyLooksBackOnALoop, "look back fails": TestLookingBackFails,
		"publish": TestAComponentDoesNotFeedItself,
		"faults":  TestFaultsFollowThePolicy, "garbage": TestGarbageIsAFault,
		"poison": TestAPoisonousMessageCostsOneGuest, "storm": TestAStormOpensTheBreaker,
		"others": TestAFaultHurtsNobodyElse, "giant": TestAGiantMessageIsNotShown,
		"swap": TestSwapAndRollback, "swap under calls": TestSwapUnderCalls,
		"payload": TestPayloadGoesToWhoTakesIt, "worker": TestAWorkerIsTold,
		"worker that fails": TestAWorkerThatFails, "workers take turns": TestWorkersTakeTurns,
		"full desk": TestAFullDesk, "allocations unchanged": TestUnchangedPathsDoNotAllocate,
		"codec decodes": TestCodecDecodes, "codec encodes": TestCodecEncodes,
		"codec faults": TestFaultsOfACodec, "codec giant": TestACodecIsShownNoGiant,
		"fuel": TestFuelOfTheLinkIsExact, "allocations": TestAChangedMessageDoesNotAllocate,
		"block": TestArgumentsInTheBlockOfTheGuest, "window": TestAWindowInMemoryOutlivesSwaps,
		"state": TestAStateThatIsNotHandedOver, "worker's state": TestAWorkerHandsOver,
		"worker's state that is not": TestAWorkersStateThatIsNotHandedOver,
		"authenticator's state":      TestAnAuthenticatorHandsOver,
	} {
		t.Run(name, test)
	}
}

func BenchmarkInComponentForm(b *testing.B) {
	b.Run("ask", BenchmarkAsk)
	b.Run("replace", BenchmarkReplace)
	b.Run("authenticate", BenchmarkAuthenticate)
}

// wrapped is a component of testdata; config is words that it looks for.
func wrapped(t testing.TB, name, config string) Ref {
	t.Helper()
	code, err := os.ReadFile("testdata/components/" + name + ".wasm")
	if err != nil {
		t.Fatal(err)
	}
	r := ref(name, config)
	r.Code = code
	return r
}

func TestTheFormIsShown(t *testing.T) {
	h := newHouse(t, nil)
	h.link(Spec{RoleRouter: {ref("router", ""), wrapped(t, "router", "")}})
	for i, want := range []wasm.Form{wasm.CoreForm, wasm.ComponentForm} {
		if v := h.seen(RoleRouter, i); v.Form != want {
			t.Errorf("place %d is of form %q, not %q", i, v.Form, want)
		}
	}
}

// TestStringsOfOtherEncodings asks a component whose strings are UTF-16, and one whose are
// latin1+utf16, with text that needs one, two, three and four bytes in UTF-8.
func TestStringsOfOtherEncodings(t *testing.T) {
	for _, name := range []string{"utf16", "compact-utf16"} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, nil)
			p := h.one(RoleTransformer, wrapped(t, name, "{ä€😀}"))
			for _, tenant := range []string{"", "plain", "größe", "€uro", "😀"} {
				for _, topic := range []string{"a", "maß/ü", "x/€", "y/😀/z"} {
					h.askUTF16(p, tenant, topic)
				}
			}
			if v := h.seen(RoleTransformer, 0); v.Faults != 0 {
				t.Error(v.LastFault)
			}
		})
	}
}

func (h *house) askUTF16(p broker.Policy, tenant, topic string) {
	h.t.Helper()
	who := device
	who.Tenant = tenant
	m := message(topic, "payl\x00\xffad")
	var out []broker.Message
	v := p.Transform(h.clock.now(), broker.Upstream, &who, m, &out)
	want := topic + `"{ä€😀}"` + tenant + "ü€😀"
	if v != broker.Replace || len(out) != 1 || string(out[0].Topic) != want ||
		string(out[0].Payload) != string(m.Payload) {
		h.t.Fatalf("%q of %q: %v %v", topic, tenant, v, out)
	}
	v = p.Transform(h.clock.now(), broker.Downstream, &who, m, &out)
	if v != broker.Keep || !h.logged("msg="+topic) {
		h.t.Errorf("%q: %v, in the log:\n%s", topic, v, h.log)
	}
}

// TestARefusalNamesAllImports: what nobody serves and what is not granted, in one answer.
func TestARefusalNamesAllImports(t *testing.T) {
	err := refusedAs(t, RoleRouter, wrapped(t, "unknown-import", ""))
	if err.Step != StepCompile || !strings.Contains(err.Err.Error(), "weather@0.1.0 tomorrow") ||
		strings.Contains(err.Do, "kv") {
		t.Errorf("%v", err)
	}
	without := wrapped(t, "unknown-import", "")
	without.Grants = nil
	if err := refusedAs(t, RoleRouter, without); !strings.Contains(err.Do, "it also wants kv") {
		t.Errorf("%v", err)
	}
}

// TestTypesOfAComponentAreCompared links one of another role, and one that is another type's.
func TestTypesOfAComponentAreCompared(t *testing.T) {
	err := refusedAs(t, RoleAuthorizer, wrapped(t, "router", ""))
	if err.Step != StepExports || !strings.Contains(err.Do, "made as router") ||
		!strings.Contains(err.Err.Error(), "no hpmq:broker/authorizer@0.1.0#authorize") {
		t.Errorf("%v", err)
	}
	err = refusedAs(t, RoleAuthorizer, wrapped(t, "other-type", ""))
	if err.Step != StepExports || !strings.Contains(err.Err.Error(), "action: u8, topic: string") {
		t.Errorf("%v", err)
	}
}

// TestWhatIsToHaveMoreThanAnyIsToldSo, in the words of who asked.
func TestWhatIsToHaveMoreThanAnyIsToldSo(t *testing.T) {
	large := ref("router", "")
	large.Limits.MemoryBytesMax = 64 << 20
	err := refusedAs(t, RoleRouter, large)
	if err.Step != StepInstantiate || !strings.HasPrefix(err.Do, "let it have less, or raise ") ||
		!strings.Contains(err.Err.Error(), "memory of 67108864 bytes is not a multiple of 65536") {
		t.Errorf("%v; %s", err.Err, err.Do)
	}
}

func refusedAs(t *testing.T, role Role, ref Ref) *StepError {
	t.Helper()
	err := newHouse(t, nil).linker.Link(context.Background(), "main", Spec{role: {ref}})
	var refused *StepError
	if !errors.As(err, &refused) {
		t.Fatalf("as %s: %v", role, err)
	}
	return refused
}

// TestALaterPatchVersionIsServed links a component whose exports and imports are of 0.1.7.
func TestALaterPatchVersionIsServed(t *testing.T) {
	h := newHouse(t, nil)
	p := h.one(RoleTransformer, wrapped(t, "later", "history"))
	var out []broker.Message
	m := message("a", "payload")
	v := p.Transform(h.clock.now(), broker.Upstream, &device, m, &out)
	if v != broker.Replace || len(out) != 1 || string(out[0].Payload) != "none" {
		t.Errorf("%v %v", v, out)
	}
	bare := wrapped(t, "later", "")
	bare.Grants = []string{}
	err := refusedAs(t, RoleTransformer, bare)
	if err.Step != StepImports || !strings.Contains(err.Err.Error(), "wants history") {
		t.Errorf("%v", err)
	}
}

// TestAnEmptyListIsTheGuestsOwn: a component may free the address of an empty list, so it is asked
// for it; a core module and an empty string get one that is never looked at.
func TestAnEmptyListIsTheGuestsOwn(t *testing.T) {
	h := newHouse(t, nil)
	for _, c := range []struct {
		ref  Ref
		asks int
	}{{ref("transformer", ""), 0}, {wrapped(t, "transformer", ""), 1}} {
		in := probe(t, h, RoleTransformer, c.ref).guest
		in.begin(0)
		text(in, "")
		if in.waits != 0 || in.stack[0] != 1 || in.stack[1] != 0 {
			t.Errorf("%s: an empty string is at %d, %d wait", c.ref.Use, in.stack[0], in.waits)
		}
		in.data(nil)
		if in.waits != c.asks {
			t.Fatalf("%s: for an empty list %d wait, want %d", c.ref.Use, in.waits, c.asks)
		}
		if c.asks == 0 {
			if in.stack[2] != 1 || in.stack[3] != 0 {
				t.Errorf("%s: it is at %d", c.ref.Use, in.stack[2])
			}
			continue
		}
		if r := in.rooms[0]; r.Size != 0 || r.Align != 1 {
			t.Errorf("%s: it is asked for %+v", c.ref.Use, r)
		}
		in.settle()
		if size := in.guest.Memory().Size(); in.err != nil || in.stack[2] <= 1 ||
			in.stack[2] > uint64(size) || in.stack[3] != 0 {
			t.Errorf("%s: it is at %#x of %#x: %v", c.ref.Use, in.stack[2], size, in.err)
		}
	}
}
