package main

import (
	"os"
	"runtime"
)

// spareRoom is how many goroutines may run beside as many as there are processors.
//
// A loop that wakes needs a place among those that run. When all are taken by goroutines that
// compile or test a component, or collect garbage, Go lets it wait for up to 10 ms; the system,
// which shares the processors among threads, prefers the thread that slept. So there are places for
// one that works for a change and one that collects.
const spareRoom = 2

// makeRoom is called when the loops have started, one for each processor. GOMAXPROCS of the
// environment comes first.
func makeRoom() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + spareRoom)
	}
}
