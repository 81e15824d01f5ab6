package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/host/rollout"
	"github.com/hpmq/hpmq/sdk/trial"
)

// golden is rollout.Tests: the golden cases of a bundle, on an engine of their own.
type golden struct{ *App }

// Test is rollout.Tests.
func (g golden) Test(ctx context.Context, _ rollout.Item, a *rollout.Artifact) (err error) {
	b := a.More.(*fetched).bundle
	if b == nil {
		return nil
	}
	list := b.Cases(b.component)
	if len(list) == 0 {
		return nil
	}
	t, err := trial.Open(trial.Config{
		CacheDir: g.dataPath("cache"), Interpreter: g.changes.interpreter,
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
	ref := link.Ref{Use: b.component.Name, Code: a.Code, Config: b.component.Defaults}
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
