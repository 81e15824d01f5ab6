// Package http serves wasi:http/types and wasi:http/outgoing-handler: requests are made in memory,
// and refused when they shall go out. It does not know the network.
package http

import (
	"github.com/hpmq/hpmq/host/cap/abi"
	"github.com/hpmq/hpmq/host/cap/wasi/contract"
	"github.com/hpmq/hpmq/host/wasm"
)

// The interfaces that the package serves.
const (
	TypesInterface    = "wasi:http/types"
	OutgoingInterface = "wasi:http/outgoing-handler"
)

// Parts are the interfaces.
func Parts() []contract.Part {
	types := contract.Part{
		Interface: TypesInterface, Calls: map[string]contract.Call{},
		// These come from a server or a client, and there is none.
		Unmade: []string{
			"incoming-request", "incoming-response", "incoming-body", "response-outparam",
			"future-incoming-response", "future-trailers", "error",
		},
	}
	for _, calls := range []map[string]contract.Call{
		fieldsCalls(), requestCalls(), optionsCalls(), responseCalls(), bodyCalls(),
	} {
		for name, call := range calls {
			types.Calls[name] = call
		}
	}
	return []contract.Part{
		types, {Interface: OutgoingInterface, Calls: map[string]contract.Call{"handle": handle}},
	}
}

// requestDenied is the case HTTP-request-denied of error-code.
const requestDenied = 15

// handle: func(request: outgoing-request, options: option<request-options>)
// -> result<future-incoming-response, error-code>
func handle(g *wasm.Guest, stack []uint64) {
	requestKind().Take(g, stack[0])
	if abi.Case(g, stack[1], 2) == 1 {
		optionsKind().Take(g, stack[2])
	}
	area := abi.Area(g, stack[3], 40, 8)
	area[0], area[8] = 1, requestDenied
}
