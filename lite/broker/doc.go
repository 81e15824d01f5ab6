// Package broker is the MQTT kernel: it knows the rules of MQTT 3.1, 3.1.1 and 5.0 that are true
// without a socket, a disk, a clock or a lock. Packets, timers and answers come in by the methods
// of Kernel; packets, store and peer operations go out by the ports Sink, Store, Peers,
// Authenticator and Policy, which the kernel calls in the right order itself.
//
// It does not know bytes on a wire beyond whole packets (the gate frames them), which loop it
// runs on, what a component is, or how anything is kept. It starts no goroutine and reads no
// clock, so that a whole cluster of kernels runs in one test under a seeded simulator.
//
// A session lives in exactly one kernel. Other kernels, whether other loops of the process or other
// nodes, are reached by frames through Peers: who wants which filter (interest.go), a message for
// them (forward.go), and the hand-over of a session (claim.go, handover.go).
package broker
