//go:build unix

package app

import (
	"fmt"
	"slices"
	"testing"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/sdk/client"
)

// A worker sees in the message log of its listener what a deduplicator held back before, page by
// page, also what was logged before a restart, and nothing of another listener.
func TestAComponentLooksBackIntoTheMessageLog(t *testing.T) {
	cfg, a := loggedNode(t, func(l *configs.Listener) {
		l.Link.Deduplicator = []configs.Component{{
			Use: testGuests + "deduplicator-kv.wasm", Grants: []string{"kv"},
			Config: map[string]any{"words": "window=3600000;in=d/#;"},
		}}
		l.Link.Worker = []configs.Component{{
			Use: testGuests + "worker-history.wasm", Grants: []string{"history", "publish"},
			Config: map[string]any{"words": "look=d/+;max=2;in=go;"},
		}}
	})
	other := cfg.Listeners[0]
	other.Name, other.Link = "other", configs.Link{}
	pub := dial(t, address(t, a, "l"), "dev")
	pub.store("d/a", "1", 1)
	pub.store("d/b", "1", 2)
	pub.store("e", "x", 3)
	pub.store("d/c", "2", 4)
	logged(t, a, client.LogQuestion{Filter: "d/#"}, 3)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	cfg.Listeners = append(cfg.Listeners, other)
	a = open(t, cfg)
	elsewhere := dial(t, address(t, a, "other"), "elsewhere")
	elsewhere.store("d/x", "of another listener", 1)
	pub = dial(t, address(t, a, "l"), "dev")
	pub.store("d/b", "1", 1)
	logged(t, a, client.LogQuestion{Filter: "d/#", Listener: "l"}, 4)
	logged(t, a, client.LogQuestion{Filter: "d/#", Listener: "other"}, 1)
	sub := dial(t, address(t, a, "l"), "sub")
	for _, topic := range []string{"seen", "page", "over", "failed"} {
		sub.subscribe(topic)
	}
	pub.publish("go", "")
	var got []string
	for !slices.Contains(got, "over ") {
		topic, payload := sub.receive()
		got = append(got, fmt.Sprint(topic, " ", payload))
	}
	want := []string{"seen 0 dev d/a 1", "seen 1 dev d/b 1", "page ", "seen 0 dev d/c 2",
		"seen 1 dev d/b 1", "page ", "over "}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}
