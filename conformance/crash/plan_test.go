package crash

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// round is one life of the broker and its end.
type round struct {
	kind string
	// faults are rules for the build with faults; "" is the broker that users have.
	faults string
	// starting are rules under which it is started before, and ends.
	starting []string
	// life is when it is killed, if it has not ended.
	life time.Duration
	// stop asks it to end before it is killed.
	stop bool
}

// kinds are those of rounds, in the order of the table.
func kinds() []string {
	return []string{
		"kill", "point", "start", "power", "error", "short", "full", "slow", "db", "stop",
	}
}

// failing is true for a round in which devices fail, and the broker goes on.
func (x *round) failing() bool {
	return slices.Contains([]string{"error", "short", "full", "db"}, x.kind)
}

// often are points that every group commit passes, seldom those of a new segment and a flush.
func often() []string {
	return []string{
		"journal.write", "journal.appended", "journal.sync", "journal.synced", "store.staged",
		"store.applied", "store.told",
	}
}

func seldom() []string {
	return []string{
		"journal.create", "journal.cut", "journal.drop", "store.flush", "store.flushed",
		"sst.create", "sst.write", "sst.sync", "manifest.write", "manifest.sync", "dir.sync",
	}
}

// opening are points of a start.
func opening() []string {
	return []string{
		"open.db", "open.replay", "open.replayed", "open.counted", "open.restored",
		"journal.create", "journal.write", "journal.cut", "manifest.create", "manifest.write",
		"manifest.sync", "marker.create", "dir.sync", "other.create", "sst.write",
	}
}

func pick(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

// choose draws the i-th round. The same seed draws the same.
func choose(r *rand.Rand, i int) round {
	list := kinds()
	x := round{kind: list[i%len(list)]}
	x.life = time.Duration(100+r.IntN(700)) * time.Millisecond
	n := 20 + r.IntN(300)
	span := time.Duration(50+r.IntN(400)) * time.Millisecond
	switch x.kind {
	case "point":
		x.faults, x.life = at(r, "kill"), 5*time.Second
	case "power":
		x.faults, x.life = at(r, "power"), 5*time.Second
	case "start":
		for range 1 + r.IntN(3) {
			point, n := pick(r, opening()), 1
			if point == "open.replay" || point == "manifest.write" || point == "dir.sync" {
				n += r.IntN(8) * r.IntN(2)
			}
			x.starting = append(x.starting, fmt.Sprintf("%s:%d:%s", point, n,
				pick(r, []string{"kill", "power"})))
		}
	case "error":
		x.faults = fmt.Sprintf("%s:%d+%v:error", pick(r, []string{"journal.sync", "journal.write"}),
			n, span)
		if r.IntN(2) == 0 {
			x.faults += fmt.Sprintf(",store.told:%d:power", n+100+r.IntN(300))
		}
	case "short":
		x.faults = fmt.Sprintf("journal.write:%d+%v:short", n, span)
		if r.IntN(2) == 0 {
			x.faults += ",journal.truncate:1+300ms:error"
		}
	case "full":
		x.faults = fmt.Sprintf("*:%d+%v:full", 100+r.IntN(2000), span)
	case "slow":
		x.faults = fmt.Sprintf("journal.sync:%d+1m:slow=%dms", 1+n/10, 2+r.IntN(40))
	case "db":
		x.faults = fmt.Sprintf("%s:%d+%v:error", pick(r, []string{"sst.*", "manifest.*", "dir.sync",
			"marker.*", "other.*"}), 1+r.IntN(6), span)
	case "stop":
		x.stop = true
		if p := r.IntN(4); p > 0 {
			x.faults = fmt.Sprintf("close.%s:1:kill",
				[]string{"drained", "flushed", "journal"}[p-1])
		}
	}
	if x.faults != "" {
		x.life += span
	}
	return x
}

// at is the end of a process at a point.
func at(r *rand.Rand, action string) string {
	point, n := pick(r, often()), 20+r.IntN(400)
	if r.IntN(2) == 0 {
		point, n = pick(r, seldom()), 2+r.IntN(4)
	}
	if point == "journal.write" && action == "kill" && r.IntN(2) == 0 {
		action = "torn"
	}
	return fmt.Sprintf("%s:%d:%s", point, n, action)
}
