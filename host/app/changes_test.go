package app

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/sdk/client"
)

// keeping is a node with a data folder.
func keeping(t *testing.T, dir string, listeners ...string) configs.Config {
	cfg := testConfig(listeners...)
	cfg.DataDir = dir
	return cfg
}

// start opens a node that the test ends, or its end.
func start(t *testing.T, cfg configs.Config, o Options) *App {
	t.Helper()
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	o.DrainTimeout = patience
	a, err := Open(t.Context(), cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopped(t, a) })
	return a
}

func stopped(t *testing.T, a *App) {
	t.Helper()
	if err := a.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// copyOf is what a kill would leave of the changes of a data folder.
func copyOf(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	for _, name := range []string{"rollout", "bundles"} {
		from := os.DirFS(filepath.Join(dir, name))
		if err := os.CopyFS(filepath.Join(to, name), from); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// linkedIn is the name of what serves a role of a listener first, with what it did.
func linkedIn(t *testing.T, a *App, listener, role string) string {
	t.Helper()
	linked, err := ask(t, a).Link(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, l := range linked {
		if l.Listener == listener && l.Role == role {
			names = append(names, l.Name)
		}
	}
	return strings.Join(names, " ")
}

// goes publishes to a topic and answers where it comes out.
func goes(t *testing.T, a *App, listener, topic string) string {
	t.Helper()
	p := dial(t, address(t, a, listener), "p-"+topic)
	defer func() { _ = p.conn.Close() }()
	p.subscribe("#")
	p.publish(topic, "m")
	at, _ := p.receive()
	return at
}

func TestASwapOutlivesTheBroker(t *testing.T) {
	cfg := keeping(t, t.TempDir(), "l", "other")
	a := start(t, cfg, Options{})
	c, ctx := ask(t, a), t.Context()
	swap := client.Swap{Listener: "l", Role: "router", Use: "router-rules",
		Config: redirect("a", "b")}
	if _, err := c.Swap(ctx, swap); err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile("../link/testdata/components/transformer.wasm")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Swap(ctx, client.Swap{
		Listener: "l", Role: "transformer", Use: "mine", Wasm: code, Config: map[string]any{"x": 1},
	}); err != nil {
		t.Fatal(err)
	}
	swap.Config = redirect("a", "c")
	if _, err := c.Swap(ctx, swap); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Rollback(ctx, client.Rollback{Listener: "l", Role: "router"}); err != nil {
		t.Fatal(err)
	}
	was := linkedIn(t, a, "l", "transformer")
	stopped(t, a)

	a = start(t, cfg, Options{})
	if got := linkedIn(t, a, "l", "transformer"); got != was || got == "" {
		t.Errorf("the transformer is %q, it was %q", got, was)
	}
	if got := goes(t, a, "l", "a"); got != "b" {
		t.Errorf("went to %s: what was rolled back is linked", got)
	}
	if got := goes(t, a, "other", "a"); got != "a" {
		t.Errorf("the other listener: went to %s", got)
	}
	if err := a.Reload(ctx, cfg); err != nil {
		t.Fatal(err)
	}
	if got := goes(t, a, "l", "a"); got != "b" {
		t.Errorf("after a reload of the same: went to %s", got)
	}
	stopped(t, a)

	// The configuration has another link now: it wins, for good.
	next := keeping(t, cfg.DataDir, "l", "other")
	next.Listeners[0].Link = reroute("a", "d")
	a = start(t, next, Options{})
	if got := goes(t, a, "l", "a"); got != "d" || linkedIn(t, a, "l", "transformer") != "" {
		t.Errorf("went to %s: the configuration does not win", got)
	}
	stopped(t, a)
	a = start(t, cfg, Options{})
	if got := goes(t, a, "l", "a"); got != "a" {
		t.Errorf("went to %s: what the configuration won over is back", got)
	}
}

// TestAStartWithoutWhatWasLinked comes up with what the configuration says.
func TestAStartWithoutWhatWasLinked(t *testing.T) {
	cfg := keeping(t, t.TempDir(), "l")
	a := start(t, cfg, Options{})
	code, err := os.ReadFile("../link/testdata/components/transformer.wasm")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ask(t, a).Swap(t.Context(), client.Swap{
		Listener: "l", Role: "transformer", Use: "mine", Wasm: code,
	}); err != nil {
		t.Fatal(err)
	}
	stopped(t, a)
	if err := os.RemoveAll(filepath.Join(cfg.DataDir, "bundles")); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	a = start(t, cfg, Options{Log: slog.New(slog.NewTextHandler(&text, nil))})
	if got := goes(t, a, "l", "a"); got != "a" || linkedIn(t, a, "l", "transformer") != "" {
		t.Errorf("went to %s, and something transforms it", got)
	}
	stopped(t, a)
	if !strings.Contains(text.String(), "not there") {
		t.Errorf("it does not say what was missing:\n%s", text.String())
	}
}

// TestWhoSwapsIsInTheAudit, and in the log: in that of a rollback too, which is no change while
// what it brings back is warm.
func TestWhoSwapsIsInTheAudit(t *testing.T) {
	cfg := keeping(t, t.TempDir(), "l")
	var text strings.Builder
	loud := Options{Log: slog.New(slog.NewTextHandler(&text, nil))}
	a := start(t, cfg, loud)
	swap := client.Swap{Listener: "l", Role: "router", Use: "router-rules"}
	back := client.Rollback{Listener: "l", Role: "router", By: "bob"}
	for _, swap.By = range []string{"", "ann"} {
		swap.Config = redirect("a", "to"+swap.By)
		if _, err := ask(t, a).Swap(t.Context(), swap); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ask(t, a).Rollback(t.Context(), back); err != nil {
		t.Fatal(err)
	}
	stopped(t, a)
	a = start(t, cfg, loud)
	if all, err := ask(t, a).Changes(t.Context()); err != nil || len(all[0].Undone) != 1 ||
		all[0].Undone[0].By != "bob" || len(all[1].Undone) != 0 {
		t.Errorf("what is undone: %+v, %v", all, err)
	}
	if _, err := ask(t, a).Rollback(t.Context(), back); err != nil {
		t.Fatal(err)
	}
	all, err := ask(t, a).Changes(t.Context())
	if err != nil || len(all) != 3 || all[0].By != "bob" || all[1].By != "ann" ||
		all[2].By != by {
		t.Errorf("%+v, %v", all, err)
	}
	stopped(t, a)
	if log := text.String(); strings.Contains(log, `state=""`) || !strings.Contains(log,
		`msg="app: the router of listener l is what it was before its last change" by=bob`) ||
		!strings.Contains(log, `"rolled back since"=[router]`) {
		t.Errorf("the log has\n%s", log)
	}
}
