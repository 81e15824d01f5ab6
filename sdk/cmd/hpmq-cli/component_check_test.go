package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Components that are committed: with a manifest and cases, and without.
const (
	json1      = "../../../components/transformer-json/transformer-json.wasm"
	router1    = "../../../components/router-rules/router-rules.wasm"
	history1   = "../../../host/link/testdata/transformer-history.wasm"
	codecLines = "../../../components/codec-lines/codec-lines.wasm"
	plain1     = "../../../host/link/testdata/transformer.wasm"
	unknown1   = "../../../host/link/testdata/unknown-import.wasm"
	publisher  = "../../../host/link/testdata/transformer-publish.wasm"
	later1     = "../../../host/link/testdata/components/versions/later.wasm"
	wanting1   = "../../../host/link/testdata/versions/wanting.wasm"
	hostile1   = "../../../components/testdata/hostile-loop.wasm"
)

// local runs a command line that needs no broker.
func local(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, streams{strings.NewReader(""), &o, &e})
	return code, o.String(), e.String()
}

// saying is a command line and what must be said.
type saying struct {
	args string
	code int
	out  []string
	errs []string
}

func (c saying) check(t *testing.T) {
	t.Helper()
	code, out, errs := local(t, words(c.args)...)
	if code != c.code {
		t.Errorf("%s: exit %d, want %d", c.args, code, c.code)
	}
	for _, says := range c.out {
		if !strings.Contains(out, says) {
			t.Errorf("%s: prints\n%swant %q", c.args, out, says)
		}
	}
	for _, says := range c.errs {
		if !strings.Contains(errs, says) {
			t.Errorf("%s: says\n%swant %q", c.args, errs, says)
		}
	}
	if c.code == exitOK && errs != "" && !strings.HasSuffix(errs, "…\n") { // or it is slow
		t.Errorf("%s: says %s", c.args, errs)
	}
}

func TestCheck(t *testing.T) {
	garbage := filepath.Join(t.TempDir(), "x.wasm")
	write(t, garbage, "no wasm")
	bad := filepath.Join(t.TempDir(), "bad.json")
	write(t, bad, `{"rulez":[]}`)
	for name, c := range map[string]saying{
		"all of it": {"component check " + json1, exitOK, []string{
			"form      core module, ", "name      transformer-json 0.1.0",
			"roles     transformer\n", "speaks    hpmq:broker/lifecycle@0.1.0\n",
			"hpmq:broker/history@0.1.0  grant history", "every component has it",
			"grants    hpmq-cli link swap … --grant history, or", "grants: [history]",
			"fuel to start", "cases     23 of 23 pass",
		}, nil},
		"grants suffice": {"component check --grants history " + history1, exitOK,
			[]string{"starts    1.1 MB memory", "wants inbound #, outbound #"}, nil},
		"grants do not": {"component check --grants= " + history1, exitRefused,
			[]string{"refused at step imports: it wants history", "--grant history"},
			[]string{"a broker would refuse it"}},
		"no such grant": {"component check --grants files " + history1, exitRefused,
			[]string{`no capability "files"`, "grant some of log, config, kv"}, nil},
		"bad configuration": {"component check " + json1 + " --config " + bad, exitRefused,
			[]string{"refused at step configure", "correct its configuration"}, nil},
		"unknown import": {"component check " + unknown1, exitRefused, nil,
			[]string{"hpmq:broker/weather@0.1.0", "build it against wit/"}},
		"a later version exported": {"component check " + later1, exitRefused, []string{
			"roles     none in a version that this broker serves\n",
			"speaks    hpmq:broker/lifecycle@0.3.0  not served: this broker serves 0.1\n",
		}, nil},
		"a later version imported": {"component check " + wanting1, exitRefused, nil, []string{
			"this host serves 0.1 of hpmq:broker/config, 0.1 of hpmq:broker/kv\n"}},
		"nothing to grant": {"component check " + plain1, exitOK,
			[]string{"grants    nothing to grant\n"}, nil},
		"no wasm": {"component check " + garbage, exitRefused, nil, []string{"not WebAssembly"}},
		"no file": {"component check ./nowhere.wasm", exitUsage, nil, []string{"no such file"}},
		"no folder": {"component check", exitUsage, nil,
			[]string{"no component.json there", "hpmq-cli component new"}},
	} {
		t.Run(name, c.check)
	}
}

func TestCheckAsJSON(t *testing.T) {
	code, out, errs := local(t, "--json", "component", "check", history1)
	var got checked
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != exitOK {
		t.Fatalf("exit %d, %v: %s%s", code, err, out, errs)
	}
	if got.Form != "core module" || len(got.Roles) != 1 || len(got.Imports) != 2 ||
		got.Imports[1].Grant != "history" || len(got.Speaks) != 2 || !got.Speaks[1].Asked ||
		got.Speaks[1].Served != "0.1" || got.Started[0].MemoryBytes == 0 ||
		got.Started[0].ConfigureFuel == 0 || len(got.Digest) != 64 {
		t.Errorf("got %+v", got)
	}
}

// TestCheckOfLinks: a configuration with links of one component that would and would not do.
func TestCheckOfLinks(t *testing.T) {
	dir := t.TempDir()
	code, err := os.ReadFile(history1)
	if err != nil {
		t.Fatal(err)
	}
	file, config := filepath.Join(dir, "vendor.wasm"), filepath.Join(dir, "hpmq.yaml")
	write(t, file, string(code))
	write(t, config, `
listeners:
  - name: one
    bind: tcp://127.0.0.1:1883
    link:
      transformer: [{use: ./vendor.wasm, grants: [history]}]
  - name: two
    bind: tcp://127.0.0.1:1884
    link:
      transformer: [{use: transformer-json}, {use: ./vendor.wasm}]
`)
	at := " --link " + config
	for name, c := range map[string]saying{
		"both": {"component check " + file + at, exitRefused, []string{
			"one transformer[0]  good  grants history",
			"two transformer[1]  refused  grants nothing more, at step imports",
		}, []string{"a broker would refuse it"}},
		"one": {"component check --listener one " + file + at, exitOK, []string{"good"}, nil},
		"default": {"component check " + json1 + at, exitOK,
			[]string{"two transformer[0]  good"}, nil},
		"no such": {"component check --listener x " + file + at, exitUsage, nil,
			[]string{"[one two]"}},
		"not used": {"component check " + plain1 + at, exitUsage, nil, []string{"no link of"}},
		"no file": {"component check " + file + " --link /nowhere.yaml", exitUsage, nil,
			[]string{"no such file"}},
	} {
		t.Run(name, c.check)
	}
}
