// Package wasi serves WASI 0.2 to guests. It knows which rooms serve which interface.
//
// A guest gets clocks, random numbers, the variables its link gives, and lines in the log. It has
// no files; sockets and outgoing HTTP are there and refuse. Every interface and function of 0.2 is
// there, so that a component that a toolchain links with all of it can be loaded. Modules of
// preview 1 see the same clock and the same variables.
package wasi

import (
	"slices"
	"time"

	"github.com/hpmq/hpmq/host/cap/wasi/cli"
	"github.com/hpmq/hpmq/host/cap/wasi/clocks"
	"github.com/hpmq/hpmq/host/cap/wasi/contract"
	"github.com/hpmq/hpmq/host/cap/wasi/filesystem"
	"github.com/hpmq/hpmq/host/cap/wasi/http"
	"github.com/hpmq/hpmq/host/cap/wasi/poll"
	"github.com/hpmq/hpmq/host/cap/wasi/preview1"
	"github.com/hpmq/hpmq/host/cap/wasi/random"
	"github.com/hpmq/hpmq/host/cap/wasi/sockets"
	"github.com/hpmq/hpmq/host/cap/wasi/state"
	"github.com/hpmq/hpmq/host/cap/wasi/streams"
	"github.com/hpmq/hpmq/host/wasm"
)

// Modules are the interfaces, and what preview 1 has of them, for the engine, whose clock and
// random numbers they pass on. sleep blocks: time.Sleep. Env of guests is a state.Env.
func Modules(sleep func(time.Duration)) []wasm.HostModule {
	clock := &poll.Clock{Sleep: sleep}
	return append(contract.Modules(slices.Concat(
		[]contract.Part{poll.Part(clock)}, streams.Parts(), clocks.Parts(clock),
		random.Parts(), cli.Parts(), filesystem.Parts(), sockets.Parts(), http.Parts(),
	), state.Drop), preview1.Module(clock))
}
