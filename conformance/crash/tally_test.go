package crash

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// life is what came of one round.
type life struct {
	kind    string
	reached bool // a point at which something was to fail
	start   time.Duration
	swaps   int
	looked  bool // at the retained messages, while publishers went on
}

type tally []life

// row is a line of the table.
type row struct {
	rounds, reached, acked, swaps, looks int
	faults                               map[string]int
	starts                               []time.Duration
}

func (r *row) add(x *life) {
	r.rounds++
	r.swaps += x.swaps
	r.starts = append(r.starts, x.start)
	if x.reached {
		r.reached++
	}
	if x.looked {
		r.looks++
	}
}

func (r *row) text(name string) string {
	slices.Sort(r.starts)
	mid, most := time.Duration(0), time.Duration(0)
	if n := len(r.starts); n > 0 {
		mid, most = r.starts[n/2], r.starts[n-1]
	}
	return fmt.Sprintf("%-7s %6d %7d %12d %5d %7d %9d %5d %6d %7d %9v %9v\n", name, r.rounds,
		r.reached, r.acked, r.faults["lost"], r.faults["doubled"], r.faults["reordered"],
		r.faults["other"], r.swaps, r.looks, mid.Round(time.Millisecond),
		most.Round(time.Millisecond))
}

// table says what came of each kind of round.
func (y tally) table(l *ledger) string {
	rows, sum := map[string]*row{}, &row{faults: map[string]int{}}
	for _, k := range kinds() {
		rows[k] = &row{faults: map[string]int{}}
	}
	of := func(round int) []*row { return []*row{rows[y[min(round, len(y)-1)].kind], sum} }
	for i := range y {
		for _, r := range of(i) {
			r.add(&y[i])
		}
	}
	l.each(func(_ message, e *entry) {
		if e.acked != 0 {
			for _, r := range of(int(e.round)) {
				r.acked++
			}
		}
	})
	for _, f := range l.faults() {
		for _, r := range of(f.round) {
			r.faults[f.kind]++
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%-7s %6s %7s %12s %5s %7s %9s %5s %6s %7s %9s %9s\n", "kind", "rounds",
		"reached", "acknowledged", "lost", "doubled", "reordered", "other", "swaps", "looks",
		"start p50", "start max")
	for _, k := range kinds() {
		if rows[k].rounds > 0 {
			b.WriteString(rows[k].text(k))
		}
	}
	b.WriteString(sum.text("all"))
	return b.String()
}
