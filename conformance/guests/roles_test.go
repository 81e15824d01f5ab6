package guests

import (
	"encoding/binary"
	"slices"

	"github.com/hpmq/hpmq/host/cap/payload"
	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/authenticator"
	"github.com/hpmq/hpmq/sdk/guest/go/guesttest"
	"github.com/hpmq/hpmq/sdk/guest/go/router"
)

// Do asks the function of the call; it is the Target of the golden cases.
func (in *instance) Do(c *guesttest.Call) (any, error) {
	switch c.Function {
	case "authorize":
		return in.authorize(c)
	case "upstream", "downstream":
		return in.transform(c)
	case "check":
		return in.check(c)
	case "route":
		return in.route(c)
	case "share":
		in.pass(c.Group)
		in.pass(c.Filter)
		v, err := in.call("router", "share")
		return guesttest.ShareAnswer(v), err
	case "authenticate":
		return in.authenticate(&c.Credentials)
	}
	return nil, errFunction
}

func (in *instance) who(w *guesttest.Who) {
	for _, s := range []string{w.ClientID, w.Username, w.Address, w.Listener, w.Tenant} {
		in.pass(s)
	}
}

func (in *instance) flag(v bool) {
	if v {
		in.num(1)
	} else {
		in.num(0)
	}
}

func (in *instance) message(c *guesttest.Call) {
	in.who(&c.Who)
	in.pass(c.Topic)
	in.pass(string(c.Payload))
	in.num(uint64(c.QoS))
	in.flag(c.Retain)
}

// check asks by handle about large payloads, as the broker does.
func (in *instance) check(c *guesttest.Call) (any, error) {
	const byHandle = "hpmq:broker/deduplicator-by-handle@0.1.0#check"
	if len(c.Payload) <= guesttest.LentAbove || !in.guest.Module().Has(byHandle) {
		in.message(c)
		v, err := in.call("deduplicator", "check")
		return guesttest.CheckAnswer(v), err
	}
	f, err := in.guest.Func(byHandle)
	if err != nil {
		return nil, err
	}
	in.who(&c.Who)
	in.pass(c.Topic)
	handle, err := payload.Lend(in.guest, f)
	if err != nil {
		return nil, err
	}
	in.env.lent = []byte(c.Payload)
	in.num(uint64(handle))
	in.num(uint64(c.QoS))
	in.flag(c.Retain)
	err = in.guest.Call(f, in.stack[:])
	in.slots, in.used = 0, 0
	return guesttest.CheckAnswer(uint32(in.stack[0])), err
}

func (in *instance) authorize(c *guesttest.Call) (any, error) {
	in.who(&c.Who)
	in.num(uint64(slices.Index(guesttest.Actions(), c.Action)))
	in.pass(c.Topic)
	in.num(uint64(c.QoS))
	v, err := in.call("authorizer", "authorize")
	return guesttest.AuthorizeAnswer(v), err
}

func (in *instance) transform(c *guesttest.Call) (any, error) {
	in.message(c)
	at, err := in.call("transformer", c.Function)
	if err != nil {
		return nil, err
	}
	var list []guest.Message
	outcome := in.byte(at)
	if outcome == 2 {
		for i := range in.word(at + 8) {
			m := in.word(at+4) + 20*i
			list = append(list, guest.Message{
				Topic: in.text(m), Payload: []byte(in.text(m + 8)),
				QoS: guest.QoS(in.byte(m + 16)), Retain: in.byte(m+17) != 0,
			})
		}
	}
	return guesttest.TransformAnswer(outcome, list), nil
}

func (in *instance) route(c *guesttest.Call) (any, error) {
	in.who(&c.Who)
	in.pass(c.Topic)
	in.num(uint64(c.QoS))
	in.flag(c.Retain)
	at, err := in.call("router", "route")
	if err != nil {
		return nil, err
	}
	var r router.Route
	outcome := in.byte(at)
	if outcome == 2 {
		r.Copies = in.texts(at + 4)
		r.Redirect = in.text(at + 12)
		r.Reach = router.Reach(in.byte(at + 20))
	}
	return guesttest.RouteAnswer(outcome, &r), nil
}

// credentialsBytes is the size of the record credentials, which is passed in memory.
const credentialsBytes = 80

func (in *instance) authenticate(c *guesttest.Credentials) (any, error) {
	r := make([]byte, credentialsBytes)
	put := func(off int, s string) {
		binary.LittleEndian.PutUint32(r[off:], in.place(s))
		binary.LittleEndian.PutUint32(r[off+4:], uint32(len(s)))
	}
	option := func(off int, s *string) {
		// Padding may hold anything: a guest must look at the tag's one byte only.
		copy(r[off:], "\x00\xAA\xAA\xAA")
		if s != nil {
			r[off] = 1
			put(off+4, *s)
		}
	}
	put(0, c.ClientID)
	option(8, c.Username)
	option(20, c.Password)
	put(32, c.Address)
	put(40, "test")
	copy(r[48:], "\x05\xAA\xAA\xAA")
	put(52, c.Subject)
	put(60, c.Method)
	put(68, c.Data)
	binary.LittleEndian.PutUint32(r[76:], c.Step)
	at, err := in.guest.Alloc(credentialsBytes, 4)
	if err != nil || !in.guest.Memory().Write(at, r) {
		in.t.Fatalf("no room for credentials at %#x: %v", at, err)
	}
	in.num(uint64(at))
	if at, err = in.call("authenticator", "authenticate"); err != nil {
		return nil, err
	}
	return guesttest.AuthenticateAnswer(in.verdict(at)), nil
}

func (in *instance) verdict(at uint32) *authenticator.Answer {
	a := &authenticator.Answer{Kind: authenticator.Kind(in.byte(at))}
	switch a.Kind {
	case authenticator.KindAllow:
		a.Grant = authenticator.Grant{
			Username: in.text(at + 4), Tenant: in.text(at + 12), ExpiresIn: in.word(at + 20),
			Data: []byte(in.text(at + 24)),
		}
	case authenticator.KindDeny:
		a.Reason, a.Text = uint8(in.byte(at+4)), in.text(at+8)
	case authenticator.KindChallenge:
		a.Data = []byte(in.text(at + 4))
	}
	return a
}
