// Package state has what the host keeps for a guest of WASI: what its handles stand for. It does
// not know any interface.
package state

import (
	"fmt"
	"time"

	"github.com/hpmq/hpmq/host/cap/wasi/contract"
	"github.com/hpmq/hpmq/host/wasm"
)

// ObjectsMax is how many streams, pollables, requests and the like a guest may hold at once.
const ObjectsMax = 1024

// BytesMax bounds what all of them hold outside the guest's memory, as Holder tells it.
const BytesMax = 256 << 10

// Holder is an object that holds more than a few words.
type Holder interface {
	// Held is how many bytes it holds.
	Held() int
}

// objectFuel is what making an object costs, so that a guest pays for the garbage.
const objectFuel = 256

// Settings are what a link says of its guests. They do not change.
type Settings struct {
	// Environment is the variables, each "NAME" and value, in the order they are shown.
	Environment [][2]string
	// WaitMax is how long a guest may wait for a clock at once; 0 for guests on an event loop.
	WaitMax time.Duration
}

// State is what is kept for one guest. The zero State is a new guest's.
type State struct {
	Settings
	// Ahead is by how much the guest's monotonic clock is ahead of the host's, in nanoseconds.
	Ahead uint64

	objects []any
	free    []uint32
	bytes   int
}

// Env is what the environment of a guest must answer.
type Env interface {
	// WASI is the state of the guest: always the same.
	WASI() *State
}

// Of is the state of g. It does not return if g has none.
func Of(g *wasm.Guest) *State {
	env, ok := g.Env().(Env)
	if !ok {
		g.Trap("WASI 0.2 is not served here")
	}
	return env.WASI()
}

// add keeps v and answers its number.
func (s *State) add(g *wasm.Guest, v any) uint32 {
	g.Charge(objectFuel)
	s.Grow(g, held(v))
	if n := len(s.free); n > 0 {
		rep := s.free[n-1]
		s.free = s.free[:n-1]
		s.objects[rep] = v
		return rep
	}
	if len(s.objects) == ObjectsMax {
		g.Trap(fmt.Sprintf("holds %d resources of WASI: drop those that are done", ObjectsMax))
	}
	s.objects = append(s.objects, v)
	return uint32(len(s.objects) - 1)
}

func held(v any) int {
	if h, ok := v.(Holder); ok {
		return h.Held()
	}
	return 0
}

// Grow is told by how much an object that has a handle holds more than before.
func (s *State) Grow(g *wasm.Guest, by int) {
	if s.bytes += by; s.bytes > BytesMax {
		g.Trap(fmt.Sprintf("holds %d bytes in resources of WASI, may hold %d", s.bytes, BytesMax))
	}
}

// Drop forgets what the handle of rep stood for.
func Drop(g *wasm.Guest, rep uint32) {
	s := Of(g)
	s.bytes -= held(s.objects[rep])
	s.objects[rep] = nil
	s.free = append(s.free, rep)
}

// Objects is how many there are, and how many bytes they hold.
func (s *State) Objects() (count, bytes int) { return len(s.objects) - len(s.free), s.bytes }

// Kind is a resource type: handles of it stand for a *T.
type Kind[T any] struct{ module, name string }

// KindOf is the resource of that name of an interface, which is named without its version.
func KindOf[T any](inter, name string) Kind[T] {
	return Kind[T]{inter + "@" + contract.Version, name}
}

// New gives the guest a handle of v: an own<T> as a result.
func (k Kind[T]) New(g *wasm.Guest, v *T) uint64 {
	return uint64(g.NewHandle(k.module, k.name, Of(g).add(g, v)))
}

// Get is what a handle stands for: a borrow<T> as a parameter. It traps if it is no such handle.
func (k Kind[T]) Get(g *wasm.Guest, handle uint64) *T {
	return Of(g).objects[g.Rep(k.module, k.name, uint32(handle))].(*T)
}

// Take is Get of a handle that is the host's from now on: an own<T> as a parameter.
func (k Kind[T]) Take(g *wasm.Guest, handle uint64) *T {
	rep := g.TakeHandle(k.module, k.name, uint32(handle))
	v := Of(g).objects[rep].(*T)
	Drop(g, rep)
	return v
}
