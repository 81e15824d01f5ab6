package link

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// errInCall says that somebody beside the loops was in a guest for too long to be waited for.
var errInCall = errors.New("it is in a call that takes too long")

// hold keeps who is beside the loops out of the guests that hand over, or whose keys are migrated:
// it waits for calls at hand, for at most BesideTimeout. The answer lets them go on.
func (c *crossing) hold() (letGo func(), err error) {
	late := c.linker.ports.after()(c.patience)
	var held []*entry
	unlock := func() {
		for _, e := range held {
			e.use.Unlock()
		}
	}
	for _, e := range c.besides() {
		if !e.use.LockBefore(late) {
			unlock()
			return nil, c.refuse(fmt.Errorf("%w: %s %s of listener %s, for %s", errInCall,
				e.name, e.called(), e.listener, c.patience))
		}
		held = append(held, e)
	}
	return unlock, nil
}

// besides are those whom hold keeps out, each once.
func (c *crossing) besides() (all []*entry) {
	if c.keys != nil {
		all = c.keys.beside()
	}
	for _, x := range c.beside {
		for _, e := range [...]*entry{x.from, x.to} {
			if !slices.Contains(all, e) {
				all = append(all, e)
			}
		}
	}
	return all
}

// ahead hands over beside the loops, which go on meanwhile: who takes part is held.
func (c *crossing) ahead() error {
	c.first.passes = make([]handing, seatsOf(c.beside))
	return c.first.run(c.linker, c.beside, time.Now().Add(c.linker.cfg.HandOverTimeout))
}

// leave notes whose state is with an heir by now: they are told and asked nothing more, not even
// what they were about to be.
func (c *crossing) leave() {
	for _, x := range c.beside {
		if !x.stays {
			x.from.left.Store(true)
			x.from.desk.give()
		}
	}
}

// gone says, under use, that the guests of e are not to be asked any more.
func (e *entry) gone() bool { return e.closed || e.barred || e.left.Load() }
