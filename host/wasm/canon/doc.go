// Package canon knows how values cross between component instances: lifted out of core values and
// one memory, lowered into others, as CanonicalABI.md of the Component Model has it, with the
// tables of resource handles. It works on bytes and numbers that guests chose, trusts none of
// them, and knows no engine: core functions are given to it as Go functions.
//
// An error is a trap: whoever gets one gives up the instances that took part.
package canon
