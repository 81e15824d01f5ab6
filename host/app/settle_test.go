package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

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
