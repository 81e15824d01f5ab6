// Package kv is the capability hpmq:broker/kv: keys and values that the host holds for the
// component's name. They outlive instances, swaps and versions.
//
// Store has its methods only inside a guest. A component names what it needs of it in an interface
// of its own and takes a fake from package guesttest in native tests.
package kv

import "errors"

// Errors of the host.
var (
	// ErrTooLarge says that the key, the value, or all of them together are over a limit.
	ErrTooLarge = errors.New("kv: too large")
	// ErrNotACounter says that the value under the key is not a counter.
	ErrNotACounter = errors.New("kv: not a counter")
)

// Store is the host's store.
type Store struct{}
