package main

import "github.com/spf13/cobra"

func newListener(s *settings) *cobra.Command {
	l := &cobra.Command{
		Use:     "listener",
		Aliases: []string{"listeners"},
		Short:   "Show, open, change and close listeners",
		Long: `Show, open, change and close listeners, while clients are connected. What is changed
here lasts until the broker stops or reads its configuration file again; to keep it, write it
there.`,
	}
	l.AddCommand(newListenerList(s), newListenerShow(s), newListenerAdd(s), newListenerChange(s),
		newListenerRemove(s), newListenerReload(s))
	return l
}
