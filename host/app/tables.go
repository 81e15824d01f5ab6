package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/host/rollout"
)

// tables is rollout.Links over the linker.
type tables struct{ *App }

// Base is rollout.Links.
func (t tables) Base(listener string) (rollout.Base, error) {
	l, err := t.places.find(listener)
	return l.base, err
}

// Serving is rollout.Links.
func (t tables) Serving(listener, role string, position int) *rollout.Component {
	at, err := t.places.find(listener)
	if err != nil {
		return nil
	}
	chain := t.chain(at.key, role)
	if position >= len(chain) {
		return nil
	}
	return componentOf(&chain[position])
}

// Prepare is rollout.Links.
func (t tables) Prepare(ctx context.Context, p rollout.Preparation) (rollout.Plan, error) {
	prepared := &plan{app: t.App, id: p.ID, names: make(map[string]string)}
	var list []link.Change
	for i := range p.Changes {
		c, err := t.change(&p.Changes[i])
		if err != nil {
			return nil, err
		}
		prepared.names[c.Listener] = p.Changes[i].Listener
		list = append(list, c)
	}
	made, err := t.linker.Prepare(ctx, p.ID, p.By, list)
	if err == nil {
		prepared.Plan = made
		return prepared, nil
	}
	var step *link.StepError
	if errors.As(err, &step) {
		err = &rollout.Refusal{Step: string(step.Step),
			Err: renamed(err, step.Listener, prepared.names[step.Listener])}
	}
	t.changes.note(p.ID, func(s *swapping) { s.err = err })
	return nil, err
}

// change is a place in the words of the linker.
func (t tables) change(p *rollout.Place) (link.Change, error) {
	at, err := t.places.find(p.Listener)
	if err != nil {
		return link.Change{}, err
	}
	role, err := link.ParseRole(p.Role)
	if err == nil && role == link.RoleCodec && !p.Whole {
		err = t.takesCodec(p.Listener)
	}
	c := link.Change{Listener: at.key, Role: role, Position: p.Position, Remove: p.Remove,
		Whole: p.Whole}
	if err != nil || p.Remove {
		return c, err
	}
	if p.Back != nil {
		c.Ref, err = t.backRef(p.Listener, role, p.Back)
		c.Ref.Exact = true
		return c, err
	}
	c.Ref, err = refOfSettings(&p.Settings)
	c.Ref.Use = useOf(p.Source, p.Artifact.Name)
	c.Ref.Vouched = p.Artifact.Vouched
	inBundle(&c.Ref, &p.Artifact.Pin)
	if !p.Artifact.More.(*fetched).shipped {
		c.Ref.Code = p.Artifact.Code
	}
	return c, err
}

// inBundle says which bundle a component comes in.
func inBundle(ref *link.Ref, p *rollout.Pin) {
	if p.Bundle != "" {
		ref.Bundle, ref.BundleVersion = p.Of, p.Version
	}
}

// useOf is what a component is called if it does not say: the same each time it is linked.
func useOf(source, name string) string {
	if name == "" && ships(source) {
		return source
	}
	return name
}

func refOfSettings(s *rollout.Settings) (link.Ref, error) {
	onFault, err := link.ParseFaultPolicy(s.OnFault)
	return link.Ref{
		Config: s.Config, Env: s.Env, Grants: s.Grants, OnFault: onFault,
		Limits: link.Limits(s.Limits),
	}, err
}

// plan is rollout.Plan over one of the linker.
type plan struct {
	*link.Plan
	app   *App
	id    string
	names map[string]string // of listeners, by the names of their links
}

// Views is rollout.Plan.
func (p *plan) Views() []rollout.View {
	var list []rollout.View
	for _, r := range p.Plan.Views() {
		list = append(list, rollout.View{
			Listener: p.names[r.Listener], Role: r.Role.String(), Position: r.Position,
			Old: componentOf(r.Old), New: componentOf(r.New),
		})
	}
	return list
}

func componentOf(v *link.ComponentView) *rollout.Component {
	if v == nil {
		return nil
	}
	return &rollout.Component{
		Name: v.Name, Version: v.Version, BundleVersion: v.BundleVersion,
		Digest: "sha256:" + v.Digest, Grants: v.Grants,
	}
}

// Canary is rollout.Trial.
func (p *plan) Canary(s rollout.Selector) error { return p.Plan.Canary(link.Selector(s)) }

// Health is rollout.Trial.
func (p *plan) Health() rollout.Health {
	h := p.Plan.Health()
	sum := rollout.Health{Candidate: sideOf(&h.Candidate), Active: sideOf(&h.Active)}
	if len(h.Places) < 2 {
		return sum
	}
	for i := range h.Places {
		at := &h.Places[i]
		sum.Places = append(sum.Places, rollout.PlaceHealth{
			Place:     fmt.Sprintf("%s %s[%d]", p.names[at.Listener], at.Role, at.Position),
			Candidate: sideOf(&at.Candidate), Active: sideOf(&at.Active),
		})
	}
	return sum
}

func sideOf(v *link.Vitals) rollout.Side {
	return rollout.Side{
		Calls: v.Calls, Refused: v.Refused, Faults: rollout.Faults(v.Faults), Fuel: v.Fuel,
		Latency: buckets(&v.Latency),
	}
}

// Shadow is rollout.Shadow. It ends with the node, if that ends first.
func (p *plan) Shadow(sample float64) error { return p.Plan.Shadow(p.app.life, sample) }

// Compared is rollout.Shadow.
func (p *plan) Compared() rollout.Comparison {
	c := p.Comparison()
	out := rollout.Comparison{
		Asked: c.Matched + c.Differed + c.Failed, Matched: c.Matched, Failed: c.Failed,
		LeftOut: c.LeftOut, ActiveFuel: c.Active, Fuel: c.Candidate,
	}
	var sum link.Vitals
	for i := range c.Places {
		sum.Add(&c.Places[i])
		out.Places = append(out.Places, sideOf(&c.Places[i]))
	}
	out.Candidate = sideOf(&sum)
	for i := range c.Differences {
		d := &c.Differences[i]
		out.Differences = append(out.Differences, rollout.Difference{
			Listener: p.names[d.Listener], Role: d.Role.String(), Position: d.Position,
			Client: d.Client, Topic: d.Topic, Active: d.Active, Candidate: d.Candidate,
		})
	}
	return out
}

func buckets(l *link.Latency) (list []rollout.Bucket) {
	l.Each(func(upTo time.Duration, n uint64) {
		list = append(list, rollout.Bucket{UpTo: upTo, Count: n})
	})
	return list
}

// Commit is rollout.Decision.
func (p *plan) Commit() (took time.Duration, err error) {
	done, err := p.Plan.Commit()
	for i := range done {
		took = max(took, done[i].Commit)
	}
	p.app.changes.note(p.id, func(s *swapping) { s.err, s.results = err, done })
	return took, err
}

// Revert is rollout.Decision.
func (p *plan) Revert() error {
	_, err := p.Plan.Revert()
	return err
}
