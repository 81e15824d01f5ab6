package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
)

// Comparison is where two runs differ.
type Comparison struct {
	Left  string `json:"left"` // the targets
	Right string `json:"right"`
	// Differences are the statements and the cases with another outcome, in the order of the left
	// run; Totals are the counts side by side, the same or not.
	Differences []Difference `json:"differences"`
	Totals      []Difference `json:"totals"`
}

// Difference is one thing and what each of two runs says of it.
type Difference struct {
	Kind  string `json:"kind"` // statement, case, total
	Name  string `json:"name"`
	Left  string `json:"left"`
	Right string `json:"right"`
}

// absent is the value of what one of two runs does not have.
const absent = "absent"

// Compare puts two runs side by side.
func Compare(a, b *Report) *Comparison {
	c := &Comparison{Left: a.Target, Right: b.Target, Differences: []Difference{},
		Totals: pair(a.totals(), b.totals())}
	for _, d := range pair(a.cells(), b.cells()) {
		if d.Left != d.Right {
			c.Differences = append(c.Differences, d)
		}
	}
	return c
}

// Text writes the comparison for a terminal.
func (c *Comparison) Text(w io.Writer) error {
	out := &strings.Builder{}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(t, "\t\t%s\t%s\n", c.Left, c.Right)
	for _, list := range [][]Difference{c.Differences, c.Totals} {
		for _, d := range list {
			_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", d.Kind, d.Name, d.Left, d.Right)
		}
	}
	_ = t.Flush()
	_, err := io.WriteString(w, printable(out.String()))
	return err
}

// JSON writes the comparison.
func (c *Comparison) JSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	if err := enc.Encode(c); err != nil {
		return fmt.Errorf("report: json: %w", err)
	}
	return nil
}

// row is one thing that two runs can differ in.
type row struct{ kind, name, value string }

// cells are the outcomes of cases and the verdicts about statements, in order.
func (r *Report) cells() []row {
	var rows []row
	for i := range r.Verdicts {
		v := &r.Verdicts[i]
		rows = append(rows, row{"statement", v.ID, string(v.Verdict)})
	}
	for i := range r.Results {
		res := &r.Results[i]
		rows = append(rows, row{"case", res.Case + " " + res.Version, string(res.Outcome)})
	}
	return rows
}

func (r *Report) totals() []row {
	var rows []row
	for i := range r.Cases {
		c := &r.Cases[i]
		rows = append(rows, row{"total", "cases of MQTT " + c.Version,
			fmt.Sprintf("%d of %d %s", c.Passed, c.Total(), suite.Passed)})
	}
	for i := range r.Statements {
		c := &r.Statements[i]
		rows = append(rows, row{"total", "statements of MQTT " + c.Standard,
			fmt.Sprintf("%d of %d %s", c.Kept, c.Total(), Kept)})
	}
	return rows
}

// pair puts rows of the same name together: those of a, then what b alone has.
func pair(a, b []row) []Difference {
	type key struct{ kind, name string }
	right := make(map[key]string, len(b))
	for _, r := range b {
		right[key{r.kind, r.name}] = r.value
	}
	var both []Difference
	for _, r := range a {
		k := key{r.kind, r.name}
		d := Difference{r.kind, r.name, r.value, absent}
		if other, ok := right[k]; ok {
			d.Right = other
			delete(right, k)
		}
		both = append(both, d)
	}
	for _, r := range b {
		if _, left := right[key{r.kind, r.name}]; left {
			both = append(both, Difference{r.kind, r.name, absent, r.value})
		}
	}
	return both
}
