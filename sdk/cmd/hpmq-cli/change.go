package main

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/client"
)

func newChange(s *settings) *cobra.Command {
	c := &cobra.Command{
		Use:   "change",
		Short: "Change components step by step: canary, rollback by itself, audit",
		Long: `Change components step by step. A change is of several places, of several roles and
listeners, all or none. What it brings is fetched, verified, compiled, checked and held to its
golden cases beside what is linked; then it may answer unheard (shadow), serve some clients
(canary), and all. If it does badly meanwhile it goes by itself, and the old version, which is warm,
answers again. What a change has linked outlives the broker; a broker that ends in the middle of one
comes up with the old version or the new one linked, and says which.`,
	}
	c.AddCommand(newChangeSubmit(s), newChangeList(s), newChangeShow(s), newChangeWatch(s),
		newChangeQuarantine(s), newChangeDecide(s, decision{
			use: "cancel", short: "End a change that is not committed",
			do: without((*client.Client).Cancel),
		}),
		newChangeDecide(s, decision{
			use: "promote", short: "Leave out what a change still waits for",
			long: promoteLong,
			from: true,
			do:   (*client.Client).Promote,
		}),
		newChangeDecide(s, decision{
			use: "rollback", short: "Bring the old version back while a change is watched",
			do: without((*client.Client).RollbackChange),
		}))
	return c
}

const promoteLong = `Leave out what a change still waits for: before its commit the rest of its
shadow and canary. Said twice it is the same as once. To end its watch after the commit, say --from
draining. A change that is not in the state that --from names is refused. One that needs a match_min
is refused for it if nothing was compared by then.`

// decision is a word of an operator about a change at work.
type decision struct {
	use, short, long string
	from             bool // it may name the state that the change is to be in
	do               deciding
}

type deciding func(
	c *client.Client, ctx context.Context, id, from, by string,
) (client.Change, error)

// without is a decision that names no state.
func without(
	do func(c *client.Client, ctx context.Context, id, by string) (client.Change, error),
) deciding {
	return func(c *client.Client, ctx context.Context, id, _, by string) (client.Change, error) {
		return do(c, ctx, id, by)
	}
}

func newChangeDecide(s *settings, d decision) *cobra.Command {
	var from, by string
	c := &cobra.Command{
		Use:     d.use + " ID",
		Short:   d.short,
		Long:    d.long,
		Example: "  hpmq-cli change " + d.use + " router-2.1",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.client()
			if err != nil {
				return err
			}
			if by == "" {
				by = operatorName()
			}
			done, err := d.do(c, cmd.Context(), args[0], from, by)
			if err != nil {
				return err
			}
			return s.printDecided(&done, d.use)
		},
	}
	c.Flags().StringVar(&by, "by", "", "who says so, for the audit (without it USER@HOST)")
	if d.from {
		c.Flags().StringVar(&from, "from", "", "the state to leave: shadow, canary or draining "+
			"(without it any before the commit)")
	}
	return c
}

// printDecided prints a change after a decision. That it is promoted does not show in its state
// while that is one from before its shadow and canary.
func (s *settings) printDecided(c *client.Change, decided string) error {
	if err := s.printChange(c); err != nil || s.json || decided != "promote" {
		return err
	}
	switch c.State {
	case "requested", "fetched", "verified", "compiled", "checked", "warmed", "tested":
		return s.printf("  it is promoted: its shadow and canary will be left out")
	}
	return nil
}

func newChangeList(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "Show the changes that the broker remembers, the newest first",
		Example: "  hpmq-cli change list",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return s.changeList(cmd) },
	}
}

func (s *settings) changeList(cmd *cobra.Command) error {
	c, err := s.client()
	if err != nil {
		return err
	}
	all, err := c.Changes(cmd.Context())
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(all)
	}
	rows := make([][]string, len(all))
	for i := range all {
		c := &all[i]
		var places []string
		for j := range c.Places {
			places = append(places, placeText(&c.Places[j]))
		}
		why := strings.Join(append([]string{c.Why}, undoneTexts(c)...), "; ")
		why = strings.TrimPrefix(why, "; ")
		rows[i] = []string{
			begun(c), c.ID, stateText(c.State, c.Step), strings.Join(places, ", "), c.By, why,
		}
	}
	return s.table([]string{"BEGAN", "ID", "STATE", "PLACES", "BY", "WHY"}, rows)
}

// undoneTexts are its places that are as they were before it, though it is done.
func undoneTexts(c *client.Change) (texts []string) {
	for _, u := range c.Undone {
		texts = append(texts, fmt.Sprintf("%s %s rolled back since, by %s, %s", u.Listener, u.Role,
			cmp.Or(u.By, "somebody"), u.At.Local().Format(time.DateTime)))
	}
	return texts
}

func begun(c *client.Change) string {
	if len(c.Marks) == 0 {
		return ""
	}
	return c.Marks[0].At.Local().Format("2006-01-02 15:04:05")
}

func stateText(state string, step int) string {
	if step > 0 {
		return state + " step " + strconv.Itoa(step)
	}
	return state
}

// placeText says which place, and what takes whose.
func placeText(p *client.ChangePlace) string {
	at := p.Listener + " " + p.Role
	if p.Position > 0 {
		at += "[" + strconv.Itoa(p.Position) + "]"
	}
	if p.Remove {
		return at + ": " + componentText(p.Old) + " → nothing"
	}
	switch {
	case p.New == nil && p.Old == nil:
		return at + ": " + p.Source
	case p.New == nil:
		return at + ": " + componentText(p.Old) + " → " + p.Source
	}
	return at + ": " + componentText(p.Old) + " → " + componentText(p.New)
}

func componentText(c *client.Component) string {
	if c == nil {
		return "nothing"
	}
	return strings.TrimSpace(strings.TrimSpace(c.Name+" "+c.Version) + " " + short(c.Digest))
}

func newChangeShow(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:     "show ID",
		Short:   "Show a change: its states with their times, how both versions do",
		Example: "  hpmq-cli change show router-2.1",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.client()
			if err != nil {
				return err
			}
			change, err := c.Change(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return s.printChange(&change)
		},
	}
}

// printChange prints all of a change.
func (s *settings) printChange(c *client.Change) error {
	if s.json {
		return s.printJSON(c)
	}
	if err := s.printf("%s: %s%s", printable(c.ID), stateText(c.State, c.Step),
		byText(c)); err != nil {
		return err
	}
	if c.Unrecorded != "" {
		if err := s.printf("  %s", printable(c.Unrecorded)); err != nil {
			return err
		}
	}
	var lines []string
	for i := range c.Places {
		lines = append(lines, placeText(&c.Places[i]))
	}
	for _, line := range append(lines, undoneTexts(c)...) {
		if err := s.printf("  %s", printable(line)); err != nil {
			return err
		}
	}
	for _, m := range c.Marks {
		e := client.ChangeEvent{At: m.At, State: m.State, Step: m.Step, Why: m.Why}
		if m.State == c.State {
			e.Of = c.Of
		}
		if err := s.printEvent(&e); err != nil {
			return err
		}
	}
	if c.Shadow != nil {
		if err := s.printShadow(c.Shadow); err != nil {
			return err
		}
	}
	if c.Health == nil {
		return nil
	}
	return s.printHealth(c.Health)
}

func byText(c *client.Change) string {
	text := ""
	if c.By != "" {
		text += ", asked for by " + printable(c.By)
	}
	if c.Reason != "" {
		text += " (" + printable(c.Reason) + ")"
	}
	if c.EndedBy != "" {
		text += ", ended by " + printable(c.EndedBy)
	}
	return text
}
