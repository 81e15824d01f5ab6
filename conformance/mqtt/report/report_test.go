package report

import (
	"bytes"
	"encoding/xml"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	conformance "github.com/hpmq/hpmq/conformance/mqtt"
	"github.com/hpmq/hpmq/conformance/mqtt/suite"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// sample is a report with every outcome; its statements are few, so that golden files stay small.
func sample() *Report {
	r := &Report{Format: Format, Target: "tcp://127.0.0.1:1883", Took: 1234 * time.Millisecond,
		Ended: "ended by a signal", Warnings: []string{"a retained message was left on \x1bx"},
		Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Results: []suite.Result{
			{Case: "a/kept", Version: "5.0", Statements: []string{"5.0/MQTT-1.1.1-1"},
				Text: "Does this.", Outcome: suite.Passed, Took: 2 * time.Millisecond},
			{Case: "a/broken", Version: "5.0", Statements: []string{"5.0/MQTT-1.1.1-2"},
				Text: "Does <that>.", Outcome: suite.Failed, Took: 3 * time.Millisecond,
				Faults:     []string{"want \x1b[31mred"},
				Transcript: []string{"0 ms 1→ PINGREQ  [c000]", "1 ms 1← PINGRESP  [d000]"}},
			{Case: "a/skipped", Version: "3.1.1", Text: "Does more.", Outcome: suite.Skipped,
				Reason: "the server offers Maximum QoS 0"},
			{Case: "a/none", Version: "3.1.1", Text: "Does most.", Outcome: suite.NotRun,
				Reason: "needs a target limited"},
			{Case: "a/lost", Version: "5.0", Statements: []string{"5.0/MQTT-1.1.1-6"},
				Text: "Does some.", Outcome: suite.Errored, Took: time.Millisecond,
				Faults: []string{"no connection: refused"}},
		}}
	r.countCases()
	for _, s := range []conformance.Statement{
		{ID: "5.0/MQTT-1.1.1-1", Who: "server", Text: "Do this", Cases: []string{"a/kept"}},
		{ID: "5.0/MQTT-1.1.1-2", Who: "both", Text: "Do that", Cases: []string{"a/broken"}},
		{ID: "5.0/MQTT-1.1.1-3", Who: "server", Text: "Hide", Unobservable: "Nobody can see."},
		{ID: "5.0/MQTT-1.1.1-4", Who: "client", Text: "Others do"},
		{ID: "5.0/MQTT-1.1.1-6", Who: "server", Text: "Do some", Cases: []string{"a/lost"}},
		{ID: "3.1.1/MQTT-1.1.1-5", Who: "server", Text: "Do more", Cases: []string{"a/skipped"}},
	} {
		r.judge(&s, map[string][]suite.Outcome{
			"5.0/MQTT-1.1.1-1": {suite.Passed, suite.Skipped},
			"5.0/MQTT-1.1.1-2": {suite.Passed, suite.Failed},
			"5.0/MQTT-1.1.1-6": {suite.Errored},
		}[s.ID])
	}
	return r
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *rewrite {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: not as it was (-rewrite if it is meant so):\n%s", name, got)
	}
}

func TestGolden(t *testing.T) {
	for name, write := range map[string]func(*Report, *bytes.Buffer) error{
		"all.txt":  func(r *Report, b *bytes.Buffer) error { return r.Text(b, true) },
		"run.json": func(r *Report, b *bytes.Buffer) error { return r.JSON(b) },
		"run.xml":  func(r *Report, b *bytes.Buffer) error { return r.JUnit(b) },
		"run.html": func(r *Report, b *bytes.Buffer) error { return r.HTML(b) },
	} {
		var b bytes.Buffer
		if err := write(sample(), &b); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.Bytes())
	}
}

// What a server sent reaches no terminal and no parser as it is.
func TestHostileText(t *testing.T) {
	r := sample()
	r.Results[1].Faults = []string{"\x00\x1b]0;x\a\u009b\u202e</failure><script>"}
	r.Results[2].Reason = "\u009b"
	var text, junit, page bytes.Buffer
	if err := r.Text(&text, true); err != nil {
		t.Fatal(err)
	}
	if err := r.JUnit(&junit); err != nil {
		t.Fatal(err)
	}
	var doc junitSuites
	if err := xml.Unmarshal(junit.Bytes(), &doc); err != nil {
		t.Errorf("junit: %v", err)
	}
	if err := r.HTML(&page); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(page.String(), "<script>") {
		t.Error("a script in the page")
	}
	for name, b := range map[string]*bytes.Buffer{"text": &text, "junit": &junit, "page": &page} {
		if strings.ContainsAny(b.String(), "\x00\x1b\a\u009b\u202e") {
			t.Errorf("control characters in the %s", name)
		}
	}
}

func TestReadBack(t *testing.T) {
	var b bytes.Buffer
	if err := sample().JSON(&b); err != nil {
		t.Fatal(err)
	}
	r, err := Read(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if err := r.JSON(&again); err != nil || !bytes.Equal(again.Bytes(), b.Bytes()) {
		t.Errorf("%v, not the same:\n%s", err, again.String())
	}
	for _, bad := range []string{"", "{}", `{"format": 99}`, `{"format":1}`, "[]",
		b.String()[:100]} {
		if _, err := Read(strings.NewReader(bad)); err == nil {
			t.Errorf("%.20q is taken", bad)
		}
	}
}

func TestCompare(t *testing.T) {
	a, b := sample(), sample()
	b.Target = "tcp://other:1883"
	if c := Compare(a, b); len(c.Differences) != 0 {
		t.Errorf("of the same: %+v", c.Differences)
	}
	b.Results[1].Outcome = suite.Passed
	b.Verdicts[1].Verdict = Kept
	b.Results = append(b.Results[:3], b.Results[4:]...)
	b.Cases = b.Cases[1:] // without 3.1.1, so that the rows do not stand side by side
	c := Compare(a, b)
	if len(c.Differences) != 3 {
		t.Errorf("%d differences", len(c.Differences))
	}
	var text, doc bytes.Buffer
	if err := c.Text(&text); err != nil {
		t.Fatal(err)
	}
	if err := c.JSON(&doc); err != nil {
		t.Fatal(err)
	}
	golden(t, "compare.txt", text.Bytes())
	golden(t, "compare.json", doc.Bytes())
}

// What a statement is told by the runs that were to judge it.
func TestVerdicts(t *testing.T) {
	for want, outcomes := range map[string][]suite.Outcome{
		"kept (1 of 4 runs)":   {suite.Skipped, suite.NotRun, suite.Passed, suite.Errored},
		"kept (2 of 2 runs)":   {suite.Passed, suite.Passed},
		"broken (2 of 3 runs)": {suite.Passed, suite.Failed, suite.Errored},
		"not judged":           {suite.Errored, suite.Skipped, suite.NotRun},
	} {
		var r Report
		r.judge(&conformance.Statement{ID: "5.0/x", Who: "server"}, outcomes)
		if got := r.Verdicts[0].Told(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// A real run's results meet the real statements.
func TestNewKnowsTheStatements(t *testing.T) {
	r, err := New("tcp://a:1", time.Now(), time.Second, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Statements) != 2 || r.Statements[0].Total() < 100 || r.Statements[1].Total() < 150 {
		t.Errorf("%+v", r.Statements)
	}
}
