package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// dialers is how many connections are opened at once.
const dialers = 32

// runIdle opens connections, leaves them alone for Duration, and sees what they cost.
func runIdle(ctx context.Context, cfg Config) (*Result, error) {
	n := cfg.Publishers + cfg.Subscribers
	r := &Result{Pattern: cfg.Pattern, Publishers: cfg.Publishers, Subscribers: cfg.Subscribers}
	rssBefore, _ := resident(cfg.PID)
	before, begun := Used(cfg.PID), time.Now()
	peers, err := dialAll(ctx, &cfg, n)
	defer func() {
		for _, p := range peers {
			if p != nil {
				p.leave()
			}
		}
	}()
	if err != nil {
		return nil, err
	}
	r.Seconds = time.Since(begun).Seconds()
	r.ConnectsPerSecond = float64(n) / r.Seconds
	r.account(before, Used(cfg.PID), float64(n))
	select {
	case <-time.After(cfg.Duration):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	r.RSSKB, r.RSSPeakKB = resident(cfg.PID)
	r.RSSPerConn = float64(r.RSSKB-rssBefore) * 1024 / float64(max(n, 1))
	for _, p := range peers {
		if !p.alive() {
			r.Dropped++
		}
	}
	return r, nil
}

func dialAll(ctx context.Context, cfg *Config, n int) ([]*peer, error) {
	peers := make([]*peer, n)
	errs := make([]error, dialers)
	run := fmt.Sprintf("load-%d-%d", os.Getpid(), time.Now().UnixNano()%1e9)
	var wg sync.WaitGroup
	for w := range dialers {
		wg.Go(func() {
			for i := w; i < n && errs[w] == nil && ctx.Err() == nil; i += dialers {
				peers[i], errs[w] = dialIdle(ctx, cfg, run, i)
			}
		})
	}
	wg.Wait()
	return peers, errors.Join(append(errs, ctx.Err())...)
}

func dialIdle(ctx context.Context, cfg *Config, run string, i int) (*peer, error) {
	var from net.Addr
	if cfg.Sources > 1 {
		from = &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+i%cfg.Sources))}
	}
	id := fmt.Sprintf("%s-%d", run, i)
	p, err := dial(ctx, cfg, id, from)
	if err != nil {
		return nil, err
	}
	if i >= cfg.Subscribers {
		return p, nil
	}
	if err := p.subscribe("load/"+id, cfg.QoS); err != nil {
		p.leave()
		return nil, err
	}
	return p, nil
}

// alive says that the broker has not closed the connection: a read that may not wait finds nothing.
func (p *peer) alive() bool {
	if p.conn.SetReadDeadline(time.Now().Add(time.Millisecond)) != nil {
		return false
	}
	_, err := p.conn.Read(make([]byte, 1))
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
