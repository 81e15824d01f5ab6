//go:build !invariants

package gate

// invariants turns on checks that cost time.
const invariants = false
