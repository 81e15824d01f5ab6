package broker_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/hpmq/hpmq/conformance/story"
	"github.com/hpmq/hpmq/conformance/story/kernels"
)

var rewrite = flag.Bool("rewrite", false, "write what the kernel does into the stories")

// stories is where the scripts are: they are told to real binaries too.
const stories = "../../conformance/story/testdata"

// TestStories tells every story to kernels in memory.
func TestStories(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(stories, "*", "*.txt"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no stories in %s: %v", stories, err)
	}
	for _, path := range paths {
		name, _ := filepath.Rel(stories, path)
		t.Run(filepath.ToSlash(name), func(t *testing.T) { tell(t, path) })
	}
}

func tell(t *testing.T, path string) {
	s, err := story.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Run(kernels.New())
	switch {
	case errors.Is(err, story.ErrUnsupported):
		t.Fatalf("the kernel knows all commands: %v", err)
	case err != nil && (!*rewrite || got == nil):
		t.Fatal(err)
	case err != nil:
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
