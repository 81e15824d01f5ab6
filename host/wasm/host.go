package wasm

import (
	"context"
	"slices"
	"strings"

	"github.com/tetratelabs/wazero/api"
)

// ValueType is a type of the canonical ABI's flat values, numbered as in the binary format.
type ValueType byte

// The flat types. A guest may have functions with others, but not among those it shares with us.
const (
	I32 ValueType = 0x7f
	I64 ValueType = 0x7e
	F32 ValueType = 0x7d
	F64 ValueType = 0x7c
)

func (t ValueType) String() string { return api.ValueTypeName(byte(t)) }

// HostFunc is a function a guest may import. Call runs on the goroutine that called the guest; it
// must not block and must bound its work: what grows with an argument is paid for by Guest.Charge.
// Parameters are at the start of stack, results are put there. It may use Guest.Alloc, Guest.Memory
// and Guest.Encoding, which are those that the caller has lowered the function with, and handles;
// it must not call other exports. What the guest gave wrongly is answered by Guest.Trap. A panic
// kills the guest and goes no further.
type HostFunc struct {
	Name            string
	Params, Results []ValueType
	// Type is what the function takes and gives in WIT, as package component writes it:
	// "(key: string) -> option<list<u8>>". Components must import it with that type; for core
	// modules, and where it is empty, the flat types alone are compared.
	Type string
	Call func(g *Guest, stack []uint64)
}

// HostModule is a host interface: "hpmq:broker/kv@0.1.0". Core modules drop handles of its
// resources by the functions "[resource-drop]NAME", which it need not name.
type HostModule struct {
	Name      string
	Funcs     []HostFunc
	Resources []HostResource
}

// provided is a host module as the engine knows it.
type provided struct {
	name      string // it was provided under
	functions map[string]hostFunction
	made      bool // by Engine.makeHost
}

// hostFunction is a function of the host. leaf marks one that never comes back into a guest.
type hostFunction struct {
	HostFunc
	leaf bool
}

func (f *hostFunction) signature() signature {
	return signature{params: f.Params, results: f.Results}
}

// dropFunc is for core modules. Components have trampolines for that.
func dropFunc(r *hostResource) HostFunc {
	return HostFunc{
		Name: "[resource-drop]" + r.Name, Params: []ValueType{I32},
		Call: func(g *Guest, stack []uint64) { g.dropHandle(r.id, uint32(stack[0])) },
	}
}

type signature struct{ params, results []ValueType }

func (s signature) String() string {
	return "(" + typeNames(s.params) + ") -> (" + typeNames(s.results) + ")"
}

func (s signature) equal(t signature) bool {
	return slices.Equal(s.params, t.params) && slices.Equal(s.results, t.results)
}

func typeNames(types []ValueType) string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = t.String()
	}
	return strings.Join(names, ", ")
}

func apiTypes(types []ValueType) []api.ValueType {
	out := make([]api.ValueType, len(types))
	for i, t := range types {
		out[i] = byte(t)
	}
	return out
}

func valueTypes(types []byte) []ValueType {
	out := make([]ValueType, len(types))
	for i, t := range types {
		out[i] = ValueType(t)
	}
	return out
}

// hostCallFuel is what a call of a host function costs beyond the instruction: leaving native code
// and coming back takes some 60 ns.
const hostCallFuel = 64

// direct is the function as core modules call it. The component model forbids a guest to call out
// while it allocates for its caller or cleans up; leaf functions are needed then too (a language's
// runtime reads the clock while it collects garbage).
func (f hostFunction) direct() api.GoModuleFunc {
	return func(ctx context.Context, _ api.Module, stack []uint64) {
		g := ctx.(*callContext).guest
		g.Charge(hostCallFuel)
		if g.state == allocating && !f.leaf {
			g.Trap("calls " + f.Name + " from within cabi_realloc or cabi_post")
		}
		f.Call(g, stack)
	}
}
