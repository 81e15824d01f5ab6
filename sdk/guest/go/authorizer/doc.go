// Package authorizer is the role hpmq:broker/authorizer: what a component that says who may do what
// answers to. It knows the words of the role and its export; what is allowed, the Handler knows.
package authorizer

import guest "github.com/hpmq/hpmq/sdk/guest/go"

// Action is what a client wants to do, or have done to it.
type Action uint32

// The values are those of the WIT enum hpmq:broker/authorizer.action.
const (
	Publish Action = iota
	Subscribe
	Will
	Deliver
)

// Scope is how far an answer holds, so that the host need not ask again.
type Scope uint32

const (
	// Once holds for this one question.
	Once Scope = iota
	// Topic holds for this client, this action, this very topic or filter.
	Topic
	// AnyTopic holds for this client and this action, whatever the topic.
	AnyTopic
)

// Answer is the u32 of the contract: bits 0..7 the decision, 8..9 the scope, 10..31 seconds.
type Answer uint32

const (
	// Allow lets the client do it.
	Allow Answer = 0
	// Next leaves it to the next authorizer of the chain; the end of the chain denies.
	Next Answer = 1
	// secondsMax is what fits into 22 bits.
	secondsMax = 1<<22 - 1
)

// Deny refuses with an MQTT 5 reason code of 0x80 or more.
func Deny(reason uint8) Answer { return Answer(reason | 0x80) }

// NotAuthorized is the reason code of a plain refusal.
const NotAuthorized = 0x87

// For says how far and how many seconds the answer holds; 0 is for as long as this version is
// linked.
func (a Answer) For(s Scope, seconds uint32) Answer {
	return a&0xFF | Answer(s)<<8 | Answer(min(seconds, secondsMax))<<10
}

// Decision is the answer without scope and time.
func (a Answer) Decision() uint8 { return uint8(a) }

// Scope is how far the answer holds.
func (a Answer) Scope() Scope { return Scope(a >> 8 & 3) }

// Handler answers the role. What it is given is borrowed until return.
type Handler interface {
	// Configure reads the configuration, JSON text. An error is a text for the operator.
	Configure(config string) (guest.Interest, error)
	// Authorize judges one action; topic is a filter for Subscribe.
	Authorize(who *guest.Identity, a Action, topic string, q guest.QoS) Answer
}
