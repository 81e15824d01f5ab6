package sim

import (
	"flag"
	"testing"
	"time"
)

var (
	seed  = flag.Uint64("seed", 0, "run this seed alone, with a trace of what happens")
	seeds = flag.Uint64("seeds", 400, "how many seeds to run")
	from  = flag.Uint64("from", 1, "the first of them")
)

// TestSim runs many worlds. A failing seed is reproduced by the line it prints.
func TestSim(t *testing.T) {
	if *seed != 0 {
		cfg := Default()
		cfg.Seed = *seed
		cfg.Trace = func(line string) { t.Log(line) }
		if err := Run(cfg); err != nil {
			t.Fatal(err)
		}
		return
	}
	var count Count
	for n := *from; n < *from+*seeds; n++ {
		cfg := Default()
		cfg.Seed, cfg.Count = n, &count
		if err := Run(cfg); err != nil {
			t.Errorf("%v\n    go test ./conformance/sim -run 'TestSim$' -seed=%d", err, n)
		}
	}
	t.Log(&count)
	if count.Kills == 0 || count.DiskFailures == 0 || count.Swaps == 0 || count.Traps == 0 ||
		count.Ended == 0 || count.Moves == 0 {
		t.Error("some kind of trouble never came")
	}
}

// TestSimSees breaks the world on purpose: if no seed fails, the checks see nothing.
func TestSimSees(t *testing.T) {
	broken := map[string]func(*Config){
		"a link that loses a frame":                func(c *Config) { c.LoseFrame = 50 },
		"a client that renames QoS 2 on reconnect": func(c *Config) { c.Forget = true },
		"a store that loses a write":               func(c *Config) { c.LoseOp = 3 },
		"a store that answers before it has kept":  func(c *Config) { c.AnswerEarly = true },
		"a delivery before its identifier is kept": func(c *Config) { c.FlightEarly = true },
		"a queue without its head after a restart": func(c *Config) { c.LoseHead = true },
		"parts of a write that are kept apart":     func(c *Config) { c.SplitGroups = true },
	}
	for name, breakIt := range broken {
		t.Run(name, func(t *testing.T) {
			for n := uint64(1); n <= 60; n++ {
				cfg := Default()
				cfg.Seed = n
				breakIt(&cfg)
				if err := Run(cfg); err != nil {
					t.Logf("seen: %v", err)
					return
				}
			}
			t.Fatal("60 seeds and nobody noticed")
		})
	}
}

// TestSimSeesOrder: a broker that brings a queue in another order is seen for that.
func TestSimSeesOrder(t *testing.T) {
	var count Count
	for n := uint64(1); n <= 400 && count.Reordered == 0; n++ {
		cfg := Default()
		cfg.Seed, cfg.Count, cfg.TurnPages = n, &count, true
		if err := Run(cfg); err != nil {
			t.Logf("seen: %v", err)
		}
	}
	if count.Reordered == 0 {
		t.Fatal("400 seeds and nobody noticed")
	}
}

// TestSameSeedSameRun: without it a failing seed is worth nothing.
func TestSameSeedSameRun(t *testing.T) {
	run := func() (lines []string) {
		cfg := Default()
		cfg.Seed = 7
		cfg.Trace = func(line string) { lines = append(lines, line) }
		if err := Run(cfg); err != nil {
			t.Fatal(err)
		}
		return lines
	}
	a, b := run(), run()
	if len(a) != len(b) || len(a) == 0 {
		t.Fatalf("%d lines, then %d", len(a), len(b))
	}
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("line %d: %q, then %q", i, a[i], b[i])
		}
	}
}

func BenchmarkSeed(b *testing.B) {
	began := time.Now()
	b.ReportAllocs()
	for i := range b.N {
		cfg := Default()
		cfg.Seed = uint64(i + 1)
		if err := Run(cfg); err != nil {
			b.Fatal(err)
		}
	}
	virtual := Default().ChaosTime + Default().RestTime
	real := float64(time.Since(began).Milliseconds())
	b.ReportMetric(float64(virtual)*float64(b.N)/real, "x-real-time")
}
