package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
)

// The elements of JUnit XML as CI servers read them.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Time     string      `xml:"time,attr"`
		Stamp    string      `xml:"timestamp,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string     `xml:"classname,attr"`
		Name    string     `xml:"name,attr"`
		Time    string     `xml:"time,attr"`
		Failure *junitText `xml:"failure"`
		Error   *junitText `xml:"error"`
		Skipped *junitText `xml:"skipped"`
	}
	junitText struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes the report as JUnit XML: a test suite a version, a test case a case. Cases run side
// by side: the time of a test suite is the sum of its cases, that of the whole is the clock's.
func (r *Report) JUnit(w io.Writer) error {
	texts := r.texts()
	doc := junitSuites{Tests: len(r.Results), Failures: r.Failed(), Errors: r.Errored(),
		Time: seconds(r.Took)}
	for i := range r.Cases {
		c := &r.Cases[i]
		s := junitSuite{Name: "MQTT " + c.Version, Tests: c.Total(), Failures: c.Failed,
			Errors: c.Errored, Skipped: c.Skipped + c.NotRun,
			Stamp: r.Started.Format("2006-01-02T15:04:05")}
		var took time.Duration
		for k := range r.Results {
			if r.Results[k].Version == c.Version {
				took += r.Results[k].Took
				s.Cases = append(s.Cases, junitOf(&r.Results[k], texts))
			}
		}
		s.Time = seconds(took)
		doc.Suites = append(doc.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("report: junit: %w", err)
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", " ")
	if err := enc.Encode(&doc); err != nil {
		return fmt.Errorf("report: junit: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func junitOf(res *suite.Result, texts map[string]string) junitCase {
	c := junitCase{Class: "mqtt." + res.Version, Name: res.Case, Time: seconds(res.Took)}
	switch res.Outcome {
	case suite.Failed:
		c.Failure = junitFailure(res, texts)
	case suite.Errored:
		c.Error = junitFailure(res, texts)
	case suite.Skipped, suite.NotRun:
		c.Skipped = &junitText{Message: printable(string(res.Outcome) + ": " + res.Reason)}
	}
	return c
}

func junitFailure(res *suite.Result, texts map[string]string) *junitText {
	b := &strings.Builder{}
	appendFailure(b, res, texts)
	return &junitText{Message: printable(strings.Join(res.Faults, "; ")),
		Text: printable(b.String())}
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
