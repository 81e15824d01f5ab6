package main

import (
	"github.com/spf13/cobra"
)

func newChangeQuarantine(s *settings) *cobra.Command {
	c := &cobra.Command{
		Use:   "quarantine",
		Short: "Show and pardon components that were rolled back for how they did",
		Long: `Show and pardon components that were rolled back for how they did.

A component that is in quarantine is not linked again by a change or a swap without force; a change
that is done with force pardons it. What goes back, link rollback, is never held.`,
	}
	c.AddCommand(newQuarantineList(s), newQuarantinePardon(s))
	return c
}

func newQuarantineList(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "Show what is in quarantine, the oldest first, and why",
		Example: "  hpmq-cli change quarantine list",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.client()
			if err != nil {
				return err
			}
			all, err := c.Quarantine(cmd.Context())
			if err != nil {
				return err
			}
			if s.json {
				return s.printJSON(all)
			}
			rows := make([][]string, len(all))
			for i, q := range all {
				rows[i] = []string{
					q.Since.Local().Format("2006-01-02 15:04:05"), q.Change, q.Digest, q.Why,
				}
			}
			return s.table([]string{"SINCE", "CHANGE", "DIGEST", "WHY"}, rows)
		},
	}
}

func newQuarantinePardon(s *settings) *cobra.Command {
	var by string
	c := &cobra.Command{
		Use:   "pardon DIGEST",
		Short: "Take a component out of quarantine",
		Example: "  hpmq-cli change quarantine pardon \\\n" +
			"    sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.client()
			if err != nil {
				return err
			}
			if by == "" {
				by = operatorName()
			}
			if err := c.Pardon(cmd.Context(), args[0], by); err != nil {
				return err
			}
			if s.json {
				return s.printJSON(struct {
					Pardoned string `json:"pardoned"`
				}{args[0]})
			}
			return s.printf("%s is not in quarantine any more", printable(args[0]))
		},
	}
	c.Flags().StringVar(&by, "by", "", "who says so, for the audit (without it USER@HOST)")
	return c
}
