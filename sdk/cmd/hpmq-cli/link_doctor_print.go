package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hpmq/hpmq/sdk/client"
)

// printFindings tells a person.
func (s *settings) printFindings(d *findings) error {
	for i := range d.Cases {
		if err := s.printAilment(d, &d.Cases[i]); err != nil {
			return err
		}
	}
	of := fmt.Sprintf("%s answered %s questions", plural(d.Components, "component"),
		grouped(d.Questions))
	switch {
	case d.Components == 0:
		return s.printf("No component is linked.")
	case len(d.Cases) == 0:
		return s.printf("%s %s, and none has failed.", s.paint(green, "All is well:"), of)
	case d.Well:
		return s.printf("%s %s, and none fails any more; see above.",
			s.paint(green, "All is well now:"), of)
	}
	ill := slices.DeleteFunc(slices.Clone(d.Cases), func(a ailment) bool {
		return a.State == stateEarlier || a.State == stateGone
	})
	return s.printf("%s; %s linked.", s.paint(red, plural(len(ill), "component")+" in trouble"),
		plural(d.Components, "component"))
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func (s *settings) printAilment(d *findings, a *ailment) error {
	colour := red
	if a.State == stateEarlier || a.State == stateGone {
		colour = faint
	}
	kind := ""
	if st := a.standing(); st == client.Canary || st == client.Shadow {
		kind = " (" + st + ")"
	}
	place := fmt.Sprintf("%s %s[%d]", a.Listener, a.Role, a.Position)
	if a.State == stateGone {
		place = a.Listener + " " + a.Role
	}
	lines := []string{fmt.Sprintf("%s%s: %s %s", place, kind,
		named(client.Linked{Name: a.Name, Version: a.Version, Digest: a.Digest}),
		s.paint(colour, a.verdict()))}
	lines = append(lines, a.summary(d.at)...)
	for i := range a.Failures {
		lines = append(lines, describe(d.at, &a.Failures[i])...)
	}
	if len(a.ToDo) > 0 {
		lines = append(lines, "  to do")
	}
	for i, do := range a.ToDo {
		lines = append(lines, fmt.Sprintf("    %d. %s", i+1, printable(do)))
	}
	return s.printf("%s\n", strings.Join(lines, "\n"))
}

// verdict is its state in words: one that never served is not linked no more. What it failed of
// last decides: one that was refused may have come a second time, and served.
func (a *ailment) verdict() string {
	if a.State != stateGone || len(a.Failures) == 0 {
		return a.State
	}
	last := slices.MaxFunc(a.Failures, func(x, y client.Failure) int {
		return x.Last.Compare(y.Last)
	})
	switch bareName(last.Function) {
	case "import-state", "migrate":
		return "was refused, what it was to replace goes on"
	}
	return a.State
}

// summary is what is known of all its failures together.
func (a *ailment) summary(now time.Time) (lines []string) {
	if l := a.Linked; l != nil {
		all := l.Calls + l.Absent
		lines = append(lines, fmt.Sprintf("  %s of %s questions failed, %s found no instance; "+
			"linked since %s", grouped(l.Faults), grouped(all), grouped(l.Absent),
			when(now, l.Since)))
		if l.BreakerOpened > 0 {
			lines = append(lines, fmt.Sprintf("  its breaker is %s since %s, and opened %s",
				l.Breaker, when(now, l.BreakerSince), times(l.BreakerOpened)))
		}
		if len(a.Failures) == 0 && l.LastFault != "" {
			lines = append(lines, "  the last was: "+printable(l.LastFault))
		}
	}
	if q := a.Quarantined; q != nil {
		lines = append(lines, fmt.Sprintf("  it is in quarantine since change %s, %s",
			printable(q.Change), when(now, q.Since)))
	}
	if a.Meanwhile != "" {
		lines = append(lines, "  "+a.Meanwhile)
	}
	return lines
}

// describe tells of one failure.
func describe(now time.Time, f *client.Failure) []string {
	what := f.Kind
	if f.Function != "" {
		what += " in " + bareName(f.Function)
	}
	lines := []string{fmt.Sprintf("  %s, %s: %s", what, times(f.Count), f.Text),
		"    last       " + when(now, f.Last)}
	add := func(label, text string) {
		if text != "" {
			lines = append(lines, fmt.Sprintf("    %-10s %s", label, text))
		}
	}
	if f.Count > 1 {
		add("first", when(now, f.First))
	}
	add("topic", f.Topic)
	add("client", f.ClientID)
	if f.Redacted {
		add("redacted", "topic, client and its lines, as wasm.failures says")
	}
	label := "it wrote"
	for _, line := range f.Said {
		add(label, line)
		label = ""
	}
	if f.FuelMax > 0 {
		most := ""
		if f.Kind == "trap" || f.Kind == "memory" {
			most = "at least "
		}
		add("fuel", most+grouped(f.Fuel)+" of "+grouped(f.FuelMax))
	}
	label = "in"
	for i := 0; i < len(f.Backtrace); {
		name, n := f.Backtrace[i], 0
		for ; i < len(f.Backtrace) && f.Backtrace[i] == name; i++ {
			n++
		}
		if n > 1 {
			name += fmt.Sprintf(" (%d times)", n)
		}
		add(label, name)
		label = "called by"
	}
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	return lines
}

func times(n uint64) string {
	if n == 1 {
		return "once"
	}
	return grouped(n) + " times"
}

// when is a time for people, with how long ago that is if the clocks agree.
func when(now, t time.Time) string {
	text := t.Local().Format(time.DateTime)
	d := now.Sub(t)
	switch {
	case t.IsZero():
		return "?"
	case d < 0:
		return text
	case d < 2*time.Minute:
		return fmt.Sprintf("%s (%d s ago)", text, d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%s (%d min ago)", text, d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%s (%d h ago)", text, d/time.Hour)
	}
	return fmt.Sprintf("%s (%d days ago)", text, d/(24*time.Hour))
}
