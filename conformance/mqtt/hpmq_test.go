package mqtt

import (
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/conformance/pki"
	"github.com/hpmq/hpmq/conformance/process"
)

// served starts our broker with hpmq.yaml and answers its listeners as targets.
func served(t *testing.T) map[string]*suite.Target {
	t.Helper()
	hpmq, _, err := process.Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	authority, err := pki.NewAuthority("conformance")
	if err != nil {
		t.Fatal(err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, authority.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	env := certificates(t, authority)
	broker, err := process.StartIn(t.Context(), env, hpmq, "--config", "hpmq.yaml")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Stop)
	targets := make(map[string]*suite.Target)
	for name, where := range broker.Listeners {
		u, err := url.Parse(where)
		if err != nil {
			t.Fatal(err)
		}
		if u.Scheme == "ws" || u.Scheme == "wss" {
			u.Path = "/mqtt"
		}
		if targets[name], err = suite.ParseTarget(u.String(), suite.TLS{CAFile: ca}); err != nil {
			t.Fatal(err)
		}
	}
	return targets
}

// certificates are the settings of a certificate for 127.0.0.1 on the listeners 4 and 6.
func certificates(t *testing.T, authority *pki.Authority) []string {
	t.Helper()
	pair, err := authority.Issue(pki.Leaf{Name: "localhost", Hosts: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	pem, key, err := pair.Save(t.TempDir(), "server")
	if err != nil {
		t.Fatal(err)
	}
	value := "__TLS__CERTIFICATES=[{certificate: " + pem + ", key: " + key + "}]"
	return []string{"HPMQ_LISTENERS__4" + value, "HPMQ_LISTENERS__6" + value}
}

// Our broker is fit for the suite: it has every target, and each listener takes good packets.
func TestTheTargetsOfOurBroker(t *testing.T) {
	targets := served(t)
	for _, name := range []string{"tcp", "tls", "ws", "wss"} {
		t.Run(name, func(t *testing.T) {
			opts := suite.DefaultOptions()
			opts.Target, opts.Username, opts.Password = targets[name], "conformance", "secret"
			opts.Only = []string{"wire/*"}
			opts.Parallel, opts.ExpectTimeout = 4, 10*time.Second
			opts.Extra = make(map[string]*suite.Target)
			for _, extra := range []string{suite.Limited, suite.Guarded, suite.Enhanced} {
				opts.Extra[extra] = targets[extra]
			}
			results, err := suite.Run(t.Context(), Cases(), opts)
			if err != nil {
				t.Fatal(err)
			}
			tell(t, results)
		})
	}
}

// tell fails the test for each case that failed or had no target.
func tell(t *testing.T, results []suite.Result) {
	t.Helper()
	for _, r := range results {
		switch {
		case r.Outcome == suite.Failed:
			t.Errorf("%s with %s: %q\n%q", r.Case, r.Version, r.Faults, r.Transcript)
		case r.Outcome == suite.NotRun && r.Reason != "is about WebSocket":
			t.Errorf("%s with %s was not run: %s", r.Case, r.Version, r.Reason)
		}
	}
}
