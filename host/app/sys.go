package app

import (
	"context"
	"runtime/metrics"
	"time"

	"github.com/hpmq/hpmq/host/meter"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// openMeter starts to tell the node's numbers below $SYS.
func (a *App) openMeter(context.Context) error {
	if a.cfg.SysInterval == 0 {
		return nil
	}
	cfg := meter.Default()
	cfg.Interval = a.cfg.SysInterval.Std()
	m := meter.New(cfg, a.counts, a.loops.tell)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	ticker := time.NewTicker(cfg.Interval)
	go func() {
		defer close(ended)
		defer ticker.Stop()
		_ = m.Tell(ctx) // the first numbers are there from the start
		m.Run(ctx, ticker.C)
	}()
	a.later("meter", func(context.Context) error {
		cancel()
		<-ended
		return nil
	})
	return nil
}

// counts is meter.Source.
func (a *App) counts(ctx context.Context) (meter.Counts, error) {
	st, err := a.loops.Stats(ctx)
	if err != nil {
		return meter.Counts{}, err
	}
	c := meter.Counts{
		Version: Version(), Uptime: time.Since(a.started), HeapBytes: heapBytes(),
		Retained: a.loops.retained(), PacketsReceived: st.Gate.PacketsIn,
		BytesReceived: st.Gate.BytesIn, BytesSent: st.Gate.BytesOut,
		ConnectionsClosed: st.Gate.Cut,
	}
	if a.loops.disk != nil {
		d := a.loops.disk.Stats()
		c.StoreWrites, c.StoreSyncs = d.Writes, d.Syncs
	}
	for i := range st.Kernels {
		k := &st.Kernels[i]
		connected := k.SessionsConnected
		c.ClientsConnected += connected
		c.ClientsAway += k.Sessions - connected
		c.Subscriptions += k.Subscriptions
		c.Queued += k.Queued
		c.QueuedBytes += k.QueuedBytes
		c.Connections += k.ConnectionsTotal
		c.MessagesReceived += k.MessagesReceived
		c.MessagesSent += k.MessagesSent
		c.DroppedSlow += k.DroppedSlow
		c.DroppedQueue += k.DroppedQueue
		c.DroppedTotal += k.DroppedTotal
		c.DroppedOldest += k.DroppedOldest
		c.Rejected += k.Rejected
		c.DroppedSize += k.DroppedSize
		c.DroppedExpired += k.DroppedExpired
		c.MessagesRefused += k.Denied
		c.TakeOvers += k.TakenOver
	}
	return c, nil
}

// tell is meter.Publish. It waits for the message to be spread, as long as there are loops.
func (l *loops) tell(topic string, payload []byte) {
	m := &broker.Message{Topic: []byte(topic), Payload: payload, Retain: true, QoS: mqtt.AtMostOnce}
	l.wait(0, func(k *broker.Kernel, now broker.Time) { k.Publish(now, nil, m) })
}

// heapBytes is what the live objects of the process measure.
func heapBytes() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
