package guests

import (
	"fmt"
	"os"
	"path/filepath"
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
		tr, err := trial.Open(trial.Config{Interpreter: interpreter})
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			name, _ := filepath.Rel("../../sdk/guest", file)
			t.Run(fmt.Sprintf("%s/interpreter=%t", name, interpreter), func(t *testing.T) {
				holdExample(t, tr, file, list)
			})
		}
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
	}
}

func holdExample(t *testing.T, tr *trial.Trial, file string, list []cases.Case) {
	t.Helper()
	code, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	subject := trial.Subject{
		Ref:   link.Ref{Use: filepath.Base(file), Code: code, Grants: []string{"history"}},
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
