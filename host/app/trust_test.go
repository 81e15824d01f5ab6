package app

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/sdk/bundle/sign"
	"github.com/hpmq/hpmq/sdk/client"
	"github.com/hpmq/hpmq/sdk/section"
)

// rebuilt is the folder of a deduplicator that is another .wasm than the one that ships.
func rebuilt(t *testing.T) string {
	t.Helper()
	const name = "deduplicator-window.wasm"
	code, err := os.ReadFile(filepath.Join(dedupDir, name))
	if err != nil {
		t.Fatal(err)
	}
	return altered(t, dedupDir, name, string(section.WithCustom(code, "by", []byte("us"))))
}

// vouchedFor is a node where a bundle took the place of deduplicator-window that "ours" and
// "second" signed, and that bundle's component.
func vouchedFor(t *testing.T) (s *stage, digest string) {
	t.Helper()
	cfg := keeping(t, t.TempDir(), "l")
	cfg.Listeners[0].Link.Deduplicator = []configs.Component{{Use: "deduplicator-window"}}
	key, second := trusting(t, &cfg, "dedup*"), trusting(t, &cfg, "dedup*")
	cfg.Trust.Keys[1].Name = "second"
	s = &stage{t: t, cfg: cfg, clock: newHandClock()}
	s.App = start(t, cfg, Options{clock: s.clock})
	s.client = ask(t, s.App)
	l, b := built(t, rebuilt(t), key)
	signed(t, l, b, second)
	s.submit(client.NewChange{ID: "x", Items: []client.ChangeItem{{
		Listener: "l", Role: "deduplicator", Source: uploaded(t, s.client, l)}}})
	c := s.reaches("x", "done")
	if k := c.Places[0].New.Key; k != "ours" && k != "second" {
		t.Errorf("the record says %q vouches for it", k)
	}
	return s, strings.TrimPrefix(string(b.Components[0].Digest), "sha256:")
}

// isLinked looks for the component of a change, which is never called otherwise.
func isLinked(t *testing.T, a *App, digest string, want bool) {
	t.Helper()
	chain := a.chain(a.doors["l"].key, "deduplicator")
	if len(chain) != 1 || chain[0].Name != "deduplicator-window" ||
		(chain[0].Digest == digest) != want {
		t.Errorf("%+v is linked; by the change: %v", chain, want)
	}
}

// withdrawal is what becomes of trust, and whether what was linked by it stays.
type withdrawal struct {
	edit  func(c *configs.Trust)
	stays bool
}

func withdrawals(t *testing.T) map[string]withdrawal {
	t.Helper()
	k, err := sign.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return map[string]withdrawal{
		"as it was": {func(*configs.Trust) {}, true},
		"other names of the keys": {func(c *configs.Trust) {
			c.Keys[0].Name, c.Keys[1].Name = "ours-2", "second-2"
		}, true},
		"one key less":  {func(c *configs.Trust) { c.Keys = c.Keys[1:] }, true},
		"the other key": {func(c *configs.Trust) { c.Keys = c.Keys[:1] }, true},
		"no keys":       {func(c *configs.Trust) { c.Keys = nil }, false},
		"another key under the name": {func(c *configs.Trust) {
			c.Keys = c.Keys[:1]
			c.Keys[0].Key = k.Public().Text()
		}, false},
		"keys for other names": {func(c *configs.Trust) {
			c.Keys[0].Names, c.Keys[1].Names = []string{"acme-*"}, []string{"acme-*"}
		}, false},
		"no keys, and no need of them": {func(c *configs.Trust) {
			c.Keys, c.Unsigned = nil, []string{"dedup*"}
		}, false}, // it would have to be called otherwise
	}
}

func TestWhoseKeyIsWithdrawnIsNotLinkedAgain(t *testing.T) {
	s, digest := vouchedFor(t)
	isLinked(t, s.App, digest, true)
	stopped(t, s.App)
	for about, w := range withdrawals(t) {
		t.Run(about, func(t *testing.T) {
			cfg := s.cfg
			cfg.DataDir = copyOf(t, s.cfg.DataDir)
			cfg.Trust.Keys = slices.Clone(s.cfg.Trust.Keys)
			w.edit(&cfg.Trust)
			isLinked(t, start(t, cfg, Options{}), digest, w.stays)
		})
	}
}

func TestAReloadWithdrawsWhatAKeyVouchedFor(t *testing.T) {
	s, digest := vouchedFor(t)
	less := s.cfg
	less.Trust.Keys = s.cfg.Trust.Keys[1:]
	if err := s.App.Reload(t.Context(), less); err != nil {
		t.Fatal(err)
	}
	isLinked(t, s.App, digest, true)
	none := s.cfg
	none.Trust = configs.DefaultTrust()
	if err := s.App.Reload(t.Context(), none); err != nil {
		t.Fatal(err)
	}
	isLinked(t, s.App, digest, false)
	_, err := s.client.Rollback(t.Context(), client.Rollback{Listener: "l", Role: "deduplicator"})
	if err == nil {
		t.Error("a rollback brings back what nobody vouches for")
	}
	isLinked(t, s.App, digest, false)
}
