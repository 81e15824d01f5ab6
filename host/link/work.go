package link

import (
	"errors"
	"time"

	"github.com/hpmq/hpmq/lite/broker"
)

// errClosedEntry is told to a desk, and to who asks an authenticator, whose entry is gone.
var errClosedEntry = errors.New("the component is unlinked")

// clientsTopic in the interest of a worker asks for who comes and goes.
var clientsTopic = []byte("$SYS/clients")

// after is Ports.After or the system's.
func (p *Ports) after() func(time.Duration) <-chan time.Time {
	if p.After != nil {
		return p.After
	}
	return time.After
}

// relieve opens a shift for the workers that stand in next alone, before a loop can find next: what
// they are told waits until those that stand in old alone have ended, see engage.
func relieve(old, next *table) {
	had, _ := old.chainOf(RoleWorker)
	have, _ := next.chainOf(RoleWorker)
	var ending []*shift
	for _, e := range without(had, have) {
		if s := e.desk.leave(); s != nil {
			ending = append(ending, s)
		}
	}
	for _, e := range have {
		e.desk.begin(ending)
	}
	for _, x := range successors(old, next, RoleWorker) {
		x.from.desk.inherit(x.to.desk)
	}
}

// engage stops the workers that stand in old alone, as soon as no loop can be about to tell them
// something: relieve has put others in their place.
func (l *Linker) engage(old, next *table) {
	had, _ := old.chainOf(RoleWorker)
	have, _ := next.chainOf(RoleWorker)
	var ending []*shift
	for _, e := range without(had, have) {
		if s := e.desk.leave(); s != nil {
			ending = append(ending, s)
		}
	}
	if len(ending) == 0 {
		return
	}
	l.ports.Quiescer.Quiesce(func() {
		for _, s := range ending {
			s.end()
		}
	})
}

// tell tells the workers that want it of a message that goes on, as v and out say.
func (c *chain) tell(a asking, v broker.Verdict, m *broker.Message, out []broker.Message) {
	switch v {
	case broker.Keep:
		c.tellOf(a, m)
	case broker.Replace:
		for i := range out {
			c.tellOf(a, &out[i])
		}
	}
}

func (c *chain) tellOf(a asking, m *broker.Message) {
	if !c.wants[broker.Upstream].has(m.Topic) {
		return
	}
	for _, e := range c.entries {
		if !e.wanted(broker.Upstream, m) {
			continue
		}
		if !e.fits(m) {
			e.pass(0, errTooLarge, about{a.who.ClientID, m.Topic})
			continue
		}
		e.desk.put(task{what: fnMessage, who: *a.who, message: m.Keep()})
	}
}

// Presence tells the workers of a listener who comes and goes; it is a broker.Presence.
type Presence struct{ ls *listener }

// Presence is for all kernels. It may be taken before the listener is linked.
func (l *Linker) Presence(listener string) *Presence { return &Presence{l.listener(listener)} }

// Came is told that a client was accepted. It does not block.
func (p *Presence) Came(who *broker.Identity) { p.tell(who, false) }

// Went is told that the connection of such a client has ended. It does not block.
func (p *Presence) Went(who *broker.Identity) { p.tell(who, true) }

func (p *Presence) tell(who *broker.Identity, gone bool) {
	c := p.ls.table.Load().asked(RoleWorker, broker.Upstream, clientsTopic)
	if c == nil {
		return
	}
	for _, e := range c.entries {
		if e.wants[broker.Upstream].has(clientsTopic) {
			e.desk.put(task{what: fnClient, who: *who, gone: gone})
		}
	}
}
