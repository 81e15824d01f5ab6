package main

import (
	"testing"
	"time"
)

func TestPercentForLeavesHeadroom(t *testing.T) {
	for live, want := range map[uint64]int{0: 800, 4 << 20: 800, 32 << 20: 100, 4 << 30: 100} {
		if got := percentFor(live, headroomMax); got != want {
			t.Errorf("live %d: GOGC %d, want %d", live, got, want)
		}
	}
}

func TestHeadroomFollowsLoad(t *testing.T) {
	h := uint64(headroomMin)
	for i, step := range []struct {
		gap  time.Duration
		want uint64
	}{
		{10 * time.Millisecond, 8 << 20},
		{100 * time.Millisecond, 16 << 20},
		{time.Second, 16 << 20}, // far enough apart
		{100 * time.Millisecond, 32 << 20},
		{100 * time.Millisecond, 32 << 20}, // no more than this
		{time.Minute, 16 << 20},
		{time.Minute, 8 << 20},
		{time.Minute, 4 << 20},
		{time.Minute, 4 << 20}, // no less than this
	} {
		if h = headroomAfter(h, step.gap); h != step.want {
			t.Errorf("step %d: %d, want %d", i, h, step.want)
		}
	}
}

func TestCalmComesAfterLoad(t *testing.T) {
	var c calm
	const mb = 1 << 20
	for i, step := range []struct {
		allocated uint64
		back      bool
	}{
		{1 * mb, false},   // too little to be worth it
		{50 * mb, false},  // busy
		{100 * mb, false}, // busy
		{101 * mb, true},  // calm after load
		{102 * mb, false}, // given back already
		{103 * mb, false},
		{104 * mb, false},
		{105 * mb, true}, // a little at a time adds up
	} {
		if got := c.now(step.allocated); got != step.back {
			t.Errorf("step %d, %d MB: %v, want %v", i, step.allocated/mb, got, step.back)
		}
	}
}

func TestDevicesHaveALimit(t *testing.T) {
	const mb = 1 << 20
	for memory, want := range map[int64]int64{64 * mb: 32 * mb, 256 * mb: 128 * mb, 1024 * mb: 0} {
		if got := heapLimit(memory); got != want {
			t.Errorf("%d: %d, want %d", memory, got, want)
		}
	}
}
