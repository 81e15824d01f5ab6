package app

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/host/rollout"
)

// committed answers what changes linked over the configuration of a listener. It is false if they
// linked nothing, or the configuration has another link since.
func (a *App) committed(listener string, base rollout.Base) (rollout.Linked, bool) {
	if a.changes == nil {
		return rollout.Linked{}, false
	}
	all := a.changes.machine.Linked()
	i := slices.IndexFunc(all, func(l rollout.Linked) bool { return l.Listener == listener })
	if i < 0 {
		return rollout.Linked{}, false
	}
	return all[i], all[i].Base == base.Hash
}

// overlaid is a role of spec, that of the configuration, with what changes linked over it.
func (a *App) overlaid(spec link.Spec, over *rollout.Linked, name string) ([]link.Ref, error) {
	role, err := link.ParseRole(name)
	if err != nil {
		return nil, err
	}
	var out []link.Ref
	for i, slot := range over.Chains[name] {
		ref, err := a.slotRef(spec[role], &slot)
		if err != nil {
			return nil, fmt.Errorf("app: listener %s: %s %d of change %s: %w", over.Listener,
				name, i, over.Change, err)
		}
		out = append(out, ref)
	}
	return out, nil
}

// slotRef is one place: what the change left open is as the configuration has it.
func (a *App) slotRef(chain []link.Ref, s *rollout.Slot) (link.Ref, error) {
	var under link.Ref
	if s.From >= 0 {
		if s.From >= len(chain) {
			return under, fmt.Errorf("the configuration has no place %d", s.From)
		}
		under = chain[s.From]
	}
	if s.Pinned == nil {
		return under, nil
	}
	if err := a.judgePlace(s.Pinned); err != nil {
		return under, err
	}
	ref, err := refOfSettings(&s.Pinned.Settings)
	if err != nil {
		return ref, err
	}
	if ref.Config == nil {
		ref.Config = under.Config
	}
	if ref.Env == nil {
		ref.Env = under.Env
	}
	if ref.OnFault == link.FaultDefault {
		ref.OnFault = under.OnFault
	}
	if ref.Limits == (link.Limits{}) {
		ref.Limits = under.Limits
	}
	ref.Use = useOf(s.Pinned.Source, s.Pinned.Name)
	ref.Vouched = s.Pinned.Vouched
	inBundle(&ref, &s.Pinned.Pin)
	if !ships(s.Pinned.Source) {
		ref.Code, err = a.changes.shelf.Get(s.Pinned.Digest)
	}
	return ref, err
}

// backRef is a place as it was linked before, over what the configuration links now.
func (a *App) backRef(listener string, role link.Role, s *rollout.Slot) (link.Ref, error) {
	at, err := a.places.find(listener)
	if err != nil {
		return link.Ref{}, err
	}
	c := &changeover{app: a}
	defer c.close()
	w := &want{next: configs.Listener{Name: listener, Link: at.link}}
	if err := c.readConfigured(a.life, w); err != nil {
		return link.Ref{}, err
	}
	return a.slotRef(w.spec[role], s)
}

// forgetChanges makes the configuration's the link of a listener for good; base is that of Drop.
func (a *App) forgetChanges(listener, base, why string) error {
	if a.changes == nil {
		return nil
	}
	return a.changes.machine.Drop(listener, base, why)
}

// warnOutdated says what changes linked to a listener whose configuration won since.
func (a *App) warnOutdated(l *rollout.Linked) {
	for _, role := range slices.Sorted(maps.Keys(l.Chains)) {
		var list []string
		for _, s := range l.Chains[role] {
			if s.Pinned != nil {
				list = append(list, strings.TrimSpace(s.Pinned.Name+" "+s.Pinned.Version))
			}
		}
		a.log.Warn("app: what was linked by changes is not any more: the link of the listener "+
			"in the configuration is another since", "listener", l.Listener, "role", role,
			"linked was", cmp.Or(strings.Join(list, ", "), "none"), "last change", l.Change)
	}
}

// forgetStrangers drops what was linked to listeners that are no more, but for the last: a listener
// that comes back into the configuration with the same link finds what changes linked over that.
func (a *App) forgetStrangers() error {
	var list []rollout.Linked
	for _, l := range a.changes.machine.Linked() {
		if a.doors[l.Listener] == nil {
			list = append(list, l)
		}
	}
	slices.SortFunc(list, func(x, y rollout.Linked) int { return x.Since.Compare(y.Since) })
	for _, l := range list[:max(0, len(list)-configs.ListenersMax)] {
		a.log.Warn("app: what was linked by changes is not any more: the configuration has no "+
			"such listener", "listener", l.Listener, "last change", l.Change)
		err := a.forgetChanges(l.Listener, "", "the configuration has no such listener")
		if err != nil {
			return err
		}
	}
	return nil
}
