package trial

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/hpmq/hpmq/host/link"
)

// Measure is what calls of a component cost.
type Measure struct {
	Calls int `json:"calls"`
	// Nanoseconds, Fuel and Allocations are of one call, on average. The time is from the message
	// to the answer as the broker has it: arguments written, answer read. Allocations are the
	// host's.
	Nanoseconds float64 `json:"ns_per_call"`
	Fuel        float64 `json:"fuel_per_call"`
	Allocations float64 `json:"allocations_per_call"`
	// MemoryBytes is the guest's when all is done, MemoryStartBytes when it was configured.
	MemoryBytes      uint32 `json:"memory_bytes"`
	MemoryStartBytes uint32 `json:"memory_start_bytes"`
}

// batch is how many calls are made between two looks at the clock.
const batch = 64

// Bench asks the questions in turn, again and again, for about d, after a tenth of it to warm up.
func (t *Trial) Bench(
	ctx context.Context, p *link.Probe, questions []link.Question, d time.Duration,
) (Measure, error) {
	m := Measure{MemoryStartBytes: p.Memory()}
	b := bench{p: p, questions: questions}
	if err := b.until(ctx, time.Now().Add(d/10)); err != nil {
		return m, err
	}
	b.calls, b.fuel = 0, 0
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	err := b.until(ctx, began.Add(d))
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	n := float64(max(1, b.calls))
	m.Calls, m.MemoryBytes = b.calls, p.Memory()
	m.Nanoseconds, m.Fuel = float64(took.Nanoseconds())/n, float64(b.fuel)/n
	m.Allocations = float64(after.Mallocs-before.Mallocs) / n
	return m, err
}

type bench struct {
	p         *link.Probe
	questions []link.Question
	answer    link.Answer
	calls     int
	fuel      uint64
}

func (b *bench) until(ctx context.Context, end time.Time) error {
	for {
		for range batch {
			if err := b.p.Ask(&b.questions[b.calls%len(b.questions)], &b.answer); err != nil {
				return fmt.Errorf("trial: bench: %w", err)
			}
			_, _, spent := b.p.Fuel()
			b.fuel += spent
			b.calls++
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("trial: bench: %w", err)
		}
		if !time.Now().Before(end) {
			return nil
		}
	}
}
