package main

import "testing"

func TestPercentForLeavesHeadroom(t *testing.T) {
	for live, want := range map[uint64]int{0: 3200, 4 << 20: 800, 32 << 20: 100, 4 << 30: 100} {
		if got := percentFor(live); got != want {
			t.Errorf("live %d: GOGC %d, want %d", live, got, want)
		}
	}
}
