package story

import (
	"errors"
	"fmt"
)

// ErrUnsupported says that a Driver does not know a command of the script; the story is then
// skipped.
var ErrUnsupported = errors.New("not known to this driver")

// Event is something that happened to a connection: a whole packet came from the broker, or, with
// Closed, the broker closed it.
type Event struct {
	Conn   string
	Packet []byte
	Closed bool
	// Note is something a fake beside the broker has to say, such as what it was asked.
	Note string
	// Wrong is set if the driver saw something no broker may do, such as a write after a close.
	Wrong string
}

// Driver holds the broker a story is told to. Its calls come from one goroutine.
type Driver interface {
	// Open brings a new connection of that name in at the given loop (0 if the script names none).
	Open(conn string, loop int) error
	// Send writes bytes to the broker; they may be part of a packet or several. p is borrowed until
	// return.
	Send(conn string, p []byte) error
	// Drop makes the socket of the connection go away without a word.
	Drop(conn string) error
	// Do carries out a command that is no packet: given, advance, slow, store …
	Do(c *Command) error
	// Settle waits until nothing moves any more and answers what happened since the last call, in
	// order.
	Settle() ([]Event, error)
}

// Frames cuts whole packets off the front of b and hands each to visit; it answers what is left
// over. It knows nothing of limits: it is for bytes that come from a broker.
func Frames(b []byte, visit func(packet []byte)) ([]byte, error) {
	for {
		n, err := frameLen(b)
		if err != nil || n == 0 {
			return b, err
		}
		visit(b[:n])
		b = b[n:]
	}
}

// frameLen answers the length of the first packet in b, 0 if it is not whole yet.
func frameLen(b []byte) (int, error) {
	length, shift := 0, 0
	for i := 1; i < len(b); i++ {
		length |= int(b[i]&0x7f) << shift
		shift += 7
		if b[i]&0x80 != 0 {
			if i == 4 {
				return 0, fmt.Errorf("story: remaining length of more than four bytes: % x", b[:5])
			}
			continue
		}
		if len(b) < i+1+length {
			return 0, nil
		}
		return i + 1 + length, nil
	}
	return 0, nil
}
