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
// Parameters are at the start of stack, results are put there. It may use Guest.Alloc and
// Guest.Memory, it must not call other exports. What the guest gave wrongly is answered by
// Guest.Trap. A panic kills the guest and goes no further.
type HostFunc struct {
	Name            string
	Params, Results []ValueType
	Call            func(g *Guest, stack []uint64)
}

// HostModule is a host interface: "hpmq:broker/kv@0.1.0".
type HostModule struct {
	Name  string
	Funcs []HostFunc
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

// hostCall makes a host function the engine's. The component model forbids a guest to call out
// while it allocates for its caller or cleans up; leaf marks functions that never come back into a
// guest and are needed then too (a language's runtime reads the clock while it collects garbage).
func hostCall(f HostFunc, leaf bool) api.GoModuleFunc {
	return func(ctx context.Context, _ api.Module, stack []uint64) {
		g := ctx.(*callContext).guest
		g.Charge(hostCallFuel)
		if g.state == allocating && !leaf {
			g.Trap("calls " + f.Name + " from within cabi_realloc or cabi_post")
		}
		f.Call(g, stack)
	}
}
