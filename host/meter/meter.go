// Package meter knows what a broker says of itself in topics below $SYS, by the names that
// mosquitto made common: numbers as text, retained, published again only when they change.
//
// It does not know where the numbers come from nor how a message gets into the broker.
package meter

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Counts are the numbers of one moment. Those called totals only grow.
type Counts struct {
	Version          string
	Uptime           time.Duration
	ClientsConnected int
	ClientsAway      int // sessions without a connection
	Subscriptions    int
	Retained         int
	Queued           int // messages that wait for sessions
	QueuedBytes      int
	HeapBytes        uint64
	Connections      uint64 // total
	PacketsReceived  uint64 // total
	MessagesReceived uint64 // total of PUBLISH
	MessagesSent     uint64 // total of PUBLISH
	// Totals of messages that did not reach a session: its connection was slow, its queue was full,
	// all queues together were, newer ones took their place, their publisher was told instead, they
	// were too large for the client, they expired.
	DroppedSlow, DroppedQueue, DroppedTotal, DroppedOldest uint64
	Rejected, DroppedSize, DroppedExpired                  uint64

	MessagesRefused   uint64 // total: not authorized, or not what they say they are
	BytesReceived     uint64 // total
	BytesSent         uint64 // total
	TakeOvers         uint64 // total
	ConnectionsClosed uint64 // total of peers that took nothing
	StoreWrites       uint64 // total of what kernels asked the disk to keep
	StoreSyncs        uint64 // total of waits for the device
}

// dropped is the total for all reasons.
func (c *Counts) dropped() uint64 {
	return c.DroppedSlow + c.DroppedQueue + c.DroppedTotal + c.DroppedOldest + c.Rejected +
		c.DroppedSize + c.DroppedExpired
}

// Source answers the counts of now. It may block as long as ctx allows.
type Source func(ctx context.Context) (Counts, error)

// Publish brings a retained message in. It may block. payload belongs to the callee.
type Publish func(topic string, payload []byte)

// Config says how often.
type Config struct {
	// Interval is the time between two looks at the numbers.
	Interval time.Duration
	// AskTimeout bounds one look.
	AskTimeout time.Duration
}

// Default looks as often as mosquitto does.
func Default() Config { return Config{Interval: 10 * time.Second, AskTimeout: 5 * time.Second} }

// Validate says what is wrong with c.
func (c Config) Validate() error {
	if c.Interval < time.Second || c.AskTimeout <= 0 {
		return errors.New("meter: interval at least 1 s, ask timeout above 0")
	}
	return nil
}

// Meter publishes the numbers. It is used by one goroutine.
type Meter struct {
	cfg     Config
	source  Source
	publish Publish
	told    map[string]string // what was published last, by topic
	max     int               // most clients connected at once
	loads   []*load
}

// New makes a meter that has told nothing yet.
func New(cfg Config, source Source, publish Publish) *Meter {
	m := &Meter{cfg: cfg, source: source, publish: publish, told: make(map[string]string)}
	m.loads = []*load{
		{name: "connections", of: func(c *Counts) uint64 { return c.Connections }},
		{name: "messages/received", of: func(c *Counts) uint64 { return c.PacketsReceived }},
		{name: "publish/received", of: func(c *Counts) uint64 { return c.MessagesReceived }},
		{name: "publish/sent", of: func(c *Counts) uint64 { return c.MessagesSent }},
		{name: "publish/dropped", of: (*Counts).dropped},
		{name: "bytes/received", of: func(c *Counts) uint64 { return c.BytesReceived }},
		{name: "bytes/sent", of: func(c *Counts) uint64 { return c.BytesSent }},
	}
	return m
}

// Run tells the numbers each time ticks has a value, until ctx ends. An error of the source skips a
// turn: a node that stops, or a loop that is stuck, which others tell of.
func (m *Meter) Run(ctx context.Context, ticks <-chan time.Time) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks:
			_ = m.Tell(ctx)
		}
	}
}

// Tell looks at the numbers and publishes what changed.
func (m *Meter) Tell(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, m.cfg.AskTimeout)
	defer cancel()
	c, err := m.source(ctx)
	if err != nil {
		return fmt.Errorf("meter: %w", err)
	}
	m.max = max(m.max, c.ClientsConnected)
	m.text("version", "hpmq "+c.Version)
	m.text("uptime", strconv.FormatInt(int64(c.Uptime/time.Second), 10)+" seconds")
	for _, n := range []struct {
		name  string
		value uint64
	}{
		{"clients/connected", uint64(c.ClientsConnected)},
		{"clients/disconnected", uint64(c.ClientsAway)},
		{"clients/total", uint64(c.ClientsConnected + c.ClientsAway)},
		{"clients/maximum", uint64(m.max)},
		{"clients/taken over", c.TakeOvers},
		{"clients/cut", c.ConnectionsClosed},
		{"subscriptions/count", uint64(c.Subscriptions)},
		{"retained messages/count", uint64(c.Retained)},
		{"store/messages/count", uint64(c.Queued)},
		{"store/writes", c.StoreWrites},
		{"store/syncs", c.StoreSyncs},
		{"store/messages/bytes", uint64(c.QueuedBytes)},
		{"heap/current", c.HeapBytes},
		{"messages/received", c.PacketsReceived},
		{"publish/messages/received", c.MessagesReceived},
		{"publish/messages/sent", c.MessagesSent},
		{"publish/messages/dropped", c.dropped()},
		{"publish/messages/dropped/slow", c.DroppedSlow},
		{"publish/messages/dropped/queue full", c.DroppedQueue},
		{"publish/messages/dropped/all queues full", c.DroppedTotal},
		{"publish/messages/dropped/oldest", c.DroppedOldest},
		{"publish/messages/dropped/rejected", c.Rejected},
		{"publish/messages/dropped/too large", c.DroppedSize},
		{"publish/messages/dropped/expired", c.DroppedExpired},
		{"publish/messages/refused", c.MessagesRefused},
		{"bytes/received", c.BytesReceived},
		{"bytes/sent", c.BytesSent},
	} {
		m.text(n.name, strconv.FormatUint(n.value, 10))
	}
	for _, l := range m.loads {
		l.add(&c, m.cfg.Interval)
		for i, minutes := range [...]string{"1min", "5min", "15min"} {
			m.text("load/"+l.name+"/"+minutes, strconv.FormatFloat(l.rates[i], 'f', 2, 64))
		}
	}
	return nil
}

// text publishes a value unless it is what was published last.
func (m *Meter) text(name, value string) {
	topic := "$SYS/broker/" + name
	if m.told[topic] == value {
		return
	}
	m.told[topic] = value
	m.publish(topic, []byte(value))
}
