package rollout

import (
	"cmp"
	"fmt"
	"slices"
)

// Promote makes a change not wait for what it waits for in state from: before the commit the rest
// of its shadow and canary is left out, after it the rest of its watch. Empty is any state before
// the commit. It answers the change as it is now. Asked again it does nothing, however far the
// change has come, so that nobody ends by a second word what the first was not about. A change that
// is elsewhere is ErrElsewhere.
func (m *Machine) Promote(id string, from State, by string) (Change, error) {
	m.write.Lock()
	defer m.write.Unlock()
	c, err := m.Change(id)
	if err != nil {
		return c, err
	}
	w := m.works[id]
	before := c.Promoted
	if w != nil && w.hurriedBy != "" {
		before = append(before, w.hurriedIn)
	}
	switch {
	case slices.ContainsFunc(before, from.covers):
		return c, nil
	case w == nil:
		return c, fmt.Errorf("%w: %s is %s", ErrEnded, id, c.State)
	case from == "" && c.State.Linked():
		return c, fmt.Errorf("%w: %s is %s, after its commit: promote it from there if its watch "+
			"is to end", ErrElsewhere, id, c.State)
	case !from.covers(c.State):
		return c, fmt.Errorf("%w: %s is %s, not %s: look at it, and promote it from there if that "+
			"is wanted", ErrElsewhere, id, c.State, from)
	}
	if w.hurriedBy != "" { // it waits for nothing any more
		return c, nil
	}
	w.hurriedBy, w.hurriedIn = cmp.Or(by, "somebody"), c.State
	close(w.hurry)
	return c, nil
}

// covers says whether now is what is called s to be promoted from.
func (s State) covers(now State) bool {
	return s == now || s == "" && !now.Linked() || s == Draining && now == Committed
}
