package suite

import (
	"context"
	"sync/atomic"
	"time"
)

// A server that ends while it is judged takes all cases with it that run at that time. They are run
// again, one at a time, when it is back: the case that ends it then is the one that it breaks. A
// server that does not come back ends the run; the cases that are left are not run.

// outages is what a run knows of a server that ended.
type outages struct {
	count atomic.Int64
	gone  atomic.Bool // it does not come back
}

const (
	// lookEvery is how often a server that ended is asked whether it is back.
	lookEvery = 100 * time.Millisecond
	// reasonGone is why a case is not run behind the end of a server.
	reasonGone = "the server has ended and did not come back"
)

// struck says whether a case that failed did so while the server ended. since is the count of
// outages when the case began. It blocks until the server is back, or is taken for gone.
func (r *runner) struck(ctx context.Context, target *Target, since int64) bool {
	if r.answers(ctx, target) {
		return r.count.Load() != since
	}
	r.count.Add(1)
	end := time.Now().Add(r.opts.ReturnTimeout)
	for time.Now().Before(end) && ctx.Err() == nil {
		if r.answers(ctx, target) {
			return true
		}
		timer := time.NewTimer(lookEvery)
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
	r.gone.Store(true)
	return true
}

// answers is true if somebody accepts connections.
func (r *runner) answers(ctx context.Context, target *Target) bool {
	conn, err := target.stream(ctx)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// again runs the cases that an outage struck, one at a time.
func (r *runner) again(ctx context.Context, jobs []job, results []Result) {
	for i := range results {
		if !results[i].struck {
			continue
		}
		if r.gone.Load() {
			results[i].Faults = append(results[i].Faults,
				"the server ended at about that time and did not come back")
			continue
		}
		res := r.one(ctx, jobs[i])
		if res.struck {
			res.Faults = append(res.Faults, "the server ended while this case ran")
		}
		results[i] = res
		if r.opts.Progress != nil {
			r.opts.Progress(res)
		}
	}
}
