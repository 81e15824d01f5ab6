package app

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/sdk/bundle/sign"
)

// versioned is the deduplicator as a bundle of another version.
func versioned(t *testing.T, k *sign.Private, version string) (tar []byte) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dedupDir, "bundle.json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	doc["version"] = version
	text, _ = json.Marshal(doc)
	l, _ := built(t, altered(t, dedupDir, "bundle.json", string(text)), k)
	var out strings.Builder
	if err := l.WriteTar(&out); err != nil {
		t.Fatal(err)
	}
	return []byte(out.String())
}

// dropping is a node that watches a folder.
type dropping struct {
	*stage
	dir string
}

// looks lets the watcher look until all it can see was dealt with: twice, and once more so that the
// second is over.
func (d *dropping) looks() {
	d.t.Helper()
	for range 3 {
		until(d.t, "the watcher to wait", func() bool {
			d.clock.mu.Lock()
			defer d.clock.mu.Unlock()
			return len(d.clock.waiting) > 0
		})
		d.clock.pass(2 * time.Second)
	}
	until(d.t, "the watcher to wait", func() bool {
		d.clock.mu.Lock()
		defer d.clock.mu.Unlock()
		return len(d.clock.waiting) > 0
	})
}

// drop puts a bundle into the folder as one should.
func (d *dropping) drop(name string, b []byte) {
	d.t.Helper()
	hidden := filepath.Join(d.dir, "."+name)
	if err := os.WriteFile(hidden, b, 0o600); err != nil {
		d.t.Fatal(err)
	}
	if err := os.Rename(hidden, filepath.Join(d.dir, name)); err != nil {
		d.t.Fatal(err)
	}
	d.looks()
}

// state is what is linked and durable.
func (d *dropping) state() string {
	text, _ := json.Marshal([]any{d.linker.Show(), d.changes.machine.Linked()})
	return string(text)
}

func TestABundleThatAppearsInTheFolderIsLinked(t *testing.T) {
	cfg := keeping(t, t.TempDir(), "l", "other")
	key := trusting(t, &cfg, "dedup*")
	foreign, err := sign.Generate()
	if err != nil {
		t.Fatal(err)
	}
	first := filepath.Join(t.TempDir(), "first.tar")
	if err := os.WriteFile(first, versioned(t, key, "1.0.0"), 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range cfg.Listeners {
		cfg.Listeners[i].Link.Deduplicator = []configs.Component{
			{Use: first, Grants: []string{"kv"}}}
	}
	cfg.Bundles.Watch = t.TempDir()
	d := &dropping{&stage{t: t, cfg: cfg, clock: newHandClock()}, cfg.Bundles.Watch}
	d.App = start(t, cfg, Options{clock: d.clock})
	d.client = ask(t, d.App)
	dedup := versioned(t, key, "2.0.0")
	d.drop("dedup.tar", dedup)
	c := newest(t, d.App)
	c = d.reaches(c.ID, "done")
	if len(c.Places) != 2 || c.By != "bundles.watch" || c.Places[1].New.Version != "2.0.0" {
		t.Errorf("%+v", c)
	}
	was := d.state()
	d.drop("same.tar", dedup)
	if got := newest(t, d.App); got.ID != c.ID || d.state() != was {
		t.Errorf("the same: change %s, %s", got.ID, got.State)
	}
	for name, b := range map[string][]byte{
		"half.tar": dedup[:len(dedup)/2], "none.tar": []byte("x"),
	} {
		d.drop(name, b)
		got := newest(t, d.App)
		if got.State != "refused" || got.Of != "read" || !strings.Contains(got.Reason, name) ||
			!strings.HasSuffix(got.Why, "put it there again") || d.state() != was {
			t.Errorf("%s: change %s, %s: %s", name, got.ID, got.State, got.Why)
		}
		if d.looks(); newest(t, d.App).ID != got.ID {
			t.Errorf("%s: looked at again, it is %s", name, newest(t, d.App).ID)
		}
	}
	for of, b := range map[string][]byte{
		"verified": versioned(t, &foreign, "3.0.0"), "version": versioned(t, key, "1.5.0"),
	} {
		d.drop("dedup.tar", b)
		bad := d.reaches(newest(t, d.App).ID, "refused")
		if of == "version" && !strings.Contains(bad.Why, "; hpmq-cli link swap --force --bundle "+
			filepath.Join(d.dir, "dedup.tar")+" if that is wanted") {
			t.Error(bad.Why)
		}
		if d.looks(); bad.Of != of || newest(t, d.App).ID != bad.ID || d.state() != was {
			t.Errorf("refused at %s, want %s: %s; then %s", bad.Of, of, bad.Why,
				newest(t, d.App).ID)
		}
	}
	stopped(t, d.App)
	d.clock = newHandClock()
	d.App = start(t, cfg, Options{clock: d.clock})
	before := len(d.changes.machine.Changes())
	if d.looks(); len(d.changes.machine.Changes()) != before {
		t.Errorf("after a restart: %+v", newest(t, d.App))
	}
}
