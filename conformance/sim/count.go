package sim

import "fmt"

// Count adds up what happened in many worlds.
type Count struct {
	Worlds, Published, Delivered   int
	Kills, DiskFailures, SlowDisks int // a disk fails for up to 200 ms
	Swaps, Traps, Denied           int
	Ended                          int // sessions, for their clients
	Moves                          int // connections of a session in another kernel than before
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
	return fmt.Sprintf("%d runs: %d messages published, %d delivered; %d kills, the disk failed %d "+
		"times and was slow in %d runs, guests were swapped %d times, trapped %d times, denied %d "+
		"messages, %d sessions ended, %d moved: %d lost, %d doubled, %d reordered, %d otherwise "+
		"wrong", c.Worlds, c.Published, c.Delivered, c.Kills, c.DiskFailures, c.SlowDisks, c.Swaps,
		c.Traps, c.Denied, c.Ended, c.Moves, c.Lost, c.Doubled, c.Reordered, c.Wrong)
}

// broken says of what kind the first thing that went wrong is; fail follows.
func (w *world) broken(kind *int) *world {
	if w.err == nil {
		*kind++
		w.count.Wrong--
	}
	return w
}
