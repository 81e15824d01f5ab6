package main

import (
	"strconv"
	"time"

	"github.com/spf13/cobra"
)

func newStatus(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:     "status",
		Short:   "Show how the broker is",
		Example: "  hpmq-cli status\n  hpmq-cli status --json",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return s.status(c) },
	}
}

func (s *settings) status(cmd *cobra.Command) error {
	c, err := s.client()
	if err != nil {
		return err
	}
	st, err := c.Status(cmd.Context())
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(st)
	}
	n := func(v uint64) string { return strconv.FormatUint(v, 10) }
	t := st.Totals
	dropped := t.DroppedSlow + t.DroppedQueue + t.DroppedTotal + t.DroppedOldest + t.Rejected +
		t.DroppedSize + t.DroppedExpired + t.DroppedPolicy
	rows := [][]string{
		{"version", st.Version + " (" + st.Platform + ")"},
		{"up", (time.Duration(st.UptimeSeconds) * time.Second).String()},
		{"data", st.DataDir},
		{"loops", strconv.Itoa(st.Loops)},
		{"connections", strconv.Itoa(t.Connections) + " (" + n(t.ConnectionsTotal) + " in all)"},
		{"sessions", strconv.Itoa(t.Sessions)},
		{"subscriptions", strconv.Itoa(t.Subscriptions)},
		{"queued", strconv.Itoa(t.Queued) + " (" + strconv.Itoa(t.QueuedBytes) + " bytes)"},
		{"received", n(t.MessagesReceived)},
		{"sent", n(t.MessagesSent)},
		{"dropped", n(dropped)},
		{"suppressed", n(t.Suppressed)},
		{"denied", n(t.Denied)},
	}
	for _, a := range st.Alarms {
		rows = append(rows, []string{"ALARM", a.Name + " since " +
			a.Since.Format(time.DateTime) + ": " + a.Text})
	}
	return s.table([]string{"node", st.Node}, rows)
}
