// Package random serves wasi:random, all of it from the randomness that the engine gives guests:
// what is called insecure there is only allowed to be.
package random

import (
	"encoding/binary"
	"fmt"

	"github.com/hpmq/hpmq/host/cap/abi"
	"github.com/hpmq/hpmq/host/cap/wasi/contract"
	"github.com/hpmq/hpmq/host/wasm"
)

// BytesMax is how many a guest may ask for at once.
const BytesMax = 64 << 10

// Parts are the interfaces.
func Parts() []contract.Part {
	return []contract.Part{
		{Interface: "wasi:random/random", Calls: map[string]contract.Call{
			"get-random-bytes": bytes, "get-random-u64": number,
		}},
		{Interface: "wasi:random/insecure", Calls: map[string]contract.Call{
			"get-insecure-random-bytes": bytes, "get-insecure-random-u64": number,
		}},
		{Interface: "wasi:random/insecure-seed", Calls: map[string]contract.Call{
			"insecure-seed": seed,
		}},
	}
}

// bytes: func(len: u64) -> list<u8>
func bytes(g *wasm.Guest, stack []uint64) {
	if stack[0] > BytesMax {
		g.Trap(fmt.Sprintf("asks for %d random bytes at once, may have %d", stack[0], BytesMax))
	}
	g.Charge(stack[0]) // a byte costs about a nanosecond
	b := make([]byte, stack[0])
	g.Random(b)
	abi.PutList(g, stack[1], b)
}

// numberFuel is what asking the system costs.
const numberFuel = 256

// number: func() -> u64
func number(g *wasm.Guest, stack []uint64) {
	g.Charge(numberFuel)
	var b [8]byte
	g.Random(b[:])
	stack[0] = binary.LittleEndian.Uint64(b[:])
}

// seed: func() -> tuple<u64, u64>
func seed(g *wasm.Guest, stack []uint64) {
	g.Charge(numberFuel)
	g.Random(abi.Area(g, stack[0], 16, 8))
}
