// Package wasi serves WASI 0.2 to guests. It knows which rooms serve which interface.
//
// A guest gets clocks, random numbers, the variables its link gives, and lines in the log. It has
// no files; sockets and outgoing HTTP are there and refuse. Every interface and function of 0.2 is
// there, so that a component that a toolchain links with all of it can be loaded.
package wasi

import (
	"crypto/rand"
	"slices"
	"time"

	"github.com/hpmq/hpmq/host/cap/wasi/cli"
	"github.com/hpmq/hpmq/host/cap/wasi/clocks"
	"github.com/hpmq/hpmq/host/cap/wasi/contract"
	"github.com/hpmq/hpmq/host/cap/wasi/filesystem"
	"github.com/hpmq/hpmq/host/cap/wasi/http"
	"github.com/hpmq/hpmq/host/cap/wasi/poll"
	"github.com/hpmq/hpmq/host/cap/wasi/random"
	"github.com/hpmq/hpmq/host/cap/wasi/sockets"
	"github.com/hpmq/hpmq/host/cap/wasi/state"
	"github.com/hpmq/hpmq/host/cap/wasi/streams"
	"github.com/hpmq/hpmq/host/wasm"
)

// World is what differs from run to run: all else that a guest is told follows from its calls.
type World struct {
	// Now is the time; monotonic, as time.Now is.
	Now func() time.Time
	// Sleep blocks.
	Sleep func(time.Duration)
	// Random fills b. It must not block for long.
	Random func(b []byte)
}

// System is the world as the machine has it.
func System() World {
	return World{Now: time.Now, Sleep: time.Sleep, Random: func(b []byte) {
		// It never fails: it ends the process when the system has no randomness.
		_, _ = rand.Read(b)
	}}
}

// Modules are the interfaces for the engine. Env of guests is a state.Env.
func Modules(w World) []wasm.HostModule {
	clock := poll.NewClock(w.Now, w.Sleep)
	return contract.Modules(slices.Concat(
		[]contract.Part{poll.Part(clock)}, streams.Parts(), clocks.Parts(clock),
		random.Parts(w.Random), cli.Parts(), filesystem.Parts(), sockets.Parts(), http.Parts(),
	), state.Drop)
}
