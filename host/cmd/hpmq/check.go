package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/host/app"
)

func newCheck(sys *system) *cobra.Command {
	var f flags
	c := &cobra.Command{
		Use:   "check --config FILE",
		Short: "Validate a configuration without opening anything",
		Long: `Validate a configuration, with the environment over it, without opening a socket or a
component. Certificates and keys are read as the broker would. All faults are printed, each with
its place; then the exit code is 1.`,
		Example: "  hpmq check --config hpmq.yaml",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := load(f.sources(sys.environ, c.Flags().Changed))
			if err != nil {
				return err
			}
			warnings, err := app.CheckFiles(&cfg)
			for _, w := range warnings {
				_, _ = fmt.Fprintln(sys.err, "hpmq: warning:", w)
			}
			if err != nil {
				return failure{err}
			}
			n := len(cfg.Listeners)
			_, err = fmt.Fprintf(sys.out, "%s is good; listeners: %d\n", f.config, n)
			return err
		},
	}
	c.Flags().StringVar(&f.config, "config", "", "configuration file")
	// The only error is a flag that is not there, a bug.
	if err := c.MarkFlagRequired("config"); err != nil {
		panic(err)
	}
	return c
}
