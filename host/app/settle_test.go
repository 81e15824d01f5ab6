package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/sdk/client"
)

// crashed starts the node as it comes up when it ended without a word, now, and what was sent as
// lost is gone.
func (s *stage) crashed(lost string) {
	s.t.Helper()
	records, kept := filepath.Join(s.cfg.DataDir, "rollout"), s.t.TempDir()
	if err := os.CopyFS(kept, os.DirFS(records)); err != nil {
		s.t.Fatal(err)
	}
	stopped(s.t, s.App)
	if err := os.RemoveAll(records); err != nil {
		s.t.Fatal(err)
	}
	if err := os.CopyFS(records, os.DirFS(kept)); err != nil {
		s.t.Fatal(err)
	}
	if _, digest, _ := sentSource(lost); digest != "" {
		at := filepath.Join(s.cfg.DataDir, "bundles", strings.TrimPrefix(digest, "sha256:"))
		if err := os.Remove(at); err != nil {
			s.t.Fatal(err)
		}
	}
	s.again()
}

// TestACommittedChangeThatAStartCannotLink ends as rolled back, in all its places: what serves is
// what its record says, at this start and the next.
func TestACommittedChangeThatAStartCannotLink(t *testing.T) {
	s := newStage(t, t.TempDir(), Options{})
	s.takes("1", s.variant("one"), nil)
	s.routes("b")
	two := s.variant("two")
	s.submit(client.NewChange{ID: "2", Watch: "1h", Items: []client.ChangeItem{
		{Listener: "l", Role: "transformer", Source: s.variant("three"), Grants: []string{}},
		{Listener: "other", Role: "transformer", Source: two, Grants: []string{}},
		{Listener: "other", Role: "router", Source: "router-rules", Config: redirect("a", "c")},
	}})
	s.reaches("2", "draining")
	s.crashed(two)
	for range 2 {
		c := s.get("2")
		if c.State != "rolled back" || !strings.HasSuffix(c.Why, "the old version is linked") ||
			!strings.Contains(c.Why, "state draining: the transformer of listener ") {
			t.Errorf("%s: %s", c.State, c.Why)
		}
		if got := linkedIn(t, s.App, "l", "transformer"); got != "transformer-json" {
			t.Errorf("%s is linked to l", got)
		}
		if got := goes(t, s.App, "other", "a"); got != "b" {
			t.Errorf("the router goes to %s", got)
		}
		s.has("transformer", "one")
	}
	for _, l := range s.App.changes.machine.Linked() {
		if l.Change == "2" {
			t.Errorf("%s is linked by what was rolled back", l.Listener)
		}
	}
}

// TestWhatCannotGoBackStays: keys are migrated by the commit, and the old version does not know
// them. A start that cannot link the change somewhere else comes up all the same, and the next too.
func TestWhatCannotGoBackStays(t *testing.T) {
	v1, v2 := keeper(t, "deduplicator-kv", 1), keeper(t, "deduplicator-migration", 2)
	s := newStageWith(t, t.TempDir(), Options{}, func(cfg *configs.Config) {
		cfg.Listeners[0].Link.Deduplicator = []configs.Component{{
			Use: v1, Grants: []string{"kv"}, Config: map[string]any{"words": "window=3600000;"}}}
	})
	dial(t, address(t, s.App, "l"), "pub").store("d/a", "once", 1)
	code, err := os.ReadFile(v2)
	if err != nil {
		t.Fatal(err)
	}
	up, err := s.client.Upload(t.Context(), "keeper.wasm", code)
	if err != nil {
		t.Fatal(err)
	}
	lost := s.variant("lost")
	s.submit(client.NewChange{ID: "1", Watch: "1h", Items: []client.ChangeItem{
		{Listener: "other", Role: "router", Source: "router-rules", Config: redirect("a", "c")},
		{Listener: "l", Role: "deduplicator", Source: up.Source},
		{Listener: "other", Role: "transformer", Source: lost, Grants: []string{}},
	}})
	s.reaches("1", "draining")
	s.crashed(lost)
	for range 2 {
		c := s.get("1")
		if c.State != "done" || !strings.Contains(c.Why, "the new version is linked, but not "+
			"everywhere: the transformer of listener other: ") ||
			!strings.Contains(c.Why, "the rest does not go back, since ") ||
			!strings.Contains(c.Why, "is of schema 2, and this version is made for schema 1") {
			t.Errorf("%s: %s", c.State, c.Why)
		}
		if got := goes(t, s.App, "other", "a"); got != "c" {
			t.Errorf("the router goes to %s", got)
		}
		if schema, n := s.App.caps.kv.Schema("keeper"); schema != 2 || n != 1 {
			t.Errorf("schema %d, %d keys", schema, n)
		}
		s.has("transformer", "transformer-json")
		chain := s.App.changes.machine.Linked()[0].Chains["deduplicator"]
		if len(chain) != 1 || chain[0].Pinned == nil || chain[0].Pinned.Source != up.Source {
			t.Errorf("the record has %+v", chain)
		}
		if by := s.App.changes.machine.Linked()[1].Change; by != "1" {
			t.Errorf("other is linked by change %q", by)
		}
		if got := linkedIn(t, s.App, "l", "deduplicator"); got != "keeper" {
			t.Errorf("%s is linked to l", got)
		}
	}
}

// TestACommittedChangeOfAnotherConfiguration says that the configuration won.
func TestACommittedChangeOfAnotherConfiguration(t *testing.T) {
	s := newStage(t, t.TempDir(), Options{})
	for _, c := range []struct {
		id, lives, state, why string
	}{
		{"1", "other", "done", "but for what the configuration, which is another since, says at l"},
		{"2", "", "rolled back", "what the configuration says is linked: it is another since"},
	} {
		n := client.NewChange{ID: c.id, Watch: "1h", Items: []client.ChangeItem{
			{Listener: "l", Role: "transformer", Source: s.variant(c.id), Grants: []string{}}}}
		if c.lives != "" {
			n.Items = append(n.Items, client.ChangeItem{Listener: c.lives, Role: "transformer",
				Source: s.variant("x" + c.id), Grants: []string{}})
		}
		s.submit(n)
		s.reaches(c.id, "draining")
		link := &s.cfg.Listeners[0].Link
		link.Router = append(link.Router, reroute("a", "d").Router...)
		s.crashed("")
		if got := s.get(c.id); got.State != c.state || !strings.Contains(got.Why, c.why) {
			t.Errorf("%s: %s", got.State, got.Why)
		}
		if got := linkedIn(t, s.App, "l", "transformer"); got != "transformer-json" {
			t.Errorf("%s is linked to l", got)
		}
	}
	if got := linkedIn(t, s.App, "other", "transformer"); got != "x1" {
		t.Errorf("%s is linked to other", got)
	}
}
