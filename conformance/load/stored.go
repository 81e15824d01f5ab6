package load

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// StoredConfig says how many messages a broker is to keep for whom. Publisher p sends its i-th
// message to session (i + p) modulo Sessions, so that each session knows what to expect of whom.
type StoredConfig struct {
	// Config gives Addr, Publishers, PayloadBytes, Window, PID and the credentials.
	Config
	// Sessions are persistent and subscribe to one topic each at QoS 1.
	Sessions int
	// Rounds is how many messages each publisher sends to each session.
	Rounds int
	// Online has the sessions connected while messages are published.
	Online bool
	// Receivers is how many sessions at once fetch what waits for them, if they are not Online.
	Receivers int
	// Dir is the folder the broker writes to, "" for none that is to be measured.
	Dir string
	// Patience is how long nothing may arrive before what is missing is given up.
	Patience time.Duration
}

// DefaultStored is 200,000 messages of 128 bytes for 1,000 sessions that are away.
func DefaultStored() StoredConfig {
	c := StoredConfig{
		Config: Default(), Sessions: 1000, Rounds: 20, Receivers: 16, Patience: 20 * time.Second,
	}
	c.Keep, c.QoS, c.Window = true, mqtt.AtLeastOnce, 500
	return c
}

// Validate finds what cannot be run.
func (c *StoredConfig) Validate() error {
	switch {
	case c.Sessions < 1 || c.Rounds < 1 || c.Publishers < 1 || c.Receivers < 1:
		return errors.New("load: config: at least one of each")
	case c.Window < 1 || c.Window > windowMax:
		return fmt.Errorf("load: config: window is 1 to %d", windowMax)
	case c.PayloadBytes < PayloadBytesMin:
		return fmt.Errorf("load: config: the payload has at least %d bytes", PayloadBytesMin)
	}
	return nil
}

// StoredResult is what was seen.
type StoredResult struct {
	Label     string `json:"label,omitempty"`
	Online    bool   `json:"online"`
	Sessions  int    `json:"sessions"`
	Messages  int    `json:"messages"`
	Delivered int    `json:"delivered"`
	// Lost did not come though acknowledged, Doubled came more than once, Late behind one that was
	// published after it.
	Lost    int `json:"lost"`
	Doubled int `json:"doubled"`
	Late    int `json:"late"`
	// Stored is from the first PUBLISH to the last PUBACK.
	StoredSeconds   float64 `json:"stored_s"`
	StoredPerSecond float64 `json:"stored_per_s"`
	StoredCPU       float64 `json:"stored_cpu_s"`
	// Puback is from the write of PUBLISH to the read of PUBACK.
	Puback Latency `json:"puback"`
	// Syncs of the broker while messages were stored, where it tells; otherwise -1.
	Syncs int64 `json:"syncs"`
	// Drained is from the first connect of a receiver, or the first PUBLISH, to the last message.
	DrainedSeconds   float64 `json:"drained_s"`
	DrainedPerSecond float64 `json:"drained_per_s"`
	DrainedCPU       float64 `json:"drained_cpu_s"`
	// RSSKB and DiskBytes are of the broker with all stored, RSSPeakKB at the end.
	RSSKB       int64   `json:"rss_kb"`
	RSSPeakKB   int64   `json:"rss_peak_kb"`
	DiskBytes   int64   `json:"disk_bytes"`
	OthersCores float64 `json:"others_cores"`
}

// storing is a run.
type storing struct {
	cfg    *StoredConfig
	run    string
	clock  clock
	shelf  []shelf
	last   atomic.Int64 // when a message arrived
	begun  int64        // when the first was published
	result StoredResult
}

// shelf is what a session has got of each publisher.
type shelf struct {
	tracks []track
	got    int
}

// RunStored does what cfg says and blocks until it is done. It fails when a connection cannot be
// had or breaks.
func RunStored(ctx context.Context, cfg StoredConfig) (*StoredResult, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &storing{
		cfg: &cfg, clock: clock{time.Now()}, shelf: make([]shelf, cfg.Sessions),
		run: fmt.Sprintf("stored-%d-%d", os.Getpid(), time.Now().UnixNano()%1e9),
	}
	for i := range s.shelf {
		s.shelf[i].tracks = make([]track, cfg.Publishers)
	}
	messages := cfg.Sessions * cfg.Rounds * cfg.Publishers
	s.result = StoredResult{Online: cfg.Online, Sessions: cfg.Sessions, Messages: messages}
	if err := s.each(ctx, cfg.Sessions, cfg.Receivers, s.settle); err != nil {
		return nil, err
	}
	begun, before := time.Now(), Used(cfg.PID)
	if err := s.measure(ctx); err != nil {
		return nil, err
	}
	after := Used(cfg.PID)
	others := after.Machine - before.Machine - (after.Broker - before.Broker) -
		(after.Own - before.Own)
	s.result.OthersCores = max(0, others/time.Since(begun).Seconds())
	s.sum()
	return &s.result, nil
}

// measure publishes and fetches, at once or one after the other.
func (s *storing) measure(ctx context.Context) error {
	r := &s.result
	if !s.cfg.Online {
		if err := s.store(ctx); err != nil {
			return err
		}
		return s.drain(ctx, s.cfg.Receivers)
	}
	fetched := make(chan error, 1)
	s.last.Store(s.clock.now())
	go func() { fetched <- s.drain(ctx, s.cfg.Sessions) }()
	if err := s.store(ctx); err != nil {
		return err
	}
	err := <-fetched
	// Both at once: the work is in the other, the time begins with it.
	r.DrainedCPU, r.DrainedSeconds = 0, float64(s.last.Load()-s.begun)/1e9
	r.DrainedPerSecond = float64(r.Messages) / r.DrainedSeconds
	return err
}

// store publishes all, and takes readings around it.
func (s *storing) store(ctx context.Context) error {
	syncs := s.syncs(ctx)
	before, begun := Used(s.cfg.PID), time.Now()
	s.begun = s.clock.now()
	hists := make([]Histogram, s.cfg.Publishers)
	err := s.each(ctx, s.cfg.Publishers, s.cfg.Publishers, func(ctx context.Context, p int) error {
		return s.pour(ctx, p, &hists[p])
	})
	if err != nil {
		return err
	}
	r := &s.result
	r.StoredSeconds = time.Since(begun).Seconds()
	r.StoredCPU = Used(s.cfg.PID).Broker - before.Broker
	r.StoredPerSecond = float64(r.Messages) / r.StoredSeconds
	for i := range hists[1:] {
		hists[0].Merge(&hists[i+1])
	}
	r.Puback = hists[0].latency()
	r.RSSKB, _ = resident(s.cfg.PID)
	r.DiskBytes = diskBytes(s.cfg.Dir)
	r.Syncs = -1
	if after := s.syncs(ctx); syncs >= 0 && after >= 0 {
		r.Syncs = after - syncs
	}
	return nil
}

// drain fetches all, so many sessions at once.
func (s *storing) drain(ctx context.Context, workers int) error {
	before, begun := Used(s.cfg.PID), time.Now()
	s.last.Store(s.clock.now())
	if err := s.each(ctx, s.cfg.Sessions, workers, s.fetch); err != nil {
		return err
	}
	r := &s.result
	r.DrainedSeconds = time.Since(begun).Seconds()
	r.DrainedCPU = Used(s.cfg.PID).Broker - before.Broker
	r.DrainedPerSecond = float64(r.Messages) / r.DrainedSeconds
	return nil
}

// each calls do for 0 to n-1, by so many goroutines, and answers the first error.
func (s *storing) each(
	ctx context.Context, n, workers int, do func(ctx context.Context, i int) error,
) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(n, workers) {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(n) && ctx.Err() == nil; i = next.Add(1) - 1 {
				if err := do(ctx, int(i)); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

func (s *storing) sum() {
	r := &s.result
	for i := range s.shelf {
		r.Delivered += s.shelf[i].got
		for _, t := range s.shelf[i].tracks {
			r.Doubled += int(t.dups)
			r.Late += int(t.late)
		}
	}
	r.Lost = r.Messages - r.Delivered
	_, r.RSSPeakKB = resident(s.cfg.PID)
}

// diskBytes adds the sizes of the files below dir; what goes meanwhile does not count.
func diskBytes(dir string) int64 {
	sum := int64(0)
	if dir == "" {
		return 0
	}
	_ = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		if info, err := d.Info(); err == nil {
			sum += info.Size()
		}
		return nil
	})
	return sum
}
