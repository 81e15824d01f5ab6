package rollout

import "slices"

// State is where a change is.
type State string

// The states in their order, then the ends beside Done.
const (
	Requested  State = "requested"
	Fetched    State = "fetched"
	Verified   State = "verified"
	Compiled   State = "compiled"
	Checked    State = "checked"
	Warmed     State = "warmed"
	Tested     State = "tested"
	Shadowing  State = "shadow"
	Canary     State = "canary"
	Committed  State = "committed"
	Draining   State = "draining"
	Done       State = "done"
	Refused    State = "refused"
	RolledBack State = "rolled back"
	Cancelled  State = "cancelled"
)

var straight = []State{
	Requested, Fetched, Verified, Compiled, Checked, Warmed, Tested, Shadowing, Canary, Committed,
	Draining, Done,
}

// rank is the place on the straight way, -1 for what is not on it.
func (s State) rank() int { return slices.Index(straight, s) }

// Ended is true for a state that nothing follows.
func (s State) Ended() bool {
	return s == Done || s == Refused || s == RolledBack || s == Cancelled
}

// Linked is true where the new version is what is linked after a crash.
func (s State) Linked() bool { return s.rank() >= Committed.rank() }

// follows says whether a change in state old may come to s. Shadow and canary may be left out, a
// canary has several steps.
func (s State) follows(old State) bool {
	switch {
	case old.Ended():
		return false
	case s == Refused || s == Cancelled:
		return !old.Linked()
	case s == RolledBack:
		return true
	case s == Canary && old == Canary:
		return true
	case s == Committed:
		return old.rank() >= Tested.rank() && old.rank() < s.rank()
	case s == Canary:
		return old == Tested || old == Shadowing
	}
	return s.rank() > 0 && old.rank() == s.rank()-1 || s == Done && old == Committed
}
