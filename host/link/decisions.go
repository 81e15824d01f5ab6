package link

import (
	"math"
	"strings"
	"unsafe"

	"github.com/hpmq/hpmq/lite/broker"
)

// decisions remembers what authorizers of one chain answered on one loop, refusals too. It holds at
// most max answers in two halves: when the young half is full, the old one is forgotten and the
// young one becomes the old. An answer that is used moves to the young half, so what is in use
// stays.
type decisions struct {
	max        int
	chain      *chain
	young, old map[decisionKey]decision
	// actions counts what was put for a whole action: while it is 0 there is no need to look.
	actions int
}

// decisionKey is by value who asked what: nothing of a client that is gone can answer for another.
// The listener is the policy's.
type decisionKey struct {
	client, username, address, tenant string
	topic                             string // empty for an answer that holds for the action
	place                             uint8
	action                            broker.Action
}

type decision struct {
	answer uint32
	until  broker.Time
}

// of forgets everything if c is not the chain of the last question.
func (d *decisions) of(c *chain) {
	if d.chain == c {
		return
	}
	d.chain, d.actions = c, 0
	d.young, d.old = map[decisionKey]decision{}, map[decisionKey]decision{}
}

func keyOf(place int, q *question) decisionKey {
	return decisionKey{
		client: q.who.ClientID, username: q.who.Username, address: q.who.Address,
		tenant: q.who.Tenant, place: uint8(place), action: q.action,
	}
}

// get answers what the entry in that place said about q, if that still holds.
func (d *decisions) get(place int, q *question) (uint32, bool) {
	k := keyOf(place, q)
	if d.actions > 0 {
		if answer, ok := d.find(k, q.now); ok {
			return answer, true
		}
	}
	if len(q.topic) == 0 {
		return 0, false
	}
	k.topic = unsafe.String(&q.topic[0], len(q.topic)) // for the look-up only
	return d.find(k, q.now)
}

func (d *decisions) find(k decisionKey, now broker.Time) (uint32, bool) {
	v, ok := d.young[k]
	if !ok {
		if v, ok = d.old[k]; !ok {
			return 0, false
		}
		if v.until > now {
			k.topic = strings.Clone(k.topic)
			delete(d.old, k)
			d.insert(k, v)
		}
	}
	return v.answer, v.until > now
}

// rememberedBytesMax is the longest key an answer is remembered under, so that clients with long
// names and topics cannot fill the memory: they are asked about again.
const rememberedBytesMax = 2048

// put remembers an answer as far as it says it holds.
func (d *decisions) put(place int, q *question, answer uint32) {
	k := keyOf(place, q)
	switch answer >> scopeShift & scopeMask {
	case scopeAction:
		d.actions++
	case scopeTopic:
		k.topic = string(q.topic)
	default:
		return
	}
	if len(k.client)+len(k.username)+len(k.tenant)+len(k.topic) > rememberedBytesMax {
		return
	}
	until := broker.Time(math.MaxInt64)
	if seconds := answer >> secondsShift; seconds > 0 {
		until = q.now + broker.Time(seconds)*1000
	}
	d.insert(k, decision{answer, until})
}

func (d *decisions) insert(k decisionKey, v decision) {
	if len(d.young) >= max(1, d.max/2) {
		clear(d.old)
		d.young, d.old = d.old, d.young
	}
	d.young[k] = v
}
