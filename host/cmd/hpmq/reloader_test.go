package main

import (
	"context"
	"testing"
)

func TestReloadsMeanwhileAreOne(t *testing.T) {
	began, more := make(chan struct{}, 8), make(chan struct{})
	r := newReloader(func(context.Context) { began <- struct{}{}; <-more })
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
	r := newReloader(func(ctx context.Context) { close(began); <-ctx.Done() })
	r.ask()
	<-began
	if err := r.close(); err != nil {
		t.Error(err)
	}
}
