package app

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/sdk/client"
)

// TestGoldenCasesAreAskedOfWhatIsLinked: with the default of the schema, as a link has it, and
// within the limits that the bundle asks for.
func TestGoldenCasesAreAskedOfWhatIsLinked(t *testing.T) {
	cfg := keeping(t, t.TempDir(), "l")
	k := trusting(t, &cfg, "dedup*")
	dir := altered(t, dedupDir, "one.json", `{"about":"The same within a second is repeated.",
		"calls":[{"call":"check","topic":"a","payload":"x","answer":"news"},
		{"call":"check","topic":"a","payload":"x","answer":"repeated"}]}`)
	schema := `{"type":"object","default":{"rules":[{"filter":"#","window_ms":1000}]}}`
	if err := os.WriteFile(filepath.Join(dir, "s.json"), []byte(schema), 0o600); err != nil {
		t.Fatal(err)
	}
	component(t, dir, map[string]any{"schema": "s.json", "cases": "one.json"})
	cfg.Listeners[0].Link.Deduplicator = []configs.Component{{Use: "deduplicator-window"}}
	s := &stage{t: t, cfg: cfg, clock: newHandClock()}
	s.App = start(t, cfg, Options{clock: s.clock})
	s.client = ask(t, s.App)
	try := func(id, state string) {
		t.Helper()
		l, _ := built(t, dir, k)
		s.submit(client.NewChange{ID: id, Items: []client.ChangeItem{{
			Listener: "l", Role: "deduplicator", Source: uploaded(t, s.client, l),
			Config: map[string]any{},
		}}})
		if c := s.reaches(id, state); c.Of != "" && c.Of != "tested" {
			t.Errorf("%s: refused at %s: %s", id, c.Of, c.Why)
		}
	}
	try("default", "done")
	component(t, dir, map[string]any{"limits": map[string]any{"fuel": 10}})
	try("limits", "refused")
}

// component changes the one component that bundle.json of dir has.
func component(t *testing.T, dir string, keys map[string]any) {
	t.Helper()
	file := filepath.Join(dir, "bundle.json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	for key, value := range keys {
		m["components"].([]any)[0].(map[string]any)[key] = value
	}
	if text, err = json.Marshal(m); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
