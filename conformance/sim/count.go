package sim

import "fmt"

// Count adds up what happened in many worlds.
type Count struct {
	Worlds, Published, Delivered   int
	Kills, DiskFailures, SlowDisks int // a disk fails for up to 200 ms
	Swaps, Traps, Denied           int
	Ended                          int // sessions, for their clients
	Moves                          int // of sessions, to another kernel
	Lost, Doubled, Reordered       int // must be 0
	Wrong                          int // anything else
}

// Add adds other to c.
func (c *Count) Add(other *Count) {
	c.Worlds += other.Worlds
	c.Published += other.Published
	c.Delivered += other.Delivered
	c.Kills += other.Kills
	c.DiskFailures += other.DiskFailures
	c.SlowDisks += other.SlowDisks
	c.Swaps += other.Swaps
	c.Traps += other.Traps
	c.Denied += other.Denied
	c.Ended += other.Ended
	c.Moves += other.Moves
	c.Lost += other.Lost
	c.Doubled += other.Doubled
	c.Reordered += other.Reordered
	c.Wrong += other.Wrong
}

func (c *Count) String() string {
	return fmt.Sprintf("%d runs: %d messages published, %d delivered; %d kills, the disk "+
		"failed %d times and was slow in %d runs, guests were swapped %d times, "+
		"trapped %d times, denied %d messages, %d sessions ended, %d moved: "+
		"%d lost, %d doubled, %d reordered, %d otherwise wrong",
		c.Worlds, c.Published, c.Delivered, c.Kills, c.DiskFailures, c.SlowDisks, c.Swaps,
		c.Traps, c.Denied, c.Ended, c.Moves, c.Lost, c.Doubled, c.Reordered, c.Wrong)
}

func (w *world) lost(format string, args ...any) {
	w.failAs(&w.count.Lost, format, args...)
}

func (w *world) doubled(format string, args ...any) {
	w.failAs(&w.count.Doubled, format, args...)
}

func (w *world) reordered(format string, args ...any) {
	w.failAs(&w.count.Reordered, format, args...)
}

// failAs is fail for what has a count of its own.
func (w *world) failAs(kind *int, format string, args ...any) {
	if w.err == nil {
		*kind++
		w.count.Wrong--
	}
	w.fail(format, args...)
}
