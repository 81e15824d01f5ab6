package stand

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	conformance "github.com/hpmq/hpmq/conformance/mqtt"
	"github.com/hpmq/hpmq/conformance/mqtt/report"
	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/conformance/process"
)

// Our broker keeps every statement on every transport, and no case is left out.
func TestOurBrokerConforms(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the real binary")
	}
	bin, _, err := process.Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), root, bin, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	for _, listener := range []string{"tcp", "tls", "ws", "wss"} {
		t.Run(listener, func(t *testing.T) {
			o := s.Options(listener)
			// A machine that builds other tests meanwhile is slow.
			o.ExpectTimeout, o.CaseTimeout = 15*time.Second, time.Minute
			start := time.Now()
			results, err := suite.Run(t.Context(), conformance.Cases(), o)
			if err != nil {
				t.Fatal(err)
			}
			judge(t, o.Target.String(), start, results)
		})
	}
}

func judge(t *testing.T, target string, start time.Time, results []suite.Result) {
	t.Helper()
	web := strings.HasPrefix(target, "ws")
	for _, r := range results {
		switch {
		case r.Outcome == suite.Failed:
			t.Errorf("%s with %s: %s\n%s", r.Case, r.Version, strings.Join(r.Faults, "; "),
				strings.Join(r.Transcript, "\n"))
		case r.Outcome == suite.NotRun && (web || r.Reason != "is about WebSocket"):
			t.Errorf("%s with %s was not run: %s", r.Case, r.Version, r.Reason)
		case r.Outcome == suite.Skipped:
			t.Logf("%s with %s skipped: %s", r.Case, r.Version, r.Reason)
		}
	}
	rep, err := report.New(target, start, time.Since(start), results)
	if err != nil {
		t.Fatal(err)
	}
	text := &strings.Builder{}
	if err := rep.Text(text, false); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + text.String())
	for i := range rep.Statements {
		if c := &rep.Statements[i]; web && c.NotJudged > 0 {
			t.Errorf("%d statements of %s were not judged", c.NotJudged, c.Standard)
		}
	}
}
