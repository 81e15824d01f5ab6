package main

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/client"
)

func newListenerList(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "Show where the broker listens",
		Example: "  hpmq-cli listener list",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return s.listenerList(c) },
	}
}

func (s *settings) listenerList(cmd *cobra.Command) error {
	c, err := s.client()
	if err != nil {
		return err
	}
	ls, err := c.Listeners(cmd.Context())
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(ls)
	}
	return s.listenerTable(ls)
}

func (s *settings) listenerTable(ls []client.Listener) error {
	rows := make([][]string, len(ls))
	for i, l := range ls {
		rows[i] = []string{l.Name, l.Bind, strconv.Itoa(l.Connections)}
	}
	return s.table([]string{"NAME", "BIND", "CONNECTIONS"}, rows)
}
