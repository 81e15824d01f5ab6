package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hpmq/hpmq/sdk/trial"
)

// print tells what a check found.
func (k *check) print(c *checked) error {
	if k.json {
		return k.printJSON(c)
	}
	lines := [][2]string{
		{"form", fmt.Sprintf("%s, %s, sha256 %s", c.Form, bytesText(c.Size), short(c.Digest))},
		{"name", nameText(c)},
		{"roles", rolesText(c)},
	}
	for i, s := range c.Speaks {
		lines = append(lines, [2]string{head(i, "speaks"), spokenText(k, c.Speaks, s)})
	}
	if len(c.Imports) == 0 {
		lines = append(lines, [2]string{"imports", "nothing"})
	}
	for i, im := range c.Imports {
		lines = append(lines, [2]string{head(i, "imports"), importText(k, im)})
	}
	lines = append(lines, [2]string{"grants", grantsText(c)})
	for _, s := range c.Started {
		lines = append(lines, k.startedLines(c, s)...)
	}
	if t := c.Cases; t != nil {
		text := fmt.Sprintf("%d of %d pass, %d calls, at most %s fuel a call (%s)",
			t.Cases-t.Failed, t.Cases, t.Calls, grouped(t.FuelMax), t.Path)
		lines = append(lines, [2]string{"cases", text})
	}
	for i, l := range c.Links {
		lines = append(lines, [2]string{head(i, "links"), k.linkText(l)})
	}
	if err := k.printf("%s", printable(c.File)); err != nil {
		return err
	}
	for _, l := range lines {
		text := strings.ReplaceAll(l[1], "\n", "\n"+strings.Repeat(" ", 12))
		if err := k.printf("  %-9s %s", l[0], text); err != nil {
			return err
		}
	}
	return nil
}

// head stands before the first line of several.
func head(i int, word string) string {
	if i > 0 {
		return ""
	}
	return word
}

func nameText(c *checked) string {
	if c.Name == "" {
		return "of its file: it has no manifest"
	}
	return printable(strings.TrimSpace(c.Name + " " + c.Version))
}

func rolesText(c *checked) string {
	if len(c.Roles) == 0 && slices.ContainsFunc(c.Speaks, checkedSpoken.strange) {
		return "none in a version that this broker serves"
	}
	if len(c.Roles) == 0 {
		return "none: its exports fit no role of wit/; build it against a world of wit/ " +
			"(hpmq-cli component new shows how)"
	}
	var names []string
	for _, r := range c.Roles {
		names = append(names, r.String())
	}
	text := strings.Join(names, ", ")
	if c.ByHandle {
		text += "; payloads above 16 KiB by handle"
	}
	return text
}

// strange says that the broker does not ask it.
func (s checkedSpoken) strange() bool { return !s.Asked }

// spokenText says of an interface that is not asked why.
func spokenText(k *check, all []checkedSpoken, s checkedSpoken) string {
	face, _, _ := strings.Cut(s.Name, "@")
	other := slices.ContainsFunc(all, func(o checkedSpoken) bool {
		return o.Asked && strings.HasPrefix(o.Name, face+"@")
	})
	switch {
	case s.Asked:
		return printable(s.Name)
	case other:
		return printable(s.Name) + k.paint(faint, "  not asked: another version of it is")
	}
	return printable(s.Name) + "  " + k.paint(red, "not served") + ": this broker serves " +
		s.Served
}

// grantsText is what a link must be told.
func grantsText(c *checked) string {
	if len(c.Grants) == 0 {
		return "nothing to grant"
	}
	text := "hpmq-cli link swap … --grant " + strings.Join(c.Grants, ",") +
		", or in its entry of the configuration grants: [" + strings.Join(c.Grants, ", ") + "]"
	if len(c.Grants) == len(trial.Grantable()) && c.Form == "component" {
		text += "\nit imports all that can be granted, as script engines do with all that their " +
			"world has:\nif it does not use all, build it against a world that imports less; " +
			"component build does\nthat by the capabilities in component.json"
	}
	return text
}

func importText(k *check, im checkedImport) string {
	if im.Grant == "" {
		return printable(im.Name) + k.paint(faint, "  every component has it")
	}
	return printable(im.Name) + "  grant " + im.Grant
}

func (k *check) startedLines(c *checked, s started) [][2]string {
	word := "starts"
	if len(c.Started) > 1 {
		word = s.Role.String()[:min(9, len(s.Role.String()))]
	}
	if s.Refused != "" {
		return [][2]string{{word, k.paint(red, "refused ") + printable(s.Refused) +
			"\nto do: " + s.ToDo}}
	}
	listed := func(filters []string) string {
		if len(filters) == 0 {
			return "nothing"
		}
		return printable(strings.Join(filters, " "))
	}
	return [][2]string{
		{word, fmt.Sprintf("%s memory, %s fuel to start, %s to configure", bytesText(
			int(s.MemoryBytes)), grouped(s.StartFuel), grouped(s.ConfigureFuel))},
		{"", "wants inbound " + listed(s.Inbound) + ", outbound " + listed(s.Outbound)},
	}
}

func (k *check) linkText(l checkedLinked) string {
	grants := "grants nothing more"
	if len(l.Grants) > 0 {
		grants = "grants " + strings.Join(l.Grants, ", ")
	}
	if l.Refused == "" {
		return fmt.Sprintf("%s  %s  %s", printable(l.Where), k.paint(green, "good"), grants)
	}
	return fmt.Sprintf("%s  %s  %s, %s\nto do: %s", printable(l.Where), k.paint(red, "refused"),
		grants, printable(l.Refused), l.ToDo)
}
