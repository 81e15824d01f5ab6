package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/client"
)

func newChangeWatch(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "watch [ID]",
		Short: "Follow a change until it ends, or all changes until Ctrl-C",
		Long: `Follow a change until it ends, or all changes until Ctrl-C: a line for each state it
comes into, and how both versions do while it serves some. With --json it is a JSON object a line.
Without an ID it begins with where those at work are, and goes on with what comes; what there was
before is in change list and change show. It exits with 0 if the change ends as done, else with
1; with 3 if the broker ends before it.`,
		Example: "  hpmq-cli change watch router-2.1\n  hpmq-cli change watch --json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.client()
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return s.watchAll(cmd.Context(), c)
			}
			change, err := c.Change(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return s.watchChange(cmd.Context(), c, &change)
		},
	}
}

func (s *settings) watchAll(ctx context.Context, c *client.Client) error {
	var failed error
	err := c.FollowNow(ctx, func(e *client.ChangeEvent) bool {
		failed = s.printEvent(e)
		return failed == nil
	})
	return s.followed(ctx, c, err, failed)
}

// followed is how following ended.
func (s *settings) followed(ctx context.Context, c *client.Client, err, failed error) error {
	switch {
	case ctx.Err() != nil:
		return errStopped
	case failed != nil:
		return failed
	case err == nil:
		return fmt.Errorf("%w: %s", errClosed, c.Server())
	}
	return err
}

// watchChange prints what becomes of a change until it ends.
func (s *settings) watchChange(ctx context.Context, c *client.Client, begun *client.Change) error {
	if len(begun.Marks) == 0 {
		return fmt.Errorf("change %s has no states: is it an HPMQ broker?", begun.ID)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := &watching{s: s, c: c, id: begun.ID, events: make(chan client.ChangeEvent)}
	ended := make(chan error, 1)
	go func() {
		ended <- c.FollowChange(ctx, w.id, func(e *client.ChangeEvent) bool {
			if e.Change != w.id {
				return true // of a broker that knows no such question
			}
			select {
			case w.events <- *e:
				return !final(e.State)
			case <-ctx.Done():
				return false
			}
		})
	}()
	last, err := w.run(ctx, ended)
	switch {
	case errors.Is(err, errClosed), errors.Is(err, client.ErrClosed):
		state := stateText(cmp.Or(last.State, begun.State), last.Step)
		return fmt.Errorf("%w while %s was %s: %s says what became of it", errClosed, begun.ID,
			state, s.command("change show "+begun.ID))
	case err != nil:
		return err
	case last.State == "done":
		return nil
	}
	return notDone(&last)
}

// notDone is the error that a change has ended as something else than done.
func notDone(last *client.ChangeEvent) error {
	text := "change " + last.Change + " is " + last.State
	switch {
	case last.Of != "":
		text += " at " + last.Of
	case last.By != "":
		text += " by " + last.By
	}
	if last.Why != "" {
		text += ": " + last.Why
	}
	return errors.New(text)
}

func final(state string) bool {
	return state == "done" || state == "refused" || state == "rolled back" || state == "cancelled"
}

// healthEvery is how often the health of a change is asked for while somebody looks on.
const healthEvery = time.Second

// watching follows one change.
type watching struct {
	s      *settings
	c      *client.Client
	id     string
	events chan client.ChangeEvent
	health *client.ChangeHealth // the last of this state, not printed for good yet
	shadow bool                 // what came of it is printed with the next state
}

// run answers the last event.
func (w *watching) run(ctx context.Context, ended <-chan error) (e client.ChangeEvent, err error) {
	tick := time.NewTicker(healthEvery)
	defer tick.Stop()
	for {
		select {
		case e = <-w.events:
			if err := w.settle(ctx); err != nil {
				return e, err
			}
			w.shadow = e.State == "shadow"
			if err := w.print(e); err != nil || final(e.State) {
				return e, err
			}
		case <-tick.C:
			if e.State == "canary" || e.State == "shadow" || e.State == "draining" {
				w.look(ctx)
			}
		case err := <-ended:
			return e, w.s.followed(ctx, w.c, err, nil)
		}
	}
}

// print leaves out for people which change it is: there is one.
func (w *watching) print(e client.ChangeEvent) error {
	if !w.s.json {
		e.Change = ""
	}
	return w.s.printEvent(&e)
}

// look asks how both versions do. On a terminal it is shown at once.
func (w *watching) look(ctx context.Context) {
	c, err := w.c.Change(ctx, w.id)
	if err != nil || c.Health == nil {
		return // the stream says what is wrong
	}
	w.health = c.Health
	text := healthText(c.Health)
	if w.shadow && c.Shadow != nil {
		text = shadowText(c.Shadow)
	}
	if terminal(w.s.out) && !w.s.json {
		_, _ = io.WriteString(w.s.out, redrawn(text))
	}
}

// redrawn draws a line of a terminal anew. It does not wrap: what wraps is two rows, and the next
// redraw would leave the first of them behind.
func redrawn(text string) string { return "\r\x1b[K\x1b[?7l" + text + "\x1b[?7h" }

// settle prints the last health before the next state, or what came of the shadow.
func (w *watching) settle(ctx context.Context) error {
	h := w.health
	w.health = nil
	if w.s.json || h == nil && !w.shadow {
		return nil
	}
	if terminal(w.s.out) {
		_, _ = io.WriteString(w.s.out, "\r\x1b[K")
	}
	if !w.shadow {
		return w.s.printHealth(h)
	}
	c, err := w.c.Change(ctx, w.id)
	if err != nil || c.Shadow == nil {
		return nil // the stream says what is wrong
	}
	return w.s.printShadow(c.Shadow)
}

func (s *settings) printHealth(h *client.ChangeHealth) error {
	return s.printf("%s", s.paint(faint, healthText(h)))
}

// healthText is how both versions do, on one line.
func healthText(h *client.ChangeHealth) string {
	return "              " + vitalsText("candidate", &h.Candidate) + "; " +
		vitalsText("active", &h.Active)
}

// vitalsText counts who found no guest, and so made no call, among the questions: it is a fault.
func vitalsText(who string, v *client.Vitals) string {
	text := fmt.Sprintf("%s %s questions, %s faults", who, grouped(v.Calls+v.Faults.Absent),
		grouped(v.Faults.Sum()))
	if v.P50Micros > 0 {
		text += fmt.Sprintf(", p50 %.1f µs, p99 %.1f µs", v.P50Micros, v.P99Micros)
	}
	return text
}

// printEvent prints one line, a change's name first if it is one of several.
func (s *settings) printEvent(e *client.ChangeEvent) error {
	if s.json {
		return json.NewEncoder(s.out).Encode(e)
	}
	state := stateText(e.State, e.Step)
	colour := ""
	switch e.State {
	case "done", "committed":
		colour = green
	case "refused", "rolled back", "cancelled":
		colour = red
	}
	text := fmt.Sprintf("%-14s", state)
	if colour != "" {
		text = s.paint(colour, text)
	}
	if e.Change != "" {
		text = printable(e.Change) + "  " + text
	}
	if e.Of != "" {
		text += " at " + printable(e.Of)
	}
	if e.By != "" {
		text += " by " + printable(e.By)
	}
	if e.Why != "" {
		text += "  " + printable(e.Why)
	}
	if e.Unrecorded != "" {
		text += "; " + printable(e.Unrecorded)
	}
	return s.printf("%s  %s", clockText(time.Now(), e.At), text)
}

// clockText is a time of today, or one with its date.
func clockText(now, at time.Time) string {
	now, at = now.Local(), at.Local()
	if at.Year() == now.Year() && at.YearDay() == now.YearDay() {
		return at.Format("15:04:05.000")
	}
	return at.Format("2006-01-02 15:04:05.000")
}
