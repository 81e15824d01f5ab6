package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
)

// Compare writes where two runs differ: each case and each statement with another outcome, then the
// counts side by side. It answers how many differ.
func Compare(w io.Writer, a, b *Report) (int, error) {
	out := &strings.Builder{}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(t, "\t\t%s\t%s\n", a.Target, b.Target)
	n := compareRows(t, a.cells(), b.cells())
	for _, side := range []func(*Report) []row{(*Report).caseCounts, (*Report).verdictCounts} {
		left, right := side(a), side(b)
		for i := range min(len(left), len(right)) {
			_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", left[i].kind, left[i].name, left[i].value,
				right[i].value)
		}
	}
	_ = t.Flush()
	_, err := io.WriteString(w, printable(out.String()))
	return n, err
}

// row is one thing that two runs can differ in.
type row struct{ kind, name, value string }

// absent is the value of what one of two runs does not have.
const absent = "absent"

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

func compareRows(w io.Writer, a, b []row) int {
	type key struct{ kind, name string }
	right := make(map[key]string, len(b))
	for _, r := range b {
		right[key{r.kind, r.name}] = r.value
	}
	n := 0
	differ := func(r row, left, right string) {
		n++
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.kind, r.name, left, right)
	}
	for _, r := range a {
		k := key{r.kind, r.name}
		other, ok := right[k]
		delete(right, k)
		if !ok {
			other = absent
		}
		if other != r.value {
			differ(r, r.value, other)
		}
	}
	for _, r := range b {
		if _, left := right[key{r.kind, r.name}]; left {
			differ(r, absent, r.value)
		}
	}
	return n
}

func (r *Report) caseCounts() []row {
	var rows []row
	for i := range r.Cases {
		c := &r.Cases[i]
		rows = append(rows, row{"total", "cases of MQTT " + c.Version,
			fmt.Sprintf("%d of %d %s", c.Passed, c.Total(), suite.Passed)})
	}
	return rows
}

func (r *Report) verdictCounts() []row {
	var rows []row
	for i := range r.Statements {
		c := &r.Statements[i]
		rows = append(rows, row{"total", "statements of MQTT " + c.Standard,
			fmt.Sprintf("%d of %d %s", c.Kept, c.Total(), Kept)})
	}
	return rows
}
