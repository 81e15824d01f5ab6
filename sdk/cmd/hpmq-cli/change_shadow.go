package main

import (
	"fmt"

	"github.com/hpmq/hpmq/sdk/client"
)

// differencesMax is how many differences are printed; --json has all that the broker keeps.
const differencesMax = 5

// printShadow prints what a shadow found.
func (s *settings) printShadow(c *client.Comparison) error {
	if err := s.printf("%s", s.paint(faint, shadowText(c))); err != nil {
		return err
	}
	for _, d := range c.Differences[max(0, len(c.Differences)-differencesMax):] {
		at := fmt.Sprintf("%s %s[%d]", d.Listener, d.Role, d.Position)
		if d.ClientID != "" || d.Topic != "" {
			at += ", " + d.ClientID + " on " + d.Topic
		}
		err := s.printf("                %s", printable(at+": "+d.Active+" → "+d.Candidate))
		if err != nil {
			return err
		}
	}
	return nil
}

// shadowText is what a shadow found, on one line.
func shadowText(c *client.Comparison) string {
	text := fmt.Sprintf("              %s of %s answers alike (%.2f %%)", grouped(c.Matched),
		grouped(c.Asked), c.MatchRate*100)
	if c.Asked == 0 {
		text = "              nothing compared: nobody asked what could be"
	}
	if c.Failed > 0 {
		text += fmt.Sprintf(", %s failed", grouped(c.Failed))
	}
	if c.LeftOut > 0 {
		text += fmt.Sprintf(", %s left out", grouped(c.LeftOut))
	}
	if c.Asked == 0 {
		return text
	}
	return text + "; " + costText("candidate", &c.Candidate) + "; " +
		costText("active", &c.Active)
}

func costText(who string, c *client.Cost) string {
	return fmt.Sprintf("%s fuel %s, p50 %.1f µs, p99 %.1f µs", who, grouped(c.Fuel), c.P50Micros,
		c.P99Micros)
}
