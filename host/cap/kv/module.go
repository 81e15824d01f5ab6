package kv

import (
	"encoding/binary"
	"errors"

	"github.com/hpmq/hpmq/host/cap/abi"
	"github.com/hpmq/hpmq/host/wasm"
)

// Name is the interface as a guest imports it.
const Name = "hpmq:broker/kv@0.1.0"

// Env is what the environment of a guest must answer.
type Env interface {
	// Component names the space of the guest.
	Component() string
	// Loop is the event loop that the guest runs on, or NoLoop.
	Loop() int
}

// typeError is the WIT variant error.
const typeError = "variant{too-large, not-a-counter}"

// Module is the interface for the engine. now is milliseconds on a clock that does not go back.
func (s *Store) Module(now func() int64) wasm.HostModule {
	const i32, i64 = wasm.I32, wasm.I64
	types := func(t ...wasm.ValueType) []wasm.ValueType { return t }
	h := host{s, now}
	return wasm.HostModule{Name: Name, Funcs: []wasm.HostFunc{
		{Name: "get", Params: types(i32, i32, i32), Call: h.get,
			Type: "(key: string) -> option<list<u8>>"},
		{Name: "set", Params: types(i32, i32, i32, i32, i64, i32), Call: h.set,
			Type: "(key: string, value: list<u8>, ttl-ms: u64) -> result<_, " + typeError + ">"},
		{Name: "set-if-absent", Params: types(i32, i32, i32, i32, i64, i32), Call: h.setIfAbsent,
			Type: "(key: string, value: list<u8>, ttl-ms: u64) -> result<bool, " + typeError + ">"},
		{Name: "delete", Params: types(i32, i32), Call: h.delete, Type: "(key: string)"},
		{Name: "increment", Params: types(i32, i32, i64, i32), Call: h.increment,
			Type: "(key: string, by: s64) -> result<s64, " + typeError + ">"},
	}}
}

// host is the functions a guest calls.
type host struct {
	store *Store
	now   func() int64
}

func (h host) space(g *wasm.Guest) Space {
	env, ok := g.Env().(Env)
	if !ok {
		g.Trap("kv is not served here")
	}
	if apart, ok := env.(Apart); ok {
		if s := apart.Scratch(); s != nil {
			return s.On(env.Loop(), env.Component())
		}
	}
	return h.store.On(env.Loop(), env.Component())
}

// get: func(key: string) -> option<list<u8>>
func (h host) get(g *wasm.Guest, stack []uint64) {
	v, ok := h.space(g).Get(h.now(), abi.Text(g, stack[0], stack[1]))
	abi.PutOption(g, stack[2], v, ok)
}

// set: func(key: string, value: list<u8>, ttl-ms: u64) -> result<_, error>
func (h host) set(g *wasm.Guest, stack []uint64) {
	key, value := abi.Text(g, stack[0], stack[1]), abi.Bytes(g, stack[2], stack[3])
	err := h.space(g).Set(h.now(), key, value, stack[4])
	area := abi.Area(g, stack[5], 2, 1)
	area[0], area[1] = fail(err)
}

// set-if-absent: func(key: string, value: list<u8>, ttl-ms: u64) -> result<bool, error>
func (h host) setIfAbsent(g *wasm.Guest, stack []uint64) {
	key, value := abi.Text(g, stack[0], stack[1]), abi.Bytes(g, stack[2], stack[3])
	done, err := h.space(g).SetIfAbsent(h.now(), key, value, stack[4])
	area := abi.Area(g, stack[5], 2, 1)
	area[0], area[1] = fail(err)
	if done {
		area[1] = 1
	}
}

// delete: func(key: string)
func (h host) delete(g *wasm.Guest, stack []uint64) {
	h.space(g).Delete(h.now(), abi.Text(g, stack[0], stack[1]))
}

// increment: func(key: string, by: s64) -> result<s64, error>
func (h host) increment(g *wasm.Guest, stack []uint64) {
	key := abi.Text(g, stack[0], stack[1])
	sum, err := h.space(g).Increment(h.now(), key, int64(stack[2]))
	area := abi.Area(g, stack[3], 16, 8)
	area[0], area[8] = fail(err)
	if err == nil {
		binary.LittleEndian.PutUint64(area[8:], uint64(sum))
	}
}

// fail is the discriminant of result<_, error> and, in an error, that of error.
func fail(err error) (result, kind byte) {
	switch {
	case err == nil:
		return 0, 0
	case errors.Is(err, ErrNotACounter):
		return 1, 1
	default:
		return 1, 0
	}
}
