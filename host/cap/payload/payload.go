// Package payload serves hpmq:broker/payload: a payload that a guest is lent for one call, of which
// it reads what it needs. It knows where the payload lies and how large a piece may be; it does not
// know who lends it, or when.
package payload

import (
	"github.com/hpmq/hpmq/host/cap/abi"
	"github.com/hpmq/hpmq/host/wasm"
)

// Name is the interface as a guest imports it.
const Name = "hpmq:broker/payload@0.1.0"

// Resource is the name of what is lent.
const Resource = "body"

// ReadBytesMax is what one read gives at most.
const ReadBytesMax = 64 << 10

// hashedPerFuel is how many bytes are hashed in the time of one instruction.
const hashedPerFuel = 4

// Env is what the environment of a guest must answer.
type Env interface {
	// Payload is what is lent for the call at hand, borrowed until its end; nil if nothing is. It
	// is only asked for while the guest has a handle.
	Payload() []byte
}

// Module is the interface for the engine. All handles of a guest are of the one payload that its
// environment has.
func Module() wasm.HostModule {
	return wasm.HostModule{
		Name: Name, Resources: []wasm.HostResource{{Name: Resource}},
		Funcs: []wasm.HostFunc{{
			Name: "[method]body.size", Params: abi.Types("i"), Results: abi.Types("I"), Call: size,
			Type: "(self: borrow<body>) -> u64",
		}, {
			Name: "[method]body.read", Params: abi.Types("iIii"), Call: read,
			Type: "(self: borrow<body>, offset: u64, count: u32) -> list<u8>",
		}, {
			Name: "[method]body.fingerprint", Params: abi.Types("i"), Results: abi.Types("I"),
			Call: fingerprint, Type: "(self: borrow<body>) -> u64",
		}},
	}
}

// Lend gives the guest a handle to the payload of its environment for the next call of f.
func Lend(g *wasm.Guest, f *wasm.Func) (uint32, error) { return g.Lend(f, Name, Resource, 0) }

// behind is the payload behind a handle.
func behind(g *wasm.Guest, handle uint64) []byte {
	g.Rep(Name, Resource, uint32(handle))
	env, ok := g.Env().(Env)
	if !ok {
		g.Trap("payload is not served here")
	}
	return env.Payload()
}

// size: func() -> u64
func size(g *wasm.Guest, stack []uint64) { stack[0] = uint64(len(behind(g, stack[0]))) }

// read: func(offset: u64, count: u32) -> list<u8>
func read(g *wasm.Guest, stack []uint64) {
	b := behind(g, stack[0])
	b = b[min(stack[1], uint64(len(b))):]
	abi.PutList(g, stack[3], b[:min(uint64(uint32(stack[2])), ReadBytesMax, uint64(len(b)))])
}

// fingerprint: func() -> u64
func fingerprint(g *wasm.Guest, stack []uint64) {
	b := behind(g, stack[0])
	g.Charge(uint64(len(b)) / hashedPerFuel)
	stack[0] = Sum(b)
}
