package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/sdk/bundle/sign"
	"github.com/hpmq/hpmq/sdk/client"
)

// linking are settings of a listener with one component.
func linking(role, use string, grants ...string) []byte {
	text, _ := json.Marshal(client.Settings{"link": map[string]any{
		role: []any{map[string]any{"use": use, "grants": append([]string{}, grants...)}},
	}})
	return text
}

// TestSettingsOfOperatorsAreNotForced: what a change needs force for is refused in the settings of
// a listener, which have no word for it; a configuration file may say it.
func TestSettingsOfOperatorsAreNotForced(t *testing.T) {
	q := newQuay(t)
	q.cfg.Trust.Unsigned = []string{"acme"}
	older, newer := q.pushed(nameless(t, "1.9.0")), q.pushed(nameless(t, "2.0.0"))
	cfg := q.cfg
	cfg.Listeners[0].Link.Transformer = []configs.Component{{Use: newer}}
	a := start(t, cfg, Options{})
	c := ask(t, a)
	_, err := c.ChangeListener(t.Context(), "l", linking("transformer", older))
	says(t, err, "1.9.0 is older than", "link it by a change with force")
	if got := versionIn(t, c); got != "acme 2.0.0 of acme 2.0.0" {
		t.Errorf("without force: %s is linked", got)
	}
	next := bound(a, cfg)
	next.Listeners[0].Link.Transformer = []configs.Component{{Use: older}}
	if err := a.Reload(t.Context(), next); err != nil {
		t.Errorf("as the file says: %v", err)
	}
	if got := versionIn(t, c); got != "acme 1.9.0 of acme 1.9.0" {
		t.Errorf("as the file says: %s is linked", got)
	}
}

// TestSettingsThatGoBackSayWhere: settings of one role let go of what a change linked in another;
// the refusal names that, and what it says to do is no downgrade.
func TestSettingsThatGoBackSayWhere(t *testing.T) {
	q := newQuay(t)
	q.cfg.Trust.Unsigned = []string{"acme"}
	older, newer := q.pushed(nameless(t, "1.0.0")), q.pushed(nameless(t, "2.0.0"))
	cfg := q.cfg
	cfg.Listeners[0].Link.Transformer = []configs.Component{{Use: older}}
	s := &stage{t: t, App: start(t, cfg, Options{})}
	s.client = ask(t, s.App)
	s.submit(client.NewChange{ID: "1", Items: []client.ChangeItem{{Listener: "l",
		Role: "transformer", Source: newer, Grants: []string{}}}})
	s.reaches("1", "done")
	_, err := s.client.ChangeListener(t.Context(), "l",
		linking("deduplicator", windowComponent, "kv"))
	says(t, err, "l transformer[0]: acme 1.0.0 is older than 2.0.0, which is linked; write the "+
		"version that is linked into the settings too, ", "link it by a change with force")
	both := fmt.Sprintf(`{"link": {"transformer": [{"use": %q}],
		"deduplicator": [{"use": %q, "grants": ["kv"]}]}}`, newer, windowComponent)
	if _, err = s.client.ChangeListener(t.Context(), "l", []byte(both)); err != nil {
		t.Errorf("with the version that is linked: %v", err)
	}
	if got := versionIn(t, s.client); got != "acme 2.0.0 of acme 2.0.0" {
		t.Errorf("%s is linked", got)
	}
}

// TestSettingsOfOperatorsAskTheQuarantine, of a listener that is there and of a new one.
func TestSettingsOfOperatorsAskTheQuarantine(t *testing.T) {
	q := newQuay(t)
	bad := q.pushed(nameless(t, "2.0.0"))
	s := newStageWith(t, t.TempDir(), Options{}, func(c *configs.Config) {
		c.Trust.Unsigned = []string{"*"}
		c.Bundles.Registries = q.cfg.Bundles.Registries
	})
	s.condemns(s.change("bad", "l")) // with the same component
	_, err := s.client.ChangeListener(t.Context(), "other", linking("transformer", bad))
	says(t, err, "is in quarantine since change bad", "link it by a change with force")
	added := bytes.ReplaceAll(settingsOf(bad), []byte("deduplicator"), []byte("transformer"))
	_, err = s.client.AddListener(t.Context(), bytes.ReplaceAll(added, []byte(`"kv"`), nil))
	says(t, err, "is in quarantine since change bad", "link it by a change with force")
	if held, err := s.client.Quarantine(t.Context()); err != nil || len(held) != 1 {
		t.Errorf("held: %+v, %v", held, err)
	}
}

// TestANewListenerAsksTheQuarantineOfWhatComesWithTheBroker too: it needs no bundle.
func TestANewListenerAsksTheQuarantineOfWhatComesWithTheBroker(t *testing.T) {
	s := newStageWith(t, t.TempDir(), Options{}, func(c *configs.Config) {
		for i := range c.Listeners {
			c.Listeners[i].Link.Transformer = nil
		}
	})
	s.connect(4)
	slow := client.NewChange{ID: "slow", Items: []client.ChangeItem{{Listener: "l",
		Role: "transformer", Source: "transformer-json",
		Grants: []string{"history"}, Config: map[string]any{"rules": []any{map[string]any{
			"filter": "#", "steps": []any{map[string]any{"const": map[string]any{"a": 1}}}}}}}}}
	slow.Thresholds = &client.Thresholds{CallsMin: 1, LatencyMax: "1ns"}
	slow.Canary = canaryOf(100)
	s.submit(slow)
	s.reaches("slow", "canary")
	for !s.get("slow").Ended {
		s.round(0)
		s.clock.pass(100 * time.Millisecond)
	}
	if c := s.reaches("slow", "rolled back"); len(s.changes.machine.Quarantine()) != 1 {
		t.Fatalf("nothing is in quarantine: %s", c.Why)
	}
	added := bytes.ReplaceAll(settingsOf("transformer-json"), []byte("deduplicator"),
		[]byte("transformer"))
	_, err := s.client.AddListener(t.Context(),
		bytes.ReplaceAll(added, []byte(`"kv"`), []byte(`"history"`)))
	says(t, err, "transformer: transformer-json: ", "is in quarantine since change slow",
		"link it by a change with force")
}

// trusted are keys that may ship anything.
func trusted(keys ...sign.Private) (list []configs.TrustedKey) {
	for i, k := range keys {
		list = append(list, configs.TrustedKey{Name: fmt.Sprint("key-", i),
			Key: k.Public().Text(), Names: []string{"*"}})
	}
	return list
}

// vouching is what a broker trusts, and a bundle of the first of it that a swap went away from.
func vouching(t *testing.T, keys ...sign.Private) *stage {
	t.Helper()
	s := newStageWith(t, t.TempDir(), Options{}, func(c *configs.Config) {
		c.Trust.Keys = trusted(keys...)
	})
	up, err := s.client.Upload(t.Context(), "x.tar", versioned(t, &keys[0], "2.0.0"))
	if err != nil {
		t.Fatal(err)
	}
	s.submit(client.NewChange{ID: "1", Items: []client.ChangeItem{{Listener: "l",
		Role: "deduplicator", Source: up.Source, Grants: []string{"kv"}}}})
	s.reaches("1", "done")
	if _, err := s.client.Swap(t.Context(), client.Swap{Listener: "l", Role: "deduplicator",
		Use: windowComponent, Force: true}); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestARollbackIsJudgedWhileNothingElseChanges: a reload holds the listeners while it takes a key
// out of trust, so what is judged before that is linked before it, and is withdrawn.
func TestARollbackIsJudgedWhileNothingElseChanges(t *testing.T) {
	s := vouching(t, key(t, "ours"))
	next := bound(s.App, s.cfg)
	next.Trust.Keys = nil
	if err := s.Reload(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	back := client.Rollback{Listener: "l", Role: "deduplicator"}
	held, err := s.changes.machine.Reserve("a reload", "l")
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.client.Rollback(t.Context(), back)
	says(t, err, "a reload")
	held.Release()
	_, err = s.client.Rollback(t.Context(), back)
	says(t, err, "is not trusted any more")
}

// TestARollbackIsJudgedByWhatTheLedgerPins: by the bundle that was linked here, whoever else ships
// the same component, and for longer than its change is kept.
func TestARollbackIsJudgedByWhatTheLedgerPins(t *testing.T) {
	ours, theirs := key(t, "ours"), key(t, "theirs")
	for about, c := range map[string]struct {
		floods bool
		less   []configs.TrustedKey
		want   string
	}{
		"all keys":                {},
		"their key":               {less: trusted(theirs), want: "is not trusted any more"},
		"our key":                 {less: trusted(ours)},
		"no key, and no change":   {true, []configs.TrustedKey{}, "is not trusted any more"},
		"our key, and no change":  {true, trusted(ours), ""},
		"their key and no change": {true, trusted(theirs), "is not trusted any more"},
	} {
		t.Run(about, func(t *testing.T) {
			s := vouching(t, ours, theirs)
			up, err := s.client.Upload(t.Context(), "y.tar", versioned(t, &theirs, "3.0.0"))
			if err != nil {
				t.Fatal(err)
			}
			s.submit(client.NewChange{ID: "2", Items: []client.ChangeItem{{Listener: "other",
				Role: "deduplicator", Source: up.Source, Grants: []string{"kv"}}}})
			s.reaches("2", "done")
			if c.floods {
				(&dropping{stage: s}).floods()
			}
			next := bound(s.App, s.cfg)
			if c.less != nil {
				next.Trust.Keys = c.less
			}
			if err := s.Reload(t.Context(), next); err != nil {
				t.Fatal(err)
			}
			_, err = s.client.Rollback(t.Context(),
				client.Rollback{Listener: "l", Role: "deduplicator"})
			if c.want != "" {
				says(t, err, c.want)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestARollbackMayGoToWhatIsInQuarantine: who asks for it knows of it.
func TestARollbackMayGoToWhatIsInQuarantine(t *testing.T) {
	s := newStage(t, t.TempDir(), Options{})
	s.takes("1", s.candidate(), nil)
	s.takes("2", s.variant("two"), nil)
	s.condemns(s.change("bad", "l"))
	if held, err := s.client.Quarantine(t.Context()); err != nil || len(held) != 1 {
		t.Errorf("held: %+v, %v", held, err)
	}
	_, err := s.client.Rollback(t.Context(),
		client.Rollback{Listener: "other", Role: "transformer"})
	if got := linkedIn(t, s.App, "other", "transformer"); err != nil || got != "candidate" {
		t.Errorf("%s is linked: %v", got, err)
	}
}
