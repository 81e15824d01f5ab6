// Package cli serves wasi:cli: the variables that the link gives, standard output and standard
// error as lines of the log, an input at its end, no arguments, no terminal.
package cli

import (
	"fmt"

	"github.com/hpmq/hpmq/host/cap/abi"
	"github.com/hpmq/hpmq/host/cap/wasi/contract"
	"github.com/hpmq/hpmq/host/cap/wasi/state"
	"github.com/hpmq/hpmq/host/cap/wasi/streams"
	"github.com/hpmq/hpmq/host/wasm"
)

// Parts are the interfaces.
func Parts() []contract.Part {
	one := func(name, function string, call contract.Call) contract.Part {
		return contract.Part{
			Interface: "wasi:cli/" + name, Calls: map[string]contract.Call{function: call},
		}
	}
	return []contract.Part{
		{Interface: "wasi:cli/environment", Calls: map[string]contract.Call{
			"get-environment": environment, "get-arguments": noArguments, "initial-cwd": none,
		}},
		{Interface: "wasi:cli/exit", Calls: map[string]contract.Call{
			"exit": exit, "exit-with-code": exitWithCode,
		}},
		one("stdin", "get-stdin", stdin),
		one("stdout", "get-stdout", output(wasm.Stdout)),
		one("stderr", "get-stderr", output(wasm.Stderr)),
		{Interface: "wasi:cli/terminal-input"},
		{Interface: "wasi:cli/terminal-output"},
		one("terminal-stdin", "get-terminal-stdin", noTerminal),
		one("terminal-stdout", "get-terminal-stdout", noTerminal),
		one("terminal-stderr", "get-terminal-stderr", noTerminal),
	}
}

// get-environment: func() -> list<tuple<string, string>>
func environment(g *wasm.Guest, stack []uint64) {
	var list []byte
	for _, v := range state.Of(g).Environment {
		list = abi.AppendText(g, abi.AppendText(g, list, v[0]), v[1])
	}
	abi.PutElements(g, stack[0], list, abi.Layout{Size: 16, Align: 4})
}

// get-arguments: func() -> list<string>
func noArguments(g *wasm.Guest, stack []uint64) { clear(abi.Area(g, stack[0], 8, 4)) }

// initial-cwd: func() -> option<string>
func none(g *wasm.Guest, stack []uint64) { clear(abi.Area(g, stack[0], 12, 4)) }

// get-terminal-stdin: func() -> option<terminal-input>
func noTerminal(g *wasm.Guest, stack []uint64) { clear(abi.Area(g, stack[0], 8, 4)) }

// exit: func(status: result)
func exit(g *wasm.Guest, stack []uint64) {
	status := [...]string{"ok", "error"}[abi.Case(g, stack[0], 2)]
	g.Trap("exit(" + status + "): a component is not a program that ends")
}

// exit-with-code: func(status-code: u8)
func exitWithCode(g *wasm.Guest, stack []uint64) {
	g.Trap(fmt.Sprintf("exit(%d): a component is not a program that ends", uint8(stack[0])))
}

// get-stdin: func() -> input-stream
func stdin(g *wasm.Guest, stack []uint64) {
	stack[0] = streams.InputKind().New(g, &streams.Input{})
}

// get-stdout: func() -> output-stream
func output(to wasm.LogStream) contract.Call {
	out := &streams.Output{Write: func(g *wasm.Guest, b []byte) bool {
		g.WriteLog(to, b)
		return true
	}}
	return func(g *wasm.Guest, stack []uint64) { stack[0] = streams.OutputKind().New(g, out) }
}
