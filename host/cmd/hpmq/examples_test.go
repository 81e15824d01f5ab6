package main

import (
	"testing"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/conformance/example"
)

// TestExamplesCanBeTyped: what every --help shows has commands, flags and as many arguments as
// there are.
func TestExamplesCanBeTyped(t *testing.T) {
	n := 0
	root := newRoot(&system{})
	for _, c := range append([]*cobra.Command{root}, root.Commands()...) {
		lines, err := example.Lines(c.Long+"\n"+c.Example, "hpmq")
		if err != nil {
			t.Errorf("%s --help: %v", c.CommandPath(), err)
		}
		for _, words := range lines {
			n++
			if err := typed(words); err != nil {
				t.Errorf("%s --help: hpmq %q: %v", c.CommandPath(), words, err)
			}
		}
	}
	if n < 8 {
		t.Errorf("%d examples", n)
	}
	for _, words := range [][]string{{"nothing"}, {"--nothing"}, {"check", "more"}} {
		if typed(words) == nil {
			t.Errorf("%q can be typed", words)
		}
	}
}

// typed says what is wrong with a command line before it begins.
func typed(words []string) error {
	c, rest, err := newRoot(&system{}).Find(words)
	if err != nil {
		return err
	}
	if err := c.ParseFlags(rest); err != nil {
		return err
	}
	if err := c.ValidateArgs(c.Flags().Args()); err != nil {
		return err
	}
	return c.ValidateRequiredFlags()
}
