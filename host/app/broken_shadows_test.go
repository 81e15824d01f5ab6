//go:build unix

package app

import (
	"time"

	"github.com/hpmq/hpmq/sdk/client"
)

// sick is a deduplicator that traps, and says who it is.
func sick() []byte { return stamped(guestOf("deduplicator"), `{"name": "guest"}`) }

func sickly(n *client.NewChange) {
	n.Items[0].Config = map[string]any{"words": "call:trap"}
	n.Items[0].Grants = []string{}
}

// sicken has something come to quarantine: it traps in a shadow.
func (y *yard) sicken() {
	y.t.Helper()
	n := client.NewChange{ID: "sick", Items: []client.ChangeItem{{
		Listener: "l", Role: "deduplicator", Source: y.upload(sick()),
	}}}
	sickly(&n)
	n.Shadow = &client.ShadowPlan{For: "1h"}
	y.submit(n)
	y.reaches("sick", "shadow")
	for !y.stage.get("sick").Ended {
		y.answers("beside one that traps")
		y.clock.pass(time.Second)
	}
	y.reaches("sick", "rolled back")
}

// brokenShadows have done badly before, or do beside what is linked.
func brokenShadows() []broken {
	unlike := func(n *client.NewChange) {
		n.Items[0].Config = map[string]any{"words": "answer=1;"}
		n.Items[0].Grants = []string{}
		n.Shadow = &client.ShadowPlan{For: "10s", MatchMin: 0.99}
	}
	return []broken{{
		name: "what was rolled back before", of: "quarantine",
		wrong: "is in quarantine since change sick", do: "say force",
		wasm: sick(), change: sickly,
	}, {
		name: "a shadow whose answers are others", of: "shadow",
		wrong: "1 of 3 answers (33.33 %) were those of the active version", do: "change show",
		wasm: guestOf("deduplicator"), change: unlike,
		during: func(y *yard, id string) {
			y.shadows(id)
			y.answers("beside a shadow")
			until(y.t, "the shadow has answered", func() bool {
				f := y.shadow(id)
				return f != nil && f.Asked == 3
			})
			y.over(id)
		},
	}, {
		name: "a shadow that nobody asks", of: "shadow",
		wrong: "nobody asked in 10s what could be compared", do: "give it longer",
		wasm: guestOf("deduplicator"), change: unlike,
		during: func(y *yard, id string) {
			y.shadows(id)
			y.over(id)
		},
	}}
}

// over lets the time pass until a change has ended.
func (y *yard) over(id string) {
	y.t.Helper()
	for !y.stage.get(id).Ended {
		y.clock.pass(time.Second)
	}
}

func (y *yard) shadow(id string) *client.Comparison { return y.stage.get(id).Shadow }
