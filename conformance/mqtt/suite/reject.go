package suite

import (
	"errors"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// graceful is how long a server that answered a PINGREQ behind an error may take to close.
const graceful = time.Second

// Look is the next packet if one comes within d, else nil. ended says that none will come.
func (c *Client) Look(d time.Duration) (frame []byte, ended bool) {
	frame, err := c.next(d)
	return frame, err != nil && !errors.Is(err, errQuiet)
}

// WantRejected is WantClosed for an error that a server sees at once, for tables of errors: after
// a moment it sends a PINGREQ, so that a server that goes on is soon found out, and it notes the
// fault without ending the case. It answers whether the server closed.
func (c *Client) WantRejected(reasons ...mqtt.ReasonCode) bool {
	end := time.Now().Add(c.t.run.opts.ExpectTimeout)
	for asked := false; ; {
		wait := quiet
		if asked {
			wait = time.Until(end)
		}
		frame, err := c.next(wait)
		switch {
		case errors.Is(err, errQuiet) && !asked:
			asked = true
			c.SendPacket(&mqtt.Ping{Type: mqtt.PINGREQ})
		case errors.Is(err, errQuiet):
			c.t.Errorf("client %d: the server did not close the connection", c.id)
			c.Close()
			return false
		case err != nil:
			return true
		case mqtt.TypeOf(frame) == mqtt.PINGRESP && asked:
			end = time.Now().Add(graceful)
		case mqtt.TypeOf(frame) == mqtt.DISCONNECT:
			c.checkDisconnect(frame, reasons)
		}
	}
}
