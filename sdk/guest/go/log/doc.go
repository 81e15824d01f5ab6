// Package log is the capability hpmq:broker/log: lines in the broker's log, marked with the
// component's name and rate-limited by the host.
package log

// Level says how much a line matters.
type Level uint32

// The values are those of the WIT enum hpmq:broker/log.level.
const (
	Debug Level = iota
	Info
	Warn
	Error
)
