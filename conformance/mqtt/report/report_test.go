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
		}}
	r.countCases()
	for _, s := range []conformance.Statement{
		{ID: "5.0/MQTT-1.1.1-1", Who: "server", Text: "Do this", Cases: []string{"a/kept"}},
		{ID: "5.0/MQTT-1.1.1-2", Who: "both", Text: "Do that", Cases: []string{"a/broken"}},
		{ID: "5.0/MQTT-1.1.1-3", Who: "server", Text: "Hide", Unobservable: "Nobody can see."},
		{ID: "5.0/MQTT-1.1.1-4", Who: "client", Text: "Others do"},
		{ID: "3.1.1/MQTT-1.1.1-5", Who: "server", Text: "Do more", Cases: []string{"a/skipped"}},
	} {
		r.judge(&s, map[string][]suite.Outcome{
			"5.0/MQTT-1.1.1-1": {suite.Passed, suite.Skipped},
			"5.0/MQTT-1.1.1-2": {suite.Passed, suite.Failed},
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
	r.Results[1].Faults = []string{"\x00\x1b]0;x\a</failure><script>"}
	var text, junit, page bytes.Buffer
	if err := r.Text(&text, true); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(text.String(), "\x00\x1b\a") {
		t.Error("control characters in the text")
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
	for _, bad := range []string{"", "{}", `{"format": 99}`, "[]", b.String()[:100]} {
		if _, err := Read(strings.NewReader(bad)); err == nil {
			t.Errorf("%.20q is taken", bad)
		}
	}
}

func TestCompare(t *testing.T) {
	a, b := sample(), sample()
	b.Target = "tcp://other:1883"
	var out bytes.Buffer
	if n, err := Compare(&out, a, b); n != 0 || err != nil {
		t.Errorf("%d differences, %v:\n%s", n, err, out.String())
	}
	b.Results[1].Outcome = suite.Passed
	b.Verdicts[1].Verdict = Kept
	b.Results = b.Results[:3]
	out.Reset()
	n, err := Compare(&out, a, b)
	if n != 3 || err != nil {
		t.Errorf("%d differences, %v", n, err)
	}
	golden(t, "compare.txt", out.Bytes())
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
