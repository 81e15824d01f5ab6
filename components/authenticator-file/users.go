// Package users is what the component authenticator-file decides by: a list of users with slow
// hashes of their passwords, whom client certificates stand for, whether a client without a name
// may come in. It does not know how a question reaches it (package authenticator of the guest SDK).
package users

import (
	"net/netip"

	"github.com/hpmq/hpmq/sdk/guest/go/authenticator"
	"github.com/hpmq/hpmq/sdk/passhash"
)

// Users is the authenticator.
type Users struct {
	users        map[string]user
	certificates certificates
	anonymous    anonymous
	// unknown is what a name that is not in the list gets.
	unknown authenticator.Kind
	// decoy is checked where there is no user, so that an answer takes as long as for one.
	decoy passhash.Hash
}

type user struct {
	hash   passhash.Hash
	tenant string
}

// anonymous is which clients come in without a name.
type anonymous uint8

const (
	loopback anonymous = iota // from this machine
	always
	never
)

// Authenticate judges a CONNECT.
func (u *Users) Authenticate(c *authenticator.Credentials) authenticator.Answer {
	if c.Method != "" {
		// Enhanced authentication is not ours [MQTT-4.12.0-1].
		return authenticator.Next()
	}
	if answer, ok := u.certificates.judge(c.CertificateSubject); ok {
		return answer
	}
	if !c.HasUsername || len(u.users) == 0 {
		return u.judgeAnonymous(c)
	}
	return u.judgeUser(c)
}

// judgeAnonymous judges a client without a name, or with one where nobody has a password: the name
// is then a label, not a proof.
func (u *Users) judgeAnonymous(c *authenticator.Credentials) authenticator.Answer {
	if u.anonymous == always || u.anonymous == loopback && isHere(c.Address) {
		return authenticator.Allow(authenticator.Grant{})
	}
	if u.unknown == authenticator.KindNext {
		return authenticator.Next()
	}
	if c.HasUsername {
		return authenticator.Deny(authenticator.BadUserNameOrPassword, "no users are configured")
	}
	return authenticator.Deny(authenticator.NotAuthorized, "anonymous clients are not allowed")
}

func (u *Users) judgeUser(c *authenticator.Credentials) authenticator.Answer {
	who, known := u.users[c.Username]
	if !known {
		who.hash = u.decoy
	}
	ok := who.hash.Matches(c.Password)
	switch {
	case known && ok && c.HasPassword:
		return authenticator.Allow(authenticator.Grant{Tenant: who.tenant})
	case !known && u.unknown == authenticator.KindNext:
		return authenticator.Next()
	case !known:
		return authenticator.Deny(authenticator.BadUserNameOrPassword, "unknown user")
	case !c.HasPassword:
		return authenticator.Deny(authenticator.BadUserNameOrPassword, "no password")
	}
	return authenticator.Deny(authenticator.BadUserNameOrPassword, "wrong password")
}

// isHere is true for clients on this machine: nobody else reaches a unix socket.
func isHere(address string) bool {
	if address == "unix" {
		return true
	}
	a, err := netip.ParseAddr(address)
	return err == nil && a.Unmap().IsLoopback()
}
