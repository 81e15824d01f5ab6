package component

import (
	"errors"
	"fmt"
)

// Limits bound what a component may ask of the host before anything of it runs.
type Limits struct {
	// BytesMax bounds the binary.
	BytesMax int
	// NestingMax bounds how deep components and types of components stand in each other.
	NestingMax int
	// ItemsMax bounds definitions, declarations, arguments and labels, nested ones counted.
	ItemsMax int
	// NameBytesMax bounds one name.
	NameBytesMax int
	// TypeSizeMax bounds the parts of one value type, counted as a tree: what is shared counts
	// as often as it is used.
	TypeSizeMax int
	// TypeDepthMax bounds how deep value types stand in each other.
	TypeDepthMax int
	// WorkMax bounds the steps of validation: types compared, substituted and walked.
	WorkMax int
}

// DefaultLimits leave room for every toolchain known to us: a Python of 18 MB with all of WASI
// takes 17,000 items and 8,000 steps.
func DefaultLimits() Limits {
	return Limits{
		BytesMax:     32 << 20,
		NestingMax:   50,
		ItemsMax:     200_000,
		NameBytesMax: 10_000,
		TypeSizeMax:  100_000,
		TypeDepthMax: 100,
		WorkMax:      200_000, // 0.5 s and 40 MB at worst
	}
}

// ErrNotServed is wrapped by errors about constructs that are well known, but not served: the
// message names the construct and how to build without it.
var ErrNotServed = errors.New("not served")

// notServed tells which construct, and what to do.
func notServed(construct, advice string) error {
	return fmt.Errorf("%s: %w: %s", construct, ErrNotServed, advice)
}

const (
	buildSync = "build without async: no async functions, streams or futures in the WIT, and the " +
		"synchronous mode of the toolchain (componentize-qjs --sync, " +
		"jco componentize --backend-qjs-disable-async, wit-bindgen without its async option)"
	buildThreads = "build without threads: no shared memory, no -pthread, no +atomics"
	buildWasm32  = "build for wasm32, not wasm64"
	buildPlain   = "build without that proposal: only the MVP of the Component Model is served"
)
