package users

import (
	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/authenticator"
	"github.com/hpmq/hpmq/sdk/guest/go/settings"
	"github.com/hpmq/hpmq/sdk/passhash"
)

// Configure reads the users and the certificates.
func (u *Users) Configure(config string) (guest.Interest, error) {
	*u = Users{users: map[string]user{}}
	o := settings.Parse(config)
	o.Known("users", "anonymous", "unknown", "certificates", "certificate_username")
	u.certificates = readCertificates(o)
	switch o.OneOf("anonymous", "loopback", "loopback", "always", "never") {
	case "always":
		u.anonymous = always
	case "never":
		u.anonymous = never
	}
	u.unknown = authenticator.KindDeny
	if o.OneOf("unknown", "deny", "deny", "next") == "next" {
		u.unknown = authenticator.KindNext
	}
	for i, line := range o.Objects("users") {
		name, who := readUser(line)
		if _, twice := u.users[name]; twice {
			line.Fail("name", "user "+name+" is there twice")
		}
		u.users[name] = who
		if i == 0 {
			u.decoy = who.hash
		}
	}
	return guest.Interest{}, o.Err()
}

func readUser(o *settings.Object) (string, user) {
	o.Known("name", "hash", "tenant")
	name := o.Text("name", "")
	if name == "" {
		o.Fail("name", "a user needs a name")
	}
	// The hash itself is left out of the text: errors end up in logs.
	hash, err := passhash.Parse(o.Text("hash", ""))
	if err != nil {
		o.Fail("hash", "of user "+name+": want $pbkdf2-sha256$i=…,l=…$SALT$HASH")
	}
	return name, user{hash: hash, tenant: o.Text("tenant", "")}
}
