package app

import (
	"context"
	"fmt"
	"time"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// farewell is what becomes of the connections of a listener that is removed.
type farewell struct {
	how     string // configs.Drain, Keep or Close
	timeout time.Duration
}

// farewellOf is what the configuration of a listener says.
func farewellOf(l *configs.Listener) farewell {
	f := farewell{how: l.OnRemove, timeout: l.DrainTimeout.Std()}
	if f.how == "" {
		f.how = configs.Drain
	}
	return f
}

// retireLocked closes the socket of a door if it is open, and sees to its connections. Their link,
// limits and kernels' side live until the last of them has left.
func (a *App) retireLocked(ctx context.Context, d *door, f farewell) error {
	if err := a.closeSocketLocked(d); err != nil {
		return err
	}
	if d.id == "" {
		a.useKeys(d, nil)
		delete(a.doors, d.cfg.Name)
		d.id = a.idLocked(d.cfg.Name)
		a.left[d.id] = d
		a.places.rename(d.cfg.Name, d.id)
	}
	if d.halt != nil {
		d.halt()
		d.halt = nil
	}
	d.how = f.how
	switch {
	case d.connections() == 0:
		return a.freeLocked(ctx, d, nil)
	case f.how == configs.Close:
		return a.freeLocked(ctx, d, d.tell(mqtt.AdministrativeAction, 1))
	case f.how == configs.Drain:
		var life context.Context
		life, d.halt = context.WithCancel(a.life)
		go a.drainDoor(life, d.tell, a.farewellReasonLocked(), f.timeout)
	}
	return nil
}

// idLocked answers what operators call a removed listener by.
func (a *App) idLocked(name string) string {
	for n := 1; ; n++ {
		if id := fmt.Sprintf("%s~%d", name, n); a.left[id] == nil {
			return id
		}
	}
}

// farewellReasonLocked is what clients are told: there is another listener here, or none.
func (a *App) farewellReasonLocked() mqtt.ReasonCode {
	if len(a.doors) > 0 {
		return mqtt.UseAnotherServer
	}
	return mqtt.ServerShuttingDown
}

// tell ends one in parts of the connections of d that are there now, on each loop.
func (d *door) tell(r mqtt.ReasonCode, parts int) func(int, *broker.Kernel, broker.Time) {
	eras := d.eras
	return func(loop int, k *broker.Kernel, now broker.Time) {
		for _, e := range eras {
			k.ThinListener(now, e.kernels[loop], parts, r)
		}
	}
}

// tellAll runs tell on each loop.
func (a *App) tellAll(tell func(int, *broker.Kernel, broker.Time)) error {
	ctx, cancel := context.WithTimeout(a.life, askTimeout)
	defer cancel()
	return a.loops.Each(ctx, tell)
}

// The steps of a drain: as many as there is time for, within bounds.
const (
	drainStep     = 100 * time.Millisecond
	drainStepsMax = 600
)

// drainDoor ends the connections evenly over the timeout, so that they do not all come back, here
// or to another, in the same second.
func (a *App) drainDoor(ctx context.Context,
	tell func(mqtt.ReasonCode, int) func(int, *broker.Kernel, broker.Time),
	r mqtt.ReasonCode, timeout time.Duration,
) {
	step := max(drainStep, timeout/drainStepsMax)
	for parts := int(timeout/step) + 1; parts > 0; parts-- {
		if a.loops.Each(ctx, tell(r, parts)) != nil || parts == 1 || !a.wait(ctx, step) {
			return
		}
	}
}

// wait answers false if ctx ends before d has passed.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
