// Package authenticator is the role hpmq:broker/authenticator: what a component that says who may
// connect answers to. It knows the words of the role and its export; who may, the Handler knows.
package authenticator

import guest "github.com/hpmq/hpmq/sdk/guest/go"

// Reason codes of MQTT 5 that refusals use.
const (
	UnspecifiedError      = 0x80
	BadUserNameOrPassword = 0x86
	NotAuthorized         = 0x87
	BadMethod             = 0x8C
)

// Credentials are what a client showed of itself, borrowed until return.
type Credentials struct {
	ClientID    string
	HasUsername bool
	Username    string
	HasPassword bool
	Password    []byte
	// Address is the remote address without the port.
	Address  string
	Listener string
	// Version is 3, 4 or 5, as on the wire.
	Version uint8
	// CertificateSubject is of a verified client certificate, or empty.
	CertificateSubject string
	// Method is the Authentication Method of MQTT 5, or empty.
	Method string
	// Data is the Authentication Data of MQTT 5: of CONNECT, then of each AUTH.
	Data []byte
	// Step is 0 for CONNECT, then 1, 2, … for each AUTH of the same exchange.
	Step uint32
}

// Kind is which case of the WIT variant hpmq:broker/authenticator.verdict an Answer is.
type Kind uint32

// The values are those of the variant.
const (
	KindAllow Kind = iota
	KindDeny
	KindChallenge
	KindNext
)

// Grant is what an accepted client may be.
type Grant struct {
	// Username is the name the broker knows the client by; empty keeps the one given.
	Username string
	Tenant   string
	// ExpiresIn is seconds until the client must have authenticated again; 0 for no limit.
	ExpiresIn uint32
	// Data is the Authentication Data of the CONNACK, or empty.
	Data []byte
}

// Answer is the verdict. Its bytes must hold until the next call.
type Answer struct {
	Kind   Kind
	Grant  Grant
	Reason uint8
	// Text is for the log; the client never sees it.
	Text string
	// Data is what a challenge sends.
	Data []byte
}

// Allow accepts the client.
func Allow(g Grant) Answer { return Answer{Kind: KindAllow, Grant: g} }

// Deny refuses it with an MQTT 5 reason code of 0x80 or more.
func Deny(reason uint8, text string) Answer {
	return Answer{Kind: KindDeny, Reason: reason, Text: text}
}

// Challenge sends AUTH with data and asks again with what the client answers (MQTT 5 only).
func Challenge(data []byte) Answer { return Answer{Kind: KindChallenge, Data: data} }

// Next leaves it to the next authenticator of the chain; the end of the chain denies.
func Next() Answer { return Answer{Kind: KindNext} }

// Handler answers the role.
type Handler interface {
	// Configure reads the configuration, JSON text. An error is a text for the operator. The
	// interest is not looked at.
	Configure(config string) (guest.Interest, error)
	// Authenticate judges a CONNECT or an AUTH.
	Authenticate(c *Credentials) Answer
}
