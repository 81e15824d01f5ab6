//go:build !unix

package gate

import (
	"errors"

	"github.com/panjf2000/gnet/v2"
)

// closeWrite is not done here: gnet has no such call, and its descriptor is a duplicate. Without it
// a closed connection ends at once, and a peer that was still sending may miss its last packet.
//
// Where gnet has no poller (Windows) it has a goroutine for each connection, and its writes block:
// OutboundBuffered is always 0, so a peer that does not read holds up its loop. Good for a desk,
// not for a server.
func closeWrite(gnet.Conn) error { return errors.ErrUnsupported }
