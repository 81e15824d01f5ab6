package main

import (
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersion(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version of hpmq-cli",
		Example: "  hpmq-cli version",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if s.json {
				return s.printJSON(map[string]string{"version": ownVersion()})
			}
			return s.printf("hpmq-cli version %s", ownVersion())
		},
	}
}

// ownVersion is that of the module, or of the commit that was built.
func ownVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "unknown"
	}
	return info.Main.Version
}
