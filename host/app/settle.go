package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hpmq/hpmq/host/rollout"
)

// whole has a change that a crash left committed go back everywhere if it cannot be linked
// somewhere: all of it is linked or nothing.
func (c *changeover) whole(ctx context.Context) error {
	for i := range c.app.changes.committed {
		change := &c.app.changes.committed[i]
		at := slices.IndexFunc(change.Places, func(p rollout.ChangePlace) bool {
			_, gone := c.at(&p).gone[p.Role]
			return gone
		})
		if at < 0 {
			continue
		}
		first := change.Places[at]
		why := fmt.Errorf("change %s is linked in all its places or in none: the %s of %s was "+
			"refused", change.ID, first.Role, first.Listener)
		var again []*want
		for _, p := range change.Places {
			w := c.at(&p)
			if _, gone := w.gone[p.Role]; gone || w.plain == nil {
				continue
			}
			if c.retreat(w, p.Role, why); !slices.Contains(again, w) {
				again = append(again, w)
			}
		}
		for _, w := range again {
			if err := c.linkAgain(ctx, w); err != nil {
				return err
			}
		}
	}
	return nil
}

// at is the listener of a place; one that is not wanted is one without a link of changes.
func (c *changeover) at(p *rollout.ChangePlace) *want {
	i := slices.IndexFunc(c.wants, func(w *want) bool { return w.next.Name == p.Listener })
	if i < 0 {
		return &want{}
	}
	return c.wants[i]
}

func (c *changeover) linkAgain(ctx context.Context, w *want) error {
	if err := c.overlay(w); err != nil {
		return err
	}
	if err := c.app.linker.Unlink(w.fresh.key); err != nil {
		return fmt.Errorf("app: listener %s: %w", w.next.Name, err)
	}
	return c.linkTo(ctx, w, w.fresh)
}

// settle ends the changes that a crash left committed, now that all is linked.
func (c *changeover) settle() error {
	changes := c.app.changes
	if changes == nil {
		return nil
	}
	for i := range changes.committed {
		change := &changes.committed[i]
		done, err := changes.machine.Settle(change.ID, c.settled(change))
		if err != nil {
			return fmt.Errorf("app: changes: %w", err)
		}
		c.app.ended(&done)
	}
	changes.committed = nil
	return nil
}

// settled is what became of a change in its places.
func (c *changeover) settled(change *rollout.Change) (s rollout.Settled) {
	var back, other []string
	linked := 0
	for _, p := range change.Places {
		w := c.at(&p)
		gone, ok := w.gone[p.Role]
		switch {
		case w.plain == nil:
			other = append(other, p.Listener)
		case ok:
			back = append(back, fmt.Sprintf("the %s of listener %s: %s", p.Role, p.Listener,
				gone.why))
			w.settled = w.over.Change == change.ID
		default:
			linked++
		}
	}
	for _, w := range c.wants {
		if w.settled && w.over.Change == change.ID {
			s.Retreats = append(s.Retreats, rollout.Retreat{Now: w.over,
				Roles: slices.Sorted(maps.Keys(w.gone))})
		}
	}
	slices.Sort(other)
	rest := strings.Join(slices.Compact(other), ", ")
	switch s.RolledBack = linked == 0; {
	case len(back) > 0:
		s.Why = strings.Join(back, "; ") + "; the old version is linked"
	case rest != "" && s.RolledBack:
		s.Why = "what the configuration says is linked: it is another since, at " + rest
	case rest != "":
		s.Why = "the new version is linked, but for what the configuration, which is another " +
			"since, says at " + rest
	}
	return s
}

// ended says how a change ended that was at work when the broker ended.
func (a *App) ended(c *rollout.Change) {
	a.log.Warn("app: a change was at work when the broker ended", "change", c.ID, "state",
		string(c.State), "why", c.Why)
}
