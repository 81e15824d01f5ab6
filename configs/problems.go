package configs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one fault of a configuration.
type Problem struct {
	// Path is the setting, as in "listeners[1].bind"; empty for the file as a whole.
	Path string
	// Where is the place it was written: "hpmq.yaml:12", "HPMQ_ADMIN__BIND", "--admin", or empty.
	Where string
	// Text says what is wrong and, where it can, what would be right.
	Text string

	order int // of its line, to print a file's problems from top to bottom
}

// String prints the problem on one line.
func (p Problem) String() string {
	parts := make([]string, 0, 3)
	for _, s := range []string{p.Where, p.Path, p.Text} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ": ")
}

// Problems is the error of a configuration: all its faults at once, in the order of the file.
type Problems []Problem

// Error prints a problem a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

func (ps *Problems) add(path, format string, args ...any) {
	*ps = append(*ps, Problem{Path: path, Text: fmt.Sprintf(format, args...)})
}

// note adds text unless it is empty.
func (ps *Problems) note(path, text string) {
	if text != "" {
		ps.add(path, "%s", text)
	}
}

// merge adds those of more that have no problem yet at their path or around it: a value that could
// not be read needs no second complaint about the default that stands in for it.
func (ps *Problems) merge(more Problems) {
	seen := make(map[string]bool, len(*ps))
	for _, p := range *ps {
		seen[p.Path] = true
	}
	for _, p := range more {
		known := false
		for path := p.Path; path != "" && !known; path = parent(path) {
			known = seen[path]
		}
		if !known {
			*ps = append(*ps, p)
		}
	}
}

// locate fills in where each problem was written and sorts by it.
func (ps Problems) locate(from origins) {
	for i := range ps {
		if ps[i].Where == "" {
			o := from.nearest(ps[i].Path)
			ps[i].Where, ps[i].order = o.where, o.line
		}
	}
	slices.SortStableFunc(ps, func(a, b Problem) int { return cmp.Compare(a.order, b.order) })
}

// err answers nil if there is no problem; a Problems of length 0 is no nil error.
func (ps Problems) err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}
