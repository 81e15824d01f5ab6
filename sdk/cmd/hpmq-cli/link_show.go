package main

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/client"
)

func newLinkShow(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:     "show",
		Short:   "Show which component serves which role of which listener",
		Example: "  hpmq-cli link show\n  hpmq-cli link show --json",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return s.linkShow(c) },
	}
}

func (s *settings) linkShow(cmd *cobra.Command) error {
	c, err := s.client()
	if err != nil {
		return err
	}
	linked, err := c.Link(cmd.Context())
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(linked)
	}
	rows := make([][]string, len(linked))
	for i, l := range linked {
		rows[i] = []string{
			l.Listener, l.Role, strconv.Itoa(l.Position), l.Name, l.Version, l.Form,
			l.Contract, short(l.Digest), strings.Join(l.Grants, ","), l.OnFault,
			strconv.FormatUint(l.Calls, 10), strconv.FormatUint(l.Faults, 10), breakerText(&l),
			cmp.Or(short(l.Previous), printable(l.PreviousName)),
		}
	}
	return s.table([]string{
		"LISTENER", "ROLE", "POS", "COMPONENT", "VERSION", "FORM", "CONTRACT", "DIGEST", "GRANTS",
		"ON FAULT", "CALLS", "FAULTS", "BREAKER", "PREVIOUS",
	}, rows)
}

// breakerText tells of a breaker that is not closed since when.
func breakerText(l *client.Linked) string {
	if l.Breaker == "closed" || l.BreakerSince.IsZero() {
		return l.Breaker
	}
	return l.Breaker + " since " + l.BreakerSince.Local().Format(time.TimeOnly)
}
