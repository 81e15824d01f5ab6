package main

import (
	"cmp"
	"strings"

	"github.com/spf13/cobra"
)

// roles are the words of --role.
const roles = "authenticator, authorizer, transformer, deduplicator, router, codec or worker"

func newLink(s *settings) *cobra.Command {
	link := &cobra.Command{
		Use:   "link",
		Short: "Show and change which component serves which role",
	}
	link.AddCommand(newLinkShow(s), newLinkDoctor(s), newLinkSwap(s), newLinkRollback(s))
	return link
}

// place is where in the link: the flags of swap and rollback.
type place struct{ listener, role, by string }

func (p *place) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&p.listener, "listener", "", "name of the listener")
	f.StringVar(&p.role, "role", "", strings.ReplaceAll(roles, " or", ","))
	f.StringVar(&p.by, "by", "", "who says so, for the audit (without it USER@HOST)")
	mustHave(c, "listener", "role")
}

// who is who says so.
func (p *place) who() string { return cmp.Or(p.by, operatorName()) }

// mustHave makes flags required. The only error is a flag that is not there, a bug.
func mustHave(c *cobra.Command, flags ...string) {
	for _, f := range flags {
		if err := c.MarkFlagRequired(f); err != nil {
			panic(err)
		}
	}
}
