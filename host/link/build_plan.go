package link

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// build makes the entries of all changes and the tables to commit. What it has made when it is
// refused stays in places, for the caller to close.
func (p *Plan) build(ctx context.Context, changes []Change) error {
	for i := range changes {
		at := &place{Change: changes[i], part: p.partOf(changes[i].Listener)}
		b := build{
			l: p.l, listener: at.Listener, ward: &at.part.ls.ward, role: at.Role, ref: at.Ref,
		}
		if err := p.locate(&b, at); err != nil {
			return err
		}
		p.places = append(p.places, at)
		if at.Remove {
			continue
		}
		var err error
		if at.entry, err = b.entry(ctx); err != nil {
			return err
		}
	}
	for _, pt := range p.parts {
		if err := p.compose(pt); err != nil {
			return err
		}
	}
	_, err := p.l.needs(p.shifts()) // looked at again at the commit
	return err
}

func (p *Plan) partOf(listener string) *part {
	for _, pt := range p.parts {
		if pt.ls.name == listener {
			return pt
		}
	}
	return nil
}

// locate finds what is in the place, and fills what the change leaves as it is from that.
func (p *Plan) locate(b *build, at *place) error {
	free := 0 // places behind the chain that the plan has filled
	for _, other := range p.places {
		if other.part != at.part || other.Role != at.Role {
			continue
		}
		if other.Position == at.Position {
			return b.refuse(StepRequest, fmt.Errorf("place %d is changed twice", at.Position),
				"name each place once")
		}
		if other.before == nil {
			free++
		}
	}
	if err := b.place(at.part.old, at.Position, free); err != nil {
		return err
	}
	if at.before = b.before; at.Whole {
		b.ref, b.before = at.Ref, nil
	}
	if at.Remove && at.before == nil {
		return b.refuse(StepRequest, fmt.Errorf("nothing is in place %d to remove", at.Position),
			"name a place that is taken")
	}
	return nil
}

// compose makes the table that the part commits.
func (p *Plan) compose(pt *part) error {
	chains := pt.old.chains
	for r := range chains {
		role := Role(r)
		had, _ := pt.old.chainOf(role)
		entries, changed := slices.Clone(had), false
		for _, at := range p.places {
			switch {
			case at.part != pt || at.Role != role:
				continue
			case at.before == nil:
				entries = append(entries, at.entry)
			default:
				entries[at.Position] = at.entry // nil for a removal
			}
			changed = true
		}
		if !changed {
			continue
		}
		entries = slices.DeleteFunc(entries, func(e *entry) bool { return e == nil })
		chains[r] = newChain(entries, had)
	}
	pt.next = pt.old.after(chains)
	return nil
}

// place checks the position and fills what the request leaves as it is from the entry there. Behind
// the chain added places are filled already.
func (b *build) place(old *table, position, added int) error {
	if b.role >= roleCount {
		return b.refuse(StepRequest, errors.New("no such role"), "name a role")
	}
	had, _ := old.chainOf(b.role)
	if free := len(had) + added; position < 0 || position > free {
		err := fmt.Errorf("no place %d: there are %d components", position, free)
		return b.refuse(StepRequest, err, "name a place that is taken, or the one after the last")
	}
	if position == b.l.cfg.chainMax(b.role) {
		err := fmt.Errorf("the chain has %d components", position)
		return b.refuse(StepRequest, err, "swap one of them")
	}
	if position >= len(had) {
		return nil
	}
	e := had[position]
	b.before = e
	if b.ref.Exact {
		return nil
	}
	if b.ref.Config == nil {
		b.ref.Config = e.config
	}
	if b.ref.Env == nil {
		b.ref.Env = e.env
	}
	if b.ref.OnFault == FaultDefault {
		b.ref.OnFault = e.onFault
	}
	if b.ref.Limits == (Limits{}) {
		b.ref.Limits = e.own
	}
	return nil
}
