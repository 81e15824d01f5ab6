//go:build !unix

package gate

import (
	"errors"

	"github.com/panjf2000/gnet/v2"
)

// Here gnet reads each connection with a goroutine of its own and has no descriptor to take away,
// so reading is not paused. Input above a rate waits in memory, and a peer that sends more than
// heldBytesMax and one packet ahead is cut: errAbove. Rates of output hold as elsewhere.

// direct: gnet writes.
const direct = false

func parked(gnet.Conn) (int, error) { return -1, errors.ErrUnsupported }

func drop(int, bool) {}

func socketError(int) error { return nil }

func remoteOf(int) string { return "" }

func writeSome(int, []byte) (int, error) { return 0, errors.ErrUnsupported }

func (l *loop) enrolAgain(homing) error { return errors.ErrUnsupported }
