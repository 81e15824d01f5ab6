package trial

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/cases"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// QuestionOf is a call of a case in the words of a link.
func QuestionOf(c *cases.Call) link.Question {
	q := link.Question{
		Function: c.Function, Topic: c.Topic, Payload: c.Payload, QoS: mqtt.QoS(c.QoS),
		Retain: c.Retain, Group: c.Group, Filter: c.Filter,
		Action: broker.Action(max(0, slices.Index(cases.Actions("authorize"), c.Action))),
		Gone:   c.Action == "disconnected",
		State:  stateOf(c.State), Input: c.Input,
	}
	if c.Event != nil {
		q.Event = eventOf(c.Event)
	}
	if w := c.Who; w != nil {
		q.Who = broker.Identity{
			ClientID: w.ClientID, Username: w.Username, Address: w.Address,
			Listener: w.Listener, Tenant: w.Tenant, Version: mqtt.V5,
		}
	}
	if c.Credentials != nil {
		q.Credentials = credentials(c.Credentials)
	}
	return q
}

func credentials(c *cases.Credentials) broker.Credentials {
	out := broker.Credentials{
		Identity: broker.Identity{
			ClientID: c.ClientID, Address: c.Address, Listener: link.ProbeListener,
			Version: mqtt.V5,
		},
		CertificateSubject: c.Subject, Method: c.Method, Data: c.Data, Step: c.Step,
	}
	if c.ProtocolVersion != 0 {
		out.Identity.Version = mqtt.Version(c.ProtocolVersion)
	}
	if c.Username != nil {
		out.HasUsername, out.Identity.Username = true, *c.Username
	}
	if c.Password != nil {
		out.HasPassword, out.Password = true, *c.Password
	}
	return out
}

// TextOf is the answer to a call as a case has it. The message of the call is borrowed.
func TextOf(q *link.Question, a *link.Answer) (json.RawMessage, error) {
	switch q.Function {
	case "on-timer":
		return cases.Text(a.Milliseconds)
	case "authorize":
		return cases.Text(decision(a))
	case "decode":
		return decodedText(&a.Decoded)
	case "encode":
		return encodedText(&a.Encoded)
	case "upstream", "downstream":
		if a.Case == "replace" {
			return cases.Text(MessagesOf(a.Messages))
		}
	case "route":
		if a.Case == "send" {
			return cases.Text(route(q, a))
		}
	case "authenticate":
		if a.Case != "next" {
			return cases.Text(verdict(a))
		}
	}
	return cases.Text(a.Case)
}

func decision(a *link.Answer) cases.Decision {
	d := cases.Decision{Decision: a.Case, Scope: a.Scope, Seconds: a.Seconds}
	if a.Case == "deny" {
		d.Decision = uint8(a.Reason)
	}
	return d
}

// MessagesOf are messages as a case has them; their bytes are those of list.
func MessagesOf(list []broker.Message) []cases.Message {
	out := make([]cases.Message, 0, len(list))
	for i := range list {
		out = append(out, cases.Message{
			Topic: list[i].Topic, Payload: list[i].Payload, QoS: byte(list[i].QoS),
			Retain: list[i].Retain,
		})
	}
	return out
}

// route tells the redirect from the copies: a "send" without one goes on under its own topic.
func route(q *link.Question, a *link.Answer) cases.Route {
	r := cases.Route{Reach: a.Reach}
	for i, m := range a.Messages {
		switch {
		case i > 0:
			r.Copies = append(r.Copies, m.Topic)
		case string(m.Topic) != string(q.Topic):
			r.Redirect = m.Topic
		}
	}
	return r
}

func verdict(a *link.Answer) cases.Verdict {
	data := cases.Bytes(a.Grant.Data)
	switch a.Case {
	case "allow":
		return cases.Verdict{Allow: &cases.Grant{
			Username: a.Grant.Username, Tenant: a.Grant.Tenant, ExpiresIn: a.Grant.ExpiresIn,
			Data: data,
		}}
	case "deny":
		reason := byte(a.Reason)
		return cases.Verdict{Deny: &reason, Text: a.Text}
	}
	return cases.Verdict{Challenge: &data}
}

// ask asks one call of a case.
func (t *Trial) ask(p *link.Probe, c *cases.Call) (json.RawMessage, error) {
	q := QuestionOf(c)
	var a link.Answer
	if err := p.Ask(&q, &a); err != nil {
		return nil, err
	}
	text, err := TextOf(&q, &a)
	if err != nil {
		return nil, fmt.Errorf("trial: %w", err)
	}
	return text, nil
}
