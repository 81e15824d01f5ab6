package link

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hpmq/hpmq/lite/broker"
)

func TestSwapAndRollback(t *testing.T) {
	h := newHouse(t, nil)
	p := h.one(RoleTransformer, ref("transformer", "tag=v1:;"))
	up := func() string {
		var out []broker.Message
		p.Transform(h.clock.now(), broker.Upstream, &device, message("a", "x"), &out)
		return texts(out)
	}
	if got := up(); got != "a=v1:x" {
		t.Fatalf("before: %s", got)
	}
	res := h.swap(RoleTransformer, ref("transformer-history", "tag=v2:;"))
	if got := up(); got != "a=v2:x" {
		t.Fatalf("after the swap: %s", got)
	}
	if res.Old.Digest == res.New.Digest || res.New.Previous != res.Old.Digest {
		t.Errorf("result %+v", res)
	}
	if res.Commit > time.Millisecond {
		t.Errorf("commit took %v, at most 1 ms is promised", res.Commit)
	}
	for _, want := range []string{"a=v1:x", "a=v2:x", "a=v1:x"} {
		if _, err := h.linker.Rollback(context.Background(), "main", RoleTransformer); err != nil {
			t.Fatal(err)
		}
		if got := up(); got != want {
			t.Fatalf("after the rollback: %s, want %s", got, want)
		}
	}
	if !h.logged("link changed") || !h.logged("old="+res.Old.Digest) {
		t.Error("the swap is not in the audit")
	}
}

func TestSwapKeepsWhatTheRequestLeavesOut(t *testing.T) {
	h := newHouse(t, nil)
	first := ref("deduplicator", "answer=1")
	first.OnFault, first.Grants = FaultClosed, []string{"kv"}
	p := h.one(RoleDeduplicator, first)
	h.swap(RoleDeduplicator, Ref{Use: "deduplicator-kv", Grants: []string{"kv"}})
	if p.Fresh(h.clock.now(), &device, message("a", "x")) {
		t.Error("the configuration is lost")
	}
	if v := h.seen(RoleDeduplicator, 0); v.OnFault != FaultClosed {
		t.Errorf("on fault %v", v.OnFault)
	}
}

func TestSwapAddsBehindTheLast(t *testing.T) {
	h := newHouse(t, nil)
	p := h.one(RoleTransformer, ref("transformer", "tag=one:;"))
	_, err := h.linker.Swap(context.Background(), Request{
		Listener: "main", Role: RoleTransformer, Position: 1, Ref: ref("transformer", "tag=two:;"),
	})
	if err != nil {
		t.Fatal(err)
	}
	up := func() string {
		var out []broker.Message
		p.Transform(h.clock.now(), broker.Upstream, &device, message("a", "x"), &out)
		return texts(out)
	}
	if got := up(); got != "a=two:one:x" {
		t.Errorf("added: %s", got)
	}
	res, err := h.linker.Rollback(context.Background(), "main", RoleTransformer)
	if err != nil || res.Position != 1 || res.New != nil {
		t.Errorf("rollback: %+v, %v", res, err)
	}
	if got := up(); got != "a=one:x" {
		t.Errorf("rolled back: %s", got)
	}
}

// refused is a swap that must not happen, and how it is told.
type refused struct {
	ref  Ref
	role Role
	step Step
	says string
}

func refusals() map[string]refused {
	bare := func(use string) Ref { return Ref{Use: use, Grants: []string{}} }
	code := func(text string) refused {
		return refused{Ref{Use: "x.wasm", Code: []byte(text)}, RoleAuthorizer, StepCompile, ""}
	}
	says := func(words, text string) refused {
		return refused{ref("authorizer", words), RoleAuthorizer, StepConfigure, text}
	}
	good, _ := os.ReadFile("testdata/authorizer.wasm")
	limited, broken, odd := bare("authorizer"), bare("authorizer"), bare("authorizer")
	empty := Ref{Use: "x.wasm", Code: []byte("\x00asm\x0d\x00\x01\x00")}
	limited.Limits.MemoryBytesMax = 65536
	broken.Config = json.RawMessage("{")
	odd.Grants = []string{"files"}
	return map[string]refused{
		"empty":         code(""),
		"not wasm":      code("#!/bin/sh\necho no\n"),
		"cut off":       code(string(good[:len(good)/2])),
		"bad component": code("\x00asm\x0d\x00\x01\x00\x07"),
		"says no":       says("configure:error", "no good"),
		"traps":         says("configure:trap", "trap"),
		"loops":         says("configure:loop", "fuel"),
		"recurses":      says("configure:deep", "deep"),
		"memory bomb":   says("configure:bomb", "trap"),
		"garbage":       says("configure:garbage", "contract"),
		"bad filter":    says("in=a#;", "not a topic filter"),

		"not there":          {bare("nowhere"), RoleAuthorizer, StepRead, "no such file"},
		"other role":         {bare("router"), RoleAuthorizer, StepExports, "made as router"},
		"empty component":    {empty, RoleAuthorizer, StepExports, "no hpmq:broker/auth"},
		"no exports":         {bare("nothing"), RoleAuthorizer, StepExports, "no hpmq:broker/auth"},
		"not granted":        {bare("deduplicator-kv"), RoleDeduplicator, StepImports, "kv"},
		"unknown import":     {bare("unknown-import"), RoleRouter, StepCompile, "weather"},
		"unknown capability": {odd, RoleAuthorizer, StepRequest, "files"},
		"no JSON":            {broken, RoleAuthorizer, StepRequest, "not JSON"},
		"too little memory":  {limited, RoleAuthorizer, StepInstantiate, "starts with more memory"},
	}
}

func TestARefusedSwapChangesNothing(t *testing.T) {
	h := newHouse(t, nil)
	spec := Spec{
		RoleAuthorizer: {ref("authorizer", "")}, RoleRouter: {ref("router", "")},
		RoleDeduplicator: {ref("deduplicator", "")},
	}
	h.link(spec)
	before, guests := h.shown(), h.engine.Guests()
	for name, c := range refusals() {
		_, err := h.linker.Swap(context.Background(), Request{
			Listener: "main", Role: c.role, Ref: c.ref, By: "test",
		})
		var step *StepError
		if !errors.As(err, &step) || step.Step != c.step || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v; want step %s and %q", name, err, c.step, c.says)
		}
		if err := h.linker.Link(context.Background(), "main", Spec{c.role: {c.ref}}); err == nil {
			t.Errorf("%s: linked", name)
		}
		if after := h.shown(); after != before {
			t.Fatalf("%s: changed\n%s\nto\n%s", name, before, after)
		}
		if n := h.engine.Guests(); n != guests {
			t.Fatalf("%s: %d guests, %d before", name, n, guests)
		}
	}
	if !h.logged("link refused") || !h.logged("by=test") {
		t.Error("refusals are not in the audit")
	}
}

func TestRequestsForWhatIsNotThere(t *testing.T) {
	h := newHouse(t, nil)
	ctx := context.Background()
	_, err := h.linker.Swap(ctx, Request{Listener: "none"})
	if !errors.Is(err, ErrUnknownListener) {
		t.Errorf("swap: %v", err)
	}
	if err := h.linker.Unlink("none"); !errors.Is(err, ErrUnknownListener) {
		t.Errorf("unlink: %v", err)
	}
	h.link(Spec{RoleRouter: {ref("router", "")}})
	if _, err := h.linker.Rollback(ctx, "main", RoleRouter); !errors.Is(err, ErrNoPrevious) {
		t.Errorf("rollback: %v", err)
	}
	for _, position := range []int{-1, 2} {
		_, err := h.linker.Swap(ctx, Request{
			Listener: "main", Role: RoleRouter, Position: position, Ref: ref("router", ""),
		})
		var step *StepError
		if !errors.As(err, &step) || step.Step != StepRequest {
			t.Errorf("position %d: %v", position, err)
		}
	}
}

func TestAnUnlinkedListenerRefuses(t *testing.T) {
	h := newHouse(t, nil)
	p := h.one(RoleAuthorizer, ref("authorizer", "answer=0"))
	a := h.linker.Authenticator("main", 0, nil)
	if g, ok := a.Authenticate(1, &broker.Credentials{Identity: device}); !ok || g.Reason != 0 {
		t.Errorf("linked without authenticators: %v, %v", g, ok)
	}
	if err := h.linker.Unlink("main"); err != nil {
		t.Fatal(err)
	}
	if p.Authorize(h.clock.now(), &device, broker.ActionPublish, []byte("a"), 0) == 0 {
		t.Error("allowed after Unlink")
	}
	if g, ok := a.Authenticate(1, &broker.Credentials{Identity: device}); !ok || g.Reason == 0 {
		t.Errorf("let in after Unlink: %v, %v", g, ok)
	}
	if len(h.linker.Show()) != 0 {
		t.Errorf("shown: %s", h.shown())
	}
}

// Loops that never stop asking see each version until the commit and only the next one after;
// nothing is closed under them, and all of it is in the end.
func TestSwapUnderCalls(t *testing.T) {
	const count, swaps = 4, 60
	h := newHouse(t, func(c *Config) { c.Loops = count })
	h.loops.count = count
	h.link(Spec{RoleTransformer: {ref("transformer", "tag=000:;")}})
	var stop atomic.Bool
	var running sync.WaitGroup
	for i := range count {
		running.Add(1)
		go func() {
			defer running.Done()
			h.loop(i, &stop)
		}()
	}
	for i := 1; i <= swaps; i++ {
		use := []string{"transformer", "transformer-history"}[i%2]
		res := h.swap(RoleTransformer, ref(use, "tag="+number(i)+":;"))
		if res.New.Faults != 0 {
			t.Errorf("swap %d: %s", i, res.New.LastFault)
		}
	}
	stop.Store(true)
	running.Wait()
	if v := h.seen(RoleTransformer, 0); v.Faults != 0 {
		t.Errorf("%d faults: %s", v.Faults, v.LastFault)
	}
	h.eventually("only two versions are left", func() bool {
		for i := range count {
			h.loops.turn(i)
		}
		return h.engine.Guests() == 2*count*2 // a guest and a spare a loop, of two versions
	})
}

// loop is one event loop: it asks until told to stop and fails if a version comes back.
func (h *house) loop(i int, stop *atomic.Bool) {
	p := h.linker.Policy("main", i)
	last := ""
	for !stop.Load() {
		var out []broker.Message
		p.Transform(h.clock.now(), broker.Upstream, &device, message("a", "x"), &out)
		got := texts(out)
		if got < last || len(got) != len("a=000:x") {
			h.t.Errorf("loop %d: %q after %q", i, got, last)
			return
		}
		last = got
		h.loops.turn(i)
	}
	h.loops.turn(i)
}

// number has three digits.
func number(n int) string {
	return string([]byte{byte('0' + n/100), byte('0' + n/10%10), byte('0' + n%10)})
}

func TestSwapsOfOneListenerWaitForEachOther(t *testing.T) {
	h := newHouse(t, nil)
	h.link(Spec{RoleRouter: {ref("router", "")}})
	ls, err := h.linker.find("main")
	if err != nil {
		t.Fatal(err)
	}
	if err := ls.lock(context.Background()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = h.linker.Swap(ctx, Request{Listener: "main", Role: RoleRouter, Ref: ref("router", "")})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("did not wait: %v", err)
	}
	ls.unlock()
	h.swap(RoleRouter, ref("router", ""))
}

// Close waits for an Unlink that took the listener out of its sight.
func TestCloseWaitsForUnlink(t *testing.T) {
	h := newHouse(t, nil)
	h.link(Spec{RoleRouter: {ref("router", "")}})
	ls := h.linker.listener("main")
	if err := ls.lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- h.linker.Unlink("main") }()
	h.eventually("Unlink has begun", func() bool {
		h.linker.mu.Lock()
		defer h.linker.mu.Unlock()
		return len(h.linker.listeners) == 0
	})
	hurried, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.linker.Close(hurried); err == nil {
		t.Error("closed while guests were in use")
	}
	ls.unlock()
	if err := h.linker.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if n := h.engine.Guests(); n != 0 {
		t.Errorf("%d guests after Close", n)
	}
}

// TestALargeStackIsNamed: what makes a module start with megabytes is nearly always its stack, and
// each linker has a switch for it.
func TestALargeStackIsNamed(t *testing.T) {
	r := ref("authorizer", "")
	r.Limits.MemoryBytesMax = 65536
	err := newHouse(t, nil).linker.Link(t.Context(), "main", Spec{RoleAuthorizer: {r}})
	var step *StepError
	if !errors.As(err, &step) || step.Step != StepInstantiate {
		t.Fatal(err)
	}
	for _, linker := range []string{
		"zig --stack 65536", "wasm-ld -z stack-size", "rustc -C link-arg", "memory: 32MiB",
	} {
		if !strings.Contains(step.Do, linker) {
			t.Errorf("no %q in %q", linker, step.Do)
		}
	}
}
