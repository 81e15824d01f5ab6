package main

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/client"
)

func newClientsList(s *settings) *cobra.Command {
	var after string
	var limit int
	c := &cobra.Command{
		Use:     "list",
		Short:   "Show sessions in the order of their client ids",
		Example: "  hpmq-cli clients list\n  hpmq-cli clients list --limit 1000 --after sensor-17",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return s.clientsList(c, after, limit)
		},
	}
	c.Flags().StringVar(&after, "after", "", "begin after this client id")
	c.Flags().IntVar(&limit, "limit", 100, "how many, at most 1000")
	return c
}

func (s *settings) clientsList(cmd *cobra.Command, after string, limit int) error {
	c, err := s.client()
	if err != nil {
		return err
	}
	list, err := c.Sessions(cmd.Context(), after, limit)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(list)
	}
	rows := make([][]string, len(list))
	for i, l := range list {
		rows[i] = []string{
			l.ClientID, l.Username, l.Address, l.Listener, version(l.Version), connected(l),
			strconv.Itoa(l.Subscriptions), strconv.Itoa(l.Queued), strconv.Itoa(l.Inflight),
		}
	}
	return s.table([]string{
		"CLIENT ID", "USERNAME", "ADDRESS", "LISTENER", "MQTT", "CONNECTED", "SUBSCRIPTIONS",
		"QUEUED", "INFLIGHT",
	}, rows)
}

// version is the name of a protocol version.
func version(v int) string {
	switch v {
	case 3:
		return "3.1"
	case 4:
		return "3.1.1"
	case 5:
		return "5.0"
	}
	return strconv.Itoa(v)
}

func connected(l client.Session) string {
	if l.Connected {
		return "yes"
	}
	return "no"
}
