package revival

import (
	"github.com/hpmq/hpmq/sdk/client"
)

// round is one change and the end of the broker in it.
type round struct {
	name string
	// point ends the process by itself: at "enters.STATE" before the record of a state is written,
	// at "entered.STATE" when it is safe and nothing has followed. Without it the broker that users
	// have is killed once the change is in state at.
	point string
	at    string
	step  int
	// change asks for more than an exchange, act for the end of the change once it is in state at.
	change func(n *client.NewChange)
	act    string

	// ends is the state afterwards, "" of a change that nobody has heard of. in is the state in
	// which the broker ended, as it says; "" if the change had ended before. linked is true if the
	// new version is.
	ends, in string
	linked   bool
}

const (
	rolledBack = "rolled back"
	// long is a dwell that nobody waits for.
	long = "1h"
)

func rounds() []round {
	list := []round{{name: "asked for, unheard", point: "enters.requested"}}
	before := "requested"
	for _, state := range []string{
		"fetched", "verified", "compiled", "checked", "warmed", "tested",
	} {
		list = append(list, round{name: "in " + before, point: "entered." + before,
			ends: rolledBack, in: before})
		before = state
	}
	list = append(list,
		round{name: "in tested", point: "enters.committed", ends: rolledBack, in: "tested"},
		round{name: "in shadow", at: "shadow", ends: rolledBack, in: "shadow",
			change: func(n *client.NewChange) { n.Shadow = &client.ShadowPlan{For: long} }},
		round{name: "in the first step", at: "canary", step: 1, change: canary(long),
			ends: rolledBack, in: "canary"},
		round{name: "in the second step", at: "canary", step: 2, change: canary("1ms", long),
			ends: rolledBack, in: "canary"},
		round{name: "in committed", point: "entered.committed", ends: "done", in: "committed",
			linked: true},
		round{name: "in draining", point: "entered.draining", ends: "done", in: "draining",
			linked: true},
		round{name: "while it is watched", at: "draining", change: watch, ends: "done",
			in: "draining", linked: true},
		round{name: "almost done", point: "enters.done", ends: "done", in: "draining",
			linked: true},
		round{name: "done", at: "done", ends: "done", linked: true},
	)
	return append(list, endings()...)
}

// endings are ends other than done, on the way to them and in them.
func endings() []round {
	return []round{
		{name: "almost refused", point: "enters.refused", change: broken, ends: rolledBack,
			in: "verified"},
		{name: "refused", at: "refused", change: broken, ends: "refused"},
		{name: "almost cancelled", point: "enters.cancelled", at: "canary", step: 1, act: "cancel",
			change: canary(long), ends: rolledBack, in: "canary"},
		{name: "cancelled", point: "entered.cancelled", at: "canary", step: 1, act: "cancel",
			change: canary(long), ends: "cancelled"},
		{name: "almost rolled back", point: "enters.rolled back", at: "draining", act: "rollback",
			change: watch, ends: "done", in: "draining", linked: true},
		{name: "rolled back", point: "entered.rolled back", at: "draining", act: "rollback",
			change: watch, ends: rolledBack},
	}
}

func canary(dwells ...string) func(*client.NewChange) {
	return func(n *client.NewChange) {
		n.Canary = &client.CanaryPlan{Clients: []string{probe}}
		n.Thresholds = &client.Thresholds{CallsMin: 1, LatencyRatio: -1}
		for i, d := range dwells {
			n.Canary.Steps = append(n.Canary.Steps,
				client.CanaryStep{Percent: float64(10 * (i + 1)), Dwell: d})
		}
	}
}

func watch(n *client.NewChange) { n.Watch = long }

// broken has a configuration that no version takes.
func broken(n *client.NewChange) { n.Items[1].Config = map[string]any{"rules": 7} }
