// Package load knows how much load an MQTT broker bears: it publishes and subscribes over TCP as
// fast as a window or a rate lets it, and counts what arrives, how late, how often and in which
// order. It speaks MQTT only, so it measures any broker; of the process it measures it knows what
// /proc tells.
//
// It shares the machine with the broker, so it is made to cost little: one buffer a socket, all
// packets of a turn in one write, a prepared frame in which only a few bytes change, no goroutine,
// clock reading or allocation per message.
package load

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// Pattern is who publishes to whom.
type Pattern string

const (
	// Pairs gives each publisher a topic of its own and one subscriber.
	Pairs Pattern = "p2p"
	// FanOut gives every subscriber the messages of every publisher; few publish.
	FanOut Pattern = "fanout"
	// FanIn is FanOut the other way round: many publish to few.
	FanIn Pattern = "fanin"
	// Idle opens connections that do nothing.
	Idle Pattern = "conns"
)

// PayloadBytesMin is the size of the stamp that each payload begins with.
const PayloadBytesMin = stampBytes

// windowMax leaves a packet identifier for every message on its way [MQTT-2.2.1-3].
const windowMax = 60000

// Config says what to do to which broker.
type Config struct {
	// Addr is host:port of the broker.
	Addr    string
	Pattern Pattern
	Version mqtt.Version
	// Publishers and Subscribers are connections. For Idle, Subscribers are the connections that
	// subscribe to a topic of their own, Publishers those that do not.
	Publishers, Subscribers int
	QoS                     mqtt.QoS
	// PayloadBytes is the size of each payload.
	PayloadBytes int
	// Window is how many messages of one publisher may be on their way to its slowest subscriber.
	Window int
	// Rate is messages published a second, all publishers together, 0 for as many as Window lets
	// go.
	Rate int
	// Warmup comes before Duration and is not measured.
	Warmup, Duration time.Duration
	// Drain is how long to wait for what is still on its way at the end.
	Drain time.Duration
	// PID is the process to measure, 0 for none.
	PID                int
	Username, Password string
	// Sources is how many loopback addresses the connections of Idle come from; one address has at
	// most some 28,000 ports.
	Sources int
	// TLS speaks TLS and trusts any certificate.
	TLS bool
	// Keep has sessions outlive their connections.
	Keep bool
}

// Default is ten pairs with 128 bytes at QoS 0 for five seconds.
func Default() Config {
	return Config{
		Addr:         "127.0.0.1:1883",
		Pattern:      Pairs,
		Version:      mqtt.V311,
		Publishers:   10,
		Subscribers:  10,
		PayloadBytes: 128,
		Window:       100,
		Warmup:       time.Second,
		Duration:     5 * time.Second,
		Drain:        5 * time.Second,
		Sources:      1,
	}
}

// Validate finds what cannot be run.
func (c *Config) Validate() error {
	var errs []error
	refuse := func(bad bool, text string) {
		if bad {
			errs = append(errs, errors.New("load: config: "+text))
		}
	}
	refuse(c.Publishers < 0 || c.Subscribers < 0, "a negative number of connections")
	refuse(c.Version < mqtt.V31 || c.Version > mqtt.V5, "unknown version")
	refuse(c.Duration <= 0, "no duration")
	switch c.Pattern {
	case Pairs:
		refuse(c.Publishers != c.Subscribers, "p2p wants as many publishers as subscribers")
		fallthrough
	case FanOut, FanIn:
		refuse(c.Publishers == 0 || c.Subscribers == 0, "no publisher or no subscriber")
		refuse(c.PayloadBytes < PayloadBytesMin,
			fmt.Sprintf("the payload has at least %d bytes", PayloadBytesMin))
		refuse(c.Window < 1 || c.Window > windowMax, fmt.Sprintf("window is 1 to %d", windowMax))
		refuse(c.QoS > mqtt.ExactlyOnce, "qos is 0, 1 or 2")
	case Idle:
		refuse(c.Sources < 1 || c.Sources > 250, "sources is 1 to 250")
	default:
		refuse(true, fmt.Sprintf("unknown pattern %q", c.Pattern))
	}
	return errors.Join(errs...)
}

// Result is what was seen.
type Result struct {
	// Label names what was measured, when several results stand side by side.
	Label        string  `json:"label,omitempty"`
	Pattern      Pattern `json:"pattern"`
	QoS          int     `json:"qos"`
	Publishers   int     `json:"publishers"`
	Subscribers  int     `json:"subscribers"`
	PayloadBytes int     `json:"payload_bytes"`
	Seconds      float64 `json:"seconds"`
	// Delivered were counted within Seconds.
	Delivered uint64  `json:"delivered"`
	PerSecond float64 `json:"delivered_per_s"`
	// Sent, Lost, Duplicates and OutOfOrder are of the whole run with warm-up and drain. Lost at
	// QoS 0 may be the broker's right; at QoS 1 and 2 it never is.
	Sent       uint64 `json:"sent"`
	Lost       uint64 `json:"lost"`
	Duplicates uint64 `json:"duplicates"`
	OutOfOrder uint64 `json:"out_of_order"`
	// Refused are acknowledgements with a reason code of 0x80 or more.
	Refused uint64 `json:"refused"`
	// Stalls is how often a window had to be opened because nothing arrived any more.
	Stalls  uint64  `json:"stalls"`
	Latency Latency `json:"latency"`
	// CPUSeconds is what the broker used within Seconds, CPUPerMillion that for a million delivered
	// messages, or for a million connections.
	CPUSeconds    float64 `json:"cpu_s"`
	CPUPerMillion float64 `json:"cpu_s_per_m"`
	// RSSKB is the broker's resident memory at the end, RSSPeakKB the most it ever was.
	RSSKB     int64 `json:"rss_kb"`
	RSSPeakKB int64 `json:"rss_peak_kb"`
	// RSSPerConn is bytes of broker memory for each connection of Idle.
	RSSPerConn float64 `json:"rss_bytes_per_conn,omitempty"`
	// ConnectsPerSecond is how fast the connections of Idle came in.
	ConnectsPerSecond float64 `json:"connects_per_s,omitempty"`
	// Dropped are connections that the broker closed.
	Dropped int `json:"dropped"`
	// OwnCPUSeconds is what the generator used, OthersCores how many cores everybody else did.
	OwnCPUSeconds float64 `json:"own_cpu_s"`
	OthersCores   float64 `json:"others_cores"`
}

// Latency is from just before the publisher's write to just after the subscriber's read, in
// microseconds. It has no meaning beyond order of magnitude while the window is full.
type Latency struct {
	P50  float64 `json:"p50_us"`
	P90  float64 `json:"p90_us"`
	P99  float64 `json:"p99_us"`
	P999 float64 `json:"p999_us"`
	Max  float64 `json:"max_us"`
}

// Run does what cfg says and blocks until it is done. It fails when a connection cannot be had or
// breaks.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Pattern == Idle {
		return runIdle(ctx, cfg)
	}
	return runMessages(ctx, cfg)
}
