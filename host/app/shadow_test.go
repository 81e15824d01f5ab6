package app

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/sdk/client"
)

// TestAShadowTellsWhatDiffers while it is at work and when it was refused for that: of whom, on
// what topic and what, unless that is nobody's business.
func TestAShadowTellsWhatDiffers(t *testing.T) {
	for _, failures := range []string{configs.FailuresFull, configs.FailuresRedacted} {
		t.Run(failures, func(t *testing.T) {
			s := newStageWith(t, t.TempDir(), Options{}, func(c *configs.Config) {
				c.Wasm.Failures = failures
				c.Listeners[0].Link.Transformer = []configs.Component{
					{Use: "../link/testdata/components/transformer.wasm"},
				}
			})
			s.connect(1)
			n := s.change("differs", "l")
			n.Items[0].Config = map[string]any{"x": "tag=other:;"}
			n.Shadow = &client.ShadowPlan{For: "10s", MatchMin: 0.99}
			s.submit(n)
			s.shadows("differs")
			for range 20 {
				s.peers[0].publish("private/place", "secret")
				if topic, payload := s.sub.receive(); topic+payload != "private/placesecret" {
					t.Fatalf("a shadow made %s %s of it", topic, payload)
				}
			}
			until(t, "the shadow has answered", func() bool {
				f := s.get("differs").Shadow
				return f != nil && f.Asked >= 20
			})
			s.tells(s.get("differs"), failures)
			for !s.get("differs").Ended {
				s.clock.pass(time.Second)
			}
			c := s.reaches("differs", "refused")
			if c.Of != "shadow" || !strings.Contains(c.Why, "99.00 % are needed") {
				t.Errorf("%s: %s", c.Of, c.Why)
			}
			s.tells(c, failures)
			if got := linkedIn(t, s.App, "l", "transformer"); got != "transformer" {
				t.Errorf("%s is linked", got)
			}
		})
	}
}

// tells looks at what the shadow found.
func (s *stage) tells(c client.Change, failures string) {
	s.t.Helper()
	f := c.Shadow
	if f == nil || f.Asked < 20 || f.Failed+f.LeftOut != 0 || f.MatchRate > 0.5 ||
		f.Active.Fuel == 0 || f.Active.P50Micros == 0 || f.Candidate.Fuel == 0 ||
		f.Candidate.P50Micros == 0 || len(f.Differences) != 16 {
		s.t.Fatalf("%+v", f)
	}
	want := client.Difference{Listener: "l", Role: "transformer", ClientID: "p-0",
		Topic: "private/place", Active: `private/place (QoS 0) "secret"`,
		Candidate: `private/place (QoS 0) "other:secret"`}
	if failures == configs.FailuresRedacted {
		want = client.Difference{Listener: "l", Role: "transformer", Active: "QoS 0, 6 bytes",
			Candidate: "QoS 0, 12 bytes"}
		all, err := json.Marshal(c)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, private := range []string{"private", "secret", "p-0"} {
			if strings.Contains(string(all), private) {
				s.t.Errorf("%s is in %s", private, all)
			}
		}
	}
	if !slices.Contains(f.Differences, want) {
		s.t.Errorf("%+v, want %+v", f.Differences, want)
	}
}

// shadows waits until the shadow of a change is asked what the active version is. The state says
// so before that: its guests take their time.
func (s *stage) shadows(id string) {
	s.t.Helper()
	s.reaches(id, "shadow")
	until(s.t, "the shadow of "+id+" to listen", func() bool {
		f, _ := s.changes.machine.Shadowed(id)
		return f.Places != nil
	})
}
