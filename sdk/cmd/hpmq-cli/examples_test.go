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
	var look func(c *cobra.Command)
	look = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			look(sub)
		}
		lines, err := example.Lines(c.Long+"\n"+c.Example, "hpmq-cli")
		if err != nil {
			t.Errorf("%s --help: %v", c.CommandPath(), err)
		}
		for _, words := range lines {
			n++
			if err := typed(words); err != nil {
				t.Errorf("%s --help: hpmq-cli %q: %v", c.CommandPath(), words, err)
			}
		}
	}
	look(newRoot(&settings{}))
	if n < 100 {
		t.Errorf("%d examples", n)
	}
}

// typed says what is wrong with a command line before it begins.
func typed(words []string) error {
	c, rest, err := newRoot(&settings{}).Find(words)
	if err != nil {
		return err
	}
	if err := c.ParseFlags(rest); err != nil {
		return err
	}
	if err := c.ValidateArgs(c.Flags().Args()); err != nil {
		return err
	}
	if err := c.ValidateRequiredFlags(); err != nil {
		return err
	}
	return c.ValidateFlagGroups()
}

func TestWhatCannotBeTypedIsFound(t *testing.T) {
	for _, words := range [][]string{
		{"nothing"}, {"link", "show", "--nothing"}, {"link", "show", "more"}, {"clients", "kick"},
		{"link", "swap", "--position", "x"},
	} {
		if typed(words) == nil {
			t.Errorf("%q", words)
		}
	}
}
