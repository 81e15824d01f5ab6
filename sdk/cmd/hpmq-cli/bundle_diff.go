package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/bundle"
)

func newBundleDiff(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "diff FROM TO",
		Short: "Say what is different in a bundle, by meaning",
		Long: `diff opens two bundles and says what is different in the second: version, licence,
components and roles, code, what they want to import, limits, keys of the configuration, golden
cases, what they were built from. What an operator should look at is marked with "!": a component
wants more than before, the version is older, a component is gone.`,
		Example: `  hpmq-cli bundle diff vendor-1.1.0.tar vendor-1.2.0.tar
  hpmq-cli bundle diff old new --json`,
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: bundleFiles,
		RunE: func(_ *cobra.Command, args []string) error {
			return s.failing(s.bundleDiff(args[0], args[1]))
		},
	}
}

func (s *settings) bundleDiff(from, to string) error {
	a, err := readBundle(from, "")
	if err != nil {
		return err
	}
	b, err := readBundle(to, "")
	if err != nil {
		return err
	}
	all := bundle.Diff(a, b)
	if s.json {
		return s.printJSON(map[string]any{
			"from": a.Digest, "to": b.Digest, "differences": append([]bundle.Difference{}, all...),
		})
	}
	if len(all) == 0 {
		return s.printf("they are the same: %s", a.Digest)
	}
	for _, d := range all {
		if err := s.printf("%s", s.differenceText(d)); err != nil {
			return err
		}
	}
	return nil
}

// differenceText is a difference as a line.
func (s *settings) differenceText(d bundle.Difference) string {
	mark, text := "~", printable(d.From)+" → "+printable(d.To)
	switch {
	case d.From == "":
		mark, text = "+", printable(d.To)
	case d.To == "":
		mark, text = "-", printable(d.From)
	}
	if text == "yes" { // it is there, or not: there is no more to say
		text = ""
	}
	line := strings.TrimSpace(mark + " " + printable(d.What) + ": " + text)
	line = strings.TrimSuffix(line, ":")
	if d.Alert == "" {
		return "  " + line
	}
	return s.paint(red, "! "+line+"  ("+d.Alert+")")
}

// limitsText is what a component asks to be bounded by, "" for nothing of its own.
func limitsText(l bundle.Limits) string {
	var out []string
	if l.Fuel > 0 {
		out = append(out, grouped(l.Fuel)+" fuel a call")
	}
	if l.StartFuel > 0 {
		out = append(out, grouped(l.StartFuel)+" fuel to start")
	}
	if l.DepthMax > 0 {
		out = append(out, fmt.Sprintf("%d calls deep", l.DepthMax))
	}
	if l.MemoryBytesMax > 0 {
		out = append(out, bytesText(int(min(l.MemoryBytesMax, 1<<40)))+" memory")
	}
	return strings.Join(out, ", ")
}

// configText are the keys of a configuration, in lines.
func configText(properties map[string]string) string {
	if len(properties) == 0 {
		return "any"
	}
	var lines []string
	line := ""
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if strings.HasSuffix(name, "[]") { // its list is there
			continue
		}
		name = printable(name)
		if line != "" && len(line)+len(name) > 76 {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimSpace(line + " " + name)
	}
	return strings.Join(append(lines, line), "\n")
}
