package main

import "github.com/spf13/cobra"

func newClients(s *settings) *cobra.Command {
	c := &cobra.Command{
		Use:     "clients",
		Aliases: []string{"client"},
		Short:   "Show and disconnect clients",
	}
	c.AddCommand(newClientsList(s), newClientsKick(s))
	return c
}
