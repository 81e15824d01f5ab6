// Package config serves hpmq:broker/config: the configuration a link gives a component, as JSON
// text. It does not know what stands in it.
package config

import (
	"github.com/hpmq/hpmq/host/cap/abi"
	"github.com/hpmq/hpmq/host/wasm"
)

// Name is the interface as a guest imports it.
const Name = "hpmq:broker/config@0.1.0"

// Env is what the environment of a guest must answer.
type Env interface {
	// ConfigJSON is the whole configuration; empty counts as "{}". It never changes.
	ConfigJSON() []byte
}

// Module is the interface for the engine.
func Module() wasm.HostModule {
	return wasm.HostModule{Name: Name, Funcs: []wasm.HostFunc{{
		Name: "json", Params: []wasm.ValueType{wasm.I32}, Call: json,
		Type: "() -> string",
	}}}
}

// json: func() -> string
func json(g *wasm.Guest, stack []uint64) {
	env, ok := g.Env().(Env)
	if !ok {
		g.Trap("config is not served here")
	}
	text := env.ConfigJSON()
	if len(text) == 0 {
		text = []byte("{}")
	}
	abi.PutText(g, stack[0], text)
}
