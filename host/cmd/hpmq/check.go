package main

import (
	"context"
	"fmt"
	"log/slog"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/app"
)

func newCheck(sys *system) *cobra.Command {
	var f flags
	c := &cobra.Command{
		Use:   "check --config FILE",
		Short: "Say what a start with a configuration would refuse",
		Long: `Say what a start would refuse of a configuration, with the environment over it.
Certificates, keys and components are read; components are compiled and configured as a start does,
without its cache: seconds for large ones, minutes for one in Python. A bundle of a registry that is
not kept yet is pulled, which is said before it is waited for. No socket is opened but for that and
no file written, so an address that is taken is not found. All faults are printed; then the exit
code is 1.`,
		Example: "  hpmq check --config hpmq.yaml",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := load(f.sources(sys.environ, c.Flags().Changed))
			if err != nil {
				return err
			}
			warnings, err := checkAll(c.Context(), sys, cfg)
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

// checkAll ends early at a signal: compiling may take long, and a registry may not answer. Warnings
// of components and which bundles are pulled go to sys.err.
func checkAll(ctx context.Context, sys *system, cfg configs.Config) ([]string, error) {
	type answer struct {
		warnings []string
		err      error
	}
	log := slog.New(slog.NewTextHandler(sys.err, nil))
	done := make(chan answer, 1)
	go func() {
		warnings, err := app.Check(ctx, cfg, log)
		done <- answer{warnings, err}
	}()
	for {
		select {
		case a := <-done:
			return a.warnings, a.err
		case s := <-sys.signals:
			if s != syscall.SIGHUP {
				return nil, errNow
			}
		}
	}
}
