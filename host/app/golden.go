package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/host/rollout"
	"github.com/hpmq/hpmq/sdk/trial"
)

// golden is rollout.Tests: the golden cases of a bundle, on an engine of their own. What passed
// them is not asked again by the same version of the broker within the same limits: they have no
// clock and no chance, and going back to a version must not wait for them.
type golden struct{ *App }

// Test is rollout.Tests.
func (g golden) Test(ctx context.Context, _ rollout.Item, a *rollout.Artifact) error {
	b := a.More.(*fetched).bundle
	if b == nil || len(b.component.Cases) == 0 || g.passed(b, a) {
		return nil
	}
	if err := g.ask(ctx, b, a); err != nil || g.changes == nil { // nothing is to be kept
		return err
	}
	// A ledger that fails does not make the component worse: it is asked again.
	_ = g.changes.machine.Passed(b.tested(a.Limits))
	return nil
}

// passed says whether this broker asked the component its golden cases before, within the limits
// that it has now.
func (a *App) passed(b *fetchedBundle, art *rollout.Artifact) bool {
	return a.changes != nil && a.changes.machine.Tested(b.tested(art.Limits))
}

// tested names a component of a bundle with its limits and the broker that asked it its cases.
func (b *fetchedBundle) tested(l rollout.Limits) string {
	return fmt.Sprintf("%s %s within %d %d %d %d by %s", b.Digest, b.component.Name, l.Fuel,
		l.StartFuel, l.DepthMax, l.MemoryBytesMax, Version())
}

func (g golden) ask(ctx context.Context, b *fetchedBundle, a *rollout.Artifact) (err error) {
	if err := b.readCases(ctx); err != nil {
		return err
	}
	list := b.Cases(b.component)
	if len(list) == 0 {
		return nil
	}
	t, err := trial.Open(trial.Config{
		CacheDir: g.dataPath("cache"), Interpreter: g.interpreter,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	letGo, err := t.Keep(ctx, a.Code)
	if err != nil {
		return err
	}
	defer letGo()
	in, err := t.Inspect(ctx, a.Code)
	if err != nil {
		return err
	}
	ref := link.Ref{Use: b.component.Name, Code: a.Code, Limits: link.Limits(a.Limits)}
	if ref.Config, err = configured(b, nil); err != nil {
		return err
	}
	for _, c := range b.component.Capabilities {
		ref.Grants = append(ref.Grants, c.Name)
	}
	for i := range list {
		out, err := t.Hold(ctx, trial.Subject{Ref: ref, Roles: in.Roles}, &list[i])
		if err != nil {
			return fmt.Errorf("golden case %s: %w", list[i].Name, err)
		}
		if len(out.Failures) > 0 {
			f := out.Failures[0]
			return fmt.Errorf("golden case %s does not hold: call %d, %s: it answers %s, and must "+
				"answer %s (%d of %d cases were asked): do not link it, and tell its author",
				out.Name, f.Call, f.What, f.Got, f.Want, i+1, len(list))
		}
	}
	return nil
}
