// Package filesystem serves wasi:filesystem: no directory is opened for a guest, and there is no
// other way to a descriptor.
package filesystem

import (
	"github.com/hpmq/hpmq/host/cap/abi"
	"github.com/hpmq/hpmq/host/cap/wasi/contract"
	"github.com/hpmq/hpmq/host/wasm"
)

// Parts are the interfaces.
func Parts() []contract.Part {
	return []contract.Part{
		{Interface: "wasi:filesystem/preopens", Calls: map[string]contract.Call{
			"get-directories": directories,
		}},
		{Interface: "wasi:filesystem/types", Unmade: []string{
			"descriptor", "directory-entry-stream", "error",
		}},
	}
}

// get-directories: func() -> list<tuple<descriptor, string>>
func directories(g *wasm.Guest, stack []uint64) { clear(abi.Area(g, stack[0], 8, 4)) }
