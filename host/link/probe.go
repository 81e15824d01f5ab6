package link

import (
	"context"
	"fmt"

	"github.com/hpmq/hpmq/host/codec"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// Probe is one component asked outside of a link: by the code that asks it on a loop, but one
// question at a time, nothing remembered, and answered as the contract has it instead of what a
// broker makes of that. It is for tools. One goroutine at a time may use it.
type Probe struct {
	entry  *entry
	policy *policy
	guest  *instance
	codec  Codec
	// state is that of the one connection that a probed codec has.
	state []byte
	msg   broker.Message
}

// ProbeListener is the name of the listener that a probed component believes it is linked to.
const ProbeListener = "probe"

// Probe makes a guest of a component by the steps of a link. It blocks for as long as compiling
// takes. A refusal is a *StepError. The Probe must be closed.
func (l *Linker) Probe(ctx context.Context, role Role, ref Ref) (*Probe, error) {
	ls := &listener{name: ProbeListener, linker: l}
	b := build{l: l, listener: ProbeListener, ward: &ls.ward, role: role, ref: ref}
	e, err := b.entry(ctx)
	if err != nil {
		return nil, err
	}
	p := &Probe{entry: e, policy: newPolicy(ls, 0), codec: Codec{ls: ls}}
	if p.guest = e.seats[0].take(l.ports.Now()); p.guest == nil {
		e.close()
		return nil, fmt.Errorf("link: probe %s: %w", e.name, errNoGuest)
	}
	return p, nil
}

// Close ends the guest.
func (p *Probe) Close() { p.entry.close() }

// View shows the component.
func (p *Probe) View() ComponentView { return p.entry.view() }

// Interest is what the component answered to configure.
func (p *Probe) Interest() (inbound, outbound []string) {
	return p.guest.wants[broker.Upstream].filters, p.guest.wants[broker.Downstream].filters
}

// Fuel is what starting and configuring spent, and what the last question did.
func (p *Probe) Fuel() (start, configure, question uint64) {
	return p.guest.bootFuel, p.guest.setUpFuel, p.guest.guest.Fuel()
}

// Memory is how large the guest's memory is now, in bytes.
func (p *Probe) Memory() uint32 { return p.guest.guest.Memory().Size() }

// Question is what a component is asked. A function looks at the fields it has parameters for.
type Question struct {
	// Function is one of the role's, as in wit/: "upstream".
	Function string
	Who      broker.Identity
	Action   broker.Action
	Topic    []byte
	Payload  []byte
	QoS      mqtt.QoS
	Retain   bool
	// Group and Filter are of a shared subscription.
	Group, Filter string
	Credentials   broker.Credentials
	// Gone says that the client of an on-client has left.
	Gone bool
	// State and Input are of a decode, State and Event of an encode. A nil State is what the last
	// answer left.
	State, Input []byte
	Event        codec.Event
}

// Answer is what a component answered. Bytes are the Probe's and hold until its next question.
type Answer struct {
	// Case is the case of the contract's answer: "allow", "replace", "news", "round-robin".
	Case string
	// Reason is that of a "deny".
	Reason mqtt.ReasonCode
	// Scope and Seconds say how far an authorizer's answer holds.
	Scope   string
	Seconds uint32
	// Messages are those of a "replace", or where a "send" of a router goes: the redirect, or the
	// message as it came, then the copies.
	Messages []broker.Message
	// Reach is that of a "send".
	Reach string
	// Grant is that of an "allow", or its Data that of a "challenge".
	Grant broker.Grant
	// Text is that of a "deny".
	Text string
	// Milliseconds are those of an on-timer.
	Milliseconds uint32
	// Decoded and Encoded are those of a codec.
	Decoded codec.Decoded
	Encoded codec.Encoded
}

// Ask asks one question. An error is a fault of the guest, which is dead then, and the Probe of no
// more use; or the role has no such function.
func (p *Probe) Ask(q *Question, a *Answer) error {
	*a = Answer{
		Messages: a.Messages[:0], Decoded: codec.Decoded{Requests: a.Decoded.Requests[:0]},
	}
	ask := probeOf(p.entry.role, q.Function)
	if ask == nil {
		return fmt.Errorf("link: probe: %s has no function %q", p.entry.role, q.Function)
	}
	if err := ask(p, q, a); err != nil {
		p.guest.guest.Kill(err.Error())
		return err
	}
	return nil
}

// Wants says whether a broker would ask that function about a message of that topic.
func (p *Probe) Wants(function string, topic []byte) bool {
	if p.entry.role == RoleCodec {
		return true
	}
	d := broker.Upstream
	if function == "downstream" {
		d = broker.Downstream
	}
	return p.guest.wants[d].has(topic)
}
