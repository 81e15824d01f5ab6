package main

import (
	"context"
	"errors"
	"time"
)

// reloader reloads beside who takes the signals: a disk may not answer, and SIGTERM must be heard
// all the same. What is asked for while a reload is under way is one reload after it.
type reloader struct {
	asked chan struct{}
	end   context.CancelFunc
	ended chan struct{}
}

// reloadMax is how long an end waits for a reload that is under way.
const reloadMax = 5 * time.Second

func newReloader(reload func(context.Context)) *reloader {
	ctx, end := context.WithCancel(context.Background())
	r := &reloader{make(chan struct{}, 1), end, make(chan struct{})}
	go func() {
		defer close(r.ended)
		for {
			select {
			case <-ctx.Done():
				return
			case <-r.asked:
			}
			if ctx.Err() == nil {
				reload(ctx)
			}
		}
	}()
	return r
}

// ask never blocks.
func (r *reloader) ask() {
	select {
	case r.asked <- struct{}{}:
	default:
	}
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
