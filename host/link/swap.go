package link

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Link links a whole spec to a listener, in place of what is linked now, in one commit. It blocks
// for as long as compiling takes. A refusal is a *StepError, or says what is wrong with the spec.
func (l *Linker) Link(ctx context.Context, listener string, spec Spec) error {
	ls, err := l.open(listener)
	if err != nil {
		return err
	}
	if err := ls.lock(ctx); err != nil {
		return err
	}
	defer ls.unlock()
	began := time.Now()
	old := ls.table.Load()
	made, err := l.assemble(ctx, ls, spec)
	if err != nil {
		l.audit(change{listener: listener, began: began, err: err})
		return err
	}
	var chains [roleCount]*chain
	for r := range chains {
		had, _ := old.chainOf(Role(r))
		if len(made[r])+len(had) == 0 {
			continue
		}
		chains[r] = newChain(made[r], had)
		chains[r].undoable = old.generation > 0
	}
	next := old.after(chains)
	took, err := l.move([]turnover{{old: old, next: next}}, func() { ls.put(next) })
	if err != nil {
		for _, entries := range made {
			closeAll(entries)
		}
	} else {
		ls.settle()
		l.engage(old, next)
		l.drain(released(old, next))
	}
	l.audit(change{listener: listener, began: began, took: took, err: err})
	return err
}

// assemble builds the entries of a spec; on an error none is left.
func (l *Linker) assemble(
	ctx context.Context, ls *listener, spec Spec,
) (made [roleCount][]*entry, err error) {
	defer func() {
		if err == nil {
			return
		}
		for _, entries := range made {
			for _, e := range entries {
				e.close()
			}
		}
	}()
	if err := l.fits(ls.name, spec); err != nil {
		return made, err
	}
	for r := Role(0); r < roleCount; r++ {
		for _, ref := range spec[r] {
			b := build{l: l, listener: ls.name, ward: &ls.ward, role: r, ref: ref}
			e, err := b.entry(ctx)
			if err != nil {
				return made, err
			}
			made[r] = append(made[r], e)
		}
	}
	return made, nil
}

// fits looks at a spec alone: its roles, and how many components they have.
func (l *Linker) fits(listener string, spec Spec) error {
	for r, refs := range spec {
		if r >= roleCount {
			return fmt.Errorf("link: link %s: no such role: %s", listener, r)
		}
		if most := l.cfg.chainMax(r); len(refs) > most {
			return fmt.Errorf("link: link %s: %d components as %s, at most %d",
				listener, len(refs), r, most)
		}
	}
	return nil
}

// open answers the listener to be linked, made if it is not there.
func (l *Linker) open(name string) (*listener, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, fmt.Errorf("link: %s: %w", name, ErrClosed)
	}
	return l.listenerLocked(name), nil
}

// find answers a listener that is there.
func (l *Linker) find(name string) (*listener, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ls := l.listeners[name]
	if ls == nil {
		return nil, fmt.Errorf("link: listener %q: %w; there are %s", name, ErrUnknownListener,
			strings.Join(slices.Sorted(maps.Keys(l.listeners)), ", "))
	}
	return ls, nil
}

// Swap puts another component in one place, or adds one: the plan of that one place. It blocks for
// as long as compiling takes; swaps of one listener wait for each other, but not for a plan: then
// it is a *BusyError. A refusal is a *StepError.
func (l *Linker) Swap(ctx context.Context, q Request) (Result, error) {
	ls, err := l.find(q.Listener)
	if err != nil {
		return Result{}, err
	}
	if err := ls.lock(ctx); err != nil {
		return Result{}, err
	}
	defer ls.unlock()
	if !ls.table.Load().linked {
		return Result{}, fmt.Errorf("link: swap: %s: %w", q.Listener, ErrUnknownListener)
	}
	began := time.Now()
	res, err := l.swap(ctx, ls, q)
	res.Prepare = time.Since(began) - res.Commit
	l.audit(change{
		listener: q.Listener, role: q.Role, by: q.By, began: began, took: res.Commit,
		result: &res, use: q.Ref.Use, err: err,
	})
	return res, err
}

// swap is a plan of one place that is committed and released at once.
func (l *Linker) swap(ctx context.Context, ls *listener, q Request) (Result, error) {
	p := &Plan{l: l}
	pt := &part{plan: p, ls: ls, old: ls.table.Load()}
	p.parts = []*part{pt}
	err := p.build(ctx, []Change{{
		Listener: q.Listener, Role: q.Role, Position: q.Position, Ref: q.Ref,
	}})
	if err != nil {
		p.closeMade()
		return Result{Listener: q.Listener, Role: q.Role, Position: q.Position}, err
	}
	took, err := p.commitHeld()
	if err != nil {
		p.closeMade()
		return Result{Listener: q.Listener, Role: q.Role, Position: q.Position}, err
	}
	ls.settle()
	res := p.places[0].result()
	res.Commit = took
	l.drain(pt.owed)
	return res, nil
}

// Rollback brings back what a role of a listener had before its last change; the guests of that are
// warm still. Another Rollback undoes it.
func (l *Linker) Rollback(ctx context.Context, listener string, role Role) (Result, error) {
	ls, err := l.find(listener)
	if err != nil {
		return Result{}, err
	}
	if err := ls.lock(ctx); err != nil {
		return Result{}, err
	}
	defer ls.unlock()
	began := time.Now()
	res, err := l.rollback(ls, role)
	res.Prepare = time.Since(began) - res.Commit
	l.audit(change{
		listener: listener, role: role, began: began, took: res.Commit, result: &res,
		use: "rollback", err: err,
	})
	return res, err
}

func (l *Linker) rollback(ls *listener, role Role) (Result, error) {
	res := Result{Listener: ls.name, Role: role}
	old := ls.table.Load()
	if role >= roleCount || old.chains[role] == nil || !old.chains[role].undoable {
		return res, fmt.Errorf("link: roll back %s of %s: %w", role, ls.name, ErrNoPrevious)
	}
	entries, previous := old.chainOf(role)
	for res.Position < min(len(entries), len(previous)) &&
		entries[res.Position] == previous[res.Position] {
		res.Position++
	}
	next := old.with(role, newChain(previous, entries))
	res.Old = old.component(role, res.Position)
	shifts := []turnover{{old: old, next: next}}
	took, err := l.moveBack(shifts, func() { ls.put(next) })
	if err != nil {
		res.Old = nil
		return res, err
	}
	res.Commit = took
	ls.settle()
	l.engage(old, next)
	res.New = next.component(role, res.Position)
	return res, nil
}

// change is a line of the audit.
type change struct {
	listener string
	role     Role
	by, use  string
	plan     string
	began    time.Time
	took     time.Duration
	result   *Result // nil for a whole link
	err      error
}

// audit says who changed what, and how it ended.
func (l *Linker) audit(c change) {
	attrs := []any{"listener", c.listener, "seconds", time.Since(c.began).Seconds()}
	if c.by != "" {
		attrs = append(attrs, "by", c.by)
	}
	if c.plan != "" {
		attrs = append(attrs, "plan", c.plan)
	}
	if r := c.result; r != nil {
		attrs = append(attrs, "role", c.role.String(), "position", r.Position, "use", c.use,
			"old", digestIn(r.Old), "new", digestIn(r.New))
		if r.Keeps != nil && r.New != nil {
			attrs = append(attrs, "keeps",
				"grants "+strings.Join(r.Keeps, ", ")+" of "+r.New.Name)
		}
	}
	if c.err != nil {
		l.ports.Log.Warn("link refused", append(attrs, "reason", c.err.Error())...)
		return
	}
	l.ports.Log.Info("link changed", append(attrs, "commit", c.took.String())...)
}

func digestIn(v *ComponentView) string {
	if v == nil {
		return ""
	}
	return v.Digest
}
