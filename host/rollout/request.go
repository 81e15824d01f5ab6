package rollout

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Request asks for a change of several places, all or none.
type Request struct {
	// ID makes asking again safe: see Machine.Submit.
	ID string `json:"id"`
	// By says who asks, Reason why; for the audit.
	By     string `json:"by,omitempty"`
	Reason string `json:"reason,omitempty"`
	Items  []Item `json:"items"`
	// Force allows an older version, and a digest in quarantine.
	Force  bool       `json:"force,omitempty"`
	Shadow ShadowPlan `json:"shadow,omitzero"`
	Canary CanaryPlan `json:"canary,omitzero"`
	// Watch is for how long after the commit the old version is kept warm and the new one is looked
	// at, in nanoseconds; 0 is not at all.
	Watch      time.Duration `json:"watch,omitempty"`
	Thresholds Thresholds    `json:"thresholds,omitzero"`
	// Config says that what is asked for is a configuration: the hash of its link by listener. From
	// the commit on nothing is linked over it, but what changes linked over one of that hash. Its
	// items may take out beside others: all positions are those before the change.
	Config map[string]string `json:"config,omitempty"`
	// Undo says that the items are those of Machine.Back.
	Undo bool `json:"undo,omitempty"`
	// ByForce is how to get what is refused without Force, where who asks cannot say that: a
	// command. It is not kept.
	ByForce string `json:"-"`
	// Beside, unless it is nil, changes what is no link when all else is ready, before the commit;
	// its error refuses. If the change does not end as done, who asked undoes it. It is not kept.
	Beside func(ctx context.Context) error `json:"-"`
}

// byForce is how to get what is refused without force: a configuration has no word for it.
func (q *Request) byForce() string {
	switch {
	case q.Config != nil:
		return "link it by a change with force"
	case q.ByForce != "":
		return q.ByForce
	}
	return "say force"
}

// Item asks for another component in one place of a role, or for none.
type Item struct {
	Listener string `json:"listener"`
	Role     string `json:"role"`
	// Position is the place in the chain, from 0; the one after the last adds a component.
	Position int `json:"position,omitempty"`
	// Source names what to link in the words of the port Source; empty with Remove.
	Source string `json:"source,omitempty"`
	// Component chooses one of a bundle that has several for the role.
	Component string `json:"component,omitempty"`
	// Remove takes the component out; those behind it move up.
	Remove bool `json:"remove,omitempty"`
	// Back puts what was linked before into the place, exactly as it was: no version is too old for
	// that, and no quarantine holds it. Machine.Back makes such items. Settings are left out then.
	Back *Slot `json:"back,omitempty"`
	// Whole leaves nothing as it is in the place: what is not said is the component's own.
	Whole bool `json:"whole,omitempty"`
	// More is for the port Source, from who asks. It is not kept.
	More any `json:"-"`
	Settings
}

// Settings are how a component is linked. What is nil, empty or zero stays as it is in the place.
type Settings struct {
	Config  json.RawMessage   `json:"config,omitempty"`
	Env     map[string]string `json:"env,omitempty"`
	Grants  []string          `json:"grants,omitempty"`
	OnFault string            `json:"on_fault,omitempty"`
	Limits  Limits            `json:"limits,omitzero"`
}

// Limits of a component, in the units of host/link.
type Limits struct {
	Fuel           uint64 `json:"fuel,omitempty"`
	StartFuel      uint64 `json:"start_fuel,omitempty"`
	DepthMax       uint32 `json:"depth_max,omitempty"`
	MemoryBytesMax uint32 `json:"memory_bytes_max,omitempty"`
}

// ShadowPlan lets the candidate answer beside the active version first.
type ShadowPlan struct {
	// For is how long, in nanoseconds; 0 leaves the shadow out.
	For time.Duration `json:"for,omitempty"`
	// Sample is the share of questions, from 0 to 1; 0 means all.
	Sample float64 `json:"sample,omitempty"`
	// MatchMin is the share of answers that must be the same, or the change is refused; 0 is none.
	MatchMin float64 `json:"match_min,omitempty"`
}

// CanaryPlan lets the candidate serve some clients before all: a percentage in steps, and whom
// Clients, Tenants and Filters name beside it; with All only who is in each of these that is there.
// Without steps there is no canary.
type CanaryPlan struct {
	Steps   []CanaryStep `json:"steps,omitempty"`
	Clients []string     `json:"clients,omitempty"`
	Tenants []string     `json:"tenants,omitempty"`
	Filters []string     `json:"filters,omitempty"`
	All     bool         `json:"all,omitempty"`
}

// CanaryStep is one step: so many of a hundred clients, for so long in nanoseconds. The first may
// be of 0 percent if somebody is named.
type CanaryStep struct {
	Percent float64       `json:"percent"`
	Dwell   time.Duration `json:"dwell"`
}

// DefaultSteps are those of a canary that names none: one client of a hundred bears what is bad,
// ten show what is rare, half of them what comes of load.
func DefaultSteps() []CanaryStep {
	return []CanaryStep{{1, time.Minute}, {10, time.Minute}, {50, time.Minute}}
}

// content is the digest of what is asked for: of all but who asks, and why.
func (q *Request) content() (digest string, bytes int, err error) {
	c := *q
	c.By, c.Reason = "", ""
	b, err := json.Marshal(&c)
	if err != nil {
		return "", 0, fmt.Errorf("rollout: request: %w", err)
	}
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:]), len(b), nil
}

// validate looks at the request alone.
func (q *Request) validate() error {
	switch {
	case q.ID == "" || len(q.ID) > idBytesMax:
		return fmt.Errorf("id: give it 1 to %d bytes", idBytesMax)
	case len(q.By) > textBytesMax || len(q.Reason) > textBytesMax:
		return fmt.Errorf("by, reason: at most %d bytes each", textBytesMax)
	case len(q.Items) == 0 || len(q.Items) > itemsMax && q.Config == nil:
		return fmt.Errorf("items: give 1 to %d", itemsMax)
	case q.Watch < 0 || q.Watch > dwellMax:
		return fmt.Errorf("watch: 0 to %s", dwellMax)
	}
	if err := q.Shadow.validate(); err != nil {
		return err
	}
	if err := q.Canary.validate(); err != nil {
		return err
	}
	if err := q.Thresholds.validate(); err != nil {
		return err
	}
	return validateItems(q.Items, q.Config != nil)
}

// validateItems looks at items; in a mixed one others may go with what is taken out.
func validateItems(items []Item, mixed bool) error {
	type role struct{ listener, role string }
	seen := map[role][]Item{}
	for i, it := range items {
		switch {
		case it.Listener == "" || it.Role == "":
			return fmt.Errorf("items: %d: name a listener and a role", i)
		case it.Position < 0:
			return fmt.Errorf("items: %d: positions count from 0", i)
		case it.Remove == (it.Source != ""):
			return fmt.Errorf("items: %d: give a source, or say remove", i)
		}
		r := role{it.Listener, it.Role}
		for _, other := range seen[r] {
			if other.Position == it.Position {
				return fmt.Errorf("items: %d: the place %d is named twice: name each once", i,
					it.Position)
			}
			if (other.Remove || it.Remove) && !mixed {
				return fmt.Errorf("items: %d: what is taken out of a role moves the others: "+
					"make it a change of its own", i)
			}
		}
		seen[r] = append(seen[r], it)
	}
	return nil
}

func (s ShadowPlan) validate() error {
	switch {
	case s.For < 0 || s.For > dwellMax:
		return fmt.Errorf("shadow: for: 0 to %s", dwellMax)
	case !share(s.Sample) || !share(s.MatchMin):
		return errors.New("shadow: sample and match_min are from 0 to 1")
	}
	return nil
}

// named says whether the plan names some.
func (c CanaryPlan) named() bool { return len(c.Clients)+len(c.Tenants)+len(c.Filters) > 0 }

func (c CanaryPlan) validate() error {
	if len(c.Steps) > canaryStepsMax {
		return fmt.Errorf("canary: at most %d steps", canaryStepsMax)
	}
	last := 0.0
	for i, s := range c.Steps {
		switch {
		case i == 0 && s.Percent == 0 && c.named() && !(c.All && len(c.Steps) > 1):
		case i == 0 && s.Percent == 0 && c.named():
			return errors.New("canary: step 1: 0 percent is whom the lists name, and with all a " +
				"step after it would be fewer: give it one step, say a percentage, or leave all " +
				"out")
		case i == 0 && s.Percent == 0:
			return errors.New("canary: step 1: 0 percent is nobody: say more, or name clients, " +
				"tenants or filters")
		case !(s.Percent > last && s.Percent <= 100):
			return fmt.Errorf("canary: step %d: percents grow, up to 100", i+1)
		}
		if s.Dwell <= 0 || s.Dwell > dwellMax {
			return fmt.Errorf("canary: step %d: dwell: above 0, up to %s", i+1, dwellMax)
		}
		last = s.Percent
	}
	return nil
}

func (c CanaryPlan) selector(step int) Selector {
	return Selector{Percent: c.Steps[step].Percent, Clients: c.Clients, Tenants: c.Tenants,
		Filters: c.Filters, All: c.All}
}

// whom says for people whom a step serves: "5 % or client a, b".
func (c CanaryPlan) whom(step int) string {
	var all []string
	if p := c.Steps[step].Percent; p > 0 {
		all = append(all, fmt.Sprintf("%g %%", p))
	}
	for _, list := range []struct {
		what  string
		names []string
	}{{"client", c.Clients}, {"tenant", c.Tenants}, {"filter", c.Filters}} {
		if len(list.names) == 0 {
			continue
		}
		text := list.what
		for i, name := range list.names[:min(len(list.names), whomMax)] {
			text += fmt.Sprintf("%s %.*s", map[bool]string{true: ","}[i > 0], whomRunesMax, name)
		}
		if more := len(list.names) - whomMax; more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		all = append(all, text)
	}
	if c.All {
		return strings.Join(all, " and ")
	}
	return strings.Join(all, " or ")
}

// whomMax is how many names of a list are said, each with whomRunesMax of its letters at most.
const whomMax, whomRunesMax = 3, 64

func share(x float64) bool { return x >= 0 && x <= 1 }
