package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

// The headroom is how much may be allocated between two collections however small the live heap
// is. Go's own pace, as much again as is live, collects a broker of a few megabytes a hundred times
// a second under load; measured, QoS 1 spent a third of its time on that. So the headroom grows
// while collections come soon after each other, and shrinks when they do not: what is left of a
// thousand connects lies scattered between what lives, and costs an idle connection 400 bytes if it
// is collected only after all of them. Above headroomMax of live heap Go's own pace holds.
const (
	headroomMin = 4 << 20
	headroomMax = 32 << 20
	gapMin      = 250 * time.Millisecond // below it the headroom doubles
	gapMax      = 8 * gapMin             // above it the headroom halves
)

const (
	// calmEvery is how often the broker looks whether it is calm.
	calmEvery = 5 * time.Second
	// calmBytes is the most that a calm broker allocates in calmEvery, busyBytes the least it
	// must have allocated since it gave memory back for the last time to do so again.
	calmBytes = 2 << 20
	busyBytes = 4 << 20
)

// paceGC keeps the headroom between collections, and gives memory back when the load is over,
// unless the environment has its own idea of the pace: then it answers nil.
func paceGC() *pacer {
	if os.Getenv("GOGC") != "" {
		return nil
	}
	p := &pacer{least: 100, percent: 100, headroom: headroomMin, last: time.Now()}
	p.live[0].Name = "/gc/heap/live:bytes"
	p.pace()
	go giveBack()
	return p
}

// limitHeap has the collector work harder on a device when the process nears the half of its
// memory: what is read at once and let go again then does not end it. GOMEMLIMIT comes first.
func limitHeap(bytes int64) {
	if limit := heapLimit(bytes); limit > 0 && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit)
	}
}

// heapLimit is 0 for a server.
func heapLimit(bytes int64) int64 {
	if bytes > 256<<20 {
		return 0
	}
	return bytes / 2
}

// giveBack runs as long as the process.
func giveBack() {
	var c calm
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	for range time.Tick(calmEvery) {
		metrics.Read(s)
		if c.now(s[0].Value.Uint64()) {
			debug.FreeOSMemory()
		}
	}
}

// calm tells when a broker that was busy is so no more.
type calm struct {
	last uint64 // allocated when it looked last
	back uint64 // allocated when memory was given back last
}

// now takes the bytes allocated in all, and is true when it is time to give memory back.
func (c *calm) now(allocated uint64) bool {
	quiet := allocated-c.last < calmBytes
	c.last = allocated
	if !quiet || allocated-c.back < busyBytes {
		return false
	}
	c.back = allocated
	return true
}

// restoringPercent is GOGC while sessions are restored: what is allocated then lives. With 100 a
// third of the time went into finding that out again and again, with 400 a fifth. The memory limit
// of a device comes first.
const restoringPercent = 1600

// restoring says that what is allocated from now on is to stay, or no more.
func (p *pacer) restoring(on bool) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.least = 100
	if on {
		p.least = restoringPercent
	}
	p.setLocked()
}

// pacer sets the pace anew after each collection.
type pacer struct {
	mu       sync.Mutex
	least    int
	live     [1]metrics.Sample
	percent  int
	headroom uint64
	last     time.Time // of a collection
}

// pace runs after a collection: the finalizer of an object that nobody holds is how Go tells.
func (p *pacer) pace() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.headroom = headroomAfter(p.headroom, now.Sub(p.last))
	p.last = now
	p.setLocked()
	runtime.SetFinalizer(&marker{p: p}, func(m *marker) { m.p.pace() })
}

func (p *pacer) setLocked() {
	metrics.Read(p.live[:])
	want := max(p.least, percentFor(p.live[0].Value.Uint64(), p.headroom))
	// Each change stops the world for a moment; small ones are not worth it.
	if d := want - p.percent; d > p.percent/8 || -d > p.percent/8 {
		debug.SetGCPercent(want)
		p.percent = want
	}
}

type marker struct{ p *pacer }

// headroomAfter is the headroom from now on when it was h for gap.
func headroomAfter(h uint64, gap time.Duration) uint64 {
	switch {
	case gap < gapMin:
		return min(2*h, headroomMax)
	case gap > gapMax:
		return max(h/2, headroomMin)
	}
	return h
}

// percentFor is the GOGC that leaves the headroom over a live heap; 100 is Go's own.
func percentFor(live, headroom uint64) int {
	const floor = 4 << 20 // Go takes a smaller heap for one of this size
	return int(max(100, headroom*100/max(live, floor)))
}
