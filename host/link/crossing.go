package link

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hpmq/hpmq/host/cap/kv"
)

// Halter stops the loops for a moment.
type Halter interface {
	// Halt calls f while every loop is between two messages and what one had for another is there
	// and worked off, and none goes on before f returns. If they do not all come to that within a
	// time, f is not called and the error says so. f may be called on a loop. stood is how long the
	// first of them stood. It blocks, and must not be called on a loop.
	Halt(within time.Duration, f func()) (stood time.Duration, err error)
}

// movesMax is how often a change is tried while keys are still being written.
const movesMax = 100

// move calls put, which stores the tables that shifts say, while the loops stand between two
// messages: each message is judged by the tables before or by those after, in all roles, and who
// receives from several publishers sees none of the former behind one of the latter. All heirs have
// their state then, and the keys in kv are of the schemas that the entries are made for. If that
// cannot be, or the loops stood still for too long, put is not called, and all guests and keys are
// as they were. took is how long the loops stood for it.
func (l *Linker) move(shifts []turnover, put func()) (took time.Duration, err error) {
	return l.moveWith(shifts, put, l.cfg.BesideTimeout, func(error) bool { return false })
}

// moveBack is move to what was there before. If that does not take the state, it goes on with what
// it had: the way back must not depend on what is being left. If it does not know the keys in kv
// there is no way back.
func (l *Linker) moveBack(shifts []turnover, put func()) (took time.Duration, err error) {
	patience := min(l.cfg.HandOverTimeout, l.cfg.BesideTimeout)
	return l.moveWith(shifts, put, patience, func(err error) bool {
		var refused *StepError
		if !errors.As(err, &refused) || refused.Step != StepState {
			return false
		}
		l.ports.Log.Warn("the old version goes on with the state it had", "reason", err.Error())
		return true
	})
}

// moveWith asks without, after an error, whether to go on without the heirs.
func (l *Linker) moveWith(
	shifts []turnover, put func(), patience time.Duration, without func(error) bool,
) (took time.Duration, err error) {
	defer l.claims.take(concerned(shifts))()
	migrations, err := l.migrate(shifts) // may take long
	if err != nil {
		return 0, err
	}
	c := &crossing{linker: l, keys: migrations, put: put, patience: patience,
		serves: slices.ContainsFunc(shifts, func(s turnover) bool { return s.old.linked })}
	c.sort(shifts)
	if migrations != nil {
		c.patience = l.cfg.BesideTimeout // there is no way without them
		defer migrations.end()
	}
	if err = c.run(); err != nil && without(err) {
		c.heirs, c.beside = nil, nil
		err = c.run()
	}
	return c.took, err
}

// crossing is from the moment the loops stand still to when they go on, with other tables.
type crossing struct {
	linker *Linker
	// heirs are those on the loops, beside those that are not, whose handing over comes first.
	heirs, beside []heir
	first         handover
	keys          bringing // nil for none
	put           func()
	patience      time.Duration // for calls at hand beside the loops
	serves        bool          // one of the listeners was linked before
	took          time.Duration
	err           error
}

// sort takes in who hands over.
func (c *crossing) sort(shifts []turnover) {
	for _, s := range shifts {
		for _, x := range heirs(s) {
			if x.to.role.isBeside() {
				c.beside = append(c.beside, x)
			} else {
				c.heirs = append(c.heirs, x)
			}
		}
	}
}

// run hands over and puts the tables in their place, or leaves all as it was.
func (c *crossing) run() error {
	letGo, err := c.hold()
	if err != nil {
		return err
	}
	defer letGo()
	err = c.ahead()
	for n := 0; err == nil || errors.Is(err, kv.ErrBusy) && n < movesMax; n++ {
		if err = c.try(); err == nil {
			return nil
		}
	}
	c.first.undo()
	return err
}

// try stops the loops if somebody is served. Loops that do not come to rest in time refuse what
// needs that, the handing over; a change that hands nothing over is made all the same: it may be
// the cure of what keeps them busy.
func (c *crossing) try() error {
	c.linker.moving.Lock()
	defer c.linker.moving.Unlock()
	h, needs := c.linker.ports.Halter, len(c.heirs) > 0 || c.keys != nil && c.keys.used()
	most := c.linker.cfg.HandOverTimeout
	until := time.Now().Add(most)
	switch {
	case !c.serves && !needs:
		c.cross(time.Time{})
		return c.err
	case h == nil:
		c.cross(until)
		return c.err
	}
	stood, late := h.Halt(most, func() { c.cross(until) })
	c.took += stood // each time
	switch {
	case late == nil:
	case needs:
		return c.refuse(fmt.Errorf("the loops did not stop: %w", late))
	default:
		c.linker.ports.Log.Warn("a link changes beside messages that are under way: who receives "+
			"from several publishers may see answers of the old version behind some of the new",
			"reason", late.Error())
		c.cross(time.Time{})
	}
	return c.err
}

func (c *crossing) refuse(err error) error {
	if all := slices.Concat(c.heirs, c.beside); len(all) > 0 {
		return all[0].to.refuseState(err)
	}
	return c.keys.refuse(err)
}

// cross has until then.
func (c *crossing) cross(until time.Time) {
	l, began := c.linker, time.Now()
	over := &handover{passes: make([]handing, seatsOf(c.heirs))}
	if c.err = over.run(l, c.heirs, until); c.err == nil {
		c.err = c.applied(until)
	}
	if c.err != nil {
		over.undo()
		return
	}
	c.put()
	c.leave()
	took := time.Since(began).String()
	c.say(c.heirs, over, took)
	c.say(c.beside, &c.first, took)
}

// say logs what was handed over.
func (c *crossing) say(heirs []heir, over *handover, took string) {
	for _, x := range heirs {
		c.linker.ports.Log.Info("state handed over", "listener", x.to.listener, "component",
			x.to.name, "bytes", over.bytes(), "took", took)
	}
}

func (c *crossing) applied(until time.Time) error {
	if c.keys == nil {
		return nil
	}
	return c.keys.applied(until)
}
