// Package report knows how a run of the conformance suite is told: as a value that is also its
// JSON, as text for a terminal, as JUnit XML, as one HTML page, beside another run.
//
// It judges nothing and talks to no broker.
package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	conformance "github.com/hpmq/hpmq/conformance/mqtt"
	"github.com/hpmq/hpmq/conformance/mqtt/suite"
)

// Format is the version of the JSON. A later format reads this one.
const Format = 1

// jsonBytesMax bounds a report that is read.
const jsonBytesMax = 64 << 20

// Verdict is what a run says of one statement.
type Verdict string

// The verdicts. Kept: a case passed and none failed. NotJudged: no case that judges the statement
// passed or failed; what could not be asked breaks nothing.
const (
	Kept         Verdict = "kept"
	Broken       Verdict = "broken"
	NotJudged    Verdict = "not judged"
	Unobservable Verdict = "not observable"
)

// Report is one run.
type Report struct {
	Format  int           `json:"format"`
	Target  string        `json:"target"`
	Started time.Time     `json:"started"`
	Took    time.Duration `json:"took_ns"`
	// Ended says why the run was ended before all was judged; empty if it was not.
	Ended string `json:"ended,omitempty"`
	// Warnings are what could not be taken away from the server.
	Warnings []string `json:"warnings,omitempty"`
	// Cases counts the results by version, Statements the statements that bind a server.
	Cases      []CaseCount    `json:"cases"`
	Statements []VerdictCount `json:"statements"`
	Verdicts   []Statement    `json:"verdicts"`
	Results    []suite.Result `json:"results"`
}

// CaseCount counts the results of one version.
type CaseCount struct {
	Version string `json:"version"`
	Passed  int    `json:"passed"`
	Failed  int    `json:"failed"`
	Errored int    `json:"error"`
	Skipped int    `json:"skipped"`
	NotRun  int    `json:"not_run"`
}

// Total is how many there are.
func (c *CaseCount) Total() int {
	return c.Passed + c.Failed + c.Errored + c.Skipped + c.NotRun
}

// VerdictCount counts the statements of one standard that bind a server.
type VerdictCount struct {
	Standard     string `json:"standard"`
	Kept         int    `json:"kept"`
	Broken       int    `json:"broken"`
	NotJudged    int    `json:"not_judged"`
	Unobservable int    `json:"not_observable"`
}

// Covered is how many statements have a case.
func (c *VerdictCount) Covered() int { return c.Kept + c.Broken + c.NotJudged }

// Total is how many there are.
func (c *VerdictCount) Total() int { return c.Covered() + c.Unobservable }

// Statement is the verdict about one statement.
type Statement struct {
	ID      string  `json:"id"`
	Who     string  `json:"who"`
	Text    string  `json:"text"`
	Verdict Verdict `json:"verdict"`
	// Runs is how many runs of cases were to judge the statement, Judged how many did.
	Judged int      `json:"judged"`
	Runs   int      `json:"runs"`
	Why    string   `json:"why,omitempty"`
	Cases  []string `json:"cases,omitempty"`
}

// Told is the verdict with how much of what was to judge it did.
func (s *Statement) Told() string {
	if s.Judged == 0 {
		return string(s.Verdict)
	}
	return fmt.Sprintf("%s (%d of %d runs)", s.Verdict, s.Judged, s.Runs)
}

// New puts results together with the statements they are about.
func New(target string, started time.Time, took time.Duration, results []suite.Result) (*Report,
	error) {
	all, err := conformance.Statements(conformance.Cases())
	if err != nil {
		return nil, err
	}
	r := &Report{Format: Format, Target: target, Started: started.UTC(), Took: took,
		Results: results}
	r.countCases()
	outcomes := make(map[string][]suite.Outcome)
	for i := range results {
		for _, id := range results[i].Statements {
			outcomes[id] = append(outcomes[id], results[i].Outcome)
		}
	}
	for i := range all {
		r.judge(&all[i], outcomes[all[i].ID])
	}
	return r, nil
}

func (r *Report) countCases() {
	for i := range r.Results {
		res := &r.Results[i]
		at := slices.IndexFunc(r.Cases, func(c CaseCount) bool { return c.Version == res.Version })
		if at < 0 {
			at = len(r.Cases)
			r.Cases = append(r.Cases, CaseCount{Version: res.Version})
		}
		c := &r.Cases[at]
		switch res.Outcome {
		case suite.Passed:
			c.Passed++
		case suite.Failed:
			c.Failed++
		case suite.Errored:
			c.Errored++
		case suite.Skipped:
			c.Skipped++
		default:
			c.NotRun++
		}
	}
	slices.SortFunc(r.Cases, func(a, b CaseCount) int { return compareText(a.Version, b.Version) })
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// judge adds the verdict about one statement. Statements that bind a client alone are left out
// unless a case judges what the server does when they are broken.
func (r *Report) judge(s *conformance.Statement, outcomes []suite.Outcome) {
	if !s.Judged() && len(s.Cases) == 0 {
		return
	}
	v := Statement{ID: s.ID, Who: s.Who, Text: s.Text, Cases: s.Cases, Verdict: NotJudged,
		Runs: len(outcomes)}
	for _, o := range outcomes {
		if o == suite.Passed || o == suite.Failed {
			v.Judged++
		}
	}
	switch {
	case s.Unobservable != "":
		v.Verdict, v.Why = Unobservable, s.Unobservable
	case slices.Contains(outcomes, suite.Failed):
		v.Verdict = Broken
	case slices.Contains(outcomes, suite.Passed):
		v.Verdict = Kept
	}
	r.Verdicts = append(r.Verdicts, v)
	if s.Judged() {
		r.count(&v)
	}
}

func (r *Report) count(v *Statement) {
	standard, _, _ := cut(v.ID)
	at := slices.IndexFunc(r.Statements, func(c VerdictCount) bool {
		return c.Standard == standard
	})
	if at < 0 {
		at = len(r.Statements)
		r.Statements = append(r.Statements, VerdictCount{Standard: standard})
	}
	c := &r.Statements[at]
	switch v.Verdict {
	case Kept:
		c.Kept++
	case Broken:
		c.Broken++
	case Unobservable:
		c.Unobservable++
	default:
		c.NotJudged++
	}
}

// Failed is how many results are failures.
func (r *Report) Failed() int {
	n := 0
	for i := range r.Cases {
		n += r.Cases[i].Failed
	}
	return n
}

// Errored is how many results are no verdict, because there was no connection to judge by.
func (r *Report) Errored() int {
	n := 0
	for i := range r.Cases {
		n += r.Cases[i].Errored
	}
	return n
}

// JSON writes the report.
func (r *Report) JSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	if err := enc.Encode(r); err != nil {
		return fmt.Errorf("report: json: %w", err)
	}
	return nil
}

// Read reads what JSON wrote. A report without results is none.
func Read(rd io.Reader) (*Report, error) {
	var r Report
	if err := json.NewDecoder(io.LimitReader(rd, jsonBytesMax)).Decode(&r); err != nil {
		return nil, fmt.Errorf("report: read: %w: want a file that --report wrote", err)
	}
	if r.Format == 0 || r.Format == Format && len(r.Results) == 0 {
		return nil, errors.New("report: read: no results in it: want a file that --report wrote")
	}
	if r.Format < 1 || r.Format > Format {
		return nil, fmt.Errorf("report: read: format %d, this program knows 1 to %d", r.Format,
			Format)
	}
	return &r, nil
}
