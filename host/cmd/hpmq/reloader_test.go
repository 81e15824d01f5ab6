package main

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

func TestReloadsMeanwhileAreOne(t *testing.T) {
	began, more := make(chan struct{}, 8), make(chan struct{})
	r := newReloader(func(_, _ context.Context) { began <- struct{}{}; <-more })
	r.ask()
	<-began
	for range 5 {
		r.ask() // never blocks
	}
	more <- struct{}{}
	<-began
	close(more)
	if err := r.close(); err != nil || len(began) > 0 {
		t.Errorf("%d more, %v", len(began), err)
	}
}

func TestReloadIsToldOfTheEnd(t *testing.T) {
	began := make(chan struct{})
	r := newReloader(func(ctx, _ context.Context) { close(began); <-ctx.Done() })
	r.ask()
	<-began
	if err := r.close(); err != nil {
		t.Error(err)
	}
}

// TestAskedAgainEndsWhatChangesNothing, and what is asked for is not lost: one reload follows, that
// nobody ends.
func TestAskedAgainEndsWhatChangesNothing(t *testing.T) {
	began, more := make(chan context.Context, 8), make(chan struct{})
	all := make(chan error, 8)
	r := newReloader(func(ctx, early context.Context) {
		began <- early
		select {
		case <-early.Done():
		case <-more:
		}
		all <- ctx.Err()
	})
	r.ask()
	first := <-began
	r.ask()
	<-first.Done()
	second := <-began
	if second.Err() != nil {
		t.Error("the one that follows is ended, too")
	}
	close(more)
	for range 2 {
		if err := <-all; err != nil {
			t.Error("all of it is ended:", err)
		}
	}
	if err := r.close(); err != nil || len(began) > 0 {
		t.Errorf("%d more, %v", len(began), err)
	}
}

// TestNoAskIsLost: whenever it comes, a reload begins after it that is not ended by it.
func TestNoAskIsLost(t *testing.T) {
	var asked, read atomic.Int64
	seen := make(chan struct{}, 1)
	r := newReloader(func(_, early context.Context) {
		n := asked.Load()
		runtime.Gosched()
		if early.Err() == nil {
			read.Store(n)
		}
		select {
		case seen <- struct{}{}:
		default:
		}
	})
	end := time.After(patience)
	for range 2000 {
		asked.Add(1)
		r.ask()
		for read.Load() != asked.Load() {
			select {
			case <-seen:
			case <-end:
				t.Fatalf("%d of %d", read.Load(), asked.Load())
			}
		}
	}
	if err := r.close(); err != nil {
		t.Error(err)
	}
}
