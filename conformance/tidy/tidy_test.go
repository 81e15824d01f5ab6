package tidy

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the golden lists of dependencies")

// exceptionsMax is how many rows exceptions.txt has. It may only be lowered.
const exceptionsMax = 0

// TestHouse holds the repository to its own line.
func TestHouse(t *testing.T) {
	tree := loadHouse(t)
	rooms, err := ParseMap(string(tree.Text("conformance/tidy/rooms.txt")))
	if err != nil {
		t.Fatal(err)
	}
	list, err := ParseExceptions(string(tree.Text("conformance/tidy/exceptions.txt")))
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != exceptionsMax {
		t.Errorf("exceptions.txt has %d rows, exceptionsMax says %d: lower it, never raise it",
			len(list), exceptionsMax)
	}
	for _, f := range Except(All(tree, rooms), list) {
		t.Error(f)
	}
}

func loadHouse(t *testing.T) *Tree {
	t.Helper()
	tree, err := Load(os.DirFS(filepath.Join("..", "..")))
	if err != nil {
		t.Fatal(err)
	}
	if len(tree.Files) == 0 {
		t.Fatal("no Go file found; the test looks at the wrong folder")
	}
	return tree
}

// TestDependencies compares the third-party modules that each program links with a golden list, so
// that a new one is seen in review. Regenerate with -rewrite.
func TestDependencies(t *testing.T) {
	for _, p := range []string{
		"host/cmd/hpmq", "sdk/cmd/hpmq-cli", "lite/cmd/hpmq-lite", "lite/broker",
	} {
		t.Run(p, func(t *testing.T) {
			got := dependencies(t, p)
			golden := filepath.Join("testdata", "deps", strings.ReplaceAll(p, "/", "_")+".txt")
			if *rewrite {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s links\n%swant (%s)\n%s", p, got, golden, want)
			}
		})
	}
}

func dependencies(t *testing.T, pkg string) string {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps",
		"-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}", "./"+pkg)
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v %s", err, stderrOf(err))
	}
	mods := strings.Fields(string(out))
	slices.Sort(mods)
	mods = slices.Compact(mods)
	if len(mods) == 0 {
		return "# none\n"
	}
	return strings.Join(mods, "\n") + "\n"
}

func stderrOf(err error) []byte {
	if e, ok := err.(*exec.ExitError); ok {
		return e.Stderr
	}
	return nil
}

// TestReadmeCommands holds README and CI to the same two commands: one that runs the broker, one
// that passes the tests.
func TestReadmeCommands(t *testing.T) {
	tree := loadHouse(t)
	for file, lines := range map[string][]string{
		"README.md": {"    go run ./host/cmd/hpmq", "    go test ./..."},
		".ci/run":   {"make check", "go test ./..."},
	} {
		have := strings.Split(string(tree.Text(file)), "\n")
		for _, line := range lines {
			if !slices.Contains(have, line) {
				t.Errorf("%s has no line %q", file, line)
			}
		}
	}
}

// TestNoNameIsAKey: the broker takes what begins with HPMQ_ for a key of its configuration, so a
// tool must not export such a name to the broker that it starts.
func TestNoNameIsAKey(t *testing.T) {
	exported := regexp.MustCompile(`(?m)(?:export|env)\s+HPMQ_[A-Z_]+|^HPMQ_[A-Z_]+\s*[?:]?=`)
	tree := loadHouse(t)
	for _, p := range tree.Texts {
		if p != "Makefile" && p != ".ci/run" && !strings.HasPrefix(p, "tools/") {
			continue
		}
		for _, hit := range exported.FindAllString(string(tree.Text(p)), -1) {
			if !strings.Contains(hit, "HPMQ_CLI_") {
				t.Errorf("%s: %s", p, hit)
			}
		}
	}
}

// TestLinksLead follows the relative links of the documents at the root.
func TestLinksLead(t *testing.T) {
	root := filepath.Join("..", "..")
	tree := loadHouse(t)
	for _, p := range tree.Texts {
		if filepath.Ext(p) != ".md" || strings.Contains(p, "/testdata/") {
			continue
		}
		for _, m := range link.FindAllSubmatch(tree.Text(p), -1) {
			to := filepath.Join(root, filepath.Dir(p), string(m[1]))
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s links to %s, which is not there", p, m[1])
			}
		}
	}
}

// link is a relative link of Markdown, without its fragment.
var link = regexp.MustCompile(`\]\(([^)#:]+)[^):]*\)`)
