package link

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/hpmq/hpmq/host/wasm"
)

// Ref says which component to link, and how.
type Ref struct {
	// Use names what to link in the words of Ports.Read: a default component or a file.
	Use string `json:"use"`
	// Code is the .wasm itself; then Use is only a name for people. Kept.
	Code []byte `json:"-"`
	// Vouched is the name of a component that is signed by who may ship what is called so: then it
	// is the one of the broker's own of that name, with what that remembers and was granted. What
	// calls itself otherwise is refused.
	Vouched string `json:"-"`
	// Bundle and BundleVersion are of what it came in, for people; empty without one.
	Bundle        string `json:"-"`
	BundleVersion string `json:"-"`
	// Config reaches the guest as JSON. Nil in a swap keeps the one in place.
	Config json.RawMessage `json:"config,omitempty"`
	// Env are the variables that the guest finds by wasi:cli/environment. Nil in a swap keeps those
	// in place.
	Env map[string]string `json:"env,omitempty"`
	// Grants name the capabilities the guest may import beside log and config. Nil in a swap to a
	// component of the same name keeps those in place, but never those of a default component for
	// another; otherwise nil gives a default component what its manifest asks for, and any other
	// none.
	Grants []string `json:"grants,omitempty"`
	// OnFault is FaultDefault for the role's own; in a swap that keeps the policy in place.
	OnFault FaultPolicy `json:"on_fault,omitempty"`
	// Limits that are zero are the linker's.
	Limits Limits `json:"limits,omitzero"`
	// Exact keeps nothing of what is in place: a swap then links as the start of a listener does.
	Exact bool `json:"-"`
}

// Spec is the whole link of a listener: for each role the components in the order they are asked.
type Spec map[Role][]Ref

// Artifact is a component as Ports.Read brings it.
type Artifact struct {
	// Code is the .wasm. Kept.
	Code []byte
	// Name and Version are used if the module does not name itself.
	Name, Version string
	// Default says that it comes with the broker: its manifest is trusted with what it asks for.
	Default bool
}

// Request asks for another component in one place of a role.
type Request struct {
	Listener string
	Role     Role
	// Position is the place in the chain, from 0; the one after the last adds a component.
	Position int
	Ref      Ref
	// By says who asks, for the audit.
	By string
}

// Result is what a swap or rollback did.
type Result struct {
	Listener string
	Role     Role
	Position int
	// Old is nil if the place was free, New if it is free now.
	Old, New *ComponentView
	// Keeps are the grants that New has because the component of its name in that place had them.
	Keeps []string
	// Prepare is the time from the request to the commit, Commit is how long the loops stood for
	// the change-over.
	Prepare, Commit time.Duration
}

// ListenerView shows what is linked to a listener.
type ListenerView struct {
	Listener string `json:"listener"`
	// Generation counts the changes of the listener's link.
	Generation uint64          `json:"generation"`
	Components []ComponentView `json:"components"`
}

// ComponentView shows one entry.
type ComponentView struct {
	Role     Role   `json:"role"`
	Position int    `json:"position"`
	Name     string `json:"name"`
	Version  string `json:"version"`
	// Bundle and BundleVersion are of what it came in, as Ref has them.
	Bundle        string `json:"bundle,omitempty"`
	BundleVersion string `json:"bundle_version,omitempty"`

	Form wasm.Form `json:"form"`
	// Contract is the version of wit/ in which it is asked: "0.1".
	Contract string      `json:"contract"`
	Digest   string      `json:"digest"`
	Size     int         `json:"size"`
	Grants   []string    `json:"grants"`
	OnFault  FaultPolicy `json:"on_fault"`
	// Since is when it was linked in this place.
	Since  time.Time `json:"since"`
	Calls  uint64    `json:"calls"`
	Faults uint64    `json:"faults"`
	// Absent are the questions for which there was no guest: the fault policy answered them.
	Absent uint64 `json:"absent"`
	// Breaker is closed while the component works, open while it is given a rest on all seats,
	// half-open while it is tried again. BreakerSince is when it came to that, zero if it was never
	// open; BreakerOpened is how often it opened.
	Breaker       string    `json:"breaker"`
	BreakerSince  time.Time `json:"breaker_since,omitzero"`
	BreakerOpened uint64    `json:"breaker_opened,omitempty"`
	// Seats is how many loops or workers it serves.
	Seats int `json:"seats"`
	// Guests is how many instances it may have, and MemoryBytesMax what their memories may take
	// together.
	Guests         int    `json:"guests"`
	MemoryBytesMax uint64 `json:"memory_bytes_max"`
	// LastFault is the text of the last fault, or empty.
	LastFault string `json:"last_fault,omitempty"`
	// Previous is the digest that a rollback brings back to this place, or empty.
	Previous string `json:"previous,omitempty"`
	// Added says that the last change of the role added it, so that a rollback takes it out.
	Added bool `json:"added,omitempty"`
}

// Step is a step of the swap.
type Step string

// The steps, in their order.
const (
	StepRequest     Step = "request"
	StepRead        Step = "read"
	StepCompile     Step = "compile"
	StepManifest    Step = "manifest"
	StepExports     Step = "exports"
	StepImports     Step = "imports"
	StepBudget      Step = "budget"
	StepInstantiate Step = "instantiate"
	StepConfigure   Step = "configure"
	// StepMigrate is when what it keeps in kv is brought to another schema, at the commit.
	StepMigrate Step = "migrate"
	// StepState is when the state of the version before is handed over, at the commit.
	StepState Step = "state"
)

// StepError is a refusal: what was asked for did not happen, and nothing has changed.
type StepError struct {
	Step     Step
	Listener string
	Role     Role
	Use      string
	// Do tells the operator what to do about it.
	Do  string
	Err error
}

// Error says where, at which step, why, and the way out, in one line.
func (e *StepError) Error() string {
	return fmt.Sprintf("link: %s as %s of listener %s is refused at step %s: %v; "+
		"nothing has changed; to do: %s", e.Use, e.Role, e.Listener, e.Step, e.Err, e.Do)
}

// Unwrap is the reason.
func (e *StepError) Unwrap() error { return e.Err }
