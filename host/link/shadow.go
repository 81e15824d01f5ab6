package link

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hpmq/hpmq/host/cap/kv"
	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/lite/broker"
)

// ErrNoShadow: the plan does not allow a shadow. The error says why.
var ErrNoShadow = errors.New("no shadow is possible")

// What waits for a shadow, as questions and as bytes; what comes then is left out.
const (
	shadowQueueMax      = 1024
	shadowQueueBytesMax = 4 << 20
)

// shadowing is guests of a plan that are asked, beside the loops, what those were asked that they
// are to replace. They have no effect: what they publish is thrown away, and they have a copy of
// the component's kv. Of history they are told what the old component was told in that call, see
// past; of other topics what is there when they are asked. What the old component does not want to
// be asked they are, if they want: the answer beside theirs is then what becomes of it unasked.
type shadowing struct {
	linker  *Linker
	sample  float64
	began   time.Time
	shadows []*shadow
	queue   chan *copied
	bytes   atomic.Int64
	left    atomic.Uint64
	// stop is closed once, to end the goroutine; it has closed ended then. The queue is never
	// closed: a loop may still put.
	stop, ended chan struct{}
	over        bool // under the plan's mu

	mu  sync.Mutex
	sum Comparison
}

// shadow is the guest for one place, with what it works with.
type shadow struct {
	of     *shadowing
	at     *place
	n      int    // of the place in the plan
	chain  *chain // that the place is in
	entry  *entry
	past   History // that the guest may ask; nil if it does not
	policy *policy
	routed []broker.Message
	warm   *instance // that was asked last
}

// reply is what is compared of an answer, and what it took. The messages are borrowed.
type reply struct {
	code     uint32
	messages []broker.Message
	fuel     uint64
	untimed  bool  // nobody was asked, or it is the first one of that guest
	past     *past // what history told who answered; may be nil
}

// reply is r with what answering took.
func (in *instance) reply(r reply) reply {
	r.fuel, r.past = in.guest.Fuel(), in.past
	return r
}

// copied is a question with the answer it got; all of it is its own.
type copied struct {
	to       *shadow
	who      broker.Identity
	question question // of an authorizer
	asking   asking   // of others
	message  *broker.Message
	reply    reply
	size     int64
}

func (c *copied) about() about {
	if c.message == nil {
		return about{c.who.ClientID, c.question.topic}
	}
	return about{c.who.ClientID, c.message.Topic}
}

// Shadow has the plan's components answer beside those they are to replace, without effect, what
// these were asked, and compares the answers, see Comparison. sample is the share of the questions
// that is copied, above 0 to 1; a copy that would have to wait too long is left out. It blocks for
// as long as making the guests takes. It ends with Canary, Commit, Abort or a sample of 0, and
// begins anew with another.
func (p *Plan) Shadow(ctx context.Context, sample float64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state != planPrepared || p.selector != nil {
		return p.over("shadow of")
	}
	p.endShadow()
	if sample == 0 {
		return nil
	}
	g, err := p.newShadowing(ctx, sample)
	if err != nil {
		return fmt.Errorf("link: shadow of plan %s: %w: %w", p.id, ErrNoShadow, err)
	}
	p.shadowing = g
	go g.work()
	g.begin()
	p.l.ports.Log.Info("link shadow", "plan", p.id, "by", p.by, "sample", sample)
	return nil
}

// begin has the loops ask.
func (g *shadowing) begin() {
	wants := map[*chain]*[2]interest{}
	for _, sh := range g.shadows {
		sh.at.active.measure(sh)
		sh.chain = sh.at.part.ls.table.Load().chains[sh.at.Role]
		if wants[sh.chain] == nil {
			wants[sh.chain] = &[2]interest{}
		}
		for d := range sh.entry.wants {
			wants[sh.chain][d].merge(&sh.entry.wants[d])
		}
	}
	for c, wants := range wants {
		if c != nil { // nil if what is linked there went by another way
			c.besides.Store(wants)
		}
	}
}

func (p *Plan) newShadowing(ctx context.Context, sample float64) (*shadowing, error) {
	if !(sample > 0 && sample <= 1) {
		return nil, fmt.Errorf("a share of %v of the questions: say above 0 to 1", sample)
	}
	g := &shadowing{
		linker: p.l, sample: sample, began: time.Now(), queue: make(chan *copied, shadowQueueMax),
		stop: make(chan struct{}), ended: make(chan struct{}),
	}
	if needs, err := p.l.needs(p.shifts()); err != nil || needs != nil {
		return nil, errors.Join(errors.New("what its components have in kv is migrated with the "+
			"commit"), err)
	}
	scratch := p.scratch()
	g.sum.Places = make([]Vitals, len(p.places))
	for i, at := range p.places {
		if at.before == nil || at.entry == nil {
			continue // there is nothing to compare with
		}
		sh, err := g.add(ctx, at, scratch)
		if err != nil {
			g.close()
			return nil, err
		}
		sh.n = i
		g.shadows = append(g.shadows, sh)
	}
	if g.shadows == nil {
		return nil, errors.New("it replaces nothing that could be compared with")
	}
	return g, nil
}

// scratch is a copy of what the plan's components hold.
func (p *Plan) scratch() *kv.Store {
	if p.l.ports.KV == nil {
		return kv.New(kv.Default())
	}
	var names []string
	for _, e := range p.made() {
		names = append(names, e.name)
	}
	return p.l.ports.KV.Copy(names...)
}

func (g *shadowing) add(ctx context.Context, at *place, scratch *kv.Store) (*shadow, error) {
	switch at.Role {
	case RoleAuthenticator:
		return nil, errors.New("passwords are not kept: try an authenticator in a canary")
	case RoleCodec, RoleWorker:
		return nil, fmt.Errorf("a %s has no answer that could be compared", at.Role)
	}
	e, err := at.entry.apart(ctx, scratch)
	if err != nil {
		return nil, err
	}
	ls := &listener{name: at.Listener, linker: g.linker}
	sh := &shadow{of: g, at: at, entry: e, policy: newPolicy(ls, 0)}
	if e.usesHistory {
		sh.past = g.linker.ports.History
	}
	return sh, nil
}

// apart is an entry like e, with one seat, which has no effect.
func (e *entry) apart(ctx context.Context, scratch *kv.Store) (*entry, error) {
	c := &entry{
		linker: e.linker, listener: e.listener, role: e.role, name: e.name, version: e.version,
		shipped: e.shipped, digest: e.digest, config: e.config, env: e.env, wasi: e.wasi,
		grants: e.grants, onFault: e.onFault, own: e.own, limits: e.limits, self: e.self,
		since: e.since, module: e.linker.modules.hold(e.module), speaks: e.speaks,
		usesHistory: e.usesHistory, lendsAbove: e.lendsAbove, scratch: scratch,
		id: e.linker.entries.Add(1), ward: e.ward, breaker: wasm.NewBreaker(e.linker.cfg.Pool),
	}
	b := build{l: e.linker, listener: e.listener, role: e.role, ref: Ref{Use: e.name}}
	if err := b.seats(ctx, c); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// close ends the guests; nobody asks them any more.
func (g *shadowing) close() {
	for _, sh := range g.shadows {
		sh.entry.close()
	}
}

// endShadow ends what is at work; what was counted stays.
func (p *Plan) endShadow() {
	g := p.shadowing
	if g == nil || g.over {
		return
	}
	g.over = true
	for _, sh := range g.shadows {
		sh.at.active.stop()
		if sh.chain != nil {
			sh.chain.besides.Store(nil)
		}
	}
	close(g.stop)
	<-g.ended
	g.close()
}

// judged takes a copy of what an authorizer was asked. It does not block.
func (sh *shadow) judged(q *question, r reply) {
	r.past = sh.recalled(r.past, q.topic)
	c := sh.copy(q.who, len(q.topic)+r.past.size())
	if c == nil {
		return
	}
	c.question = *q
	c.question.who, c.question.topic = &c.who, slices.Clone(q.topic)
	c.reply = r
	sh.of.put(c)
}

// saw takes a copy of what was asked about a message. It does not block.
func (sh *shadow) saw(a asking, m *broker.Message, r reply) {
	r.past = sh.recalled(r.past, m.Topic)
	n := len(m.Topic) + len(m.Payload) + len(m.Props) + r.past.size()
	for i := range r.messages {
		n += len(r.messages[i].Topic) + len(r.messages[i].Payload)
	}
	c := sh.copy(a.who, n)
	if c == nil {
		return
	}
	kept := *m.Keep() // m itself may be the loop's
	c.asking, c.message, c.reply = a, &kept, r
	c.asking.who, c.reply.messages = &c.who, nil
	for i := range r.messages {
		c.reply.messages = append(c.reply.messages, *r.messages[i].Keep())
	}
	sh.of.put(c)
}

// copy is room for a question of n bytes, nil if there is none.
func (sh *shadow) copy(who *broker.Identity, n int) *copied {
	g, size := sh.of, int64(n)
	if len(g.queue) == cap(g.queue) || g.bytes.Load()+size > shadowQueueBytesMax {
		g.left.Add(1)
		return nil
	}
	g.bytes.Add(size) // loops that come here at once may be over it by one question each
	return &copied{to: sh, who: *who, size: size}
}

func (g *shadowing) put(c *copied) {
	select {
	case g.queue <- c:
	default:
		g.bytes.Add(-c.size)
		g.left.Add(1)
	}
}

// work asks and compares until stop.
func (g *shadowing) work() {
	defer close(g.ended)
	for {
		select {
		case <-g.stop:
			return
		case c := <-g.queue:
			g.bytes.Add(-c.size)
			c.to.answer(c)
		}
	}
}

// answer asks the guest what the other was asked, and counts what came of it.
func (sh *shadow) answer(c *copied) {
	began := time.Now()
	r, err := sh.ask(c)
	took := time.Since(began)
	sh.of.count(c, &r, took, err)
}

func (sh *shadow) ask(c *copied) (r reply, err error) {
	e := sh.entry
	if c.message != nil && !e.fits(c.message) {
		e.pass(0, errTooLarge, c.about())
		return reply{untimed: true}, errTooLarge
	}
	if c.message != nil && !e.wanted(c.asking.dir, c.message) ||
		c.message == nil && !c.question.wanted(e) {
		return unwanted(e.role, c.message), nil
	}
	in := e.seats[0].take(e.linker.ports.Now())
	if in == nil {
		return reply{untimed: true}, errNoGuest
	}
	cold := in != sh.warm
	sh.warm, in.past = in, c.reply.past
	r, err = sh.put(in, c)
	r.untimed = cold
	if r.fuel = in.guest.Fuel(); err != nil {
		e.fault(0, in, err, c.about())
	}
	return r, err
}

// unwanted is what becomes of a question that a component does not want to be asked.
func unwanted(role Role, m *broker.Message) reply {
	if role == RoleTransformer {
		return reply{messages: []broker.Message{*m}, untimed: true}
	}
	return reply{untimed: true} // allow, news, deliver
}

// unasked has the candidate of a shadow asked about what e does not want to be asked. It does not
// block.
func (p *policy) unasked(e *entry, a asking, m *broker.Message) {
	sh := e.seats[p.loop].shadowed()
	if sh != nil && sh.entry.wanted(a.dir, m) {
		sh.saw(a, m, unwanted(e.role, m))
	}
}

// unjudged does so with a question for an authorizer.
func (p *policy) unjudged(e *entry, q *question) {
	sh := e.seats[p.loop].shadowed()
	if sh != nil && q.wanted(sh.entry) {
		sh.judged(q, unwanted(e.role, nil))
	}
}

// put puts the question.
func (sh *shadow) put(in *instance, c *copied) (r reply, err error) {
	e, p := sh.entry, sh.policy
	switch e.role {
	case RoleAuthorizer:
		r.code, err = e.speaks.role.ask.authorize(in, c.question)
		r.code &= verdictMask
	case RoleTransformer:
		w := &p.passes[c.asking.dir]
		w.bytes.reset()
		w.next, w.left, w.lifted = w.next[:0], 0, 0
		err = e.asked(c.message).transform(p, in, c.asking, c.message)
		r.messages = w.next
	case RoleDeduplicator:
		r.code, err = e.asked(c.message).check(in, &c.who, c.message)
	case RoleRouter:
		p.routed.reset()
		sh.routed = sh.routed[:0]
		var to routing
		to, err = e.speaks.role.ask.route(p, in, c.asking, c.message, &sh.routed)
		r.code, r.messages = to.code(), sh.routed
	}
	return r, err
}
