package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/hpmq/hpmq/components"
	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/host/rollout"
	"github.com/hpmq/hpmq/host/shelf"
)

// sought is one place of a link as it is to be.
type sought struct {
	item rollout.Item // without its place
	mark mark
	// digest is that of the component, "" if it could not be read.
	digest string
}

// mark is what a changeover linked in a place: the words of the configuration, and the bundle.
type mark struct {
	entry, bundle string
	name          string // of the component in the bundle
	// pinned says that it is not the configuration's but a change's.
	pinned bool
}

// brought is what a source need not fetch: the configuration has it.
type brought struct {
	art *rollout.Artifact
	err error
	// watched says that nobody named it: it was found.
	watched bool
}

// bring reads what an entry of a configuration names, but what the linker reads itself where all is
// new, unless the quarantine is asked about it. What is wrong with a bundle is told when that is
// fetched, with a file when it is linked. Layouts stay open until the changeover ends.
func (c *changeover) bring(w *want, role string, entry *configs.Component) (sought, error) {
	text, err := json.Marshal(entry)
	if err != nil {
		return sought{}, fmt.Errorf("app: link: %w", err)
	}
	config, err := jsonOf(entry.Config)
	s := sought{mark: mark{entry: string(text)}, item: rollout.Item{
		Role: role, Source: entry.Use, Whole: true, Settings: rollout.Settings{
			Config: config, Env: entry.Env, Grants: entry.Grants, OnFault: entry.OnFault,
			Limits: rollout.Limits(entryLimits(entry)),
		},
	}}
	b := &brought{}
	switch {
	case entry.InRegistry():
		b.art, b.err = c.app.readPulled(entry, s.item)
	case isBundle(entry.Use):
		var open io.Closer
		if b.art, open, b.err = readBundle(entry.Use, s.item); open != nil {
			c.open = append(c.open, open)
		}
	case w.door == nil && !c.unforced:
	case entry.IsPath():
		r := reader{bytesMax: int64(c.app.cfg.Wasm.ModuleMax)}
		b.art = &rollout.Artifact{Pin: rollout.Pin{Name: entry.Use}, More: &fetched{}}
		if got, err := r.read(context.Background(), entry.Use); err == nil {
			b.art.Code, b.art.Digest = got.Code, shelf.DigestOf(got.Code)
		}
	default:
		code, _ := components.Default(entry.Use)
		b.art = &rollout.Artifact{
			Pin:  rollout.Pin{Name: entry.Use, Digest: shelf.DigestOf(code)},
			Code: code, More: &fetched{shipped: true},
		}
	}
	if s.item.More = b; b.art != nil {
		s.digest = b.art.Digest
		if b.art.Bundle != "" {
			s.mark.bundle, s.mark.name = b.art.Bundle, b.art.Name
		}
	}
	return s, err
}

// bringSlot is a place that a change linked.
func (c *changeover) bringSlot(role string, ref *link.Ref, slot *rollout.Slot) sought {
	p := slot.Pinned
	set := p.Settings
	set.Config, set.Env, set.Limits = ref.Config, ref.Env, rollout.Limits(ref.Limits)
	return sought{
		digest: p.Digest, mark: mark{pinned: true},
		item: rollout.Item{
			Role: role, Source: p.Source, Component: p.Component, Whole: true, Settings: set,
			More: &brought{art: &rollout.Artifact{
				Pin: p.Pin, Code: ref.Code, More: &fetched{shipped: ships(p.Source)},
			}},
		},
	}
}

// seek makes the chain of a role as w wants it: that of the configuration, or what changes linked
// over it.
func (c *changeover) seek(w *want, role string) (list []sought, err error) {
	list = w.sought[role]
	chain, changed := w.over.Chains[role]
	if !changed {
		return list, nil
	}
	r, err := link.ParseRole(role)
	if err != nil {
		return nil, err
	}
	out := make([]sought, 0, len(chain))
	for i := range chain {
		if chain[i].Pinned == nil {
			out = append(out, list[chain[i].From])
			continue
		}
		out = append(out, c.bringSlot(role, &w.spec[r][i], &chain[i]))
	}
	return out, nil
}

// differences are the items that make the listener of w what it is to be.
func (c *changeover) differences(w *want) (items []rollout.Item, err error) {
	for _, role := range configs.Roles() {
		list, err := c.seek(w, role)
		if err != nil {
			return nil, err
		}
		had := c.app.chain(w.door.key, role)
		for i := range max(len(had), len(list)) {
			switch {
			case i >= len(list):
				items = append(items, rollout.Item{
					Listener: w.next.Name, Role: role, Position: i, Remove: true, Whole: true,
				})
			case i >= len(had) || !w.door.has(&had[i], &list[i]) || !c.admits(&list[i]):
				it := list[i].item
				it.Listener, it.Position = w.next.Name, i
				items = append(items, it)
			}
		}
	}
	return items, nil
}

// has says whether a place is as s wants it. What a change linked is, if it is that component: the
// rest is in the same record.
func (d *door) has(v *link.ComponentView, s *sought) bool {
	m, known := d.marks[v.Since]
	if "sha256:"+v.Digest != s.digest {
		return false
	}
	if s.mark.pinned {
		return !known || m.pinned
	}
	return known && m == s.mark
}

// admits is false for a bundle that may not be linked any more: as an item it is refused.
func (c *changeover) admits(s *sought) bool {
	art := s.item.More.(*brought).art
	b := art.More.(*fetched).bundle
	return b == nil || c.app.admit(art, b) == nil
}

// marked notes what w links, for the next who asks for differences.
func (c *changeover) marked(w *want, d *door) {
	d.marks = make(map[time.Time]mark)
	for _, role := range configs.Roles() {
		list, err := c.seek(w, role)
		if err != nil {
			continue // there is no such role
		}
		for i, v := range c.app.chain(d.key, role) {
			if i < len(list) {
				d.marks[v.Since] = list[i].mark
			}
		}
	}
}

// chain shows a role of the link of that name.
func (a *App) chain(key, role string) (list []link.ComponentView) {
	for _, v := range a.linker.Show() {
		for i := range v.Components {
			if v.Listener == key && v.Components[i].Role.String() == role {
				list = append(list, v.Components[i])
			}
		}
	}
	return list
}

// relink makes the links of the listeners that stay what is wanted, as one change, and sees to the
// sockets before that is committed. App.change is held, also for what the machine calls meanwhile.
func (c *changeover) relink(ctx context.Context) error {
	q := rollout.Request{By: c.by, Force: !c.unforced, Config: make(map[string]string)}
	for _, w := range c.wants {
		if w.door == nil || !w.relink || c.fresh {
			continue
		}
		items, err := c.differences(w)
		if err != nil {
			return err
		}
		q.Items = append(q.Items, items...)
		q.Config[w.next.Name] = w.base.Hash
	}
	if len(q.Items) == 0 {
		return c.sockets(ctx)
	}
	var beside error
	q.Beside = func(ctx context.Context) error {
		beside = c.sockets(ctx)
		return beside
	}
	q.ID, q.Reason = c.app.configID(&q), reasonOf(q.Items)
	err := c.app.changed(ctx, c.held, q)
	if beside != nil {
		return beside
	}
	return err
}

// changed asks for a change of listeners that are held and waits for its end. It ends early with
// ctx, unless it is committed.
func (a *App) changed(ctx context.Context, held *rollout.Reservation, q rollout.Request) error {
	m := a.changes.machine
	kept, end := a.changes.expect(q.ID)
	defer end()
	if _, err := held.Submit(q); err != nil {
		return err
	}
	gone := context.AfterFunc(ctx, func() { _, _ = m.Cancel(a.life, q.ID, q.By) })
	defer gone()
	ended, err := m.Wait(context.WithoutCancel(ctx), q.ID)
	if err != nil {
		return err
	}
	a.changes.mu.Lock()
	defer a.changes.mu.Unlock()
	switch {
	case ended.State == rollout.Done:
		a.warnHeld(&ended)
		return nil
	case kept.err != nil:
		return kept.err
	case ended.State == rollout.Cancelled:
		return errors.Join(context.Cause(ctx), fmt.Errorf("change %s was cancelled by %s", q.ID,
			ended.EndedBy))
	}
	return errors.New(ended.Why)
}

// warnHeld says what a configuration has linked although it is in quarantine.
func (a *App) warnHeld(c *rollout.Change) {
	for _, p := range c.Places {
		if p.New == nil {
			continue
		}
		if err := a.changes.machine.Admits(p.New.Digest); err != nil {
			a.log.Warn("app: it is linked all the same, since the configuration names it",
				"listener", p.Listener, "role", p.Role, "position", p.Position, "why", err)
		}
	}
}

// configID names a change by what it makes of which listeners. What was asked for before and has
// ended is asked for anew.
func (a *App) configID(q *rollout.Request) string {
	text, _ := json.Marshal(q.Config) // strings by strings
	sum := sha256.Sum256(text)
	id := "config-" + hex.EncodeToString(sum[:4])
	name := id
	for n := 2; ; n++ {
		if _, err := a.changes.machine.Change(name); err != nil {
			return name
		}
		name = fmt.Sprintf("%s-%d", id, n)
	}
}

// reasonOf says what is asked for, for people.
func reasonOf(items []rollout.Item) string {
	var list []string
	for i := range items {
		it := &items[i]
		what := it.Source
		if it.Remove {
			what = "none"
		}
		list = append(list,
			fmt.Sprintf("%s: %s %d: %.100s", it.Listener, it.Role, it.Position, what))
	}
	const most = 8
	if n := len(list) - most; n > 0 {
		list = append(slices.Clone(list[:most]), fmt.Sprintf("and %d more", n))
	}
	return strings.ToValidUTF8(strings.Join(list, "; "), "?")
}
