package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// gcHeadroomBytes is how much may be allocated between two collections however small the live heap is.
// Go's own pace, as much again as is live, collects a broker of a few megabytes a hundred times a
// second under load; measured, QoS 1 spent a third of its time on that. Above this size Go's own
// pace holds.
const gcHeadroomBytes = 32 << 20

// paceGC keeps gcHeadroomBytes between collections, unless the environment has its own idea.
func paceGC() {
	if os.Getenv("GOGC") != "" {
		return
	}
	p := &pacer{percent: 100}
	p.live[0].Name = "/gc/heap/live:bytes"
	p.pace()
}

// pacer sets the pace anew after each collection.
type pacer struct {
	live    [1]metrics.Sample
	percent int
}

// pace runs after a collection: the finalizer of an object that nobody holds is how Go tells.
func (p *pacer) pace() {
	metrics.Read(p.live[:])
	want := percentFor(p.live[0].Value.Uint64())
	// Each change stops the world for a moment; small ones are not worth it.
	if d := want - p.percent; d > p.percent/8 || -d > p.percent/8 {
		debug.SetGCPercent(want)
		p.percent = want
	}
	runtime.SetFinalizer(&marker{p: p}, func(m *marker) { m.p.pace() })
}

type marker struct{ p *pacer }

// percentFor is the GOGC that leaves the headroom over a live heap; 100 is Go's own.
func percentFor(live uint64) int {
	const floor = 1 << 20 // of a heap that was not measured yet
	return int(max(100, gcHeadroomBytes*100/max(live, floor)))
}
