package main

import (
	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/sdk/project"
)

// wasmFiles completes files of components, and folders.
func wasmFiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"wasm"}, cobra.ShellCompDirectiveFilterFileExt
}

// noFiles completes nothing.
func noFiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveNoFileComp
}

// completions are the words that a flag of that name takes, in any command.
func completions(flag string) []string {
	switch flag {
	case "role":
		return configs.Roles()
	case "grant", "grants":
		return configs.Capabilities()
	case "lang":
		return project.Names()
	case "on-fault":
		return []string{"open", "closed"}
	case "versions":
		return []string{"3.1", "3.1.1", "5.0"}
	case "encoding":
		return []string{"utf8", "utf16"}
	}
	return nil
}

// completeFlags lets a shell complete the values of flags, in all commands. A command that
// completes one itself has said so before.
func completeFlags(c *cobra.Command) {
	for _, flag := range []string{"role", "grant", "grants", "lang", "on-fault", "versions",
		"encoding"} {
		if c.Flags().Lookup(flag) == nil {
			continue
		}
		words := completions(flag)
		// The only error is a flag that has a completion.
		_ = c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words,
			cobra.ShellCompDirectiveNoFileComp))
	}
	for _, sub := range c.Commands() {
		completeFlags(sub)
	}
}
