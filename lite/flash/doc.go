// Package flash keeps retained messages in one append-only file, for devices with a little flash
// memory: it answers the port broker.Store. FORMAT.md draws the file.
//
// It knows records, checksums and when bytes are safe on the device. It does not know what a value
// means (that is the kernel's), nor packets or sockets. It keeps no sessions: the kernel reads only
// retained messages back, so it must run over this store with Durable false, and ops of sessions
// are refused.
//
// # Who does what
//
// All that is kept is in memory too, so that reading costs no read of the device; the file is there
// for the next start. One goroutine owns the file. With SyncCommit it takes all writes that wait,
// appends them, syncs once and then answers each by event: a group commit. A write that the device
// refused is undone and answered with the error; nothing of it is kept. With SyncNone a write is
// answered at once and reaches the device behind the answer, for messages that may be lost.
//
// Answers come in the order of the questions. A read is answered at once if nothing is asked before
// it, and waits its turn otherwise.
//
// # When the device fails
//
// After a failed append the file is cut back to what it was. After a failed sync nobody knows what
// the device holds, and to sync again would prove nothing: the next write first writes the file
// anew from memory, beside the old one, and takes its place.
package flash
