// Package history is the capability hpmq:broker/history: what went by before.
//
// Log has its methods only inside a guest; see package kv for how to test without one.
package history

// Log is the host's memory of messages.
type Log struct{}
