package app

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/sdk/client"
)

// newest is the last change that was asked for.
func newest(t *testing.T, a *App) client.Change {
	t.Helper()
	list, err := ask(t, a).Changes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 {
		t.Fatal("no change is known")
	}
	return list[0]
}

// moves is a chain of routers, each of which moves messages on.
func moves(pairs ...string) (list []configs.Component) {
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, reroute(pairs[i], pairs[i+1]).Router...)
	}
	return list
}

func TestAReloadIsOneChangeOfAllListeners(t *testing.T) {
	cfg := keeping(t, t.TempDir(), "l", "other", "still")
	cfg.Listeners[0].Link.Router = moves("a", "b")
	a := start(t, cfg, Options{})
	next := bound(a, cfg)
	next.Listeners[0].Link.Router = moves("a", "c", "c", "d")
	next.Listeners[1].Link.Router = moves("a", "e")
	still := a.linker.Show()
	if err := a.Reload(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	c := newest(t, a)
	want := "requested fetched verified compiled checked warmed tested committed draining done"
	if got := statesOf(c); got != want || c.By != "configuration" || len(c.Places) != 3 {
		t.Errorf("%s by %s, of %d places: %s", got, c.By, len(c.Places), c.Reason)
	}
	if !strings.HasPrefix(c.ID, "config-") || !strings.Contains(c.Reason, "other: router 0") {
		t.Errorf("%s: %s", c.ID, c.Reason)
	}
	if l, o := goes(t, a, "l", "a"), goes(t, a, "other", "a"); l == "b" || o != "e" {
		t.Errorf("they go to %s and %s", l, o)
	}
	for i, v := range a.linker.Show() {
		if v.Listener == "still" && v.Generation != still[i].Generation {
			t.Error("a listener without difference was linked anew")
		}
	}
	// The same again is nothing; there and back are changes of their own.
	if err := a.Reload(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	if again := newest(t, a); again.ID != c.ID {
		t.Errorf("the same again is change %s", again.ID)
	}
	for range 2 {
		if err := a.Reload(t.Context(), bound(a, cfg)); err != nil {
			t.Fatal(err)
		}
		if got := goes(t, a, "l", "a"); got != "b" {
			t.Errorf("back: %s", got)
		}
		if err := a.Reload(t.Context(), next); err != nil {
			t.Fatal(err)
		}
	}
	if got := newest(t, a); got.ID == c.ID || got.State != "done" ||
		len(a.changes.machine.Linked()) > 0 {
		t.Errorf("%s is %s; linked over it: %v", got.ID, got.State, a.changes.machine.Linked())
	}
}

func TestAReloadGrowsShrinksAndReordersAChain(t *testing.T) {
	cfg := keeping(t, t.TempDir(), "l")
	a := start(t, cfg, Options{})
	for _, chain := range [][]configs.Component{
		moves("x", "y", "a", "b", "p", "q"), moves("p", "q", "x", "y"), moves("x", "y", "p", "q"),
		moves("a", "b"), {}, moves("x", "y", "a", "b"),
	} {
		next := bound(a, cfg)
		next.Listeners[0].Link.Router = chain
		if err := a.Reload(t.Context(), next); err != nil {
			t.Fatal(err)
		}
		has := ""
		for i := range chain {
			rule := chain[i].Config["rules"].([]any)[0].(map[string]any)
			from, to := rule["filter"].(string), rule["redirect"].(string)
			if has += "router-rules "; goes(t, a, "l", from) != to {
				t.Errorf("%d routers: %s does not come out at %s", len(chain), from, to)
			}
		}
		if got := linkedIn(t, a, "l", "router"); got != strings.TrimSpace(has) {
			t.Errorf("%q is linked, want %q", got, has)
		}
	}
}

// TestARefusedReloadIsOnRecord: one broken listener keeps all others, the new one and the sockets
// as they are.
func TestARefusedReloadIsOnRecord(t *testing.T) {
	cfg := keeping(t, t.TempDir(), "l", "other")
	cfg.Listeners[0].Link.Router = moves("a", "b")
	a := start(t, cfg, Options{})
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for of, change := range map[string]func(c *configs.Config){
		"configure": func(c *configs.Config) {
			c.Listeners[1].Link.Router = []configs.Component{
				{Use: "router-rules", Config: configs.Document{"rulez": 1}}}
		},
		"listeners": func(c *configs.Config) {
			c.Listeners[1].Bind = "tcp://" + taken.Addr().String()
		},
	} {
		next := bound(a, cfg)
		next.Listeners[0].Link.Router = moves("a", "c")
		next.Listeners = append(next.Listeners, testConfig("new").Listeners[0])
		change(&next)
		before := a.Listening()
		if err := a.Reload(t.Context(), next); err == nil {
			t.Fatal("it is taken")
		} else if bind := (*BindError)(nil); of == "listeners" && !errors.As(err, &bind) {
			t.Error(err)
		}
		if c := newest(t, a); c.State != "refused" || c.Of != of {
			t.Errorf("%s at %s, want %s: %s", c.State, c.Of, of, c.Why)
		}
		if got := goes(t, a, "l", "a"); got != "b" || !same(a.Listening(), before) {
			t.Errorf("%s: went to %s, listening %v", of, got, a.Listening())
		}
		if got := len(linkedTo(a)); got != 2 {
			t.Errorf("%s: %d listeners are linked", of, got)
		}
	}
}

// TestTheConfigurationAndChanges: a reload that leaves a link alone leaves what a change linked
// over it, also when its listener comes and goes; another link wins.
func TestTheConfigurationAndChanges(t *testing.T) {
	cfg := keeping(t, t.TempDir(), "l", "other")
	cfg.Listeners[0].Link.Router = moves("a", "b")
	a := start(t, cfg, Options{})
	if _, err := ask(t, a).Swap(t.Context(), client.Swap{Listener: "l", Role: "router",
		Use: "router-rules", Config: redirect("a", "z")}); err != nil {
		t.Fatal(err)
	}
	next := bound(a, cfg)
	next.Listeners[1].Link.Router = moves("a", "e")
	none := bound(a, cfg)
	none.Listeners = nil
	for _, c := range []configs.Config{next, none, next} {
		if err := a.Reload(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if l, o := goes(t, a, "l", "a"), goes(t, a, "other", "a"); l != "z" || o != "e" {
		t.Errorf("they go to %s and %s", l, o)
	}
	next.Listeners[0].Link.Router = moves("a", "c")
	if err := a.Reload(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	if got := goes(t, a, "l", "a"); got != "c" || len(a.changes.machine.Linked()) != 0 {
		t.Errorf("went to %s, linked %v", got, a.changes.machine.Linked())
	}
}
