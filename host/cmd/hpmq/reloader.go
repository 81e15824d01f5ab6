package main

import (
	"context"
	"errors"
	"sync"
	"time"
)

// reloader reloads beside who takes the signals: a disk may not answer, and SIGTERM must be heard
// all the same. What is asked for while a reload is under way is one reload after it, and ends what
// that does before it changes anything.
type reloader struct {
	asked chan struct{}
	end   context.CancelFunc
	ended chan struct{}

	// mu makes one of asking and of ending the reload before: else it might be the next that ends,
	// with nothing left that asks for another.
	mu    sync.Mutex
	again context.CancelFunc
}

// reloadMax is how long an end waits for a reload that is under way.
const reloadMax = 5 * time.Second

// newReloader calls reload with a context of its own for what it does before it changes anything.
func newReloader(reload func(ctx, early context.Context)) *reloader {
	ctx, end := context.WithCancel(context.Background())
	r := &reloader{asked: make(chan struct{}, 1), end: end, ended: make(chan struct{}),
		again: func() {}}
	go func() {
		defer close(r.ended)
		for {
			select {
			case <-ctx.Done():
				return
			case <-r.asked:
			}
			if ctx.Err() == nil {
				early, done := r.begin(ctx)
				reload(ctx, early)
				done()
			}
		}
	}()
	return r
}

// begin makes the context that the next ask ends. What was asked for until here is this reload: it
// has read nothing yet.
func (r *reloader) begin(ctx context.Context) (context.Context, context.CancelFunc) {
	early, again := context.WithCancel(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.asked:
	default:
	}
	r.again = again
	return early, again
}

// ask never blocks.
func (r *reloader) ask() {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case r.asked <- struct{}{}:
	default:
	}
	r.again()
}

// close ends the reload that is under way; none follows it. A broker that is still reloaded cannot
// be closed: that is the error.
func (r *reloader) close() error {
	r.end()
	t := time.NewTimer(reloadMax)
	defer t.Stop()
	select {
	case <-r.ended:
		return nil
	case <-t.C:
		return errors.New("ended without leave of the clients: a reload does not come to an end " +
			"(does the disk of the configuration answer?)")
	}
}
