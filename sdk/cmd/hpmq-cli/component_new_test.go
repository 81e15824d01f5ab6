package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNewcomer goes the way of a newcomer in Go, whose toolchain is here in any case.
func TestNewcomer(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "vendor")
	for _, c := range []saying{
		{"component build " + dir, exitUsage, nil, []string{"component.json"}},
		{"component new --lang go --role transformer " + dir, exitOK,
			[]string{"policy.go\n", "next: cd "}, nil},
		{"component new --lang go --role transformer " + dir, exitUsage, nil,
			[]string{"it has files already; name a new folder"}},
		{"component test " + dir, exitUsage, nil, []string{"hpmq-cli component build"}},
		{"component build " + dir, exitOK, []string{"vendor.wasm: core module, 1."}, nil},
		{"component check " + dir, exitOK, []string{"vendor 0.1.0", "roles     transformer"}, nil},
		{"component test " + dir, exitOK, []string{"1 of 1 cases", "5 calls"}, nil},
		{"component bench --engine compiler --for 5ms " + dir, exitOK, []string{"upstream"}, nil},
	} {
		c.check(t)
	}
	lines := filepath.Join(t.TempDir(), "lines")
	for _, c := range []saying{
		{"component new --lang go --role codec " + lines, exitOK, []string{"policy.go\n"}, nil},
		{"component build " + lines, exitOK, []string{"lines.wasm"}, nil},
		{"component test " + lines, exitOK, []string{"1 of 1 cases", "8 calls"}, nil},
		{"component check " + lines, exitOK, []string{"roles     codec", "8 calls"}, nil},
		{"component bench --engine compiler --for 5ms " + lines, exitOK,
			[]string{"decode", "encode"}, nil},
	} {
		c.check(t)
	}
	source := filepath.Join(dir, "policy.go")
	text, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	write(t, source, strings.Replace(string(text), "transformer.Drop", "transformer.Keep", 1))
	saying{"component build " + dir, exitOK, nil, nil}.check(t)
	saying{"component test " + dir, exitRefused, []string{"FAIL  starter.json"}, nil}.check(t)
	write(t, source, "package main\nfunc broken( {}\n")
	build := "component build " + dir
	saying{build, exitRefused, nil, []string{"policy.go:2", "it failed"}}.check(t)
	t.Setenv("HPMQ_CLI_GO", "no-such-go")
	saying{build, exitUsage, nil, []string{"HPMQ_CLI_GO=no-such-go names no"}}.check(t)
}

// TestFunctionsKeepTheirNamesIfThatIsWished, for backtraces: of a guest of Go that panics.
func TestFunctionsKeepTheirNamesIfThatIsWished(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "vendor")
	saying{"component new --lang go --role transformer " + dir, exitOK, nil, nil}.check(t)
	source := filepath.Join(dir, "policy.go")
	text, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	const first = `topic, raw := strings.CutSuffix(m.Topic, "/raw")`
	if !strings.Contains(string(text), first) {
		t.Fatalf("the template is another:\n%s", text)
	}
	write(t, source, strings.Replace(string(text), first, "divideMeter()\n"+first, 1)+
		"\n//go:noinline\nfunc divideMeter() { panic(\"divided by zero\") }\n")
	for args, want := range map[string]string{
		"": "unreachable [$", " --names": "runtime.gopanic < main.divideMeter < main.",
	} {
		saying{"component build " + dir + args, exitOK, []string{"core module"}, nil}.check(t)
		saying{"component test " + dir, exitRefused, []string{want}, nil}.check(t)
	}
}

func TestNewRefuses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "x")
	for name, c := range map[string]saying{
		"language": {"component new --lang cobol --role router " + dir, exitUsage, nil,
			[]string{`no language "cobol"; there are c, `}},
		"role": {"component new --lang c --role cook " + dir, exitUsage, nil,
			[]string{`no template for role "cook"`}},
		"codec": {"component new --lang rust --role codec " + dir, exitUsage, nil,
			[]string{`no template for role "codec" in rust; there are authenticator`}},
		"name":    {"component new --lang c --role router " + dir + "/X", exitUsage, nil, nil},
		"nothing": {"component new --lang c --role router", exitUsage, nil, []string{"arg"}},
	} {
		t.Run(name, c.check)
	}
}

// TestShellsComplete asks as a shell does.
func TestShellsComplete(t *testing.T) {
	for args, want := range map[string]string{
		"component new --lang ":             "tinygo\n",
		"component new --lang c --role ":    "deduplicator\n",
		"component new --lang c --role c":   "codec\n",
		"component check --grants ":         "history\n",
		"link swap --on-fault ":             "closed\n",
		"link swap --role ":                 "router\n",
		"component bench --engine ":         "interpreter\n",
		"wit bind --lang ":                  "c\n",
		"component wrap x.wasm --encoding ": "utf16\n",
		"component c":                       "check\t",
		"component check ":                  ":8\n", // files, by their ending
	} {
		code, out, _ := local(t, append([]string{"__complete"}, strings.Split(args, " ")...)...)
		if code != exitOK || !strings.Contains(out, want) {
			t.Errorf("%s: exit %d\n%s", args, code, out)
		}
	}
}
