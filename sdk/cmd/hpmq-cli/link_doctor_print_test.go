package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/sdk/client"
)

// TestARecursionIsOneLine, with how often.
func TestARecursionIsOneLine(t *testing.T) {
	lines := describe(time.Now(), &client.Failure{
		Kind: "depth", Count: 1, Text: "its calls may nest 9 deep",
		Backtrace: []string{"deep", "deep", "deep", "up", "main"},
	})
	var got []string
	for _, line := range lines[2:] {
		got = append(got, strings.TrimSpace(line))
	}
	want := []string{"in         deep (3 times)", "called by  up", "called by  main"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// TestWhatWasRefusedOnceMayHaveServedSince: the latest failure decides.
func TestWhatWasRefusedOnceMayHaveServedSince(t *testing.T) {
	now := time.Now()
	a := ailment{State: stateGone, Failures: []client.Failure{
		{Function: "hpmq:broker/migration@0.1.0#migrate", Last: now.Add(-time.Minute)},
		{Function: "hpmq:broker/deduplicator@0.1.0#check", Last: now},
	}}
	if got := a.verdict(); got != stateGone {
		t.Error(got)
	}
	a.Failures[0].Last = now.Add(time.Minute)
	if got := a.verdict(); !strings.HasPrefix(got, "was refused") {
		t.Error(got)
	}
}

// TestARefusedVersionNeverServed, so it is not said to be linked no more.
func TestARefusedVersionNeverServed(t *testing.T) {
	for function, want := range map[string]string{
		"hpmq:broker/state@0.1.0#import-state":    "was refused",
		"hpmq:broker/state@0.1.0#export-state":    stateGone, // it is the old one
		"hpmq:broker/migration@0.1.0#migrate":     "was refused",
		"hpmq:broker/transformer@0.1.0#upstream":  stateGone,
		"hpmq:broker/deduplicator@0.1.0#check-it": stateGone,
	} {
		a := ailment{State: stateGone, Failures: []client.Failure{{Function: function}}}
		if got := a.verdict(); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", function, got)
		}
	}
}
