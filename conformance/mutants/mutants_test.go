package mutants

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	conformance "github.com/hpmq/hpmq/conformance/mqtt"
	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/conformance/process"
	"github.com/hpmq/hpmq/conformance/stand"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

var only = flag.String("mutant", "", "try this fault alone")

const (
	root = "../.."
	// atOnce is how many mutants run at the same time: they wait more than they work.
	atOnce = 4
	// faultsMin is how many faults the table has at least.
	faultsMin = 40
	// triesMax is how often a fault may pass by luck: that nothing comes is believed after a
	// moment, in which a busy machine may not have come to send what is wrong.
	triesMax = 3
)

// The case that claims a statement catches the broker that breaks it; with no fault switched on the
// same cases pass.
func TestEveryMutantIsCaught(t *testing.T) {
	all, err := Table()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < faultsMin {
		t.Errorf("%d faults, at least %d must be tried", len(all), faultsMin)
	}
	if *only != "" {
		all = slices.DeleteFunc(all, func(m Mutant) bool { return m.Name != *only })
	}
	l := &lab{t: t, bin: filepath.Join(t.TempDir(), "hpmq")}
	if err := process.Sources(); err != nil {
		t.Fatal(err)
	}
	if err := Build(t.Context(), absolute(t, root), t.TempDir(), l.bin); err != nil {
		t.Fatal(err)
	}
	benches := make(chan string, atOnce)
	for range atOnce {
		benches <- t.TempDir()
	}
	var work sync.WaitGroup
	for i := range all {
		dir := <-benches
		work.Go(func() {
			l.try(&all[i], dir)
			benches <- dir
		})
	}
	work.Wait()
	t.Logf("%d mutants, %d caught, of %d statements", len(all), l.caught, len(statements(all)))
	l.sound(<-benches, all)
}

func absolute(t *testing.T, path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

func statements(all []Mutant) []string {
	var ids []string
	for i := range all {
		ids = append(ids, all[i].Breaks...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// lab is where mutants are tried.
type lab struct {
	t      *testing.T
	bin    string
	mu     sync.Mutex
	caught int
}

// try wants every statement that m breaks to be found broken.
func (l *lab) try(m *Mutant, dir string) {
	var missed []string
	for range triesMax {
		results, err := l.judge(m.Name, dir, m.Breaks)
		if err != nil {
			l.t.Errorf("%s: %v", m.Name, err)
			return
		}
		missed = nil
		for _, id := range m.Breaks {
			if len(failures(results, id)) == 0 {
				missed = append(missed, fmt.Sprintf("no case of %s failed of %s", id,
					ran(results, id)))
			}
		}
		if len(missed) == 0 {
			l.mu.Lock()
			l.caught++
			l.mu.Unlock()
			return
		}
		l.t.Logf("%s: passed by: %q", m.Name, missed)
	}
	l.t.Errorf("%s: %q", m.Name, missed)
}

func failures(results []suite.Result, id string) []string {
	var names []string
	for _, r := range results {
		if r.Outcome == suite.Failed && slices.Contains(r.Statements, id) {
			names = append(names, r.Case)
		}
	}
	return names
}

// ran tells what came of the cases that claim id.
func ran(results []suite.Result, id string) string {
	var all []string
	for _, r := range results {
		if slices.Contains(r.Statements, id) {
			all = append(all, fmt.Sprintf("%s (%s %s)", r.Case, r.Outcome, r.Reason))
		}
	}
	return strings.Join(all, ", ")
}

// sound wants the same cases to pass when no fault is switched on: what caught the mutants is the
// fault, not the case.
func (l *lab) sound(dir string, all []Mutant) {
	results, err := l.judge("", dir, statements(all))
	if err != nil {
		l.t.Fatal(err)
	}
	for _, r := range results {
		if r.Outcome == suite.Failed {
			l.t.Errorf("without a fault %s fails with %s:\n%s", r.Case, r.Version,
				strings.Join(append(r.Faults, r.Transcript...), "\n"))
		}
	}
}

// judge runs the cases that claim one of ids against the broker with that fault.
func (l *lab) judge(fault, dir string, ids []string) ([]suite.Result, error) {
	ctx, cancel := context.WithCancel(l.t.Context())
	defer cancel()
	s, err := stand.Open(ctx, absolute(l.t, root), l.bin, dir, Variable+"="+fault)
	if err != nil {
		return nil, err
	}
	defer s.Stop()
	// Some statements are about WebSocket.
	opts := s.Options("ws")
	opts.Versions = []mqtt.Version{mqtt.V311, mqtt.V5}
	opts.Only, opts.Parallel = ids, 8
	if fault != "" {
		return suite.Run(ctx, conformance.Cases(), opts)
	}
	opts.ExpectTimeout, opts.CaseTimeout = 15*time.Second, time.Minute
	return stand.Run(ctx, conformance.Cases(), opts, func(r suite.Result) {
		l.t.Logf("again: %s with %s: %q", r.Case, r.Version, r.Faults)
	})
}

func TestTableSaysWhatIsWrong(t *testing.T) {
	good := "== a\nbreaks 5.0/MQTT-1\nin f.go\n< x\n> faulty(\"a\")\n"
	if _, err := Parse(good); err != nil {
		t.Error(err)
	}
	for text, want := range map[string]string{
		"breaks x":                             "before the first ==",
		good + good:                            "stands twice",
		"== a\nnonsense":                       "is none of",
		"== a\n> x":                            "> before <",
		"== a\nbreaks x":                       "never switched on",
		"== a\nbreaks x\n< a\n> b":             "without file",
		strings.Replace(good, `"a"`, `"b"`, 1): "never switched on",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// A fault whose lines are gone from the source is told, not passed over.
func TestChangesMustFit(t *testing.T) {
	dir := t.TempDir()
	src := []byte("package f\nx\ny\ny\n")
	if err := os.WriteFile(filepath.Join(dir, "f.go"), src, 0o600); err != nil {
		t.Fatal(err)
	}
	for old, fits := range map[string]bool{"x\n": true, "y\n": false, "x\ny\n": true} {
		_, err := Apply(dir, []Mutant{{Name: "a", Changes: []Change{{"f.go", old, "new\n"}}}})
		if (err == nil) != fits {
			t.Errorf("%q: %v", old, err)
		}
	}
}
