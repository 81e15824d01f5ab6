//go:build !wasip1

package abi

// Out and Back say something to hosts only.

// Out begins a call of a host function that answers in memory from cabi_realloc.
func Out() {}

// Back ends it.
func Back() {}
