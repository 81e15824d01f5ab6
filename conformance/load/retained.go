package load

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// RetainedResult is what it took to keep messages and to give all to a new subscriber.
type RetainedResult struct {
	Label           string  `json:"label,omitempty"`
	Messages        int     `json:"messages"`
	StoredPerSecond float64 `json:"stored_per_s"`
	Puback          Latency `json:"puback"`
	Delivered       int     `json:"delivered"`
	// First and All are from the write of SUBSCRIBE to the first and the last of the messages.
	FirstSeconds float64 `json:"first_s"`
	AllSeconds   float64 `json:"all_s"`
	CPU          float64 `json:"cpu_s"`
	RSSKB        int64   `json:"rss_kb"`
	RSSPeakKB    int64   `json:"rss_peak_kb"`
	DiskBytes    int64   `json:"disk_bytes"`
}

// RunRetained has one publisher retain cfg.Sessions messages, each under a topic of its own, and
// then one subscriber ask for all. It blocks until all are there or nothing came for cfg.Patience.
func RunRetained(ctx context.Context, cfg StoredConfig) (*RetainedResult, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg.Keep = false
	s := &storing{cfg: &cfg, clock: clock{time.Now()}, run: fmt.Sprint("r", time.Now().UnixNano())}
	p, err := dial(ctx, &cfg.Config, s.run+"-p", nil)
	if err != nil {
		return nil, err
	}
	defer p.conn.Close()
	x := &pouring{storing: s, peer: p, sent: make([]atomic.Int64, 65536), retain: true}
	x.count, x.each = cfg.Sessions, 1
	x.topic = func(i int) []byte { return fmt.Appendf(nil, "%s/%d/%d", s.run, i%1000, i) }
	var h Histogram
	begun := time.Now()
	if err := x.run(ctx, &h); err != nil {
		return nil, err
	}
	r := &RetainedResult{Messages: cfg.Sessions, Puback: h.latency()}
	r.StoredPerSecond = float64(cfg.Sessions) / time.Since(begun).Seconds()
	before := Used(cfg.PID)
	if err := s.collect(ctx, r); err != nil {
		return nil, err
	}
	r.CPU = Used(cfg.PID).Broker - before.Broker
	r.RSSKB, r.RSSPeakKB = resident(cfg.PID)
	r.DiskBytes = diskBytes(cfg.Dir)
	return r, nil
}

// collect subscribes to all and takes what comes.
func (s *storing) collect(ctx context.Context, r *RetainedResult) error {
	p, err := dial(ctx, &s.cfg.Config, s.run+"-s", nil)
	if err != nil {
		return err
	}
	defer p.conn.Close()
	begun := time.Now()
	list := []mqtt.Subscription{{Filter: []byte("#"), QoS: mqtt.AtLeastOnce}}
	out, quiet := mqtt.AppendSubscribe(nil, p.v, 1, nil, list), begun
	seen := make([]bool, r.Messages) // they come in the broker's order
	for r.Delivered < r.Messages && time.Since(quiet) < s.cfg.Patience {
		frame, err := p.next()
		if err == nil && frame == nil {
			if _, err = p.conn.Write(out); err == nil {
				err = p.wait(time.Second)
			}
			out = out[:0]
		}
		if err != nil {
			return fmt.Errorf("load: receive: %w", err)
		}
		if frame == nil {
			continue
		}
		var st stamp
		var ok bool
		if st, ok, out = p.taken(frame, out); ok && st.seq < uint64(len(seen)) && !seen[st.seq] {
			seen[st.seq], quiet = true, time.Now()
			if r.Delivered++; r.Delivered == 1 {
				r.FirstSeconds = quiet.Sub(begun).Seconds()
			}
		}
	}
	r.AllSeconds = quiet.Sub(begun).Seconds()
	return nil
}
