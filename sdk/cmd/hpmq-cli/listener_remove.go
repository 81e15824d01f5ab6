package main

import "github.com/spf13/cobra"

func newListenerRemove(s *settings) *cobra.Command {
	var drop bool
	c := &cobra.Command{
		Use:   "remove NAME",
		Short: "Close a listener",
		Long: `Close a listener. Its connections stay until they end by themselves, unless --drop
disconnects them.`,
		Example: "  hpmq-cli listener remove lab --drop",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return s.listenerRemove(c, args[0], drop)
		},
	}
	c.Flags().BoolVar(&drop, "drop", false, "disconnect its clients too")
	return c
}

func (s *settings) listenerRemove(cmd *cobra.Command, name string, drop bool) error {
	c, err := s.client()
	if err != nil {
		return err
	}
	if err := c.RemoveListener(cmd.Context(), name, drop); err != nil {
		return err
	}
	if s.json {
		return s.printJSON(struct{}{})
	}
	return s.printf("%s is closed", printable(name))
}
