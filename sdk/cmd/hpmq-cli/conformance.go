package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	mqttsuite "github.com/hpmq/hpmq/conformance/mqtt"
	"github.com/hpmq/hpmq/conformance/mqtt/suite"
)

// conformance is the command of that name.
type conformance struct {
	*settings
	target string
	extra  map[string]string
	tls    suite.TLS
	opts   suite.Options
}

func newConformance(s *settings) *cobra.Command {
	c := &conformance{settings: s, opts: suite.DefaultOptions()}
	cmd := &cobra.Command{
		Use: "conformance", Short: "Judge an MQTT broker by the standards",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd) },
	}
	f := cmd.Flags()
	f.StringVar(&c.target, "target", "tcp://127.0.0.1:1883", "the listener to judge")
	f.StringToStringVar(&c.extra, "extra", nil, "further listeners: limited=URL,guarded=URL,…")
	f.StringVar(&c.tls.CAFile, "ca", "", "PEM file of the authorities to trust")
	f.BoolVar(&c.tls.Insecure, "insecure", false, "trust any certificate")
	f.StringVar(&c.opts.Username, "username", "", "user name for CONNECT")
	f.StringVar(&c.opts.Password, "password", "", "password for CONNECT")
	f.StringSliceVar(&c.opts.Only, "only", nil, "cases by name, pattern or statement")
	f.IntVar(&c.opts.Parallel, "parallel", c.opts.Parallel, "cases at a time")
	f.DurationVar(&c.opts.CaseTimeout, "case-timeout", c.opts.CaseTimeout, "limit of one case")
	return cmd
}

func (c *conformance) run(cmd *cobra.Command) error {
	var err error
	if c.opts.Target, err = suite.ParseTarget(c.target, c.tls); err != nil {
		return usageError{err}
	}
	c.opts.Extra = make(map[string]*suite.Target)
	for name, url := range c.extra {
		if c.opts.Extra[name], err = suite.ParseTarget(url, c.tls); err != nil {
			return usageError{err}
		}
	}
	results, err := suite.Run(cmd.Context(), mqttsuite.Cases(), c.opts)
	if err != nil {
		return err
	}
	counts := make(map[suite.Outcome]int)
	for _, r := range results {
		counts[r.Outcome]++
		if r.Outcome == suite.Passed {
			continue
		}
		_ = c.printf("%s %s %s %s (%v)", r.Outcome, r.Version, r.Case, r.Reason,
			r.Took.Round(time.Millisecond))
		for _, line := range r.Transcript {
			_ = c.printf("    %s", line)
		}
	}
	if counts[suite.Failed] > 0 {
		return fmt.Errorf("%v", counts)
	}
	return c.printf("%v", counts)
}
