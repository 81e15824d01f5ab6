package main

import (
	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/client"
)

func newListenerAdd(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "add NAME URL",
		Short: "Open a listener with the default components",
		Long: `Open a listener with the default components and the limits of the configuration. It
lasts until the broker stops or reads its configuration file again; to keep it, write it there.`,
		Example: "  hpmq-cli listener add lab tcp://127.0.0.1:1884",
		Args:    cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return s.listenerAdd(c, client.NewListener{Name: args[0], Bind: args[1]})
		},
	}
}

func (s *settings) listenerAdd(cmd *cobra.Command, l client.NewListener) error {
	c, err := s.client()
	if err != nil {
		return err
	}
	added, err := c.AddListener(cmd.Context(), l)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(added)
	}
	return s.printf("%s listens on %s", added.Name, added.Bind)
}
