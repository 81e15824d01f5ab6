package http

import (
	"github.com/hpmq/hpmq/host/cap/abi"
	"github.com/hpmq/hpmq/host/cap/wasi/contract"
	"github.com/hpmq/hpmq/host/cap/wasi/state"
	"github.com/hpmq/hpmq/host/wasm"
)

// options are request-options: three times, in nanoseconds, nil for none.
type options [3]*uint64

func optionsKind() state.Kind[options] {
	return state.KindOf[options](TypesInterface, "request-options")
}

func optionsCalls() map[string]contract.Call {
	calls := map[string]contract.Call{"[constructor]request-options": newOptions}
	for i, name := range []string{"connect", "first-byte", "between-bytes"} {
		calls["[method]request-options."+name+"-timeout"] = getTimeout(i)
		calls["[method]request-options.set-"+name+"-timeout"] = setTimeout(i)
	}
	return calls
}

// constructor()
func newOptions(g *wasm.Guest, stack []uint64) { stack[0] = optionsKind().New(g, &options{}) }

// getTimeout makes func() -> option<duration>.
func getTimeout(i int) contract.Call {
	return func(g *wasm.Guest, stack []uint64) {
		d := optionsKind().Get(g, stack[0])[i]
		area := abi.Area(g, stack[1], 16, 8)
		area[0] = byte(abi.Bool(d != nil))
		if d != nil {
			abi.PutUint64(area[8:], *d)
		}
	}
}

// setTimeout makes func(duration: option<duration>) -> result.
func setTimeout(i int) contract.Call {
	return func(g *wasm.Guest, stack []uint64) {
		o := optionsKind().Get(g, stack[0])
		o[i] = nil
		if abi.Case(g, stack[1], 2) == 1 {
			d := stack[2]
			o[i] = &d
		}
		stack[0] = 0
	}
}
