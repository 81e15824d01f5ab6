// Package enhanced is what the guest behind the target enhanced of the suite decides by: one
// authentication method with a challenge. It does not know how a question reaches it, nor who
// judges the broker around it.
package enhanced

import (
	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/authenticator"
)

// Method is the authentication method; it is that of the suite, which the guest cannot import.
const Method = "HPMQ-CONFORMANCE"

// Exchange is the authenticator.
type Exchange struct{}

// Configure takes any configuration: there is nothing to say.
func (Exchange) Configure(string) (guest.Interest, error) { return guest.Interest{}, nil }

// Authenticate judges a step of the exchange. A client that names no method is not let in.
func (Exchange) Authenticate(c *authenticator.Credentials) authenticator.Answer {
	switch {
	case c.Method == "":
		return authenticator.Deny(authenticator.NotAuthorized, "no authentication method")
	case c.Method != Method:
		return authenticator.Deny(authenticator.BadMethod, "unknown authentication method")
	case c.Step == 0 && string(c.Data) == "hello":
		return authenticator.Challenge([]byte("challenge"))
	case c.Step == 1 && string(c.Data) == "response":
		return authenticator.Allow(authenticator.Grant{Data: []byte("welcome")})
	}
	return authenticator.Deny(authenticator.NotAuthorized, "wrong authentication data")
}
