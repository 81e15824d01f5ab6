//go:build unix

package storm

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hpmq/hpmq/conformance/load"
)

var (
	connections = flag.Int("connections", 200, "half of them idle, half publish")
	swaps       = flag.Int("swaps", 8, "swaps of all roles in one commit")
	perWindow   = flag.Int("per-window", 4, "swaps in a row, before half that time without")
	every       = flag.Duration("every", 0, "least time between two swaps; 0: no pause")
	rate        = flag.Int("rate", 500, "messages a second; 0 finds what takes 70 % of the machine")
)

// Components are swapped again and again under clients that see nothing of it but new answers: no
// connection ends, no message is lost, doubled or out of order, and none is answered by an older
// version than one that was answered before it, whoever published that.
func TestSwapStorm(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the real binary")
	}
	enough(t, uint64(*connections+500))
	y := open(t)
	r := report{rate: *rate, why: "-rate"}
	if *rate == 0 {
		var best trial
		best, r.why = y.search()
		r.rate = best.rate
	}
	y.pace(r.rate)
	r.loadBefore = loadAverage()
	y.storm()
	y.drain()
	y.alive()
	y.account()
	r.loadAfter = loadAverage()
	t.Log("\n" + r.table(y))
	f, words := y.faults()
	for _, w := range words {
		t.Error(w)
	}
	if f.sum() > 0 {
		t.Errorf("%+v\n%s", f, y.broker.Log())
	}
}

// enough fails where there are not enough descriptors for all: what was not run is no evidence.
func enough(t *testing.T, n uint64) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur < n {
		t.Fatalf("%d descriptors are allowed, %d are needed: ulimit -n", limit.Cur, n)
	}
}

// account compares what clients counted with each other and with what the broker says.
func (y *yard) account() {
	y.Helper()
	for _, r := range y.receivers {
		select {
		case <-r.done: // it has said why
		default:
		}
		_ = r.conn.Close()
		<-r.done
	}
	var repeats, strays, refused uint64
	for i, p := range y.pubs {
		y.receivers[i%len(y.receivers)].tally.close(p.id, p.seq)
		repeats, strays, refused = repeats+p.repeats, strays+p.strays, refused+p.refused
		if n := p.open(); n > 0 {
			y.fault(lost, int(n), "publisher %d: %d messages were not acknowledged", p.id, n)
		}
	}
	s, err := y.api.Status(y.Context())
	y.must(err)
	equal := func(what string, got, want uint64) {
		if got != want {
			y.fault(other, 1, "%s: %d, not %d", what, got, want)
		}
	}
	equal("strays that were refused", refused, strays)
	equal("what the broker says it denied", s.Totals.Denied, strays)
	equal("what the deduplicator suppressed", s.Totals.Suppressed, repeats)
	equal("connections since the start", s.Totals.ConnectionsTotal, uint64(len(y.lines())))
	dropped := s.Totals.DroppedQueue + s.Totals.DroppedTotal + s.Totals.DroppedOldest +
		s.Totals.Rejected + s.Totals.DroppedExpired + s.Totals.DroppedPolicy
	equal("what the broker dropped", dropped, 0)
	y.asked()
}

// asked sees that the components of the last swap were asked about each message they answered.
func (y *yard) asked() {
	y.Helper()
	var last uint64
	for _, r := range y.receivers {
		last += r.last
	}
	list, err := y.api.Link(y.Context())
	y.must(err)
	for _, c := range list {
		if c.Version != versionOf(*swaps) || c.Faults > 0 {
			y.fault(other, 1, "%s %s is linked as %s with %d faults", c.Name, c.Version, c.Role,
				c.Faults)
		}
		if c.Role != "authorizer" && c.Calls < last {
			y.fault(other, 1, "%s answered %d messages with %d calls", c.Role, last, c.Calls)
		}
		if c.Role == "authorizer" && c.Calls == 0 {
			y.fault(other, 1, "the authorizer was never asked")
		}
	}
}

// report is what is told in the end.
type report struct {
	rate                  int
	why                   string
	loadBefore, loadAfter string
}

func (r *report) table(y *yard) string {
	var out strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }
	f, _ := y.faults()
	var late [windows]load.Histogram
	var got uint64
	for _, x := range y.receivers {
		for w := range late {
			late[w].Merge(&x.late[w])
		}
		got += x.tally.unique
	}
	say("%d connections, %d of them idle; %d msg/s (decided by: %s); %d swaps of %d roles in one "+
		"commit, at least %v from one to the next", *connections, len(y.idle), r.rate, r.why,
		len(y.swaps), len(parts), *every)
	say("%d messages: %d disconnected, %d lost, %d doubled, %d out of order, %d went back, "+
		"%d other", got, f.disconnected, f.lost, f.doubled, f.reordered, f.wentBack,
		f.garbled+f.other)
	say("held back %d times", y.held.Load())
	say("load average of the machine before %s, after %s, with %d cores", r.loadBefore,
		r.loadAfter, runtime.NumCPU())
	say("")
	say("| | msg/s | broker, cores | clients, cores | p50 | p99 | p99.9 | max |")
	say("|---|---|---|---|---|---|---|---|")
	for _, w := range []struct {
		window
		name string
	}{{calm, "without swaps"}, {stormy, "with swaps"}} {
		s, h := &y.spent[w.window], &late[w.window]
		say("| %s | %.0f | %.2f | %.2f | %s | %s | %s | %s |", w.name,
			float64(s.sent)/s.seconds, s.broker/s.seconds, s.own/s.seconds,
			ms(h.Quantile(.5)), ms(h.Quantile(.99)), ms(h.Quantile(.999)), ms(h.Quantile(1)))
	}
	say("")
	say("difference of p99.9: %s", ms(late[stormy].Quantile(.999)-late[calm].Quantile(.999)))
	var commits, wholes []time.Duration
	for _, s := range y.swaps {
		commits, wholes = append(commits, s.commit), append(wholes, s.whole)
	}
	say("| per swap | p50 | p99 | max |")
	say("|---|---|---|---|")
	row := func(name string, list []time.Duration) {
		slices.Sort(list)
		at := func(q float64) time.Duration { return list[int(q*float64(len(list)-1))] }
		say("| %s | %v | %v | %v |", name, at(.5), at(.99), at(1))
	}
	row("commit, of the listener", commits)
	row("request to done", wholes)
	row("both versions answer, by when a message was sent", y.overlaps())
	return out.String()
}

func ms(ns int64) string { return fmt.Sprintf("%.2f ms", float64(ns)/1e6) }

// overlaps are for how long after the first message of a swap some were sent that the one before it
// answered.
func (y *yard) overlaps() []time.Duration {
	all := make([]span, *swaps+1)
	for _, r := range y.receivers {
		for i, s := range r.tally.spans {
			if s.first != 0 && (all[i].first == 0 || s.first < all[i].first) {
				all[i].first = s.first
			}
			all[i].last = max(all[i].last, s.last)
		}
	}
	list := []time.Duration{0}
	for i := 1; i < len(all); i++ {
		if all[i].first != 0 && all[i-1].last != 0 {
			list = append(list, time.Duration(max(0, all[i-1].last-all[i].first)))
		}
	}
	return list
}

// loadAverage is that of the last minute.
func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	one, _, _ := strings.Cut(string(b), " ")
	return one
}
