package load

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

const (
	// stallTime without one message sent opens a window by force: at QoS 0 the broker may have
	// dropped all that was on its way, and then nobody would ever pass the step.
	stallTime = time.Second
	// rateTick is how often a rate lets messages go. Shorter makes smaller bursts.
	rateTick = time.Millisecond
	// drainTick is how often the end of the drain is looked for.
	drainTick = 5 * time.Millisecond
)

// crowd is all connections of a run.
type crowd struct {
	cfg       *Config
	clock     clock
	pubs      []*publisher
	subs      []*subscriber
	measuring atomic.Bool
	stalls    uint64

	done chan struct{}
	// failed gets the first error of a goroutine.
	failed chan error
	wg     sync.WaitGroup
}

func runMessages(ctx context.Context, cfg Config) (*Result, error) {
	c := &crowd{cfg: &cfg, clock: clock{time.Now()}, done: make(chan struct{}),
		failed: make(chan error, 1)}
	defer c.close()
	if err := c.gather(ctx); err != nil {
		return nil, err
	}
	c.start()
	if err := c.wait(ctx, cfg.Warmup); err != nil {
		return nil, err
	}
	c.measuring.Store(true)
	before, deliveredBefore, begun := Used(cfg.PID), c.delivered(), time.Now()
	err := c.wait(ctx, cfg.Duration)
	seconds := time.Since(begun).Seconds()
	after, deliveredAfter := Used(cfg.PID), c.delivered()
	c.measuring.Store(false)
	if err != nil {
		return nil, err
	}
	r := &Result{Pattern: cfg.Pattern, QoS: int(cfg.QoS), Publishers: cfg.Publishers,
		Subscribers: cfg.Subscribers, PayloadBytes: cfg.PayloadBytes, Seconds: seconds}
	r.Delivered = deliveredAfter - deliveredBefore
	r.PerSecond = float64(r.Delivered) / seconds
	r.account(before, after, float64(r.Delivered))
	r.RSSKB, r.RSSPeakKB = resident(cfg.PID)
	if err := c.drain(ctx); err != nil {
		return nil, err
	}
	c.close()
	c.sum(r)
	return r, nil
}

// account turns two readings of usage into what Result tells. per is what the CPU is divided by.
func (r *Result) account(before, after Usage, per float64) {
	r.CPUSeconds = after.Broker - before.Broker
	r.OwnCPUSeconds = after.Own - before.Own
	others := after.Machine - before.Machine - r.CPUSeconds - r.OwnCPUSeconds
	r.OthersCores = max(0, others/r.Seconds)
	if per > 0 {
		r.CPUPerMillion = r.CPUSeconds / per * 1e6
	}
}

// gather opens all connections and subscribes.
func (c *crowd) gather(ctx context.Context) error {
	run := fmt.Sprintf("load-%d-%d", os.Getpid(), time.Now().UnixNano()%1e9)
	for i := range c.cfg.Publishers {
		p, err := dial(ctx, c.cfg, fmt.Sprintf("%s-p%d", run, i), nil)
		if err != nil {
			return err
		}
		pub := newPublisher(p, c.cfg, i, fmt.Sprintf("%s/%d", run, i))
		pub.clock = c.clock
		c.pubs = append(c.pubs, pub)
	}
	for i := range c.cfg.Subscribers {
		p, err := dial(ctx, c.cfg, fmt.Sprintf("%s-s%d", run, i), nil)
		if err != nil {
			return err
		}
		sub := &subscriber{peer: p, clock: c.clock, measuring: &c.measuring, publishers: c.pubs,
			tracks: make([]track, len(c.pubs))}
		c.subs = append(c.subs, sub)
		filter := run + "/#"
		if c.cfg.Pattern == Pairs {
			filter = fmt.Sprintf("%s/%d", run, i)
		}
		if err := p.subscribe(filter, c.cfg.QoS); err != nil {
			return err
		}
	}
	for _, p := range c.pubs {
		p.subscribers = uint32(c.receivers())
	}
	return nil
}

// receivers is how many subscribers get a message.
func (c *crowd) receivers() int {
	if c.cfg.Pattern == Pairs {
		return 1
	}
	return c.cfg.Subscribers
}

func (c *crowd) start() {
	for _, s := range c.subs {
		c.goes(s.read)
	}
	for _, p := range c.pubs {
		c.goes(p.read)
		c.goes(func() error { return p.write(c.done) })
		if c.cfg.Rate == 0 {
			p.allow(uint64(c.cfg.Window))
		}
	}
	if c.cfg.Rate > 0 {
		c.goes(c.lead)
	}
}

// goes runs f until it ends. An error before close ends the run.
func (c *crowd) goes(f func() error) {
	c.wg.Go(func() {
		err := f()
		select {
		case <-c.done:
		default:
			if err != nil {
				select {
				case c.failed <- err:
				default:
				}
			}
		}
	})
}

// lead lets messages go at the rate, all publishers in turn.
func (c *crowd) lead() error {
	tick := time.NewTicker(rateTick)
	defer tick.Stop()
	begun, let := time.Now(), 0
	for {
		select {
		case <-tick.C:
		case <-c.done:
			return nil
		}
		due := int(time.Since(begun).Seconds() * float64(c.cfg.Rate))
		for ; let < due; let++ {
			c.pubs[let%len(c.pubs)].allow(1)
		}
	}
}

// wait lets d pass, and opens windows that are stuck.
func (c *crowd) wait(ctx context.Context, d time.Duration) error {
	end := time.NewTimer(d)
	defer end.Stop()
	stall := time.NewTicker(stallTime)
	defer stall.Stop()
	sent := make([]uint64, len(c.pubs))
	for {
		select {
		case <-end.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case err := <-c.failed:
			return err
		case <-stall.C:
			c.unstick(sent)
		}
	}
}

func (c *crowd) unstick(sent []uint64) {
	for i, p := range c.pubs {
		now := p.sent.Load()
		if p.step > 0 && now == sent[i] {
			c.stalls++
			p.allow(uint64(c.cfg.Window))
		}
		sent[i] = now
	}
}

// drain stops the publishers, then waits until all arrived or Drain is over.
func (c *crowd) drain(ctx context.Context) error {
	for _, p := range c.pubs {
		p.stop()
	}
	end := time.NewTimer(c.cfg.Drain)
	defer end.Stop()
	tick := time.NewTicker(drainTick)
	defer tick.Stop()
	for c.delivered() < c.due() || !c.settled() {
		select {
		case <-end.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case err := <-c.failed:
			return err
		case <-tick.C:
		}
	}
	return nil
}

func (c *crowd) delivered() uint64 {
	var n uint64
	for _, s := range c.subs {
		n += s.delivered.Load()
	}
	return n
}

// due is how many messages should have arrived, were none lost.
func (c *crowd) due() uint64 {
	var n uint64
	for _, p := range c.pubs {
		n += p.sent.Load()
	}
	return n * uint64(c.receivers())
}

// settled says that every message above QoS 0 was acknowledged.
func (c *crowd) settled() bool {
	for _, p := range c.pubs {
		p.mu.Lock()
		open := p.qos > mqtt.AtMostOnce && p.acked < p.sent.Load()
		p.mu.Unlock()
		if open {
			return false
		}
	}
	return true
}

// close ends all connections and waits for all goroutines. It may be called twice.
func (c *crowd) close() {
	select {
	case <-c.done:
		return
	default:
	}
	close(c.done)
	for _, p := range c.pubs {
		p.leave()
	}
	for _, s := range c.subs {
		s.leave()
	}
	c.wg.Wait()
}

// leave disconnects as the standard wants it, as far as the connection still goes.
func (p *peer) leave() {
	bye := mqtt.Disconnect{}
	_, err := p.conn.Write(bye.Append(nil, p.v))
	_ = errors.Join(err, p.conn.Close())
}

// sum adds up what the goroutines counted; they have ended.
func (c *crowd) sum(r *Result) {
	var all Histogram
	var unique uint64
	for _, s := range c.subs {
		all.Merge(&s.seen)
		for i := range s.tracks {
			unique += s.tracks[i].unique
			r.Duplicates += s.tracks[i].dups
			r.OutOfOrder += s.tracks[i].late
		}
	}
	for _, p := range c.pubs {
		r.Sent += p.sent.Load()
		r.Refused += p.refused.Load()
	}
	r.Lost = c.due() - min(unique, c.due())
	r.Stalls = c.stalls
	r.Latency = all.latency()
}
