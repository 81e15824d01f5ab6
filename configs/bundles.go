package configs

import (
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Bundles says where bundles are looked for, and how they come into service.
type Bundles struct {
	// Watch is a folder; empty is off. Load makes a relative one relative to the folder of the file
	// that names it.
	Watch string `yaml:"watch"`
	// Interval is the time between two looks. A bundle is taken that was the same in two.
	Interval Duration `yaml:"interval"`
	// Canary are the percents of clients that it serves before all, as 5,25; empty is all at once.
	Canary string `yaml:"canary"`
	// Dwell is how long each of them lasts.
	Dwell Duration `yaml:"dwell"`
	// Observe is for how long it may be rolled back by itself once it serves all.
	Observe Duration `yaml:"observe"`
	// Registries are those that ask who is there, or are spoken with in another way than usual.
	Registries []Registry `yaml:"registries"`
	// PullTimeout bounds bringing one bundle from a registry.
	PullTimeout Duration `yaml:"pull_timeout"`
	// PulledBytesMax bounds the bundles that are kept because links name them, DataDir/pulled.
	PulledBytesMax Size `yaml:"pulled_bytes_max"`
}

// DefaultBundles watches nothing.
func DefaultBundles() Bundles {
	return Bundles{
		Interval: Duration(2 * time.Second), Dwell: Duration(time.Minute),
		Registries:     []Registry{},
		PullTimeout:    Duration(10 * time.Minute), // 128 MiB at 2 Mbit/s
		PulledBytesMax: 1 * GiB,
	}
}

func (b *Bundles) relativeTo(dir string) {
	if b.Watch != "" && !filepath.IsAbs(b.Watch) {
		b.Watch = filepath.Join(dir, b.Watch)
	}
	for i := range b.Registries {
		b.Registries[i].relativeTo(dir)
	}
}

// Percents are the steps of Canary; false if it is none.
func (b *Bundles) Percents() (list []float64, ok bool) {
	if b.Canary == "" {
		return nil, true
	}
	last := 0.0
	for text := range strings.SplitSeq(b.Canary, ",") {
		p, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil || !(p > last && p <= 100) || len(list) == 32 {
			return nil, false
		}
		list, last = append(list, p), p
	}
	return list, true
}

func (b *Bundles) validate(ps *Problems) {
	const longest = 30 * 24 * time.Hour
	if d := b.Interval.Std(); d < 100*time.Millisecond || d > time.Hour {
		ps.add("bundles.interval", "must be 100ms to 1h")
	}
	if _, ok := b.Percents(); !ok {
		ps.add("bundles.canary", "%q is no list of percents that grow; write 5,25,100",
			clip(b.Canary))
	}
	if d := b.Dwell.Std(); d <= 0 || d > longest {
		ps.add("bundles.dwell", "must be above 0s, up to 30d")
	}
	if d := b.Observe.Std(); d < 0 || d > longest {
		ps.add("bundles.observe", "must be 0s to 30d")
	}
	b.validateRegistries(ps)
}
