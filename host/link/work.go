package link

import (
	"errors"
	"slices"
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

// engage starts the workers that stand in next alone and stops those that stand in old alone. A
// worker starts when all that are stopped have ended.
func engage(old, next *table) {
	had, _ := old.chainOf(RoleWorker)
	have, _ := next.chainOf(RoleWorker)
	var ending []<-chan struct{}
	for _, e := range had {
		if !slices.Contains(have, e) {
			ending = append(ending, e.desk.end())
		}
	}
	for _, e := range have {
		e.desk.begin(ending)
	}
}

// tellWorkers tells those who want it of a message that goes on, as v and out say.
func (p *policy) tellWorkers(a asking, v broker.Verdict, m *broker.Message, out []broker.Message) {
	switch v {
	case broker.Keep:
		p.tellWorkersOf(a, m)
	case broker.Replace:
		for i := range out {
			p.tellWorkersOf(a, &out[i])
		}
	}
}

func (p *policy) tellWorkersOf(a asking, m *broker.Message) {
	c := p.ls.table.Load().asked(RoleWorker, broker.Upstream, m.Topic)
	if c == nil {
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
