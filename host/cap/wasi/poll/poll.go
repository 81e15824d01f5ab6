// Package poll serves wasi:io/poll: when what a guest waits for is there. It knows the clocks of
// guests, since nothing else is ever waited for.
package poll

import (
	"fmt"
	"math"
	"math/bits"
	"time"

	"github.com/hpmq/hpmq/host/cap/abi"
	"github.com/hpmq/hpmq/host/cap/wasi/contract"
	"github.com/hpmq/hpmq/host/cap/wasi/state"
	"github.com/hpmq/hpmq/host/wasm"
)

// Interface is what the package serves.
const Interface = "wasi:io/poll"

// Clock is the monotonic clock of guests.
//
// A guest that waits for it waits up to Settings.WaitMax, and pays for it as if it had computed,
// with up to half of the fuel it has left. What is missing then, all of it on an event loop, is not
// waited for: the clock of that guest jumps there. So nobody sleeps on a loop, and who asks the
// clock after a sleep whether it is time finds that it is.
type Clock struct {
	// Sleep blocks.
	Sleep func(time.Duration)
}

// Instant is what it shows g, in nanoseconds since the engine was opened, and more if it jumped.
func (*Clock) Instant(g *wasm.Guest) uint64 {
	return Add(uint64(max(g.Monotonic(), 0)), state.Of(g).Ahead)
}

// Add is the sum of an instant and a duration, the last instant if that is behind it.
func Add(a, b uint64) uint64 {
	sum, carry := bits.Add64(a, b, 0)
	if carry != 0 {
		return math.MaxUint64
	}
	return sum
}

// fuelPerMicrosecond is what a guest that computes spends, see wasm.Config.FuelMax.
const fuelPerMicrosecond = 2500

// Wait returns when the guest's clock shows at.
func (c *Clock) Wait(g *wasm.Guest, at uint64) {
	s := state.Of(g)
	now := c.Instant(g)
	if at <= now {
		return
	}
	left := g.Budget() - min(g.Fuel(), g.Budget())
	most := min(uint64(s.WaitMax), left/2/fuelPerMicrosecond*1000)
	if d := min(at-now, most); d > 0 {
		g.Charge(d / 1000 * fuelPerMicrosecond)
		c.Sleep(time.Duration(d))
	}
	if now = c.Instant(g); at > now {
		s.Ahead += at - now
	}
}

// handleFuel is what looking at a pollable costs, for each byte of its handle.
const handleFuel = 8

// Pollable is ready when the guest's clock shows at.
type Pollable struct{ at uint64 }

// Ready is a pollable of what can be done at once.
func Ready() *Pollable { return &Pollable{} }

// At is a pollable of a time.
func At(instant uint64) *Pollable { return &Pollable{instant} }

// After is a pollable of a time from now.
func (c *Clock) After(g *wasm.Guest, d uint64) *Pollable { return At(Add(c.Instant(g), d)) }

// Kind is the resource pollable.
func Kind() state.Kind[Pollable] { return state.KindOf[Pollable](Interface, "pollable") }

// Part is the interface.
func Part(c *Clock) contract.Part {
	return contract.Part{Interface: Interface, Calls: map[string]contract.Call{
		"[method]pollable.ready": c.ready,
		"[method]pollable.block": c.block,
		"poll":                   c.poll,
	}}
}

func (c *Clock) ready(g *wasm.Guest, stack []uint64) {
	p := Kind().Get(g, stack[0])
	stack[0] = abi.Bool(p.at <= c.Instant(g))
}

func (c *Clock) block(g *wasm.Guest, stack []uint64) { c.Wait(g, Kind().Get(g, stack[0]).at) }

// poll waits for the soonest and answers all that are ready then.
func (c *Clock) poll(g *wasm.Guest, stack []uint64) {
	in := abi.Elements(g, stack[0], stack[1], abi.Layout{Size: 4, Align: 4})
	if len(in) == 0 {
		g.Trap("polls an empty list")
	}
	if len(in)/4 > state.ObjectsMax {
		g.Trap(fmt.Sprintf("polls %d pollables at once, may poll %d", len(in)/4, state.ObjectsMax))
	}
	g.Charge(uint64(len(in)) * handleFuel)
	times := make([]uint64, 0, len(in)/4)
	for ; len(in) > 0; in = in[4:] {
		times = append(times, Kind().Get(g, uint64(abi.Uint32(in))).at)
	}
	c.Wait(g, soonest(times))
	now := c.Instant(g)
	var ready []byte
	for i, at := range times {
		if at <= now {
			ready = abi.AppendUint32(ready, uint32(i))
		}
	}
	abi.PutElements(g, stack[2], ready, abi.Layout{Size: 4, Align: 4})
}

func soonest(times []uint64) uint64 {
	first := times[0]
	for _, t := range times {
		first = min(first, t)
	}
	return first
}
