// Package preview1 serves of WASI preview 1 what is a matter of the link: the variables, and the
// clock that a guest waits for. They are those that WASI 0.2 shows the guest. The rest of preview 1
// is in the engine.
package preview1

import (
	"encoding/binary"

	"github.com/hpmq/hpmq/host/cap/abi"
	"github.com/hpmq/hpmq/host/cap/wasi/poll"
	"github.com/hpmq/hpmq/host/cap/wasi/state"
	"github.com/hpmq/hpmq/host/wasm"
)

// Error numbers.
const (
	ok    = 0
	badF  = 8
	inval = 28
)

// The clocks.
const (
	realtime  = 0
	monotonic = 1
)

// Module takes the place of functions of the engine's own.
func Module(c *poll.Clock) wasm.HostModule {
	s := served{c}
	call := func(name, params string, f func(g *wasm.Guest, in []uint64) uint64) wasm.HostFunc {
		return wasm.HostFunc{
			Name: name, Params: abi.Types(params), Results: abi.Types("i"),
			Call: func(g *wasm.Guest, stack []uint64) { stack[0] = f(g, stack) },
		}
	}
	return wasm.HostModule{Name: "wasi_snapshot_preview1", Funcs: []wasm.HostFunc{
		call("environ_sizes_get", "ii", environSizes), call("environ_get", "ii", environ),
		call("clock_time_get", "iIi", s.time), call("poll_oneoff", "iiii", s.poll),
	}}
}

type served struct{ clock *poll.Clock }

// must ends the call when the guest gave an address outside its memory.
func must(g *wasm.Guest, ok bool, function string) {
	if !ok {
		g.Trap(function + ": address outside the memory")
	}
}

// environSizes gives the number of variables, and the bytes that they take.
func environSizes(g *wasm.Guest, in []uint64) uint64 {
	list, size := state.Of(g).Environment, 0
	for _, v := range list {
		size += len(v[0]) + len("=") + len(v[1]) + 1
	}
	m := g.Memory()
	must(g, m.PutUint32(uint32(in[0]), uint32(len(list))) &&
		m.PutUint32(uint32(in[1]), uint32(size)), "environ_sizes_get")
	return ok
}

// environ writes NAME=VALUE and a zero for each variable, and a list of where they are.
func environ(g *wasm.Guest, in []uint64) uint64 {
	m, list, at := g.Memory(), uint32(in[0]), uint32(in[1])
	for _, v := range state.Of(g).Environment {
		text := v[0] + "=" + v[1] + "\x00"
		g.Charge(uint64(len(text)))
		must(g, m.PutUint32(list, at) && m.WriteString(at, text), "environ_get")
		list, at = list+4, at+uint32(len(text))
	}
	return ok
}

// time gives nanoseconds since 1970, or on the guest's monotonic clock.
func (s served) time(g *wasm.Guest, in []uint64) uint64 {
	var t uint64
	switch uint32(in[0]) {
	case realtime:
		t = uint64(g.Now().UnixNano())
	case monotonic:
		t = s.clock.Instant(g)
	default:
		return inval
	}
	must(g, g.Memory().PutUint64(uint32(in[2]), t), "clock_time_get")
	return ok
}

// Sizes of a subscription and of an event.
const (
	subscriptionBytes = 48
	eventBytes        = 32
)

// eventFuel is what looking at a subscription costs.
const eventFuel = 64

// wants is what a subscription waits for.
type wants struct {
	kind byte
	at   uint64 // on the guest's monotonic clock
	fail byte
}

// poll waits for the soonest of the times and answers all that have come then. A descriptor is an
// error at once: there is none to wait for.
func (s served) poll(g *wasm.Guest, in []uint64) uint64 {
	subs, events, n := uint32(in[0]), uint32(in[1]), uint32(in[2])
	g.Charge(uint64(n) * eventFuel)
	if n == 0 {
		return inval
	}
	began, soonest := s.clock.Instant(g), ^uint64(0)
	for i := range n {
		soonest = min(soonest, wanted(g, subscription(g, subs, i), began).at)
	}
	s.clock.Wait(g, soonest)
	now, count := s.clock.Instant(g), uint32(0)
	for i := range n {
		b := subscription(g, subs, i)
		w := wanted(g, b, began)
		if w.at > now {
			continue
		}
		e := [eventBytes]byte{8: w.fail, 10: w.kind}
		copy(e[:8], b)
		must(g, g.Memory().Write(events+count*eventBytes, e[:]), "poll_oneoff")
		count++
	}
	must(g, g.Memory().PutUint32(uint32(in[3]), count), "poll_oneoff")
	return ok
}

// subscription is the i-th of a list.
func subscription(g *wasm.Guest, subs, i uint32) []byte {
	b, in := g.Memory().Read(subs+i*subscriptionBytes, subscriptionBytes)
	must(g, in, "poll_oneoff")
	return b
}

// wanted reads a subscription that was made when the guest's clock showed began: a number of the
// guest's, the kind, the clock, the time, the precision, and whether that is no duration.
func wanted(g *wasm.Guest, b []byte, began uint64) wants {
	const clock, write, absolute = 0, 2, 1
	w := wants{kind: min(b[8], write)}
	if w.kind != clock {
		w.fail = badF
		return w
	}
	id, t := binary.LittleEndian.Uint32(b[16:]), binary.LittleEndian.Uint64(b[24:])
	switch {
	case id != realtime && id != monotonic:
		w.fail = inval
	case b[40]&absolute == 0:
		w.at = poll.Add(began, t)
	case id == monotonic:
		w.at = t
	default:
		wall := uint64(max(g.Now().UnixNano(), 0))
		w.at = poll.Add(began, t-min(wall, t))
	}
	return w
}
