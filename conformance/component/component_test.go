package component

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/wasm/component"
)

var (
	rewrite = flag.Bool("rewrite", false, "make the binaries of all cases anew, with -wasm-tools")
	tool    = flag.String("wasm-tools", "wasm-tools", "the program wasm-tools")
)

// counts of one verdict.
type counts struct{ cases, right int }

// judge is what is told of one run over all scripts.
type judge struct {
	t          *testing.T
	exceptions map[string]string // "script: name" to reason
	used       map[string]bool
	by         map[Verdict]*counts
}

func TestCases(t *testing.T) {
	j := &judge{t: t, exceptions: readExceptions(t), used: map[string]bool{},
		by: map[Verdict]*counts{}}
	scripts, err := filepath.Glob("*.wast")
	if err != nil || len(scripts) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, path := range scripts {
		j.script(path)
	}
	for key := range j.exceptions {
		if !j.used[key] {
			t.Errorf("exceptions.txt: %s: is right by now, or gone: delete the row", key)
		}
	}
	total := counts{}
	for _, v := range []Verdict{Valid, Invalid, Malformed, Unserved} {
		c := j.by[v]
		if c == nil {
			t.Fatalf("no case of %s", v)
		}
		t.Logf("%-16s %3d of %3d as they must be", v, c.right, c.cases)
		total.cases, total.right = total.cases+c.cases, total.right+c.right
	}
	t.Logf("%-16s %3d of %3d, %d exceptions", "all", total.right, total.cases, len(j.exceptions))
	if total.cases < 250 {
		t.Errorf("%d cases, there were more", total.cases)
	}
}

func (j *judge) script(path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		j.t.Fatal(err)
	}
	cases, err := Split(string(text))
	if err != nil {
		j.t.Fatalf("%s: %v", path, err)
	}
	archive := strings.TrimSuffix(path, ".wast") + ".json"
	if *rewrite {
		j.make(archive, cases)
	}
	list, err := Load(archive)
	if err != nil || len(list) != len(cases) {
		j.t.Fatalf("%s has %d of %d cases, make it anew with tools/component-cases.sh: %v", archive,
			len(list), len(cases), err)
	}
	for i, c := range cases {
		b := list[i]
		if b.Name != c.Name || b.Text != Digest(c.Text) {
			j.t.Fatalf("%s:%d %s: is not in %s, make it anew with tools/component-cases.sh", path,
				c.Line, c.Name, archive)
		}
		j.one(path, c, b)
	}
}

func (j *judge) make(archive string, cases []Case) {
	var list []Binary
	dir := j.t.TempDir()
	for _, c := range cases {
		b, err := Make(*tool, dir, c)
		if err != nil {
			j.t.Fatal(err)
		}
		list = append(list, b)
	}
	if err := Save(archive, list); err != nil {
		j.t.Fatal(err)
	}
}

func (j *judge) one(path string, c Case, b Binary) {
	if j.by[c.Verdict] == nil {
		j.by[c.Verdict] = &counts{}
	}
	j.by[c.Verdict].cases++
	key := path + ": " + c.Name
	if (b.Reference == "valid") != (c.Verdict == Valid || c.Verdict == Unserved) {
		j.t.Errorf("%s:%d %s: the reference says %q", path, c.Line, c.Name, b.Reference)
	}
	_, err := component.Decode(b.Wasm, component.DefaultLimits())
	wrong := mistake(c, err)
	switch _, excepted := j.exceptions[key]; {
	case wrong == "":
		j.by[c.Verdict].right++
	case excepted:
		j.used[key] = true
	default:
		j.t.Errorf("%s:%d %s: %s\n\twasm-tools: %s", path, c.Line, c.Name, wrong, b.Reference)
	}
}

// mistake is what is wrong with the error of a case, "" if nothing.
func mistake(c Case, err error) string {
	switch {
	case c.Verdict == Valid && err != nil:
		return "is valid, but: " + err.Error()
	case c.Verdict == Valid:
		return ""
	case err == nil:
		return "must be refused: " + c.Rule
	case errors.Is(err, component.ErrNotServed) != (c.Verdict == Unserved):
		return "is refused for another kind of reason: " + err.Error()
	case !strings.Contains(err.Error(), c.Rule):
		return "must be refused for " + c.Rule + ", not: " + err.Error()
	}
	return ""
}

// readExceptions reads exceptions.txt: "script: name | reason".
func readExceptions(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("exceptions.txt")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, reason, ok := strings.Cut(line, " | ")
		if !ok || reason == "" {
			t.Fatalf("exceptions.txt: %q has no reason", line)
		}
		out[key] = reason
	}
	return out
}

func TestScriptsThatAreWrongAreRefused(t *testing.T) {
	for script, want := range map[string]string{
		"(component)":                             "needs a name",
		";; a\n(component)\n;; a\n(component)":    "needs a name",
		";; a\n(component":                        "not closed",
		";; a\n(component \")":                    "not closed",
		";; a\n)":                                 "not closed",
		";; a\n(module)":                          "no case",
		";; a\n(assert_invalid (module) \"x\")":   "wants a component",
		";; a\n(assert_invalid (component) x)":    "wants a component",
		";; a\n(assert_invalid (component) \"\")": "wants a component",
		";; a\n(assert_invalid)":                  "of nothing",
	} {
		if _, err := Split(script); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", script, err, want)
		}
	}
	got, err := Split("\n;; x\n;; a b\n(assert_invalid (component ;; )\n \"\\\")\" ())" +
		" \"r\\\"\")\n")
	want := Case{"a b", 4, Invalid, "(component ;; )\n \"\\\")\" ())", "r\""}
	if err != nil || len(got) != 1 || got[0] != want {
		t.Errorf("%+v, %v", got, err)
	}
}

func FuzzSplit(f *testing.F) {
	f.Add(";; a\n(component (type u8))\n;; b\n(assert_invalid (component binary \"\\00\") \"x\")")
	f.Fuzz(func(t *testing.T, script string) {
		cases, err := Split(script)
		for _, c := range cases {
			if err == nil && (!strings.Contains(script, c.Text) || c.Name == "") {
				t.Errorf("%+v is not of %q", c, script)
			}
		}
	})
}
