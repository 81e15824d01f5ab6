package meter

import (
	"math"
	"time"
)

// load is the moving average of how much a total grows in a minute, over 1, 5 and 15 minutes.
type load struct {
	name  string
	of    func(*Counts) uint64
	last  uint64
	begun bool
	rates [3]float64
}

// add takes in a look that follows the one before by about d.
func (l *load) add(c *Counts, d time.Duration) {
	now := l.of(c)
	if !l.begun {
		l.begun, l.last = true, now
		return
	}
	perMinute := float64(now-l.last) * float64(time.Minute) / float64(d)
	l.last = now
	for i, minutes := range [...]float64{1, 5, 15} {
		keep := math.Exp(-d.Minutes() / minutes)
		l.rates[i] = perMinute + keep*(l.rates[i]-perMinute)
	}
}
