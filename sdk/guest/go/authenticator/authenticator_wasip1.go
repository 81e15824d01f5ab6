package authenticator

import (
	"unsafe"

	"github.com/hpmq/hpmq/sdk/guest/go/internal/abi"
	"github.com/hpmq/hpmq/sdk/guest/go/internal/lifecycle"
)

var (
	handler Handler
	last    Answer // keeps its bytes until the host has read them
	// answer is the variant verdict: 0 tag; then of allow 1..2 username, 3..4 tenant, 5 expires-in,
	// 6..7 data; of deny 1 reason-code, 2..3 text; of challenge 1..2.
	answer [8]abi.Word
)

// Serve makes h answer the role. A main package calls it while its variables are set, since main
// itself never runs: var _ = authenticator.Serve(h).
func Serve(h Handler) bool {
	handler = h
	lifecycle.Serve(h)
	return true
}

// credentials has 20 flat values, more than fit into parameters: it comes as a record in memory.
type credentials struct {
	clientID           [2]abi.Word
	username           [3]abi.Word // tag, then the string
	password           [3]abi.Word // tag, then the list
	address            [2]abi.Word
	listener           [2]abi.Word
	version            abi.Word // one byte and three of padding
	certificateSubject [2]abi.Word
	method             [2]abi.Word
	data               [2]abi.Word
	step               abi.Word
}

//go:wasmexport hpmq:broker/authenticator@0.1.0#authenticate
func authenticate(record unsafe.Pointer) unsafe.Pointer {
	abi.Enter()
	last = handler.Authenticate(lift((*credentials)(record)))
	lower(&last)
	abi.Leave()
	return unsafe.Pointer(&answer)
}

// lift reads the record. The bytes of a tag beside its lowest are padding, which may hold anything.
func lift(r *credentials) *Credentials {
	c := &Credentials{
		ClientID:           abi.TextAt(r.clientID[0], r.clientID[1]),
		HasUsername:        r.username[0]&0xFF != 0,
		HasPassword:        r.password[0]&0xFF != 0,
		Address:            abi.TextAt(r.address[0], r.address[1]),
		Listener:           abi.TextAt(r.listener[0], r.listener[1]),
		Version:            uint8(r.version),
		CertificateSubject: abi.TextAt(r.certificateSubject[0], r.certificateSubject[1]),
		Method:             abi.TextAt(r.method[0], r.method[1]),
		Data:               abi.BytesAt(r.data[0], r.data[1]),
		Step:               r.step,
	}
	if c.HasUsername {
		c.Username = abi.TextAt(r.username[1], r.username[2])
	}
	if c.HasPassword {
		c.Password = abi.BytesAt(r.password[1], r.password[2])
	}
	return c
}

func lower(a *Answer) {
	answer = [8]abi.Word{abi.Word(a.Kind)}
	switch a.Kind {
	case KindAllow:
		abi.PutText(answer[1:], a.Grant.Username)
		abi.PutText(answer[3:], a.Grant.Tenant)
		answer[5] = a.Grant.ExpiresIn
		abi.PutBytes(answer[6:], a.Grant.Data)
	case KindDeny:
		answer[1] = abi.Word(a.Reason)
		abi.PutText(answer[2:], a.Text)
	case KindChallenge:
		abi.PutBytes(answer[1:], a.Data)
	}
}
