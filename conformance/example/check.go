package example

import (
	"fmt"

	"github.com/spf13/cobra"
)

// Check tries the command lines that every --help of a program shows, and answers how many they are
// and what is wrong with some. Root makes a new tree of commands: flags keep what they were told.
func Check(root func() *cobra.Command) (lines int, errs []error) {
	program := root().Name()
	var look func(c *cobra.Command)
	look = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			look(sub)
		}
		all, err := Lines(c.Long+"\n"+c.Example, program)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s --help: %w", c.CommandPath(), err))
		}
		for _, words := range all {
			lines++
			if err := Typed(root(), words); err != nil {
				errs = append(errs, fmt.Errorf("%s --help: %s %q: %w", c.CommandPath(), program,
					words, err))
			}
		}
	}
	look(root())
	return lines, errs
}

// Typed says what is wrong with a command line before it begins: commands, flags and as many
// arguments as there are.
func Typed(root *cobra.Command, words []string) error {
	c, rest, err := root.Find(words)
	if err != nil {
		return err
	}
	for _, check := range []func() error{
		func() error { return c.ParseFlags(rest) },
		func() error { return c.ValidateArgs(c.Flags().Args()) },
		c.ValidateRequiredFlags, c.ValidateFlagGroups,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}
