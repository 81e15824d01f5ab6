//go:build !invariants

package port

const invariants = false
