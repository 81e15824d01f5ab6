// Package port puts sockets of the standard library around one kernel: the small door of a device.
// It knows listeners, connections, the clock and the one goroutine that owns the kernel. It does
// not know a rule of MQTT beyond where a packet ends (mqtt.Frame), and neither store nor component.
//
// # Who runs what
//
//	reader, one a connection ──frames──► kernel goroutine ──out──► writer, while there is output
//
// A reader owns the bytes it read. It hands whole packets over and waits for its turn to end before
// it reads on: the kernel borrows them for that long, nothing is copied, and a client that sends
// faster than the kernel works is slowed by its own socket. So at most one hand-over of a
// connection is under way, and what waits for the kernel is bounded by the number of connections.
//
// An idle connection holds no buffer: its reader waits with a few bytes of the connection's own,
// and takes a pooled buffer for as long as it has part of a packet. A writer lives while there is
// output.
//
// The kernel goroutine never waits for a socket, a disk or a guest. A panic on it is a bug; it ends
// the connection it happened for, and is logged.
package port
