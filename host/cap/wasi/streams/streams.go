// Package streams serves wasi:io/error and wasi:io/streams. Writing never waits and never fails;
// reading finds the end, for no guest is given anything to read yet.
package streams

import (
	"fmt"

	"github.com/hpmq/hpmq/host/cap/abi"
	"github.com/hpmq/hpmq/host/cap/wasi/contract"
	"github.com/hpmq/hpmq/host/cap/wasi/poll"
	"github.com/hpmq/hpmq/host/cap/wasi/state"
	"github.com/hpmq/hpmq/host/wasm"
)

// The interfaces that the package serves.
const (
	ErrorInterface = "wasi:io/error"
	Interface      = "wasi:io/streams"
)

// WriteBytesMax is what check-write allows, always. The contract says 4,096 for the functions that
// block; here they take as much.
const WriteBytesMax = 64 << 10

// Input is an input-stream: one at its end.
type Input struct{}

// Output is an output-stream.
type Output struct {
	// Write takes b, borrowed until return. It must not block, and charges for its work. It answers
	// false once nobody takes any more.
	Write func(g *wasm.Guest, b []byte) bool
}

// InputKind is the resource input-stream.
func InputKind() state.Kind[Input] { return state.KindOf[Input](Interface, "input-stream") }

// OutputKind is the resource output-stream.
func OutputKind() state.Kind[Output] { return state.KindOf[Output](Interface, "output-stream") }

// Parts are the interfaces.
func Parts() []contract.Part {
	calls := map[string]contract.Call{
		"[method]output-stream.check-write":                     checkWrite,
		"[method]output-stream.write":                           write,
		"[method]output-stream.blocking-write-and-flush":        write,
		"[method]output-stream.write-zeroes":                    writeZeroes,
		"[method]output-stream.blocking-write-zeroes-and-flush": writeZeroes,
		"[method]output-stream.flush":                           flush,
		"[method]output-stream.blocking-flush":                  flush,
		"[method]output-stream.splice":                          splice,
		"[method]output-stream.blocking-splice":                 splice,
		"[method]output-stream.subscribe":                       subscribeOutput,
		"[method]input-stream.read":                             read,
		"[method]input-stream.blocking-read":                    read,
		"[method]input-stream.skip":                             skip,
		"[method]input-stream.blocking-skip":                    skip,
		"[method]input-stream.subscribe":                        subscribeInput,
	}
	return []contract.Part{
		{Interface: ErrorInterface, Unmade: []string{"error"}},
		{Interface: Interface, Calls: calls},
	}
}

// closed is the case of stream-error that says that a stream is at its end.
const closed = 1

// checkWrite: func() -> result<u64, stream-error>
func checkWrite(g *wasm.Guest, stack []uint64) {
	out := OutputKind().Get(g, stack[0])
	area := abi.Area(g, stack[1], 16, 8)
	area[0], area[8] = 0, closed
	if !out.Write(g, nil) {
		area[0] = 1
		return
	}
	abi.PutUint64(area[8:], WriteBytesMax)
}

// write: func(contents: list<u8>) -> result<_, stream-error>
func write(g *wasm.Guest, stack []uint64) {
	out := OutputKind().Get(g, stack[0])
	within(g, uint64(uint32(stack[2])))
	done(g, stack[3], out.Write(g, abi.Bytes(g, stack[1], stack[2])))
}

// writeZeroes: func(len: u64) -> result<_, stream-error>
func writeZeroes(g *wasm.Guest, stack []uint64) {
	out := OutputKind().Get(g, stack[0])
	within(g, stack[1])
	g.Charge(stack[1])
	done(g, stack[2], out.Write(g, make([]byte, stack[1])))
}

// within traps who writes more than check-write allowed, as the contract says.
func within(g *wasm.Guest, n uint64) {
	if n > WriteBytesMax {
		g.Trap(fmt.Sprintf("writes %d bytes at once to a stream; check-write allows %d",
			n, WriteBytesMax))
	}
}

// flush: func() -> result<_, stream-error>
func flush(g *wasm.Guest, stack []uint64) {
	done(g, stack[1], OutputKind().Get(g, stack[0]).Write(g, nil))
}

// done lowers result<_, stream-error>.
func done(g *wasm.Guest, ptr uint64, ok bool) {
	area := abi.Area(g, ptr, 12, 4)
	area[0], area[4] = 0, 0
	if !ok {
		area[0], area[4] = 1, closed
	}
}

// splice: func(src: borrow<input-stream>, len: u64) -> result<u64, stream-error>
func splice(g *wasm.Guest, stack []uint64) {
	OutputKind().Get(g, stack[0])
	InputKind().Get(g, stack[1])
	atEnd(g, stack[3])
}

// skip: func(len: u64) -> result<u64, stream-error>
func skip(g *wasm.Guest, stack []uint64) {
	InputKind().Get(g, stack[0])
	atEnd(g, stack[2])
}

// atEnd lowers the error of result<u64, stream-error>.
func atEnd(g *wasm.Guest, ptr uint64) {
	area := abi.Area(g, ptr, 16, 8)
	area[0], area[8] = 1, closed
}

// read: func(len: u64) -> result<list<u8>, stream-error>
func read(g *wasm.Guest, stack []uint64) {
	InputKind().Get(g, stack[0])
	area := abi.Area(g, stack[2], 12, 4)
	area[0], area[4] = 1, closed
}

// subscribeOutput: func() -> pollable
func subscribeOutput(g *wasm.Guest, stack []uint64) {
	OutputKind().Get(g, stack[0])
	stack[0] = poll.Kind().New(g, poll.Ready())
}

// subscribeInput: func() -> pollable
func subscribeInput(g *wasm.Guest, stack []uint64) {
	InputKind().Get(g, stack[0])
	stack[0] = poll.Kind().New(g, poll.Ready())
}
