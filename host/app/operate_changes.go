package app

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hpmq/hpmq/host/admin"
	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/host/rollout"
	"github.com/hpmq/hpmq/sdk/client"
	"github.com/hpmq/hpmq/sdk/topic"
)

// Upload is admin.Bundles.
func (o *operator) Upload(
	_ context.Context, name string, content []byte,
) (client.Uploaded, error) {
	if !isTar(content) && !bytes.HasPrefix(content, []byte("\x00asm")) {
		return client.Uploaded{}, refusal(errors.New("app: upload: it is neither a .wasm nor the " +
			"tar of a bundle: make one with hpmq-cli bundle build -o NAME.tar"))
	}
	digest, err := o.receive(content)
	if err != nil {
		return client.Uploaded{}, refusal(err)
	}
	return client.Uploaded{
		Source: sentName(name) + "@" + digest, Digest: digest, Bytes: len(content),
	}, nil
}

// Submit is admin.Changes.
func (o *operator) Submit(_ context.Context, n client.NewChange) (client.Change, error) {
	q, err := requestOf(&n)
	if err != nil {
		return client.Change{}, refusal(fmt.Errorf("app: change: %w", err))
	}
	for i := range q.Items {
		if _, err := o.places.find(q.Items[i].Listener); err != nil {
			return client.Change{}, err
		}
	}
	c, err := o.changes.machine.Submit(q)
	if err != nil {
		return client.Change{}, refusal(err)
	}
	return o.changeOf(&c), nil
}

// Changes is admin.Changes.
func (o *operator) Changes(context.Context) ([]client.Change, error) {
	var out []client.Change
	for _, c := range o.changes.machine.Changes() {
		out = append(out, o.changeOf(&c))
	}
	return out, nil
}

// Change is admin.Changes.
func (o *operator) Change(_ context.Context, id string) (client.Change, error) {
	c, err := o.changes.machine.Change(id)
	if err != nil {
		return client.Change{}, refusal(err)
	}
	return o.changeOf(&c), nil
}

// Decide is admin.Changes.
func (o *operator) Decide(ctx context.Context, d admin.Decision) (client.Change, error) {
	m := o.changes.machine
	if d.By == "" {
		d.By = by
	}
	var c rollout.Change
	var err error
	switch d.What {
	case admin.Cancel:
		c, err = m.Cancel(ctx, d.ID, d.By)
	case admin.Rollback:
		c, err = m.Rollback(ctx, d.ID, d.By)
	default:
		c, err = m.Promote(d.ID, rollout.State(d.From), d.By)
	}
	if err != nil {
		return client.Change{}, refusal(err)
	}
	return o.changeOf(&c), nil
}

// Quarantine is admin.Quarantine.
func (o *operator) Quarantine(context.Context) ([]client.Quarantined, error) {
	var out []client.Quarantined
	for _, q := range o.changes.machine.Quarantine() {
		out = append(out, client.Quarantined(q))
	}
	return out, nil
}

// Pardon is admin.Quarantine.
func (o *operator) Pardon(_ context.Context, digest, who string) error {
	return refusal(o.changes.machine.Pardon(digest, cmp.Or(who, by)))
}

// FollowChanges is admin.Changes. It ends with the node.
func (o *operator) FollowChanges(
	ctx context.Context, f admin.Follow, visit func(*client.ChangeEvent) bool, pause func() bool,
) error {
	r, err := o.follows(f)
	if err != nil {
		return refusal(err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(o.life, cancel)()
	if !pause() { // who asks knows at once that somebody answers
		return nil
	}
	for {
		e, err := o.nextEvent(ctx, r, pause)
		if errors.Is(err, rollout.ErrBehind) {
			visit(&client.ChangeEvent{Error: err.Error()})
		}
		if err != nil {
			return refusal(err)
		}
		out := client.ChangeEvent{
			Seq: e.Seq, At: e.At, Change: e.Change, State: string(e.State), Step: e.Step,
			Of: e.Of, Why: e.Why, By: e.By, Unrecorded: e.Unrecorded,
		}
		if !visit(&out) || !pause() {
			return nil
		}
	}
}

// follows reads what is asked for.
func (o *operator) follows(f admin.Follow) (*rollout.Reader, error) {
	m := o.changes.machine
	switch {
	case f.Change != "":
		return m.SubscribeTo(f.Change)
	case f.Now:
		return m.SubscribeNow(), nil
	}
	r := m.Subscribe(f.From)
	return r, r.Behind()
}

// nextEvent waits for one and calls pause now and then, by which a client that has gone is found.
func (o *operator) nextEvent(
	ctx context.Context, r *rollout.Reader, pause func() bool,
) (rollout.Event, error) {
	for {
		short, cancel := context.WithTimeout(ctx, followPause)
		e, err := r.Next(short)
		cancel()
		if err == nil || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return e, err
		}
		if !pause() {
			return e, context.Canceled
		}
	}
}

// followPause is how often a follower is written to when nothing happens.
const followPause = 15 * time.Second

// requestOf reads what was asked for.
func requestOf(n *client.NewChange) (q rollout.Request, err error) {
	d := durations{}
	q = rollout.Request{
		ID: n.ID, By: n.By, Reason: n.Reason, Force: n.Force, Watch: d.read("watch", n.Watch),
	}
	if q.By == "" {
		q.By = by
	}
	if strings.HasPrefix(q.ID, swapID) {
		return q, fmt.Errorf("id: %s… is what swaps are called: take another", swapID)
	}
	for i := range n.Items {
		it, err := itemOf(&n.Items[i])
		if err != nil {
			return q, fmt.Errorf("items: %d: %w", i, err)
		}
		q.Items = append(q.Items, it)
	}
	if s := n.Shadow; s != nil {
		q.Shadow = rollout.ShadowPlan{
			For: d.read("shadow.for", s.For), Sample: s.Sample, MatchMin: s.MatchMin,
		}
	}
	if c := n.Canary; c != nil {
		if q.Canary, err = canaryPlan(c, &d); err != nil {
			return q, err
		}
	}
	if t := n.Thresholds; t != nil {
		q.Thresholds = rollout.Thresholds{
			CallsMin: t.CallsMin, FaultsMin: t.FaultsMin, Faults: t.Faults, Quiet: t.Quiet,
			LatencyRatio: t.LatencyRatio, Refused: t.Refused,
			LatencyMin: d.read("thresholds.latency_min", t.LatencyMin),
			LatencyMax: d.read("thresholds.latency_max", t.LatencyMax),
		}
	}
	return q, d.err
}

// canaryPlan reads a plan. Whom it names is looked at here, not when the canary begins.
func canaryPlan(c *client.CanaryPlan, d *durations) (p rollout.CanaryPlan, err error) {
	p = rollout.CanaryPlan{
		Clients: c.Clients, Tenants: c.Tenants, Filters: c.Filters, All: c.All,
	}
	if len(c.Steps) == 0 {
		p.Steps = rollout.DefaultSteps()
	}
	for _, s := range c.Steps {
		p.Steps = append(p.Steps, rollout.CanaryStep{
			Percent: s.Percent, Dwell: d.read("canary.steps.dwell", s.Dwell),
		})
	}
	for what, n := range map[string]int{
		"clients": len(c.Clients), "tenants": len(c.Tenants), "filters": len(c.Filters),
	} {
		if n > link.NamesMax {
			return p, fmt.Errorf("canary.%s: %d of them: name %d at most", what, n, link.NamesMax)
		}
	}
	for _, f := range c.Filters {
		if !topic.ValidFilter([]byte(f)) {
			return p, fmt.Errorf("canary.filters: %.80q is no topic filter: + and # stand for "+
				"whole levels, # at the end alone", f)
		}
	}
	return p, nil
}

func itemOf(it *client.ChangeItem) (rollout.Item, error) {
	config, err := jsonOf(it.Config)
	out := rollout.Item{
		Listener: it.Listener, Role: it.Role, Position: it.Position, Source: it.Source,
		Component: it.Component, Remove: it.Remove,
		Settings: rollout.Settings{
			Config: config, Env: it.Env, Grants: it.Grants, OnFault: it.OnFault,
		},
	}
	if l := it.Limits; l != nil {
		out.Limits = rollout.Limits(*l)
	}
	return out, err
}

// durations reads times and keeps the first error.
type durations struct{ err error }

func (d *durations) read(key, text string) time.Duration {
	if text == "" {
		return 0
	}
	v, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n uint64
		n, err = strconv.ParseUint(days, 10, 8)
		v = time.Duration(n) * 24 * time.Hour
	}
	if err != nil && d.err == nil {
		d.err = fmt.Errorf("%s: %.40q is no time: write 30s, 5m or 1d", key, text)
	}
	return v
}

// changeOf is c in the words of the API, with its health while it is at work.
func (o *operator) changeOf(c *rollout.Change) client.Change {
	out := client.Change{
		ID: c.ID, By: c.By, Reason: c.Reason, Force: c.Force, State: string(c.State),
		Ended: c.State.Ended(), Step: c.Step, Of: c.Of, Why: c.Why, EndedBy: c.EndedBy,
		CommitMicros: c.Took.Microseconds(), Unrecorded: o.changes.machine.Unrecorded(c.ID, ""),
	}
	for _, p := range c.Places {
		out.Places = append(out.Places, client.ChangePlace{
			Listener: p.Listener, Role: p.Role, Position: p.Position, Source: p.Source,
			Remove: p.Remove, Old: pinOf(p.Old), New: pinOf(p.New),
		})
	}
	for _, u := range c.Undone {
		out.Undone = append(out.Undone, client.ChangeUndone{
			Listener: u.Listener, Role: u.Role, At: u.At, By: u.By,
		})
	}
	for _, m := range c.Marks {
		out.Marks = append(out.Marks, client.ChangeMark{
			Seq: m.Seq, At: m.At, State: string(m.State), Step: m.Step, Why: m.Why,
		})
	}
	if h, ok := o.changes.machine.Health(c.ID); ok {
		out.Health = &client.ChangeHealth{
			Candidate: vitalsOf(&h.Candidate), Active: vitalsOf(&h.Active),
		}
	}
	if s, ok := o.changes.machine.Shadowed(c.ID); ok {
		out.Shadow = shadowOf(&s)
	}
	return out
}

func shadowOf(s *rollout.Shadowed) *client.Comparison {
	answered := max(s.Asked-s.Failed, 1)
	out := &client.Comparison{
		Asked: s.Asked, Matched: s.Matched, Failed: s.Failed, LeftOut: s.LeftOut,
		MatchRate: s.MatchRate(),
		Active:    costOf(s.ActiveFuel/answered, s.Active.Latency),
		Candidate: costOf(s.Fuel/answered, s.Candidate.Latency),
	}
	for _, d := range s.Differences {
		out.Differences = append(out.Differences, client.Difference{
			Listener: d.Listener, Role: d.Role, Position: d.Position, ClientID: d.Client,
			Topic: d.Topic, Active: d.Active, Candidate: d.Candidate,
		})
	}
	return out
}

func costOf(fuel uint64, l []rollout.Bucket) client.Cost {
	return client.Cost{
		Fuel: fuel, P50Micros: quantile(l, 50), P90Micros: quantile(l, 90),
		P99Micros: quantile(l, 99),
	}
}

func pinOf(p *rollout.Pin) *client.Component {
	if p == nil {
		return nil
	}
	return &client.Component{
		Name: p.Name, Version: p.Version, Key: p.Key, Digest: p.Digest, Bundle: p.Bundle,
	}
}

func vitalsOf(s *rollout.Side) client.Vitals {
	return client.Vitals{
		Calls: s.Calls, Refused: s.Refused, Faults: client.Faults(s.Faults),
		P50Micros: quantile(s.Latency, 50), P90Micros: quantile(s.Latency, 90),
		P99Micros: quantile(s.Latency, 99),
	}
}

// quantile is what that many of a hundred calls stay below, in microseconds; 0 without calls.
func quantile(list []rollout.Bucket, percent uint64) float64 {
	all := uint64(0)
	for _, b := range list {
		all += b.Count
	}
	sum := uint64(0)
	for _, b := range list {
		if sum += b.Count; all > 0 && sum*100 >= all*percent {
			return float64(b.UpTo) / float64(time.Microsecond)
		}
	}
	return 0
}
