package app

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/conformance/registry"
	"github.com/hpmq/hpmq/sdk/bundle"
	"github.com/hpmq/hpmq/sdk/bundle/oci"
	reg "github.com/hpmq/hpmq/sdk/bundle/registry"
	"github.com/hpmq/hpmq/sdk/bundle/sign"
	"github.com/hpmq/hpmq/sdk/client"
)

// quay is a registry that asks who is there, and a broker that is told what to say.
type quay struct {
	t   *testing.T
	reg *registry.Registry
	cfg configs.Config
	key *sign.Private
	dir string // of pulled bundles
}

func newQuay(t *testing.T) *quay {
	t.Helper()
	q := &quay{t: t, reg: registry.Start(t, true)}
	data := t.TempDir()
	q.cfg, q.dir = keeping(t, data, "l"), filepath.Join(data, "pulled")
	q.key = trusting(t, &q.cfg, "dedup*")
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(registry.Password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	q.cfg.Bundles.Registries = []configs.Registry{{
		Host: q.reg.Addr, Username: registry.Username, PasswordFile: password,
	}}
	return q
}

// push puts a bundle of a folder into the registry and answers how a link names it.
func (q *quay) push(dir string, k *sign.Private) string {
	q.t.Helper()
	l, b := built(q.t, dir, k)
	return q.pushed(l, b)
}

func (q *quay) pushed(l *oci.Layout, b *bundle.Bundle) string {
	q.t.Helper()
	return q.pushedTo(q.reg, l, b)
}

func (q *quay) pushedTo(r *registry.Registry, l *oci.Layout, b *bundle.Bundle) string {
	q.t.Helper()
	cfg := reg.Default()
	cfg.Username, cfg.Password = registry.Username, registry.Password
	to, err := reg.New(cfg)
	if err != nil {
		q.t.Fatal(err)
	}
	name := r.Addr + "/acme/dedup"
	if _, err := to.Push(q.t.Context(), l, b.Descriptor, name+":1"); err != nil {
		q.t.Fatal(err)
	}
	return name + "@" + string(b.Digest)
}

// naming is the configuration with a bundle of the registry.
func (q *quay) naming(use string) configs.Config {
	cfg := q.cfg
	cfg.Listeners = slices.Clone(cfg.Listeners)
	cfg.Listeners[0].Link.Deduplicator = []configs.Component{{Use: use, Grants: []string{"kv"}}}
	return cfg
}

// kept are the digests of what is in the folder.
func (q *quay) kept() []string {
	q.t.Helper()
	entries, err := os.ReadDir(q.dir)
	if err != nil && !os.IsNotExist(err) {
		q.t.Fatal(err)
	}
	out := map[string]bool{}
	for _, e := range entries {
		out["sha256:"+strings.TrimSuffix(e.Name(), ".tar")] = true
	}
	return slices.Sorted(maps.Keys(out))
}

func digestOf(ref string) string { return ref[strings.LastIndex(ref, "@")+1:] }

// says is an error with all of these words.
func says(t *testing.T, err error, words ...string) {
	t.Helper()
	for _, word := range words {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%v; want %s", err, word)
		}
	}
}

const windowComponent = "deduplicator-window"

// A link names a bundle of a registry: that is asked once, and may be gone from then on.
func TestAConfigurationNamesABundleOfARegistry(t *testing.T) {
	q := newQuay(t)
	first := q.push(dedupDir, q.key)
	second := q.push(altered(t, dedupDir, "schema.json", `{"type": "object"}`), q.key)
	third := q.push(altered(t, dedupDir, "schema.json", `{"type": ["object"]}`), q.key)
	cfg := q.naming("oci://" + first)
	if _, err := Check(t.Context(), cfg, nil); err != nil || len(q.kept()) > 0 {
		t.Errorf("check: %v; it keeps %v", err, q.kept())
	}
	a := start(t, cfg, Options{})
	if got := linkedIn(t, a, "l", "deduplicator"); got != windowComponent {
		t.Errorf("%s is linked", got)
	}
	next := q.naming(second)
	if err := a.Reload(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	if got := q.kept(); !slices.Equal(got, []string{digestOf(second)}) {
		t.Errorf("after a reload %v is kept; want %s", got, digestOf(second))
	}
	q.reg.Stop()
	says(t, a.Reload(t.Context(), q.naming(third)), "nothing has changed", third,
		"to do: look whether the registry runs")
	if got := linkedIn(t, a, "l", "deduplicator"); got != windowComponent {
		t.Errorf("%s is linked after a reload that was refused", got)
	}
	stopped(t, a)
	if _, err := Check(t.Context(), next, nil); err != nil {
		t.Error("check without the registry:", err)
	}
	a = start(t, next, Options{})
	if got := linkedIn(t, a, "l", "deduplicator"); got != windowComponent {
		t.Errorf("%s is linked without the registry", got)
	}
	linked, err := ask(t, a).Link(t.Context())
	text, _ := json.Marshal(linked)
	if err != nil || !strings.Contains(string(text), `"bundle":"deduplicator-window"`) {
		t.Errorf("%v: %s", err, text)
	}
	if err := a.Reload(t.Context(), q.naming("deduplicator-window")); err != nil ||
		len(q.kept()) > 0 {
		t.Errorf("%v; %v is kept and nothing names it", err, q.kept())
	}
	stopped(t, a)
	_, err = Open(t.Context(), cfg, Options{})
	says(t, err, first, "to do: look whether the registry runs")
}

// What does not verify is refused and not kept, by a configuration and by an operator.
func TestABundleOfARegistryIsVerified(t *testing.T) {
	q := newQuay(t)
	foreign, err := sign.Generate()
	if err != nil {
		t.Fatal(err)
	}
	l, b := built(t, dedupDir, &foreign)
	ref := q.pushed(l, b)
	_, err = Open(t.Context(), q.naming(ref), Options{})
	says(t, err, ref, "which is not trusted")
	_, err = Check(t.Context(), q.naming(ref), nil)
	says(t, err, ref, "which is not trusted")
	a := start(t, q.cfg, Options{})
	c := ask(t, a)
	_, err = c.AddListener(t.Context(), settingsOf(ref))
	says(t, err, ref, "which is not trusted")
	if got := q.kept(); len(got) > 0 {
		t.Errorf("%v is kept", got)
	}
	// The signature that counts comes later: what was kept by another is brought again.
	signed(t, l, b, q.key)
	q.pushed(l, b)
	if _, err := c.AddListener(t.Context(), settingsOf(ref)); err != nil {
		t.Fatal(err)
	}
	cfg := q.naming(ref)
	other := trusting(t, &cfg, "dedup*")
	cfg.Trust.Keys = cfg.Trust.Keys[1:]
	says(t, a.Reload(t.Context(), cfg), ref, "which is not trusted")
	signed(t, l, b, other)
	q.pushed(l, b)
	if err := a.Reload(t.Context(), cfg); err != nil {
		t.Error("a signature that came later:", err)
	}
}

func settingsOf(ref string) []byte {
	text, _ := json.Marshal(client.Settings{
		"name": "added", "bind": "tcp://127.0.0.1:0", "link": map[string]any{
			"deduplicator": []any{map[string]any{"use": ref, "grants": []string{"kv"}}},
		},
	})
	return text
}

// The registry is told who is there as the configuration says, which a reload reads again; by a
// change of the API it is told the same.
func TestCredentialsOfRegistries(t *testing.T) {
	q := newQuay(t)
	ref := q.push(dedupDir, q.key)
	right := q.cfg.Bundles.Registries
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	q.cfg.Bundles.Registries = nil
	a := start(t, q.cfg, Options{})
	s := &stage{t: t, App: a, client: ask(t, a)}
	n := client.NewChange{ID: "nobody", Items: []client.ChangeItem{{
		Listener: "l", Role: "deduplicator", Source: ref, Grants: []string{"kv"}}}}
	s.submit(n)
	if c := s.reaches("nobody", "refused"); !strings.Contains(c.Why, "give a user name") {
		t.Errorf("a change: %s", c.Why)
	}
	says(t, a.Reload(t.Context(), q.naming(ref)), "give a user name")
	for file, want := range map[string]string{
		empty: "is empty: write the password into it", empty + "2": "password_file: open",
	} {
		q.cfg.Bundles.Registries = slices.Clone(right)
		q.cfg.Bundles.Registries[0].PasswordFile = file
		says(t, a.Reload(t.Context(), q.naming(ref)), "bundles.registries[0]", want)
	}
	q.cfg.Bundles.Registries = slices.Clone(right)
	q.cfg.Bundles.Registries[0].CA = empty
	says(t, a.Reload(t.Context(), q.naming(ref)), "has no certificate")
	q.cfg.Bundles.Registries = right
	if err := a.Reload(t.Context(), q.cfg); err != nil {
		t.Fatal(err)
	}
	n.ID = "right"
	s.submit(n)
	s.reaches("right", "done")
	if err := a.Reload(t.Context(), q.naming(ref)); err != nil {
		t.Error(err)
	}
}

// Without a data folder it is pulled at each start.
func TestABundleOfARegistryWithoutAFolder(t *testing.T) {
	q := newQuay(t)
	cfg := q.naming(q.push(dedupDir, q.key))
	cfg.DataDir = configs.Memory
	a := start(t, cfg, Options{})
	if got := linkedIn(t, a, "l", "deduplicator"); got != windowComponent {
		t.Errorf("%s is linked", got)
	}
	q.reg.Stop()
	if err := a.Reload(t.Context(), cfg); err != nil {
		t.Error("a reload:", err)
	}
}

// TestWhatTheConfigurationNamesIsKept, whatever settings of operators name for now: they are gone
// with a restart, and the registry may be.
func TestWhatTheConfigurationNamesIsKept(t *testing.T) {
	q := newQuay(t)
	first := q.push(dedupDir, q.key)
	cfg := q.naming(first)
	cfg.Bundles.PulledBytesMax = configs.MiB
	a := start(t, cfg, Options{})
	name := strings.TrimPrefix(digestOf(first), "sha256:") + ".tar"
	info, err := os.Stat(filepath.Join(q.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	for i := range int(configs.MiB)/int(info.Size()) + 1 {
		ref := q.push(altered(t, dedupDir, "schema.json",
			fmt.Sprintf(`{"type": "object", "description": "%d"}`, i)), q.key)
		_, err := ask(t, a).ChangeListener(t.Context(), "l", linking("deduplicator", ref, "kv"))
		if err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Contains(q.kept(), digestOf(first)) {
		t.Errorf("%s was dropped; kept are %d others", first, len(q.kept()))
	}
	stopped(t, a)
	q.reg.Stop()
	stopped(t, start(t, cfg, Options{}))
}
