package lifecycle

import (
	"unsafe"

	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/config"
	"github.com/hpmq/hpmq/sdk/guest/go/internal/abi"
)

// Handler is what every role's handler begins with.
type Handler interface {
	Configure(config string) (guest.Interest, error)
}

// Serve makes h answer configure. It is called while package variables are set.
func Serve(h Handler) { handler = h }

var (
	handler Handler
	// interest and reason keep the answer until the host has read it.
	interest guest.Interest
	reason   string
	// answer is result<interest, string>: 0 tag, 1..4 the two lists, or 1..2 the text.
	answer [5]abi.Word
)

//go:wasmexport hpmq:broker/lifecycle@0.1.0#configure
func configure() unsafe.Pointer {
	abi.Enter()
	defer abi.Leave()
	var err error
	if interest, err = handler.Configure(config.JSON()); err != nil {
		reason = err.Error()
		answer[0] = 1
		abi.PutText(answer[1:], reason)
		return unsafe.Pointer(&answer)
	}
	answer[0] = 0
	abi.PutTexts(answer[1:], interest.Inbound)
	abi.PutTexts(answer[3:], interest.Outbound)
	return unsafe.Pointer(&answer)
}

var who guest.Identity

// Who is the identity made of its ten flat parameters; it holds for the call that runs.
func Who(p0 unsafe.Pointer, n0 uint32, p1 unsafe.Pointer, n1 uint32, p2 unsafe.Pointer, n2 uint32,
	p3 unsafe.Pointer, n3 uint32, p4 unsafe.Pointer, n4 uint32) *guest.Identity {
	who = guest.Identity{
		ClientID: abi.Text(p0, n0), Username: abi.Text(p1, n1), Address: abi.Text(p2, n2),
		Listener: abi.Text(p3, n3), Tenant: abi.Text(p4, n4),
	}
	return &who
}
