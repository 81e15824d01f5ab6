package main

import (
	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/client"
)

func newLinkRollback(s *settings) *cobra.Command {
	var p place
	c := &cobra.Command{
		Use:     "rollback --listener NAME --role ROLE",
		Long:    "Bring back what the last change of a role replaced. Another rollback undoes it.",
		Short:   "Bring back what the last change of a role replaced",
		Example: "  hpmq-cli link rollback --listener mqtt --role transformer",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return s.linkRollback(c, p) },
	}
	p.flags(c)
	return c
}

func (s *settings) linkRollback(cmd *cobra.Command, p place) error {
	c, err := s.client()
	if err != nil {
		return err
	}
	done, err := c.Rollback(cmd.Context(), client.Rollback{
		Listener: p.listener, Role: p.role, By: p.who(),
	})
	if err != nil {
		return err
	}
	return s.printSwapped(done)
}
