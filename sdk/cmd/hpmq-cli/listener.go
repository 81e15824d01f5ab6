package main

import "github.com/spf13/cobra"

func newListener(s *settings) *cobra.Command {
	l := &cobra.Command{
		Use:     "listener",
		Aliases: []string{"listeners"},
		Short:   "Show, open and close listeners",
	}
	l.AddCommand(newListenerList(s), newListenerAdd(s), newListenerRemove(s))
	return l
}
