// Package fault knows at which points a build for crash tests ends its process or fails. In every
// other build a point is nothing: the tag "faults" compiles it in. It does not know what happens at
// a point.
//
// # What is to fail
//
// The variable BROKER_FAULTS holds rules, divided by commas:
//
//	POINT:FROM[+TIME]:ACTION
//
// POINT is the name of one, or its beginning and "*". A rule counts how often its points are
// passed, from 1. It acts at number FROM, and with TIME (as 300ms) at each that follows for so
// long.
//
//	kill       the process ends at once, as by kill -9
//	power      what was not synced is cut off the files first, as a power cut would
//	torn       of a write half is done, then kill
//	error      an error of the device
//	full       the file system has no space
//	short      of a write half is done, then error
//	slow=TIME  takes so much longer
//	wrong      the order that the place asks about is the wrong one
package fault
