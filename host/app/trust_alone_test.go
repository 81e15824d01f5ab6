package app

import (
	"os"
	"slices"
	"testing"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/rollout"
	"github.com/hpmq/hpmq/sdk/client"
	"github.com/hpmq/hpmq/sdk/section"
)

const loneGuest = "../link/testdata/components/transformer.wasm"

// letIn is a node that trusts a key, where a change linked a .wasm that calls itself lone, beside
// one of a file that the configuration names, and one that comes with the broker.
func letIn(t *testing.T, edit func(*configs.Trust)) *stage {
	t.Helper()
	s := newStageWith(t, t.TempDir(), Options{}, func(c *configs.Config) {
		trusting(t, c, "acme-*")
		c.Trust.Unsigned = []string{"lone"}
		edit(&c.Trust)
		c.Listeners[1].Link.Transformer = []configs.Component{{Use: loneGuest}}
	})
	code, err := os.ReadFile(loneGuest)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.client.Swap(t.Context(), client.Swap{
		Listener: "l", Role: "transformer", Use: "guest", Grants: []string{},
		Wasm: section.WithCustom(code, section.Manifest, []byte(`{"name": "lone"}`)),
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.client.Swap(t.Context(), client.Swap{Listener: "other", Role: "deduplicator",
		Use: windowComponent, Grants: []string{"kv"}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// serves looks at what is linked: of it the .wasm that was sent alone may go, and nothing else.
func serves(t *testing.T, a *App, stays bool) {
	t.Helper()
	want := map[bool]string{true: "lone", false: "transformer-json"}[stays]
	if got := linkedIn(t, a, "l", "transformer"); got != want {
		t.Errorf("%q is linked, want %q", got, want)
	}
	if got := linkedIn(t, a, "other", "transformer"); got != "transformer" {
		t.Errorf("%q is linked where the configuration names a file", got)
	}
	if got := linkedIn(t, a, "other", "deduplicator"); got != windowComponent {
		t.Errorf("%q is linked where a change linked what comes with the broker", got)
	}
}

func withdrawalsOfNames() map[string]withdrawal {
	return map[string]withdrawal{
		"as it was":        {func(*configs.Trust) {}, true},
		"its name":         {func(c *configs.Trust) { c.Unsigned = nil }, false},
		"what it was sent": {func(c *configs.Trust) { c.Unsigned = []string{"guest"} }, false},
		"a wider name":     {func(c *configs.Trust) { c.Unsigned = []string{"lo*"} }, true},
		"no keys":          {func(c *configs.Trust) { c.Keys, c.Unsigned = nil, nil }, true},
	}
}

// TestWhatWasSentAloneIsJudgedAtEachStart as it was when it was sent: by its name, where there are
// keys.
func TestWhatWasSentAloneIsJudgedAtEachStart(t *testing.T) {
	s := letIn(t, func(*configs.Trust) {})
	serves(t, s.App, true)
	stopped(t, s.App)
	for about, w := range withdrawalsOfNames() {
		t.Run(about, func(t *testing.T) {
			cfg := s.cfg
			cfg.DataDir = copyOf(t, s.cfg.DataDir)
			w.edit(&cfg.Trust)
			serves(t, start(t, cfg, Options{}), w.stays)
		})
	}
}

// TestAReloadJudgesWhatWasSentAlone, and so does a rollback, while it is warm and after a restart.
func TestAReloadJudgesWhatWasSentAlone(t *testing.T) {
	for about, w := range withdrawalsOfNames() {
		t.Run(about, func(t *testing.T) {
			s := letIn(t, func(*configs.Trust) {})
			cfg := bound(s.App, s.cfg)
			w.edit(&cfg.Trust)
			if err := s.Reload(t.Context(), cfg); err != nil {
				t.Fatal(err)
			}
			serves(t, s.App, w.stays)
		})
	}
	back := client.Rollback{Listener: "l", Role: "transformer"}
	s := letIn(t, func(*configs.Trust) {})
	if _, err := s.client.Swap(t.Context(), client.Swap{Listener: "l", Role: "transformer",
		Use: "transformer-json", Grants: []string{"history"}}); err != nil {
		t.Fatal(err)
	}
	cfg := bound(s.App, s.cfg)
	cfg.Trust.Unsigned = nil
	if err := s.Reload(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	_, err := s.client.Rollback(t.Context(), back)
	says(t, err, "lone, which was sent alone, is not trusted any more", "name it there")
	stopped(t, s.App)
	s.cfg.Trust.Unsigned = nil
	s.again()
	_, err = s.client.Rollback(t.Context(), back)
	says(t, err, "lone, which was sent alone, is not trusted any more")
	serves(t, s.App, false)
}

// TestWithoutKeysNobodyIsAskedForAName: keys that come later ask.
func TestWithoutKeysNobodyIsAskedForAName(t *testing.T) {
	var keys []configs.TrustedKey
	s := letIn(t, func(c *configs.Trust) { keys, c.Keys, c.Unsigned = c.Keys, nil, nil })
	serves(t, s.App, true)
	stopped(t, s.App)
	s.again()
	serves(t, s.App, true)
	cfg := bound(s.App, s.cfg)
	cfg.Trust.Keys = keys
	if err := s.Reload(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	serves(t, s.App, false)
}

// TestANameThatIsNotPinnedIsRead: by which name a .wasm was let in is in its record, but for one of
// an older broker, or of none: there it says it again.
func TestANameThatIsNotPinnedIsRead(t *testing.T) {
	s := letIn(t, func(*configs.Trust) {})
	all := s.changes.machine.Linked()
	i := slices.IndexFunc(all, func(l rollout.Linked) bool { return l.Listener == "l" })
	pinned := *all[i].Chains["transformer"][0].Pinned
	if pinned.Alone != "lone" {
		t.Errorf("%q is pinned", pinned.Alone)
	}
	pinned.Alone = ""
	if err := s.judgePlace(&pinned); err != nil {
		t.Error(err)
	}
	cfg := bound(s.App, s.cfg)
	cfg.Trust.Unsigned = []string{"guest"}
	if err := s.Reload(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	says(t, s.judgePlace(&pinned), "lone, which was sent alone, is not trusted any more")
}
