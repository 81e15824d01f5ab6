package storm

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/hpmq/hpmq/sdk/bundle/sign"
	api "github.com/hpmq/hpmq/sdk/client"
)

// Topics and client ids. A publisher says storm/in/RECEIVER/ID, the router makes storm/out of it.
func publisherID(i int) string { return fmt.Sprintf("storm-p-%d", i) }

func topicOf(i, receiver int) string {
	return fmt.Sprintf("storm/in/%d/%s", receiver, publisherID(i))
}

// configOf is what a component is configured with by a swap.
func configOf(role string, swap int) map[string]any {
	rule := func(fields map[string]any) map[string]any {
		return map[string]any{"rules": []any{fields}}
	}
	allow := func(clients, action, topic string) map[string]any {
		return map[string]any{"effect": "allow", "clients": []string{clients},
			"actions": []string{action}, "topics": []string{topic}}
	}
	switch role {
	case "authorizer":
		return map[string]any{"default": "deny", "rules": []any{
			allow("storm-p-*", "publish", "storm/in/+/%c"),
			allow("storm-i-*", "subscribe", "storm/idle/%c"),
			allow("storm-r-*", "subscribe", "storm/out/#"),
		}}
	case "transformer":
		return rule(map[string]any{"filter": "storm/in/#", "otherwise": "drop", "steps": []any{
			map[string]any{"rename": map[string]any{"c": "celsius"}},
			map[string]any{"scale": map[string]any{"celsius": map[string]any{"factor": 0.1}}},
			map[string]any{"const": map[string]any{"v": versionOf(swap), "s": swap}},
		}})
	case "deduplicator":
		return rule(map[string]any{"filter": "storm/in/#", "by": []string{"n"},
			"window_ms": windowMs})
	default:
		return rule(map[string]any{"filter": "storm/in/#", "redirect": "storm/out/{3-}"})
	}
}

// windowMs is how long a repetition is known as such; it comes right behind its message.
const windowMs = 3000

// configured is the configuration of the broker. JSON is YAML.
func configured(t *testing.T, dir string, key *sign.Private) []byte {
	t.Helper()
	link := map[string]any{"authenticator": []any{}}
	for _, part := range parts {
		link[part.role] = []any{map[string]any{"use": part.name, "on_fault": "closed",
			"config": configOf(part.role, 0)}}
	}
	text, err := json.Marshal(map[string]any{
		"data_dir": dir,
		"admin":    map[string]any{"bind": "127.0.0.1:0"},
		// What waits is not lost: a machine that others keep busy may stand still for long.
		"limits": map[string]any{"inflight_max": 32768, "queue_messages_max": 10_000_000,
			"queue_bytes_max": "4GiB", "outbound_bytes_max": "64MiB"},
		"remember": map[string]any{"kv_entries_max": 1_000_000, "kv_total_entries_max": 2_000_000,
			"kv_bytes_max": "256MiB", "kv_total_bytes_max": "512MiB"},
		"trust": map[string]any{"keys": []any{map[string]any{"name": "ours",
			"key": key.Public().Text(), "names": []string{"*"}}}},
		"listeners": []any{map[string]any{"name": "storm", "bind": "tcp://127.0.0.1:0",
			"link": link}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// change asks for all roles in one commit. Every other one is a downgrade, so all say force.
func change(swap int, source string) api.NewChange {
	n := api.NewChange{ID: fmt.Sprintf("storm-%d", swap), By: "swap-storm", Force: true}
	for _, part := range parts {
		n.Items = append(n.Items, api.ChangeItem{Listener: "storm", Role: part.role,
			Source: source, Config: configOf(part.role, swap), OnFault: "closed"})
	}
	return n
}
