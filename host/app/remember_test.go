//go:build unix

package app

import (
	"fmt"
	"testing"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// rememberConfig has a component that counts messages below n/, one that holds back payloads below
// d/ that it knows, and one that puts the last value below h/ beside the new one.
func rememberConfig(dir string) configs.Config {
	c := diskNode(dir)
	c.Listeners[0].Link = configs.Link{
		Transformer: []configs.Component{
			{Use: testGuests + "transformer-kv.wasm", Grants: []string{"kv"},
				Config: map[string]any{"words": "count;in=n/#;out=none;"}},
			{Use: "transformer-json", Config: map[string]any{"rules": []any{map[string]any{
				"filter": "h/#", "direction": "up", "steps": []any{
					map[string]any{"previous": map[string]any{"copy": map[string]any{"v": "was"}}},
				},
			}}}},
		},
		Deduplicator: []configs.Component{
			{Use: testGuests + "deduplicator-kv.wasm", Grants: []string{"kv"},
				Config: map[string]any{"words": "window=3600000;in=d/#;"}},
		},
	}
	return c
}

// What components noted in kv, and what history has, is there after a restart. A message that was
// acknowledged is not forgotten, though nobody wanted it.
func TestWhatComponentsRememberSurvivesARestart(t *testing.T) {
	cfg := rememberConfig(t.TempDir())
	a := open(t, cfg)
	pub := dial(t, address(t, a, "l"), "pub")
	pub.store("n/a", "nobody", 1)
	sub := dial(t, address(t, a, "l"), "sub")
	sub.subscribe("#")
	want := func(topic, payload string) {
		t.Helper()
		if x, p := sub.receive(); x != topic || p != payload {
			t.Errorf("%s %s, want %s %s", x, p, topic, payload)
		}
	}
	pub.store("n/a", "x", 2)
	want("n/a", "2 x")
	pub.store("d/a", "once", 3)
	want("d/a", "once")
	pub.store("h/a", `{"v":1}`, 4)
	want("h/a", `{"v":1}`)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	a = open(t, cfg)
	sub = dial(t, address(t, a, "l"), "sub")
	sub.subscribe("#")
	pub = dial(t, address(t, a, "l"), "pub")
	pub.store("d/a", "once", 1)
	pub.store("n/a", "x", 2)
	want("n/a", "3 x") // and not what was sent before
	pub.store("h/a", `{"v":2}`, 3)
	want("h/a", `{"v":2,"was":1}`)
}

// The history of a listener goes with it: at once when it is removed, at the start when it was
// removed from the configuration. kv stays until an operator drops it.
func TestHistoryGoesWithItsListener(t *testing.T) {
	cfg := rememberConfig(t.TempDir())
	a := open(t, cfg)
	pub := dial(t, address(t, a, "l"), "pub")
	pub.store("h/a", `{"v":1}`, 1)
	pub.store("n/a", "x", 2)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	cfg.Listeners[0].Name = "other"
	a = open(t, cfg)
	pub = dial(t, address(t, a, "other"), "pub")
	pub.store("h/a", `{"v":2}`, 1)
	got := ""
	defer func() {
		if t.Failed() {
			t.Log(got)
		}
	}()
	until(t, "the history is the new listener's alone", func() bool {
		spaces, err := a.loops.disk.NoteSpaces()
		got = fmt.Sprint(spaces)
		return err == nil && got == "[{kv transformer-kv 1 3 0} {history other 1 10 0}]"
	})
}

// What an authenticator said of a client holds for what its session is given while it is away,
// after a restart too.
func TestWhatAnAuthenticatorSaidSurvivesARestart(t *testing.T) {
	cfg := diskNode(t.TempDir())
	cfg.Listeners[0].Link = configs.Link{
		Authenticator: []configs.Component{{Use: testGuests + "authenticator.wasm"}},
		Authorizer: []configs.Component{{Use: "authorizer-rules", Config: map[string]any{
			"default": "allow", "rules": []any{map[string]any{
				"effect": "deny", "actions": []any{"deliver"}, "tenants": []any{"wonderland"},
				"users": []any{"Alice"}, "topics": []any{"t/secret"},
			}},
		}}},
	}
	a := open(t, cfg)
	alice := func() (*peer, bool) {
		c := mqtt.Connect{
			Version: mqtt.V5, ClientID: []byte("device"), HasUsername: true, HasPassword: true,
			Username: []byte("alice"), Password: []byte("secret"),
		}
		return keepAs(t, address(t, a, "l"), c)
	}
	dev, _ := alice()
	list := []mqtt.Subscription{{Filter: []byte("t/#"), QoS: mqtt.AtLeastOnce}}
	dev.send(mqtt.AppendSubscribe(nil, mqtt.V5, 1, nil, list))
	if got := mqtt.TypeOf(dev.next()); got != mqtt.SUBACK {
		t.Fatal(got)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	a = open(t, cfg)
	pub, _ := dialAs(t, address(t, a, "l"), login{id: "pub", username: "local"})
	pub.store("t/secret", "not for wonderland", 1)
	pub.store("t/open", "for all", 2)
	dev, present := alice()
	if topic, payload := dev.receive(); topic != "t/open" || !present {
		t.Errorf("%s: %s, session present: %v", topic, payload, present)
	}
}
