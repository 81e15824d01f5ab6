package main

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/client"
)

func newLinkDoctor(s *settings) *cobra.Command {
	var listener string
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Say which components fail, of what, and what to do",
		Long: `Say which components fail, of what, and what to do.

For each component that failed: since when and how often, the kind of failure (trap, fuel, depth,
memory, garbage, too large, start, no guest), the last message it failed of, what it wrote then, the
fuel it spent and the functions it was in; what its fault policy makes of it, and what to do: the
command that brings back the version before, the setting to raise, what to send its author.
A component that is linked no more may be in quarantine: then it is said since which change, and how
to pardon it.

The broker keeps the last failures of each listener, the same again counted, until it is restarted
or the listener goes. With wasm.failures: redacted it keeps no topics, client ids and lines.

It exits with 1 if a component fails now: it failed in the last ten minutes, or its breaker is not
closed. One that failed earlier, or is linked no more, is shown and no reason for that.`,
		Example: `  hpmq-cli link doctor
  hpmq-cli link doctor --listener mqtt
  hpmq-cli link doctor --json   # all of it, for the author`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return s.linkDoctor(c, listener) },
	}
	c.Flags().StringVar(&listener, "listener", "", "look at this listener alone")
	return c
}

func (s *settings) linkDoctor(cmd *cobra.Command, listener string) error {
	c, err := s.client()
	if err != nil {
		return err
	}
	failures, err := c.Failures(cmd.Context(), listener)
	if err != nil {
		return err
	}
	linked, err := c.Link(cmd.Context())
	if err != nil {
		return err
	}
	linked = slices.DeleteFunc(linked, func(l client.Linked) bool {
		return listener != "" && l.Listener != listener
	})
	var changes []client.Change
	if len(failures) > 0 || slices.ContainsFunc(linked, isIll) {
		if changes, err = c.Changes(cmd.Context()); err != nil {
			return err
		}
	}
	var held []client.Quarantined
	if len(failures) > 0 {
		if held, err = c.Quarantine(cmd.Context()); err != nil {
			return err
		}
	}
	found := s.examine(&chart{time.Now(), linked, failures, changes, held})
	tell := func() error { return s.printFindings(&found) }
	if s.json {
		tell = func() error { return s.printJSON(found) }
	}
	if err := tell(); err != nil || found.Well {
		return err
	}
	return errIll
}

// errIll makes the exit code of what was told.
var errIll = errors.New("a component fails")

// isIll says that it failed, or does not serve.
func isIll(l client.Linked) bool { return l.Faults+l.Absent > 0 || l.Breaker != "closed" }

// findings are what is to be said of the components of a broker.
type findings struct {
	// Well says that nothing fails now.
	Well       bool   `json:"well"`
	Components int    `json:"components"`
	Questions  uint64 `json:"questions"`
	// Cases are the components that failed, the worst first.
	Cases []ailment `json:"cases"`
	at    time.Time
}

// ailment is a component that failed.
type ailment struct {
	State    string `json:"state"`
	Listener string `json:"listener"`
	Role     string `json:"role"`
	Position int    `json:"position"`
	Name     string `json:"name"`
	Version  string `json:"version"`
	Digest   string `json:"digest"`
	// Linked is what the broker says of it, if it serves.
	Linked *client.Linked `json:"linked,omitempty"`
	// Quarantined says since when it is in quarantine, if it is.
	Quarantined *client.Quarantined `json:"quarantined,omitempty"`
	// Failures are the latest first.
	Failures  []client.Failure `json:"failures"`
	Meanwhile string           `json:"meanwhile"`
	ToDo      []string         `json:"to_do"`
}

// The states of what failed, the worst first.
const (
	stateResting = "rests" // its breaker is open
	stateTried   = "is tried again"
	stateFailing = "fails"
	stateEarlier = "failed earlier"
	stateGone    = "is linked no more"
)

var states = []string{stateResting, stateTried, stateFailing, stateEarlier, stateGone}

// recent is how long ago a failure is one of now.
const recent = 10 * time.Minute

// chart is what the broker says of its components.
type chart struct {
	now      time.Time
	linked   []client.Linked
	failures []client.Failure
	changes  []client.Change
	held     []client.Quarantined
}

// quarantined is what the broker says of a digest in quarantine, nil if it is not there.
func (c *chart) quarantined(digest string) *client.Quarantined {
	for i := range c.held {
		if strings.TrimPrefix(c.held[i].Digest, "sha256:") == digest {
			return &c.held[i]
		}
	}
	return nil
}

// examine puts together what belongs together.
func (s *settings) examine(c *chart) findings {
	found := findings{at: c.now, Well: true, Components: len(c.linked), Cases: []ailment{}}
	for i := range c.linked {
		l := &c.linked[i]
		found.Questions += l.Calls + l.Absent
		if !isIll(*l) {
			continue
		}
		found.Cases = append(found.Cases, ailment{
			State: stateEarlier, Listener: l.Listener, Role: l.Role, Position: l.Position,
			Name: l.Name, Version: l.Version, Digest: l.Digest, Linked: l,
		})
	}
	for i := range c.failures {
		a := found.caseOf(&c.failures[i])
		a.Failures = append(a.Failures, c.failures[i])
	}
	for i := range found.Cases {
		a := &found.Cases[i]
		slices.SortStableFunc(a.Failures, causesFirst)
		a.State = a.state(c.now)
		a.Quarantined = c.quarantined(a.Digest)
		a.Meanwhile = a.meanwhile()
		a.ToDo = s.toDo(a, c)
		found.Well = found.Well && (a.State == stateEarlier || a.State == stateGone)
	}
	slices.SortStableFunc(found.Cases, func(x, y ailment) int {
		return cmp.Compare(slices.Index(states, x.State), slices.Index(states, y.State))
	})
	return found
}

// causesFirst puts that there was no instance behind why.
func causesFirst(x, y client.Failure) int {
	rank := map[bool]int{true: 1}
	return cmp.Compare(rank[x.Kind == noGuest], rank[y.Kind == noGuest])
}

// noGuest is a kind of failures.
const noGuest = "no guest"

// caseOf is the case that f belongs to, made if there is none.
func (d *findings) caseOf(f *client.Failure) *ailment {
	serving := f.Standing == client.Serving
	for i := range d.Cases {
		a := &d.Cases[i]
		same := a.Listener == f.Listener && a.Role == f.Role && a.Digest == f.Digest
		if same && serving && a.Linked != nil && a.Position == f.Position ||
			same && !serving && a.Linked == nil && a.standing() == f.Standing {
			return a
		}
	}
	d.Cases = append(d.Cases, ailment{
		Listener: f.Listener, Role: f.Role, Position: f.Position, Name: f.Name,
		Version: f.Version, Digest: f.Digest, Failures: []client.Failure{},
	})
	return &d.Cases[len(d.Cases)-1]
}

// state is how it is at that time.
func (a *ailment) state(now time.Time) string {
	switch {
	case a.Linked == nil && a.standing() == client.Gone:
		return stateGone
	case a.Linked != nil && a.Linked.Breaker == "open":
		return stateResting
	case a.Linked != nil && a.Linked.Breaker == "half-open":
		return stateTried
	}
	for i := range a.Failures {
		if now.Sub(a.Failures[i].Last) < recent {
			return stateFailing
		}
	}
	return stateEarlier
}

// standing is that of the component.
func (a *ailment) standing() string {
	if a.Linked != nil || len(a.Failures) == 0 {
		return client.Serving
	}
	return a.Failures[0].Standing
}
