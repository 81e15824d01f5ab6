package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/sdk/bundle"
	"github.com/hpmq/hpmq/sdk/bundle/oci"
	"github.com/hpmq/hpmq/sdk/client"
	"github.com/hpmq/hpmq/sdk/section"
)

// nameless is a bundle whose .wasm does not say who it is: the bundle alone has a version.
func nameless(t *testing.T, version string) (*oci.Layout, *bundle.Bundle) {
	t.Helper()
	code, err := os.ReadFile("../link/testdata/components/transformer.wasm")
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := section.Custom(code, section.Manifest); text != nil {
		t.Fatal("the component has a version of its own")
	}
	dir := t.TempDir()
	for name, b := range map[string][]byte{
		"x.wasm": code, "LICENSE": []byte("none"),
		"bundle.json": fmt.Appendf(nil, `{"name": "acme", "version": %q, "description": "a",
			"licence": "MIT", "licence_text": "LICENSE", "requires": [],
			"components": [{"name": "acme", "role": "transformer", "wasm": "x.wasm"}]}`, version),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return built(t, dir, nil)
}

// inFolder saves a bundle where a configuration names it.
func inFolder(t *testing.T, l *oci.Layout, dir string) string {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := l.Save(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestAnOlderBundleIsRefusedWhateverLinkedTheOther: by the configuration at the start or at a
// reload, by a change, by the folder that is watched.
func TestAnOlderBundleIsRefusedWhateverLinkedTheOther(t *testing.T) {
	data, dir := t.TempDir(), filepath.Join(t.TempDir(), "acme")
	cfg := keeping(t, data, "l")
	cfg.Trust.Unsigned = []string{"acme"}
	older, old := nameless(t, "1.9.0")
	newer, _ := nameless(t, "2.0.0")
	cfg.Listeners[0].Link.Transformer = []configs.Component{{Use: inFolder(t, newer, dir)}}
	start := func() *stage {
		a := start(t, cfg, Options{})
		return &stage{t: t, App: a, client: ask(t, a)}
	}
	refused := func(s *stage, how string) {
		t.Helper()
		n := client.NewChange{ID: how, Items: []client.ChangeItem{{
			Listener: "l", Role: "transformer", Source: uploaded(t, s.client, older)}}}
		s.submit(n)
		if c := s.reaches(how, "refused"); c.Of != "version" ||
			!strings.Contains(c.Why, "acme 1.9.0 is older than 2.0.0") {
			t.Errorf("%s: at %s: %s", how, c.Of, c.Why)
		}
		if got := versionIn(t, s.client); got != "acme 2.0.0 of acme 2.0.0" {
			t.Errorf("%s: %s is linked", how, got)
		}
	}
	s := start()
	refused(s, "start")
	next := cfg
	next.Listeners = []configs.Listener{cfg.Listeners[0]}
	next.Listeners[0].Link.Transformer = []configs.Component{{Use: dir, OnFault: "closed"}}
	if err := s.Reload(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	refused(s, "reload")
	w := &watcher{App: s.App, cfg: cfg.Bundles}
	if err := w.take(inFolder(t, older, filepath.Join(t.TempDir(), "w")), false); err != nil {
		t.Fatal(err)
	}
	if c := s.reaches("bundle-acme-"+old.Digest.Short(), "refused"); c.Of != "version" {
		t.Errorf("watched: at %s: %s", c.Of, c.Why)
	}
	n := client.NewChange{ID: "forced", Force: true, Items: []client.ChangeItem{{
		Listener: "l", Role: "transformer", Source: uploaded(t, s.client, older)}}}
	s.submit(n)
	s.reaches("forced", "done")
	if got := versionIn(t, s.client); got != "acme 1.9.0 of acme 1.9.0" {
		t.Errorf("%s is linked", got)
	}
	n.ID, n.Force = "again", false
	n.Items[0].Source = uploaded(t, s.client, newer)
	s.submit(n)
	s.reaches("again", "done")
	refused(s, "change")
	cfg = next
	stopped(t, s.App)
	s = start()
	refused(s, "restart")
}

// versionIn is what is linked as transformer, with its bundle.
func versionIn(t *testing.T, c *client.Client) string {
	t.Helper()
	linked, err := c.Link(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range linked {
		if l.Role == "transformer" {
			return fmt.Sprintf("%s %s of %s %s", l.Name, l.Version, l.Bundle, l.BundleVersion)
		}
	}
	return ""
}
