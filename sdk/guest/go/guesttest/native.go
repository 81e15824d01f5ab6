package guesttest

import (
	"errors"
	"slices"

	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/authenticator"
	"github.com/hpmq/hpmq/sdk/guest/go/authorizer"
	"github.com/hpmq/hpmq/sdk/guest/go/deduplicator"
	"github.com/hpmq/hpmq/sdk/guest/go/deduplicator/byhandle"
	"github.com/hpmq/hpmq/sdk/guest/go/router"
	"github.com/hpmq/hpmq/sdk/guest/go/transformer"
)

// The targets of this file ask the handler itself, in the test's own process.

// Authorizer asks h.
func Authorizer(h authorizer.Handler) Target { return authorizing{h} }

// Transformer asks h.
func Transformer(h transformer.Handler) Target { return transforming{h} }

// Deduplicator asks h.
func Deduplicator(h deduplicator.Handler) Target { return deduplicating{h} }

// Router asks h.
func Router(h router.Handler) Target { return routing{h} }

// Authenticator asks h.
func Authenticator(h authenticator.Handler) Target { return authenticating{h} }

var errFunction = errors.New("guesttest: the role has no such function")

func (w *Who) identity() *guest.Identity {
	id := guest.Identity(*w)
	return &id
}

func (c *Call) message() *guest.Message {
	return &guest.Message{
		Topic: c.Topic, Payload: []byte(c.Payload), QoS: c.QoS, Retain: c.Retain,
	}
}

type authorizing struct{ authorizer.Handler }

func (t authorizing) Do(c *Call) (any, error) {
	action := slices.Index(Actions(), c.Action)
	if c.Function != "authorize" || action < 0 {
		return nil, errFunction
	}
	a := t.Authorize(c.Who.identity(), authorizer.Action(action), c.Topic, c.QoS)
	return AuthorizeAnswer(uint32(a)), nil
}

type transforming struct{ transformer.Handler }

func (t transforming) Do(c *Call) (any, error) {
	ask := t.Upstream
	switch c.Function {
	case "upstream":
	case "downstream":
		ask = t.Downstream
	default:
		return nil, errFunction
	}
	var out []guest.Message
	outcome := ask(c.Who.identity(), c.message(), &out)
	return TransformAnswer(uint32(outcome), out), nil
}

type deduplicating struct{ deduplicator.Handler }

func (t deduplicating) Do(c *Call) (any, error) {
	if c.Function != "check" {
		return nil, errFunction
	}
	who := c.Who.identity()
	if h, ok := t.Handler.(byhandle.Handler); ok && len(c.Payload) > LentAbove {
		m := guest.Lent{
			Topic: c.Topic, Payload: Body(c.Payload), QoS: c.QoS, Retain: c.Retain,
		}
		return CheckAnswer(uint32(h.CheckLent(who, &m))), nil
	}
	return CheckAnswer(uint32(t.Check(who, c.message()))), nil
}

type routing struct{ router.Handler }

func (t routing) Do(c *Call) (any, error) {
	switch c.Function {
	case "share":
		return ShareAnswer(uint32(t.Share(c.Group, c.Filter))), nil
	case "route":
		m := c.message()
		m.Payload = nil
		r := router.Route{Reach: router.Region}
		outcome := t.Route(c.Who.identity(), m, &r)
		return RouteAnswer(uint32(outcome), &r), nil
	}
	return nil, errFunction
}

type authenticating struct{ authenticator.Handler }

func (t authenticating) Do(c *Call) (any, error) {
	if c.Function != "authenticate" {
		return nil, errFunction
	}
	who := authenticator.Credentials{
		ClientID: c.Credentials.ClientID, Address: c.Credentials.Address,
		Listener: "test", Version: 5, Method: c.Credentials.Method,
		Data: []byte(c.Credentials.Data), Step: c.Credentials.Step,
		CertificateSubject: c.Credentials.Subject,
	}
	if u := c.Credentials.Username; u != nil {
		who.HasUsername, who.Username = true, *u
	}
	if p := c.Credentials.Password; p != nil {
		who.HasPassword, who.Password = true, []byte(*p)
	}
	a := t.Authenticate(&who)
	return AuthenticateAnswer(&a), nil
}
