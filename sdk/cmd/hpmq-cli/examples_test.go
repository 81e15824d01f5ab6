package main

import (
	"testing"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/conformance/example"
)

// TestExamplesCanBeTyped: what every --help shows has commands, flags and as many arguments as
// there are.
func TestExamplesCanBeTyped(t *testing.T) {
	root := func() *cobra.Command { return newRoot(&settings{}) }
	n, errs := example.Check(root)
	for _, err := range errs {
		t.Error(err)
	}
	if n < 100 {
		t.Errorf("%d examples", n)
	}
	for _, words := range [][]string{
		{"nothing"}, {"link", "show", "--nothing"}, {"link", "show", "more"}, {"clients", "kick"},
		{"link", "swap", "--position", "x"},
	} {
		if example.Typed(root(), words) == nil {
			t.Errorf("%q can be typed", words)
		}
	}
}
