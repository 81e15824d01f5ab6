package app

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/host/rollout"
)

// retreat is what became of a role of which what the last change linked cannot be linked.
type retreat struct {
	// back says that what was linked before that change is, else what the configuration says.
	back bool
	why  string
	// lost is why what was linked before is not, nil if it is.
	lost error
}

// overlay lays what changes linked over the link of the configuration, role by role. Where w is
// new, what cannot be had any more is left out, of the roles it is of: a broker that is up with
// what its configuration says is better than none. Where w stays, so is what nobody vouches for any
// more.
func (c *changeover) overlay(w *want) error {
	w.spec = maps.Clone(w.plain)
	for _, name := range configs.Roles() {
		role, err := link.ParseRole(name)
		if err != nil {
			return err
		}
		for len(w.over.Chains) > 0 {
			if _, changed := w.over.Chains[name]; !changed {
				break
			}
			refs, err := c.app.overlaid(w.plain, &w.over, name)
			if err == nil {
				w.spec[role] = refs
				break
			}
			if w.door != nil && !errors.Is(err, errUntrusted) {
				return err
			}
			c.retreat(w, name, err)
		}
	}
	return nil
}

// relent gives up what may be the reason that w cannot be linked: the role that was refused, or, if
// that is as the configuration has it, all that are not.
func (c *changeover) relent(w *want, err error) {
	var step *link.StepError
	if errors.As(err, &step) {
		err = renamed(err, step.Listener, w.next.Name)
		if _, changed := w.over.Chains[step.Role.String()]; changed {
			c.retreat(w, step.Role.String(), err)
			return
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.over.Chains)) {
		c.retreat(w, name, err)
	}
}

// retreat gives up what the last change of a role linked for what was linked before it, and that
// for what the configuration says. The records of changes say what may come back by itself. Said
// makes it durable, once that is linked.
func (c *changeover) retreat(w *want, role string, why error) {
	if w.gone == nil {
		w.gone = make(map[string]retreat)
	}
	was, again := w.gone[role]
	now := retreat{why: why.Error()}
	if again {
		now.why, now.lost = was.why+"; then "+now.why, why
	}
	delete(w.over.Chains, role)
	chain, err := c.app.changes.machine.Before(w.next.Name, role)
	switch {
	case again || w.door != nil:
	case errors.Is(err, rollout.ErrNoBack):
		now.lost = err
	case err != nil:
		now.why, now.lost = now.why+"; "+err.Error(), err
	case chain != nil:
		now.back = true
		w.over.Chains[role] = chain
	}
	w.gone[role] = now
}

// said says what a link has to do with changes.
func (c *changeover) said(w *want) error {
	a := c.app
	if w.plain == nil {
		a.warnOutdated(&w.outdated)
		return a.forgetChanges(w.next.Name, w.base.Hash,
			"its link in the configuration is another since")
	}
	if len(w.gone) == 0 {
		attrs := []any{"listener", w.next.Name, "change", w.over.Change, "since", w.over.Since}
		if undone := a.undone(w.over.Change, w.next.Name); len(undone) > 0 {
			attrs = append(attrs, "rolled back since", undone)
		}
		a.log.Info("app: linked as changes left it", attrs...)
		return nil
	}
	roles := slices.Sorted(maps.Keys(w.gone))
	var list []string
	for _, role := range roles {
		now := "as the configuration says"
		if w.gone[role].back {
			now = "as before the last change"
		}
		a.log.Warn("app: what a change linked is not any more", "listener", w.next.Name, "role",
			role, "linked", now, "why", w.gone[role].why)
		list = append(list, fmt.Sprintf("its %s is linked %s: %s", role, now, w.gone[role].why))
	}
	if w.settled {
		return nil
	}
	return a.changes.machine.Retreat(w.over, roles, strings.Join(list, "; "))
}

// undone are the roles of a listener that were brought back since a change.
func (a *App) undone(change, listener string) (roles []string) {
	c, err := a.changes.machine.Change(change)
	if err != nil {
		return nil // it is forgotten
	}
	for _, u := range c.Undone {
		if u.Listener == listener {
			roles = append(roles, u.Role)
		}
	}
	return roles
}
