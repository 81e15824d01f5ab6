package main

import (
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/client"
)

func newListenerList(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "Show where the broker listens, and removed listeners with connections",
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

// soonest is when the first of them expires: the others do not help who is shown that one.
func soonest(cs []client.Certificate) time.Time {
	return slices.MinFunc(cs, func(a, b client.Certificate) int {
		return a.NotAfter.Compare(b.NotAfter)
	}).NotAfter
}

func (s *settings) listenerTable(ls []client.Listener) error {
	rows := make([][]string, len(ls))
	for i, l := range ls {
		subject, until := "", ""
		if len(l.Certificates) > 0 {
			subject = l.Certificates[0].Subject
			until = soonest(l.Certificates).UTC().Format(time.DateOnly)
		}
		rows[i] = []string{
			l.Name, l.State, l.Bind, strconv.Itoa(l.Connections),
			strconv.FormatUint(l.Accepted, 10), strconv.FormatUint(l.Refused, 10), subject, until,
		}
	}
	head := []string{
		"NAME", "STATE", "BIND", "CONNECTIONS", "ACCEPTED", "REFUSED", "CERTIFICATE", "NOT AFTER",
	}
	return s.table(head, rows)
}
