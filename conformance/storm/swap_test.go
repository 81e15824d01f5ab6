//go:build unix

package storm

import (
	"context"
	"regexp"
	"time"

	api "github.com/hpmq/hpmq/sdk/client"
)

// swapped is what one swap took, as the broker says.
type swapped struct {
	id     string
	commit time.Duration // of the listener
	whole  time.Duration // from the request to the end
}

// follow hears how changes end.
func (y *yard) follow(ctx context.Context) {
	go func() {
		err := y.api.FollowChanges(ctx, 0, func(e *api.ChangeEvent) bool {
			switch e.State {
			case "done", "refused", "rolled back", "cancelled":
				select {
				case y.ended <- e:
				case <-ctx.Done():
				}
			}
			return ctx.Err() == nil
		})
		if ctx.Err() == nil {
			y.fault(other, 1, "the events ended: %v", err)
		}
	}()
}

// swap makes one change and waits for its end.
func (y *yard) swap(n int) {
	y.Helper()
	want := change(n, y.sources[(n-1)%len(y.sources)])
	if _, err := y.api.Submit(y.Context(), want); err != nil {
		y.Fatalf("swap %d: %v\n%s", n, err, y.broker.Log())
	}
	end := time.NewTimer(patience)
	defer end.Stop()
	for over := false; !over; {
		select {
		case e := <-y.ended:
			over = e.Change == want.ID
		case <-end.C:
			y.Fatalf("swap %d never ended\n%s", n, y.broker.Log())
		}
	}
	c, err := y.api.Change(y.Context(), want.ID)
	if err != nil || c.State != "done" || len(c.Marks) == 0 {
		y.Fatalf("swap %d: %s, %s, %v\n%s", n, c.State, c.Why, err, y.broker.Log())
	}
	y.swaps = append(y.swaps, swapped{
		id: want.ID, commit: time.Duration(c.CommitMicros) * time.Microsecond,
		whole: c.Marks[len(c.Marks)-1].At.Sub(c.Marks[0].At),
	})
	if n%10 == 0 {
		y.audit()
	}
}

// commitLine is what the broker says in its log of each place of a change.
var commitLine = regexp.MustCompile(`msg="link changed" .*plan=(storm-\d+) .*commit=(\S+)`)

// audit takes from the log how long commits took: there it is told in nanoseconds.
func (y *yard) audit() {
	took := map[string]time.Duration{}
	for _, m := range commitLine.FindAllStringSubmatch(y.broker.Log(), -1) {
		if d, err := time.ParseDuration(m[2]); err == nil {
			took[m[1]] = d
		}
	}
	for i := range y.swaps {
		if d, ok := took[y.swaps[i].id]; ok {
			y.swaps[i].commit = d
		}
	}
}

// storm makes all swaps: a window with some of them in a row, then half as long a one with none.
func (y *yard) storm() {
	y.Helper()
	for n := 1; n <= *swaps; {
		first, until := n, min(n+*perWindow-1, *swaps)
		began := time.Now()
		y.during(stormy, func() {
			for ; n <= until; n++ {
				next := time.Now().Add(*every)
				y.swap(n)
				y.wait(time.Until(next))
			}
		})
		took := time.Since(began)
		y.audit()
		y.wait(settle)
		y.during(calm, func() { y.wait(took / 2) })
		f, _ := y.faults()
		y.Logf("%d of %d swaps, %v each; faults: %+v", len(y.swaps), *swaps,
			(took / time.Duration(until-first+1)).Round(time.Millisecond), f)
	}
}

// settle is how long after the last swap of a window nothing is measured.
const settle = 200 * time.Millisecond
