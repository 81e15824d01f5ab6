// Package clocks serves wasi:clocks. Whatever the machine says, guests live in UTC: an answer must
// not depend on where a node stands.
package clocks

import (
	"github.com/hpmq/hpmq/host/cap/abi"
	"github.com/hpmq/hpmq/host/cap/wasi/contract"
	"github.com/hpmq/hpmq/host/cap/wasi/poll"
	"github.com/hpmq/hpmq/host/wasm"
)

// resolution is what the clocks promise, in nanoseconds.
const resolution = 1000

// Parts are the interfaces.
func Parts(c *poll.Clock) []contract.Part {
	s := served{c}
	return []contract.Part{
		{Interface: "wasi:clocks/monotonic-clock", Calls: map[string]contract.Call{
			"now":                s.now,
			"resolution":         func(_ *wasm.Guest, stack []uint64) { stack[0] = resolution },
			"subscribe-instant":  subscribeInstant,
			"subscribe-duration": s.subscribeDuration,
		}},
		{Interface: "wasi:clocks/wall-clock", Calls: map[string]contract.Call{
			"now": wall,
			"resolution": func(g *wasm.Guest, stack []uint64) {
				putDatetime(g, stack[0], 0, resolution)
			},
		}},
		{Interface: "wasi:clocks/timezone", Calls: map[string]contract.Call{
			"display":    display,
			"utc-offset": func(_ *wasm.Guest, stack []uint64) { stack[0] = 0 },
		}},
	}
}

type served struct{ clock *poll.Clock }

// now: func() -> instant
func (s served) now(g *wasm.Guest, stack []uint64) { stack[0] = s.clock.Instant(g) }

// subscribe-instant: func(when: instant) -> pollable
func subscribeInstant(g *wasm.Guest, stack []uint64) {
	stack[0] = poll.Kind().New(g, poll.At(stack[0]))
}

// subscribe-duration: func(when: duration) -> pollable
func (s served) subscribeDuration(g *wasm.Guest, stack []uint64) {
	stack[0] = poll.Kind().New(g, s.clock.After(g, stack[0]))
}

// now: func() -> datetime
func wall(g *wasm.Guest, stack []uint64) {
	t := g.Now()
	putDatetime(g, stack[0], uint64(max(t.Unix(), 0)), uint32(t.Nanosecond()))
}

func putDatetime(g *wasm.Guest, ptr, seconds uint64, nanoseconds uint32) {
	area := abi.Area(g, ptr, 16, 8)
	abi.PutUint64(area, seconds)
	abi.PutUint32(area[8:], nanoseconds)
}

// display: func(when: datetime) -> timezone-display
func display(g *wasm.Guest, stack []uint64) {
	ptr := stack[2]
	abi.PutText(g, uint64(uint32(ptr)+4), "UTC")
	area := abi.Area(g, ptr, 16, 4)
	abi.PutUint32(area, 0)
	area[12] = 0
}
