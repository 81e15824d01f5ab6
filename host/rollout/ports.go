package rollout

import (
	"cmp"
	"context"
	"encoding/json"
	"time"
)

// Source brings what a change links. Both may block for as long as the network takes, and end with
// the context.
type Source interface {
	// Fetch brings what the items name, each at the index of its item; nil for what is to be
	// removed. Items that name one source get the same of it, whatever happens to a tag meanwhile.
	Fetch(ctx context.Context, items []Item) ([]*Artifact, error)
	// Verify says whether the artifact is what it says and may be linked with the item's
	// configuration: its signature, digests and schema.
	Verify(ctx context.Context, item Item, a *Artifact) error
}

// Artifact is what a source brought for an item.
type Artifact struct {
	Pin
	// Code is the .wasm, Config what the item has with the defaults of the schema filled in; nil
	// leaves what is in place. Both are lent until the change ends.
	Code   []byte
	Config json.RawMessage
	// Limits are what it is bounded by, as the item says and where that says nothing; zero leaves
	// what is in place.
	Limits Limits
	// Ports that are wired together may hand each other more in it.
	More any
}

// Pin names a component for good.
type Pin struct {
	// Name is that of the component, Version that of its bundle, or its own without one.
	Name    string `json:"name,omitempty"`
	Version string `json:"version,omitempty"`
	// Key is the name of the key that vouches for it, if one does; KeyIDs are those of all that do,
	// whatever they are called. Of is the name of the bundle that they signed.
	Key    string   `json:"key,omitempty"`
	KeyIDs []string `json:"key_ids,omitempty"`
	Of     string   `json:"of,omitempty"`
	// Vouched is Name if one of them may ship components of that name, too.
	Vouched string `json:"vouched,omitempty"`
	// Alone is by which name a component was let in that came without a bundle, if it was asked
	// about.
	Alone string `json:"alone,omitempty"`
	// Digest is that of the component as "sha256:…", Bundle that of the bundle's manifest, if any.
	Digest string `json:"digest,omitempty"`
	Bundle string `json:"bundle,omitempty"`
}

// Links are the tables that serve the listeners.
type Links interface {
	// Prepare builds what the changes ask for beside what is linked. It may block and ends with the
	// context. An error leaves nothing; a *Refusal says at which step.
	Prepare(ctx context.Context, p Preparation) (Plan, error)
	// Base answers what the configuration links to a listener. It does not block.
	Base(listener string) (Base, error)
	// Serving answers what is linked in a place, nil if it is free. It does not block.
	Serving(listener, role string, position int) *Component
}

// Preparation is what a plan is made of.
type Preparation struct {
	ID, By  string
	Changes []Place
	// Reached may be called before Prepare returns, with Compiled and then Checked, by who can tell
	// them apart.
	Reached func(State)
}

// Place is one item with what was fetched for it, nil if it takes a component out.
type Place struct {
	Item
	Artifact *Artifact
}

// Base is the link of a listener as the configuration has it.
type Base struct {
	// Hash changes whenever the link in the configuration does.
	Hash string
	// Chains has for each role how many components the configuration links.
	Chains map[string]int
}

// Plan is a change of several places that is ready. Its calls do not block for longer than a commit
// takes, but for Release.
type Plan interface {
	Trial
	Decision
	// Views are the places with what is in them before and after, in the order of the changes.
	Views() []View
	// Gone is closed when a listener of the plan is: then nothing can be committed any more.
	Gone() <-chan struct{}
}

// Trial lets a candidate serve some, and says how it does.
type Trial interface {
	// Canary lets the candidate serve who is selected. A wider selection replaces a narrower one.
	Canary(s Selector) error
	// Health counts from Prepare on, and goes on counting between Commit and Release. It may be
	// asked at any time, also after the end.
	Health() Health
	// Stirred has something to receive when it is worth asking for Health at once: a candidate has
	// failed, or answered one of its first questions. nil is never.
	Stirred() <-chan struct{}
}

// Decision ends a plan. Exactly one of Commit and Abort is called, and after a Commit exactly one
// of Revert and Release.
type Decision interface {
	// Commit links the new versions, and says how long that took at the slowest listener. On an
	// error nothing has changed, and Abort follows.
	Commit() (took time.Duration, err error)
	Abort()
	// Revert brings the old versions back, warm. On an error the new ones stay, and Release
	// follows.
	Revert() error
	// Release lets the old versions go once nobody is in them.
	Release()
}

// Shadow is a Plan whose candidate can answer beside the active version without effect.
type Shadow interface {
	// Shadow begins with a share of the questions from 0 to 1; 0 ends it.
	Shadow(sample float64) error
	Compared() Comparison
}

// Comparison counts questions that both versions answered.
type Comparison struct {
	// Asked are Matched with the same answer, Failed without one of the candidate, and those with
	// another.
	Asked, Matched, Failed uint64
	// LeftOut were not asked, because there was no room for them.
	LeftOut uint64
	// ActiveFuel and Fuel are what the compared answers took, of the active version and of the
	// candidate.
	ActiveFuel, Fuel uint64
	// Candidate is what the candidate did, Places the same place by place, as in Health. What the
	// active version did is there.
	Candidate Side
	Places    []Side
	// Differences are some of them, the latest last.
	Differences []Difference
}

// MatchRate is the share of Asked that matched, 0 of none.
func (c *Comparison) MatchRate() float64 { return ratio(c.Matched, max(c.Asked, 1)) }

// Difference is a question with two answers, as text for people.
type Difference struct {
	Listener, Role    string
	Position          int
	Client, Topic     string
	Active, Candidate string
}

// Selector says whom a candidate serves: who one of its criteria holds for, or all of them. What is
// empty is no criterion. The percentage is by client id: who was in a lower one is in every higher.
type Selector struct {
	Percent float64
	Clients []string
	Tenants []string
	Filters []string
	All     bool
}

// View is one place of a plan.
type View struct {
	Listener string
	Role     string
	Position int
	// Old is nil if the place was free, New if it is free then.
	Old, New *Component
}

// Component is what serves in a place. Name and Version are its own; BundleVersion is empty where
// it came in no bundle.
type Component struct {
	Name, Version, BundleVersion string
	Digest                       string
	Grants                       []string
}

// pin is the component in a record.
func (c *Component) pin() *Pin {
	return &Pin{
		Name: c.Name, Version: cmp.Or(c.BundleVersion, c.Version), Digest: c.Digest,
	}
}

// older is an error if c is of an older version than o. A bundle is held against a bundle; where
// one of both has no version of its own, that of its bundle stands for it.
func (c *Component) older(o *Component) error {
	pairs := [][2]string{{c.Version, o.Version}}
	switch {
	case c.Name != o.Name:
		return nil
	case c.BundleVersion != "" && o.BundleVersion != "":
		pairs = append(pairs, [2]string{c.BundleVersion, o.BundleVersion})
	case c.Version == "" || o.Version == "":
		pairs = append(pairs, [2]string{
			cmp.Or(c.Version, c.BundleVersion), cmp.Or(o.Version, o.BundleVersion),
		})
	}
	for _, p := range pairs {
		if below(p[0], p[1]) {
			return older(c.Name, p[0], p[1])
		}
	}
	return nil
}

// Refusal is an error with the step that refused, in the words of who refused: "imports".
type Refusal struct {
	Step string
	Err  error
}

// Error is the reason.
func (e *Refusal) Error() string { return e.Err.Error() }

// Unwrap is the reason.
func (e *Refusal) Unwrap() error { return e.Err }

// Tests are the golden cases that come with an artifact.
type Tests interface {
	// Test asks the component its cases. It may block and ends with the context. What has no cases
	// passes.
	Test(ctx context.Context, item Item, a *Artifact) error
}

// Ledger keeps records so that they outlive the process. It is used by one goroutine at a time.
type Ledger interface {
	// Load hands out what is kept, in order; the record is borrowed. It is called once, first.
	Load(each func(record []byte) error) error
	// Append is safe on the device when it returns. On an error the record does not exist, and
	// never will.
	Append(record []byte) error
	// Insist is Append of what is so already, and must not be lost: on a full device it may use
	// room that Append leaves alone.
	Insist(record []byte) error
	// Compact puts one record in the place of all others. On an error they are all still there,
	// before the record or without it.
	Compact(record []byte) error
}

// Clock is the time that dwell times and health are measured by.
type Clock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
}
