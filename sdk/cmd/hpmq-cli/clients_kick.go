package main

import "github.com/spf13/cobra"

func newClientsKick(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:     "kick CLIENT-ID",
		Short:   "Disconnect a client",
		Example: "  hpmq-cli clients kick sensor-17",
		Args:    cobra.ExactArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return s.clientsKick(c, args[0]) },
	}
}

func (s *settings) clientsKick(cmd *cobra.Command, id string) error {
	c, err := s.client()
	if err != nil {
		return err
	}
	if err := c.Kick(cmd.Context(), id); err != nil {
		return err
	}
	if s.json {
		return s.printJSON(struct{}{})
	}
	return s.printf("%s is disconnected", printable(id))
}
