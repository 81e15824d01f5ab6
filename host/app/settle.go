package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/host/rollout"
)

// whole has a change that a crash left committed go back everywhere if it cannot be linked
// somewhere: all of it is linked or nothing. Where that cannot go back, as keys are of the new
// version by now, it goes back nowhere else: what is linked then serves.
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
		if err := c.allBack(ctx, change, why); err != nil {
			return err
		}
	}
	return nil
}

// allBack takes back what is linked of a change, or nothing of it.
func (c *changeover) allBack(ctx context.Context, change *rollout.Change, why error) error {
	var back []*want
	var was []linked
	for _, p := range change.Places {
		w := c.at(&p)
		if _, gone := w.gone[p.Role]; gone || w.plain == nil {
			continue
		}
		if !slices.Contains(back, w) {
			back, was = append(back, w), append(was, w.linked())
		}
		c.retreat(w, p.Role, why)
	}
	var stuck error
	for i := 0; i < len(back) && stuck == nil; i++ {
		stuck = c.linkAgain(ctx, back[i], was[i].gone)
	}
	if stuck == nil {
		return nil
	}
	for i, w := range back {
		w.over, w.gone, w.spec, w.stays = was[i].over, was[i].gone, was[i].spec, stuck
		if err := c.app.linker.Unlink(w.fresh.key); err != nil &&
			!errors.Is(err, link.ErrUnknownListener) {
			return fmt.Errorf("app: listener %s: %w", w.next.Name, err)
		}
		if err := c.linkTo(ctx, w, w.fresh); err != nil {
			return err
		}
	}
	return nil
}

// linked is how a listener is linked, to be linked so again.
type linked struct {
	over rollout.Linked
	gone map[string]retreat
	spec link.Spec
}

func (w *want) linked() linked {
	was := linked{w.over, maps.Clone(w.gone), w.spec}
	was.over.Chains = maps.Clone(w.over.Chains)
	return was
}

// at is the listener of a place; one that is not wanted is one without a link of changes.
func (c *changeover) at(p *rollout.ChangePlace) *want {
	i := slices.IndexFunc(c.wants, func(w *want) bool { return w.next.Name == p.Listener })
	if i < 0 {
		return &want{}
	}
	return c.wants[i]
}

// linkAgain links w to what it goes back to, beside the roles that are gone for other reasons, and
// to nothing else: the error says why not.
func (c *changeover) linkAgain(ctx context.Context, w *want, gone map[string]retreat) error {
	if err := c.overlay(w); err != nil {
		return err
	}
	for _, role := range slices.Sorted(maps.Keys(w.gone)) {
		_, was := gone[role]
		if r := w.gone[role]; !was && r.lost != nil {
			return fmt.Errorf("the %s of listener %s: %w", role, w.next.Name, r.lost)
		}
	}
	if err := c.app.linker.Unlink(w.fresh.key); err != nil {
		return fmt.Errorf("app: listener %s: %w", w.next.Name, err)
	}
	if err := c.app.linker.Link(ctx, w.fresh.key, w.spec); err != nil {
		return renamed(err, w.fresh.key, w.next.Name)
	}
	return nil
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
	var stuck error
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
			if w.stays != nil {
				stuck = w.stays
			}
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
	case len(back) > 0 && linked > 0:
		s.Why = "the new version is linked, but not everywhere: " + strings.Join(back, "; ") +
			"; the rest does not go back, since " + fmt.Sprint(stuck)
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
