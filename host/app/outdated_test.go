package app

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/configs"
)

// TestAConfigurationThatWinsSaysSo: a reload that edits one role of a listener lets go of what
// changes linked in its others too, and links what is in quarantine if the file names it. The log
// names both; the quarantine stays, since nobody said that it is well again.
func TestAConfigurationThatWinsSaysSo(t *testing.T) {
	q := newQuay(t)
	bad := q.pushed(nameless(t, "2.0.0"))
	var text strings.Builder
	s := newStageWith(t, t.TempDir(), Options{Log: slog.New(slog.NewTextHandler(&text, nil))},
		func(c *configs.Config) {
			c.Trust.Unsigned = []string{"*"}
			c.Bundles.Registries = q.cfg.Bundles.Registries
		})
	s.takes("1", s.variant("one"), nil)
	s.condemns(s.change("bad", "l")) // with the component of the bundle
	next := bound(s.App, s.cfg)
	next.Listeners[0].Link.Transformer = []configs.Component{{Use: bad}}
	next.Listeners[1].Link.Router = reroute("a", "b").Router
	if err := s.App.Reload(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	if held, err := s.client.Quarantine(t.Context()); err != nil || len(held) != 1 {
		t.Errorf("held: %+v, %v", held, err)
	}
	stopped(t, s.App)
	for _, want := range []string{
		`is another since" listener=other role=transformer "linked was"=one "last change"=1`,
		`since the configuration names it" listener=l role=transformer position=0 why="sha256:`,
		`is in quarantine since change bad`,
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("it does not say %s\n%s", want, text.String())
		}
	}
}
