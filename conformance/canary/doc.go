// Package canary knows how candidates fare beside real traffic: one that traps, one that is slow,
// one that answers something else, and a good one. It does not know how the broker judges them.
package canary
