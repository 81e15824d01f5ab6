package crash

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A point that is renamed in the broker, or not passed any more, would leave rounds that end
// nothing. Each name of the plan is one of the source, and each point of the source is in the plan.
func TestThePlanNamesThePoints(t *testing.T) {
	passed := sourcePoints(t)
	var planned []string
	for _, list := range [][]string{often(), seldom(), opening()} {
		planned = append(planned, list...)
	}
	planned = append(planned, "journal.truncate", "store.early",
		"close.drained", "close.flushed", "close.journal")
	for _, name := range planned {
		if !slices.Contains(passed, name) {
			t.Errorf("the plan has %s, which the broker does not pass", name)
		}
	}
	for _, name := range passed {
		file, _, _ := strings.Cut(name, ".")
		whole := slices.Contains([]string{"sst", "manifest", "marker", "other"}, file) // file.*
		if !whole && !slices.Contains(planned, name) {
			t.Errorf("the broker passes %s, which the plan does not have", name)
		}
	}
}

// sourcePoints are the names by which host/fault is asked in the source of the broker.
func sourcePoints(t *testing.T) []string {
	t.Helper()
	asked := regexp.MustCompile(`fault\.(?:Point|Wrong|Write)\("([a-z.]+)"`)
	file := regexp.MustCompile(`return "([a-z]+)\." \+ what`)
	done := regexp.MustCompile(`pointOf\([a-z.]+, "([a-z]+)"\)`)
	var names, files, verbs []string
	each := func(e *regexp.Regexp, text []byte, list *[]string) {
		for _, m := range e.FindAllSubmatch(text, -1) {
			*list = append(*list, string(m[1]))
		}
	}
	root := filepath.Join("..", "..", "host")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") ||
			strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(filepath.Clean(path))
		each(asked, text, &names)
		each(file, text, &files)
		each(done, text, &verbs)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		for _, v := range verbs {
			names = append(names, f+"."+v)
		}
	}
	if len(names) < 20 {
		t.Fatalf("found only %v", names)
	}
	return names
}
