package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
)

func cut(id string) (standard, name string, ok bool) { return strings.Cut(id, "/") }

// texts are the words of each statement.
func (r *Report) texts() map[string]string {
	m := make(map[string]string, len(r.Verdicts))
	for i := range r.Verdicts {
		m[r.Verdicts[i].ID] = r.Verdicts[i].Text
	}
	return m
}

// Text writes the report for a terminal: each failure with its statements and what went over the
// wire, then the counts. With all set it has a line for each result and each statement too.
func (r *Report) Text(w io.Writer, all bool) error {
	b := &strings.Builder{}
	texts := r.texts()
	if all {
		r.appendLines(b)
	}
	for i := range r.Results {
		if bad(&r.Results[i]) {
			appendFailure(b, &r.Results[i], texts)
		}
	}
	r.appendCounts(b)
	r.appendNotes(b)
	_, err := io.WriteString(w, printable(b.String()))
	return err
}

func (r *Report) appendLines(b *strings.Builder) {
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for i := range r.Results {
		res := &r.Results[i]
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", res.Outcome, res.Version, res.Case,
			strings.Join(names(res.Statements), " "), res.Reason)
	}
	_ = t.Flush()
	b.WriteByte('\n')
	t = tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for i := range r.Verdicts {
		v := &r.Verdicts[i]
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\n", v.Told(), v.ID, v.Text)
	}
	_ = t.Flush()
	b.WriteByte('\n')
}

// bad is true for what a reader has to look at.
func bad(res *suite.Result) bool {
	return res.Outcome == suite.Failed || res.Outcome == suite.Errored
}

// names are statements as the standards print them.
func names(ids []string) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		_, name, _ := cut(id)
		out[i] = "[" + name + "]"
	}
	return out
}

func appendFailure(b *strings.Builder, res *suite.Result, texts map[string]string) {
	fmt.Fprintf(b, "%s %s with MQTT %s (%v)\n  %s\n", strings.ToUpper(string(res.Outcome)),
		res.Case, res.Version, res.Took.Round(time.Millisecond), res.Text)
	for _, id := range res.Statements {
		_, name, _ := cut(id)
		fmt.Fprintf(b, "  [%s] %s\n", name, texts[id])
	}
	for _, f := range res.Faults {
		fmt.Fprintf(b, "  seen: %s\n", f)
	}
	for _, line := range res.Transcript {
		fmt.Fprintf(b, "    %s\n", line)
	}
	b.WriteByte('\n')
}

func (r *Report) appendCounts(b *strings.Builder) {
	fmt.Fprintf(b, "%s, %d runs of cases in %v\n\n", r.Target, len(r.Results),
		r.Took.Round(100*time.Millisecond))
	t := tabwriter.NewWriter(b, 12, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprint(t, "cases\tpassed\tfailed\terror\tskipped\tnot run\ttotal\t\n")
	for i := range r.Cases {
		c := &r.Cases[i]
		_, _ = fmt.Fprintf(t, "MQTT %s\t%d\t%d\t%d\t%d\t%d\t%d\t\n", c.Version, c.Passed,
			c.Failed, c.Errored, c.Skipped, c.NotRun, c.Total())
	}
	_ = t.Flush()
	b.WriteByte('\n')
	_, _ = fmt.Fprint(t, "statements\tkept\tbroken\tnot judged\tnot observable\ttotal\t\n")
	for i := range r.Statements {
		c := &r.Statements[i]
		_, _ = fmt.Fprintf(t, "MQTT %s\t%d\t%d\t%d\t%d\t%d\t\n", c.Standard, c.Kept, c.Broken,
			c.NotJudged, c.Unobservable, c.Total())
	}
	_ = t.Flush()
}

// appendNotes adds what a reader of the counts has to know.
func (r *Report) appendNotes(b *strings.Builder) {
	partly := 0
	for i := range r.Verdicts {
		if v := &r.Verdicts[i]; v.Verdict == Kept && v.Judged < v.Runs {
			partly++
		}
	}
	if partly > 0 {
		fmt.Fprintf(b, "\n%d of the statements kept were judged by a part of their runs; --all "+
			"says by how many\n", partly)
	}
	for _, w := range r.Warnings {
		fmt.Fprintf(b, "\nwarning: %s\n", w)
	}
	if r.Ended != "" {
		fmt.Fprintf(b, "\nNOT ALL WAS JUDGED: %s\n", r.Ended)
	}
}

// printable replaces what a terminal or a page would obey: names and reasons come from a server.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if c != '\n' && c != '\t' && (unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c)) {
			return '\uFFFD'
		}
		return c
	}, s)
}
