package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/client"
)

func newListenerRemove(s *settings) *cobra.Command {
	var r client.Removal
	c := &cobra.Command{
		Use:   "remove NAME",
		Short: "Close a listener",
		Long: `Close a listener. What becomes of its connections:
  drain  they are told to go elsewhere, evenly over --drain-timeout, so that they do not all
         come back in the same second
  keep   they go on, by its limits and components, until they end by themselves; until then it is
         listed as NAME~1, and may be removed by that name, with drain or close
  close  they are disconnected at once
Without --connections its setting on_remove holds.`,
		Example: `  hpmq-cli listener remove lab
  hpmq-cli listener remove lab --connections drain --drain-timeout 2m
  hpmq-cli listener remove lab~1 --connections close`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return s.listenerRemove(c, args[0], r)
		},
	}
	c.Flags().StringVar(&r.Connections, "connections", "", "drain, keep or close")
	c.Flags().DurationVar(&r.DrainTimeout, "drain-timeout", 0, "time to drain")
	return c
}

func (s *settings) listenerRemove(cmd *cobra.Command, name string, r client.Removal) error {
	r.DrainTimeout = max(r.DrainTimeout, 0).Round(time.Millisecond)
	c, err := s.client()
	if err != nil {
		return err
	}
	if err := c.RemoveListener(cmd.Context(), name, r); err != nil {
		return err
	}
	if s.json {
		return s.printJSON(struct{}{})
	}
	return s.printf("%s is closed", printable(name))
}
