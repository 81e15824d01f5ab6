package guests

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/sdk/cases"
	"github.com/hpmq/hpmq/sdk/trial"
)

// TestTheExamplesOfTheSDKs holds the example of each SDK, which is the same in every language, to
// the same cases, with the limits that a broker has.
func TestTheExamplesOfTheSDKs(t *testing.T) {
	files, err := filepath.Glob("../../sdk/guest/*/example/vendor*.wasm")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	list, err := cases.Load("../../sdk/guest/example/cases")
	if err != nil {
		t.Fatal(err)
	}
	for _, interpreter := range []bool{false, true} {
		holdExamples(t, trial.Config{Interpreter: interpreter}, files, list, link.Limits{})
	}
}

// TestTheExampleByHandle holds the example of large payloads to its cases, in both forms.
func TestTheExampleByHandle(t *testing.T) {
	files, err := filepath.Glob("../../sdk/guest/*/example/large*.wasm")
	if err != nil || len(files) != 2 {
		t.Fatalf("%d examples: %v", len(files), err)
	}
	list, err := cases.Load("../../sdk/guest/c/example/testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, interpreter := range []bool{false, true} {
		holdExamples(t, trial.Config{Interpreter: interpreter}, files, list, link.Limits{})
	}
}

// TestBuiltExamplesOfTheSDKs holds those that are too large to be committed to the cases; see
// built.
func TestBuiltExamplesOfTheSDKs(t *testing.T) {
	if *built == "" {
		return
	}
	files, err := filepath.Glob(filepath.Join(*built, "sdk/*/vendor.wasm"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	list, err := cases.Load("../../sdk/guest/example/cases")
	if err != nil {
		t.Fatal(err)
	}
	roomy := link.Limits{MemoryBytesMax: 64 << 20}
	holdExamples(t, trial.Config{CacheDir: filepath.Join(*built, "cache")}, files, list, roomy)
}

func holdExamples(
	t *testing.T, cfg trial.Config, files []string, list []cases.Case, l link.Limits,
) {
	t.Helper()
	tr, err := trial.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := filepath.Base(strings.TrimSuffix(filepath.Dir(file), "/example"))
		t.Run(fmt.Sprintf("%s/interpreter=%t", name, cfg.Interpreter), func(t *testing.T) {
			holdExample(t, tr, file, list, l)
		})
	}
	if err := tr.Close(); err != nil {
		t.Error(err)
	}
}

func holdExample(
	t *testing.T, tr *trial.Trial, file string, list []cases.Case, l link.Limits,
) {
	t.Helper()
	code, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	subject := trial.Subject{
		Ref: link.Ref{
			Use: filepath.Base(file), Code: code, Limits: l,
			Grants: []string{"history", "kv", "publish"}, // an engine imports all of its world
		},
		Roles: []link.Role{link.RoleTransformer},
	}
	for i := range list {
		o, err := tr.Hold(t.Context(), subject, &list[i])
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range o.Failures {
			t.Errorf("%s: %s, call %d:\n got %s\nwant %s", o.Name, f.What, f.Call, f.Got, f.Want)
		}
	}
}
