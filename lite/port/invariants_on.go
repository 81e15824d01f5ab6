//go:build invariants

package port

// invariants makes the port ruin what it lent.
const invariants = true
