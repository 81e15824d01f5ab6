package app

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/sdk/client"
)

// TestARollbackAfterARestart brings back what the ledger says was linked before: what another
// change linked, what the configuration links, and nothing.
func TestARollbackAfterARestart(t *testing.T) {
	cfg := keeping(t, t.TempDir(), "l")
	cfg.Listeners[0].Link = reroute("a", "d")
	a := start(t, cfg, Options{})
	router := client.Rollback{Listener: "l", Role: "router"}
	restart := func() {
		t.Helper()
		stopped(t, a)
		a = start(t, cfg, Options{})
	}
	swap := func(s client.Swap) {
		t.Helper()
		s.Listener = "l"
		if _, err := ask(t, a).Swap(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	rollback := func(r client.Rollback) client.Swapped {
		t.Helper()
		done, err := ask(t, a).Rollback(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	at := func(want string) {
		t.Helper()
		if got := goes(t, a, "l", "a"); got != want {
			t.Errorf("went to %s, not %s", got, want)
		}
	}
	swap(client.Swap{Role: "router", Use: "router-rules", Config: redirect("a", "b")})
	restart()
	at("b")
	rollback(router) // to what the configuration links
	at("d")
	rollback(router) // while the broker runs, back from that
	at("b")
	swap(client.Swap{Role: "router", Use: "router-rules", Config: redirect("a", "c")})
	restart()
	rollback(router)
	at("b")
	restart()
	rollback(router)
	at("c")

	code, err := os.ReadFile("../link/testdata/components/transformer.wasm")
	if err != nil {
		t.Fatal(err)
	}
	swap(client.Swap{Role: "transformer", Use: "mine", Wasm: code, Config: map[string]any{"x": 1}})
	restart()
	transformer := client.Rollback{Listener: "l", Role: "transformer"}
	done := rollback(transformer)
	if got := linkedIn(t, a, "l", "transformer"); got != "" || done.Old.Name == "" {
		t.Errorf("%q is still there, %+v went", got, done.Old)
	}
	restart()
	if done = rollback(transformer); linkedIn(t, a, "l", "transformer") != done.New.Name {
		t.Errorf("%+v is not there", done.New)
	}
	at("c")
	_, err = ask(t, a).Rollback(t.Context(), client.Rollback{Listener: "l", Role: "authorizer"})
	if err == nil || !strings.Contains(err.Error(), "nothing to roll back to") {
		t.Errorf("a role that never changed: %v", err)
	}
}

func TestARollbackIntoAnEmptyPlaceSaysWhatItLinks(t *testing.T) {
	cfg := keeping(t, t.TempDir(), "l")
	cfg.Listeners[0].Link = reroute("a", "d")
	s := &stage{t: t, cfg: cfg}
	s.App = start(t, cfg, Options{})
	s.client = ask(t, s.App)
	s.submit(client.NewChange{ID: "out", Items: []client.ChangeItem{
		{Listener: "l", Role: "router", Remove: true}}})
	s.reaches("out", "done")
	stopped(t, s.App)
	s.App = start(t, cfg, Options{})
	done, err := ask(t, s.App).Rollback(t.Context(), client.Rollback{Listener: "l", Role: "router"})
	if err != nil {
		t.Fatal(err)
	}
	c := newest(t, s.App)
	if p := c.Places[0]; p.Old != nil || p.New == nil || p.New.Name != "router-rules" ||
		p.New.Digest == "" || done.New.Name != p.New.Name {
		t.Errorf("%+v, %+v", p.New, done)
	}
}

// TestTheWayBackIsShownAfterARestart: what a rollback would bring back or take out, though nothing
// is warm, by its digest, and by its name.
func TestTheWayBackIsShownAfterARestart(t *testing.T) {
	cfg := keeping(t, t.TempDir(), "l")
	cfg.Listeners[0].Link = reroute("a", "d")
	cfg.Listeners[0].Link.Deduplicator = []configs.Component{{
		Use: testGuests + "deduplicator.wasm",
	}}
	a := start(t, cfg, Options{})
	shown := func(role string) client.Linked {
		t.Helper()
		all, err := ask(t, a).Link(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(all, func(l client.Linked) bool { return l.Role == role })
		return all[i]
	}
	swap := func(role, use string, wasm []byte) {
		t.Helper()
		_, err := ask(t, a).Swap(t.Context(), client.Swap{
			Listener: "l", Role: role, Use: use, Wasm: wasm,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	code := map[string][]byte{}
	for _, role := range []string{"router", "transformer"} {
		var err error
		if code[role], err = os.ReadFile(testGuests + role + ".wasm"); err != nil {
			t.Fatal(err)
		}
	}
	rules := shown("router")
	swap("router", "mine", code["router"])
	swap("transformer", "transformer-json", nil)
	swap("deduplicator", "deduplicator-window", nil)
	mine := shown("router")
	stopped(t, a)
	a = start(t, cfg, Options{})
	if l := shown("router"); l.Previous != rules.Digest || l.PreviousName != "router-rules" {
		t.Errorf("what the configuration has of the broker's own: %+v", l)
	}
	if l := shown("transformer"); !l.Added || l.Previous != "" {
		t.Errorf("what was added: %+v", l)
	}
	if l := shown("deduplicator"); l.Previous != "" ||
		l.PreviousName != testGuests+"deduplicator.wasm" {
		t.Errorf("what the configuration has in a file: %+v", l)
	}
	swap("transformer", "other", code["transformer"])
	swap("router", "router-rules", nil)
	stopped(t, a)
	a = start(t, cfg, Options{})
	if l := shown("router"); l.Previous != mine.Digest || l.PreviousName != mine.Name {
		t.Errorf("what another change linked: %+v", l)
	}
}

// TestARollbackAfterAReload goes back to what a restart brings up, too: a reload that changes
// nothing is no version to go back to.
func TestARollbackAfterAReload(t *testing.T) {
	cfg := keeping(t, t.TempDir(), "l")
	cfg.Listeners[0].Link = reroute("a", "d")
	a := start(t, cfg, Options{})
	router := client.Rollback{Listener: "l", Role: "router"}
	at := func(want string) {
		t.Helper()
		if got := goes(t, a, "l", "a"); got != want {
			t.Errorf("went to %s, not %s", got, want)
		}
	}
	reload := func() {
		t.Helper()
		if err := a.Reload(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
	}
	for _, first := range []bool{true, false} {
		if _, err := ask(t, a).Swap(t.Context(), client.Swap{Listener: "l", Role: "router",
			Use: "router-rules", Config: redirect("a", "b")}); err != nil {
			t.Fatal(err)
		}
		at("b")
		if !first {
			if _, err := ask(t, a).Rollback(t.Context(), router); err != nil {
				t.Fatal(err)
			}
			at("d")
		}
		reload()
		if _, err := ask(t, a).Rollback(t.Context(), router); err != nil {
			t.Fatal(err)
		}
		want := map[bool]string{true: "d", false: "b"}[first]
		at(want)
		stopped(t, a)
		a = start(t, cfg, Options{})
		at(want)
	}
}

// TestARollbackAfterAReloadOfAnother is durable: a configuration forgets only what it changes.
func TestARollbackAfterAReloadOfAnother(t *testing.T) {
	cfg := keeping(t, t.TempDir(), "l", "other")
	cfg.Listeners[0].Link = reroute("a", "d")
	a := start(t, cfg, Options{})
	if _, err := ask(t, a).Swap(t.Context(), client.Swap{Listener: "l", Role: "router",
		Use: "router-rules", Config: redirect("a", "b")}); err != nil {
		t.Fatal(err)
	}
	next := bound(a, cfg)
	next.Listeners[1].Link = reroute("a", "x")
	if err := a.Reload(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	router := client.Rollback{Listener: "l", Role: "router"}
	if _, err := ask(t, a).Rollback(t.Context(), router); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got := goes(t, a, "l", "a"); got != "d" {
			t.Errorf("went to %s", got)
		}
		stopped(t, a)
		a = start(t, next, Options{})
	}
}

// TestARollbackOfWhatAReloadLinked serves at once, and says that the configuration wins again.
func TestARollbackOfWhatAReloadLinked(t *testing.T) {
	cfg := keeping(t, t.TempDir(), "l")
	cfg.Listeners[0].Link = reroute("a", "d")
	a := start(t, cfg, Options{})
	next := bound(a, cfg)
	next.Listeners[0].Link = reroute("a", "bad")
	if err := a.Reload(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	done, err := ask(t, a).Rollback(t.Context(), client.Rollback{Listener: "l", Role: "router"})
	if err != nil || !strings.Contains(done.Unrecorded, "write what is wanted into that") {
		t.Errorf("%q, %v", done.Unrecorded, err)
	}
	if got := goes(t, a, "l", "a"); got != "d" {
		t.Errorf("went to %s", got)
	}
	if c := newest(t, a); len(c.Undone) != 1 || c.Undone[0].Role != "router" {
		t.Errorf("%s is noted with %+v", c.ID, c.Undone)
	}
	stopped(t, a)
	a = start(t, next, Options{})
	if got := goes(t, a, "l", "a"); got != "bad" {
		t.Errorf("after a restart it went to %s", got)
	}
}

// TestAStartThatCannotLinkTheLastGoesBackToTheOneBefore: what the last change linked cannot be had,
// so what was before it answers, and not what the configuration says; that stays so.
func TestAStartThatCannotLinkTheLastGoesBackToTheOneBefore(t *testing.T) {
	dir := t.TempDir()
	e := &echoes{t: t, cfg: diskNode(dir), came: map[string]bool{}}
	e.begin()
	sources := e.versions()
	e.swap("one", sources[0], func() {})
	e.swap("two", sources[1], func() {})
	at := func(want string) {
		t.Helper()
		linked, err := e.ask.Link(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range linked {
			if l.Role == "deduplicator" && l.Version != want {
				t.Errorf("version %s is linked, not %s", l.Version, want)
			}
		}
	}
	at("0.2.1")
	if err := e.app.Close(); err != nil {
		t.Fatal(err)
	}
	_, digest, _ := sentSource(sources[1])
	gone := filepath.Join(dir, "bundles", strings.TrimPrefix(digest, "sha256:"))
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		e.begin()
		at("0.2.0")
		if err := e.app.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
