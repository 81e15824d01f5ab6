// Package router is the role hpmq:broker/router: what a component that says where a message goes
// answers to. It knows the words of the role and its exports; where to, the Handler knows.
package router

import guest "github.com/hpmq/hpmq/sdk/guest/go"

// Reach is how far a message travels.
type Reach uint32

// The values are those of the WIT enum hpmq:broker/router.reach.
const (
	Local Reach = iota
	Region
	Global
)

// Outcome is what becomes of a message.
type Outcome uint32

// The values are those of the WIT variant hpmq:broker/router.outcome.
const (
	// Deliver is as published, region-wide.
	Deliver Outcome = iota
	// Drop is nowhere; a publisher still gets its acknowledgement.
	Drop
	// Send is as the Route says.
	Send
)

// Strategy is how the members of shared subscriptions take turns [MQTT-4.8.2].
type Strategy uint32

// The values are those of the WIT enum hpmq:broker/router.strategy.
const (
	RoundRobin Strategy = iota
	Random
	Sticky
	TopicHash
)

// Route is where a message goes.
type Route struct {
	// Copies are topics the message also goes to.
	Copies []string
	// Redirect is the topic it goes to instead, or empty.
	Redirect string
	Reach    Reach
}

// Handler answers the role. What it is given is borrowed until return.
type Handler interface {
	// Configure reads the configuration, JSON text. An error is a text for the operator.
	Configure(config string) (guest.Interest, error)
	// Route fills r, which comes with no copies (and room for some) and reach Region, if it answers
	// Send. The strings must hold until the next call. Of m the payload is empty.
	Route(who *guest.Identity, m *guest.Message, r *Route) Outcome
	// Share is asked once for each shared subscription that comes up.
	Share(group, filter string) Strategy
}
