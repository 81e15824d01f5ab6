package port

import (
	"errors"
	"log/slog"
	"time"

	"github.com/hpmq/hpmq/lite/broker"
)

// Config is what all listeners have in common.
type Config struct {
	// Now is the kernel's clock; nil is one that never goes back. Ticks fire the kernel's timers;
	// nil is every 100 ms. Tests bring their own.
	Now   func() broker.Time
	Ticks <-chan time.Time
	// Log takes what goes wrong with sockets, and panics.
	Log *slog.Logger
	// EventsMax is how many hand-overs wait for the kernel before readers wait to hand over.
	EventsMax int
	// CloseTimeout is how long a peer may take for its last packets once its connection is closed,
	// LingerTimeout how long it may take to close its own side then.
	CloseTimeout  time.Duration
	LingerTimeout time.Duration
	// KeepAlive is the interval of TCP's own probes, which find peers that are gone for good.
	KeepAlive time.Duration
}

// Default suits a device.
func Default() Config {
	return Config{
		Log:           slog.Default(),
		EventsMax:     64, // a burst of as many connections; each waits for its own turn anyway
		CloseTimeout:  5 * time.Second,
		LingerTimeout: time.Second,
		KeepAlive:     time.Minute, // radio links pay for every probe
	}
}

// Validate says what is wrong with c.
func (c *Config) Validate() error {
	switch {
	case c.Log == nil:
		return errors.New("port: config: no log")
	case c.EventsMax < 1:
		return errors.New("port: config: events: at least 1")
	case c.CloseTimeout <= 0 || c.LingerTimeout <= 0 || c.KeepAlive <= 0:
		return errors.New("port: config: every time must be positive")
	}
	return nil
}

// Limits bound what the connections of one listener may use. The largest packet is the kernel's to
// say, see broker.Limits.
type Limits struct {
	// ConnectionsMax bounds the connections of the listener; one above is closed at once.
	ConnectionsMax int
	// FirstPacketBytesMax bounds the first packet, which comes from a stranger.
	FirstPacketBytesMax uint32
	// OutBytesMax is how much may wait for one peer before it counts as slow. With OutCutBytesMax
	// waiting, the next write cuts the peer.
	OutBytesMax    int
	OutCutBytesMax int
}

// DefaultLimits suit a device with tens of megabytes.
func DefaultLimits() Limits {
	return Limits{
		ConnectionsMax:      1000, // at some 10 KB each with its session: 10 MB
		FirstPacketBytesMax: 8 << 10,
		OutBytesMax:         64 << 10,
		OutCutBytesMax:      512 << 10,
	}
}

// Validate says what is wrong with l.
func (l *Limits) Validate() error {
	switch {
	case l.ConnectionsMax < 1:
		return errors.New("port: connections: at least 1")
	case l.FirstPacketBytesMax < 64:
		return errors.New("port: first packet bytes: at least 64")
	case l.OutBytesMax < 1 || l.OutCutBytesMax < l.OutBytesMax:
		return errors.New("port: out bytes: at least 1, and at most what cuts")
	}
	return nil
}

// tickEvery is how often the kernel's timers are looked at.
const tickEvery = 100 * time.Millisecond

// Clock is milliseconds since the Unix epoch that never go back, whatever happens to the wall
// clock.
func Clock() func() broker.Time {
	start := time.Now()
	epoch := start.UnixMilli()
	return func() broker.Time { return broker.Time(epoch + time.Since(start).Milliseconds()) }
}
