// Package witness makes records of the message log (host/msglog) out of the steps that a PUBLISH
// takes: what arrived, what components made of it, what ended its way, how many it was given to.
//
// It stands between the kernel and the Policy of a listener that is logged, and notes each step in
// a buffer of the loop: a copy, no disk, no wait. One goroutine of its own puts the steps of a
// message together, has a component redact it if the listener says so, and appends the record. When
// that falls behind, messages go unlogged and are counted; none is slowed down.
//
// It does not know how records are kept, what a component is, or what a message means.
package witness
