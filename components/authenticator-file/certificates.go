package users

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hpmq/hpmq/sdk/guest/go/authenticator"
	"github.com/hpmq/hpmq/sdk/guest/go/settings"
)

// certificates is whom verified certificates of clients stand for.
type certificates struct {
	// listed are by the text of their subject.
	listed map[string]holder
	// others is what the rest is called by.
	others naming
}

// holder is who has a certificate.
type holder struct{ username, tenant string }

// naming is what in a certificate is a username.
type naming uint8

const (
	nothing     naming  = iota // only listed certificates are a name
	commonName                 // the CN of the subject
	wholeName                  // the whole subject, as RFC 4514 writes it
	usernameMax = 65535        // what MQTT can carry
)

// readCertificates reads them from the configuration.
func readCertificates(o *settings.Object) certificates {
	c := certificates{listed: map[string]holder{}}
	switch o.OneOf("certificate_username", "off", "off", "cn", "subject") {
	case "cn":
		c.others = commonName
	case "subject":
		c.others = wholeName
	}
	for _, line := range o.Objects("certificates") {
		line.Known("subject", "username", "tenant")
		s, err := parseSubject(line.Text("subject", ""))
		if err != nil {
			line.Fail("subject", err.Error())
		}
		if _, twice := c.listed[s.text]; twice {
			line.Fail("subject", s.text+" is there twice")
		}
		name := line.Text("username", s.cn)
		if name == "" {
			line.Fail("username", "is needed: the subject has no single CN to take")
		}
		c.listed[s.text] = holder{username: name, tenant: line.Text("tenant", "")}
	}
	return c
}

// judge answers for a certificate that is a name; false: it is none, or there is none.
func (c *certificates) judge(text string) (authenticator.Answer, bool) {
	if text == "" || c.others == nothing && len(c.listed) == 0 {
		return authenticator.Answer{}, false
	}
	s, err := parseSubject(text)
	if err != nil {
		return authenticator.Answer{}, false
	}
	who, ok := c.listed[s.text]
	if !ok {
		switch c.others {
		case commonName:
			who.username = s.cn
		case wholeName:
			who.username = text
		}
	}
	if !usable(who.username) {
		return authenticator.Answer{}, false
	}
	return authenticator.Allow(authenticator.Grant{
		Username: who.username, Tenant: who.tenant,
	}), true
}

// usable says whether a text from a certificate can be a username: authorities sign stranger things
// than MQTT takes.
func usable(name string) bool {
	return name != "" && len(name) <= usernameMax && utf8.ValidString(name) &&
		strings.IndexFunc(name, unicode.IsControl) < 0
}
