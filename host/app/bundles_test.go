package app

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/conformance/registry"
	"github.com/hpmq/hpmq/host/rollout"
	"github.com/hpmq/hpmq/sdk/bundle"
	"github.com/hpmq/hpmq/sdk/bundle/oci"
	reg "github.com/hpmq/hpmq/sdk/bundle/registry"
	"github.com/hpmq/hpmq/sdk/bundle/sign"
	"github.com/hpmq/hpmq/sdk/client"
)

// built makes a bundle of a component of this tree, signed by k unless that is nil.
func built(t *testing.T, dir string, k *sign.Private) (*oci.Layout, *bundle.Bundle) {
	t.Helper()
	l, b, err := bundle.Build(dir)
	if err != nil {
		t.Fatal(err)
	}
	if k == nil {
		return l, b
	}
	signed(t, l, b, k)
	return l, b
}

// signed adds the signature of a key to a bundle.
func signed(t *testing.T, l *oci.Layout, b *bundle.Bundle, k *sign.Private) {
	t.Helper()
	s, err := sign.Of(l, b.Descriptor)
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := sign.Sign(*k, s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sign.Attach(l, b.Descriptor, envelope); err != nil {
		t.Fatal(err)
	}
}

// uploaded sends a bundle and answers its source.
func uploaded(t *testing.T, c *client.Client, l *oci.Layout) string {
	t.Helper()
	var tar bytes.Buffer
	if err := l.WriteTar(&tar); err != nil {
		t.Fatal(err)
	}
	up, err := c.Upload(t.Context(), "b", tar.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return up.Source
}

// altered is a copy of a component's folder with another file in the place of one.
func altered(t *testing.T, dir, name, text string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "components", "x")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	licence, err := os.ReadFile("../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{name: []byte(text), "../../LICENSE": licence} {
		if err := os.WriteFile(filepath.Join(to, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

const dedupDir = "../../components/deduplicator-window"

// trusting lets a new key ship the bundles of names.
func trusting(t *testing.T, cfg *configs.Config, names ...string) *sign.Private {
	t.Helper()
	k, err := sign.Generate()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Trust.Keys = append(cfg.Trust.Keys, configs.TrustedKey{
		Name: "ours", Key: k.Public().Text(), Names: names,
	})
	return &k
}

// TestABundleIsFetchedOnce by a change, however many of its items name it: a tag that moves
// meanwhile mixes nothing.
func TestABundleIsFetchedOnce(t *testing.T) {
	cfg := keeping(t, t.TempDir(), "l")
	key := trusting(t, &cfg, "dedup*")
	a := start(t, cfg, Options{})
	l, _ := built(t, dedupDir, key)
	it := rollout.Item{Listener: "l", Role: "deduplicator", Source: uploaded(t, ask(t, a), l)}
	gone := rollout.Item{Listener: "l", Role: "router", Remove: true}
	all, err := (source{a}).Fetch(t.Context(), []rollout.Item{it, gone, it})
	if err != nil {
		t.Fatal(err)
	}
	opened := func(i int) *openedBundle { return all[i].More.(*fetched).bundle.openedBundle }
	if all[1] != nil || opened(0) != opened(2) {
		t.Errorf("%v: opened %p and %p", all[1], opened(0), opened(2))
	}
}

func TestABundleIsVerifiedTestedAndLinkedAgain(t *testing.T) {
	cfg := keeping(t, t.TempDir(), "l")
	cfg.Listeners[0].Link.Deduplicator = []configs.Component{{Use: "deduplicator-window"}}
	key := trusting(t, &cfg, "dedup*")
	foreign, err := sign.Generate()
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, cfg: cfg, clock: newHandClock()}
	s.App = start(t, cfg, Options{clock: s.clock})
	s.client = ask(t, s.App)
	broken := altered(t, dedupDir, "testdata/wrong.json", `{"about": "It is wrong.",
		"config": {}, "calls": [{"call": "check", "topic": "a", "payload": "x",
		"answer": "repeated"}]}`)
	want := func(source string, config map[string]any) client.NewChange {
		return client.NewChange{ID: "c" + source[len(source)-12:], Items: []client.ChangeItem{{
			Listener: "l", Role: "deduplicator", Source: source, Config: config}}}
	}
	bad := func(of, why string, n client.NewChange) {
		t.Helper()
		n.ID += of + strings.ReplaceAll(why, " ", "-")
		s.submit(n)
		if c := s.reaches(n.ID, "refused"); c.Of != of || !strings.Contains(c.Why, why) {
			t.Errorf("at %s: %s; want at %s: %s", c.Of, c.Why, of, why)
		}
	}
	unsigned, _ := built(t, dedupDir, nil)
	bad("verified", "not signed", want(uploaded(t, s.client, unsigned), nil))
	other, _ := built(t, dedupDir, &foreign)
	bad("verified", "not trusted", want(uploaded(t, s.client, other), nil))
	wrong, _ := built(t, broken, key)
	bad("tested", "golden case", want(uploaded(t, s.client, wrong), nil))
	good, b := built(t, dedupDir, key)
	source := uploaded(t, s.client, good)
	bad("verified", "windoze", want(source, map[string]any{"windoze": 1}))
	bad("fetched", "none serves as router", client.NewChange{ID: "r", Items: []client.ChangeItem{
		{Listener: "l", Role: "router", Source: source}}})

	n := want(source, nil)
	s.submit(n)
	c := s.reaches(n.ID, "done")
	if p := c.Places[0].New; p.Version != b.Version || p.Bundle != string(b.Digest) {
		t.Errorf("%+v", p)
	}
	// Who may ship it has signed it: it has the name of the one before, and what that was granted.
	if got := linkedIn(t, s.App, "l", "deduplicator"); got != "deduplicator-window" {
		t.Errorf("%s is linked", got)
	}
	stopped(t, s.App)
	a := start(t, cfg, Options{})
	linked, err := ask(t, a).Link(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(linked)
	if !strings.Contains(string(text), `"kv"`) ||
		linkedIn(t, a, "l", "deduplicator") != "deduplicator-window" {
		t.Errorf("after a restart: %s", text)
	}
}

func TestABundleOfARegistry(t *testing.T) {
	r := registry.Start(t, false)
	cfg := keeping(t, t.TempDir(), "l")
	key := trusting(t, &cfg, "dedup*")
	a := start(t, cfg, Options{})
	s := &stage{t: t, App: a, client: ask(t, a)}
	l, b := built(t, dedupDir, key)
	to, err := reg.New(reg.Default())
	if err != nil {
		t.Fatal(err)
	}
	ref := r.Addr + "/acme/dedup:1"
	if _, err := to.Push(t.Context(), l, b.Descriptor, ref); err != nil {
		t.Fatal(err)
	}
	n := client.NewChange{ID: "r", Items: []client.ChangeItem{{
		Listener: "l", Role: "deduplicator", Source: ref, Grants: []string{"kv"}}}}
	s.submit(n)
	s.reaches("r", "done")
	n.ID, n.Items[0].Source = "missing", r.Addr+"/acme/dedup:2"
	s.submit(n)
	if c := s.reaches("missing", "refused"); c.Of != "fetched" {
		t.Errorf("%+v", c)
	}
	stopped(t, a)
	a = start(t, cfg, Options{}) // the registry is not asked
	if got := linkedIn(t, a, "l", "deduplicator"); got != "deduplicator-window" {
		t.Errorf("%s is linked", got)
	}
}

func TestAConfigurationNamesABundle(t *testing.T) {
	cfg := testConfig("l")
	key := trusting(t, &cfg, "dedup*")
	dir := filepath.Join(t.TempDir(), "dedup")
	l, _ := built(t, dedupDir, key)
	if err := l.Save(dir); err != nil {
		t.Fatal(err)
	}
	cfg.Listeners[0].Link.Deduplicator = []configs.Component{{Use: dir, Grants: []string{"kv"}}}
	a := open(t, cfg)
	if got := linkedIn(t, a, "l", "deduplicator"); got != "deduplicator-window" {
		t.Errorf("%s is linked", got)
	}
	if _, err := Check(t.Context(), cfg, nil); err != nil {
		t.Error(err)
	}
	for says, change := range map[string]func(c *configs.Config){
		"no key is trusted": func(c *configs.Config) { c.Trust = configs.DefaultTrust() },
		"windoze": func(c *configs.Config) {
			c.Listeners[0].Link.Deduplicator = []configs.Component{{
				Use: dir, Grants: []string{"kv"}, Config: configs.Document{"windoze": 1}}}
		},
	} {
		bad := testConfig("l")
		bad.Trust, bad.Listeners = cfg.Trust, slices.Clone(cfg.Listeners)
		change(&bad)
		bad.Admin, bad.Loops = cfg.Admin, cfg.Loops
		if err := a.Reload(t.Context(), bad); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
		if _, err := Check(t.Context(), bad, nil); err == nil ||
			!strings.Contains(err.Error(), says) {
			t.Errorf("check: %s: %v", says, err)
		}
	}
	if err := a.Reload(t.Context(), cfg); err != nil {
		t.Error(err)
	}
}
