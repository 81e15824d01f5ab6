package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/conformance/mqtt/report"
)

func conform(t *testing.T, args ...string) (int, string, string) {
	t.Helper()
	return command(t, append([]string{"conformance"}, args...)...)
}

func command(t *testing.T, args ...string) (int, string, string) {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), args, streams{strings.NewReader(""), &out, &errs})
	return code, out.String(), errs.String()
}

func TestConformanceSaysWhatIsWrong(t *testing.T) {
	t.Chdir(t.TempDir())
	for args, want := range map[string]string{
		"--target nonsense":               "want tcp://host:port",
		"--versions 4":                    "none of 3.1, 3.1.1, 5.0",
		"--extra other=tcp://127.0.0.1:1": "none of limited, guarded, enhanced",
		"--parallel 0":                    "must be above 0",
		"--cert a.pem":                    "go together",
		"--report /does/not/exist/x.json": "no such file",
		"--compare one.json":              "wants two files",
		"--compare one.json two.json":     "no such file",
		"--only nosuch/case":              "nosuch/case",
		"--only wire/text-frames* --versions 3.1 --list=false": "--list has the names",
		"--report x.json --junit ./x.json":                     "name a file for each",
		"--password x":                                         "add --username",
		"--password-file /none/x --username u":                 "no such file",
		"--password-file x --password y --username u":          "leave out one",
		"--ca x.pem":                              "no target is",
		"--insecure --target ws://127.0.0.1:1/x":  "--target tls://",
		"--target tcp://u:p@127.0.0.1:1":          "no user name and password here",
		"--time-limit -1s":                        "--time-limit",
		"stray":                                   "name the broker with --target",
		"--target tls://127.0.0.1:1 --ca /none/x": "authorities",
	} {
		code, _, errs := conform(t, strings.Fields(args)...)
		if code != exitUsage || !strings.Contains(errs, want) {
			t.Errorf("%s: exit %d, %s", args, code, errs)
		}
	}
	code, _, errs := conform(t, "--target", "tcp://127.0.0.1:1")
	if code != exitUnreachable || !strings.Contains(errs, "is the broker running") {
		t.Errorf("nobody there: exit %d, %s", code, errs)
	}
}

func TestConformanceList(t *testing.T) {
	code, out, errs := conform(t, "--list")
	if code != exitOK || !strings.Contains(out, "5.0/MQTT-3.1.0-2") {
		t.Errorf("exit %d, %s%s", code, out, errs)
	}
}

func TestConformanceCompare(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.json"), filepath.Join(dir, "b.json")
	one := `{"format":1,"target":"x","results":[{"case":"c","version":"5.0","outcome":"passed"}]}`
	for name, text := range map[string]string{
		a: one, b: strings.Replace(one, "passed", "failed", 1),
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if code, out, errs := conform(t, "--compare", a, a); code != exitOK {
		t.Errorf("exit %d, %s%s", code, out, errs)
	}
	code, out, errs := command(t, "--json", "conformance", "--compare", a, b)
	var c report.Comparison
	if err := json.Unmarshal([]byte(out), &c); err != nil || code != exitRefused ||
		len(c.Differences) != 1 || c.Differences[0].Right != "failed" {
		t.Errorf("exit %d, %v: %s%s", code, err, out, errs)
	}
	write(t, b+"x", `{"format":1}`)
	if code, _, errs := conform(t, "--compare", a, b+"x"); code != exitUsage ||
		!strings.Contains(errs, "--report wrote") {
		t.Errorf("exit %d, %s", code, errs)
	}
	code, out, errs = conform(t, "--compare", a, b)
	if code != exitRefused || !strings.Contains(out, "passed") || !strings.Contains(errs, "1 pl") {
		t.Errorf("exit %d, %s%s", code, out, errs)
	}
}
