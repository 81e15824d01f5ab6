package suite

import (
	"errors"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// Poll is the next packet if one comes within d; it is for cases where several things may happen.
// Without a packet frame is nil, and open says whether the connection still is.
func (c *Client) Poll(d time.Duration) (frame []byte, open bool) {
	frame, err := c.next(d)
	return frame, err == nil || errors.Is(err, errQuiet)
}

// WantEnd wants the server to close the connection without another packet.
func (c *Client) WantEnd() {
	switch frame, open := c.Poll(c.t.run.opts.ExpectTimeout); {
	case frame != nil:
		c.t.Fatalf("client %d: want the end of the connection, got %s", c.id,
			describe(c.version, frame))
	case open:
		c.t.Fatalf("client %d: the server did not close the connection", c.id)
	}
}

// Leave sends DISCONNECT with reason 0 and waits for a moment that the server closes: it has seen
// the DISCONNECT then. A server that leaves the closing to the client is no fault.
func (c *Client) Leave() {
	c.SendPacket(&mqtt.Disconnect{})
	for end := time.Now().Add(leaveTimeout); ; {
		frame, _ := c.Poll(time.Until(end))
		if frame == nil {
			break
		}
	}
	c.Close()
}

// leaveTimeout bounds the wait of Leave.
const leaveTimeout = time.Second
