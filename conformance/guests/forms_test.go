package guests

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/components"
	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/sdk/cases"
	"github.com/hpmq/hpmq/sdk/guest/preview1"
	"github.com/hpmq/hpmq/sdk/trial"
	"github.com/hpmq/hpmq/sdk/wasmtools"
)

// TestFormsAndEnginesAgree holds each default component, as it is and wrapped as a component, to
// its golden cases on the compiler and on the interpreter. All four must give the answers of the
// cases; of one form both engines must spend the same fuel.
func TestFormsAndEnginesAgree(t *testing.T) {
	cache := t.TempDir()
	tools, err := wasmtools.Open(cache)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range components.Names() {
		t.Run(name, func(t *testing.T) {
			core, ok := components.Default(name)
			if !ok {
				t.Fatal("not embedded; run tools/components.sh")
			}
			all, err := cases.Load(filepath.Join("../../components", name, "testdata"))
			if err != nil || len(all) == 0 {
				t.Fatalf("%d cases, %v", len(all), err)
			}
			world, _, _ := strings.Cut(name, "-")
			if bytes.Contains(core, []byte(world+"-by-handle@")) {
				world += "-by-handle"
			}
			wrapped, err := tools.Wrap(t.Context(), core, wasmtools.Wrapping{
				WIT:      wasmtools.WIT{Files: os.DirFS("../../wit"), World: world + "-component"},
				Adapters: map[string][]byte{preview1.Module: preview1.Adapter()},
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, code := range [][]byte{core, wrapped} {
				agree(t, code, cache, all)
			}
		})
	}
}

// interpretedMax is the most fuel of a case that is interpreted: some hash a dozen passwords, which
// takes 10 s. Cases that hash one are below it.
const interpretedMax = 50_000_000

// agree holds one form to the cases on both engines.
func agree(t *testing.T, code []byte, cache string, all []cases.Case) {
	t.Helper()
	compiler := held(t, code, trial.Config{CacheDir: cache}, all)
	var cheap []cases.Case
	var want []uint64
	for i := range all {
		if compiler[i] <= interpretedMax {
			cheap, want = append(cheap, all[i]), append(want, compiler[i])
		}
	}
	for i, got := range held(t, code, trial.Config{Interpreter: true}, cheap) {
		if got != want[i] {
			t.Errorf("%s: %d fuel on the interpreter, %d on the compiler", cheap[i].Name, got,
				want[i])
		}
	}
}

// held gives the fuel of each case.
func held(t *testing.T, code []byte, c trial.Config, all []cases.Case) []uint64 {
	t.Helper()
	tr, err := trial.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
	}()
	in, err := tr.Inspect(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	s := trial.Subject{
		Ref:   link.Ref{Use: "held.wasm", Code: code, Grants: trial.Grantable()},
		Roles: in.Roles,
	}
	fuel := make([]uint64, len(all))
	for i := range all {
		out, err := tr.Hold(t.Context(), s, &all[i])
		if err != nil || len(out.Failures) > 0 {
			t.Errorf("%s form, interpreter %v, %s: %v: %+v", in.Form, c.Interpreter, all[i].Name,
				err, out.Failures)
		}
		fuel[i] = out.Fuel
	}
	return fuel
}
