package fuel

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// engineDir is where the engine's module lies: it carries the tests of the WebAssembly
// specification.
func engineDir(t *testing.T) string {
	if testing.Short() {
		t.Skip("thousands of modules")
	}
	list := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero")
	out, err := list.Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Skip("the engine's source is not here")
	}
	return filepath.Join(dir, "internal", "integration_test")
}

// TestSpecificationModules: what is taken compiles after the rewrite exactly if it did before, and
// all of WebAssembly 2.0 that compiles is taken.
func TestSpecificationModules(t *testing.T) {
	r := newRuntime(t, true)
	files, _ := filepath.Glob(filepath.Join(engineDir(t), "*", "*", "testdata", "*.wasm"))
	taken := 0
	for _, f := range files {
		code, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		before := compiles(r, code)
		out, err := Rewrite(code, DefaultLimits())
		if err != nil {
			if before && strings.Contains(f, "/v2/") {
				t.Errorf("%s is refused: %v", f, err)
			}
			continue
		}
		taken++
		// A start function becomes an export, and by that may be named by ref.func.
		after := compiles(r, out.Code)
		if before != after && !out.HasStart {
			t.Errorf("%s compiles: %v before, %v after", f, before, after)
		}
		shared, err := RewriteWith(code, DefaultLimits(), Options{Counters: Imported})
		if err != nil && after || err == nil && compiles(r, shared.Code) != after {
			t.Errorf("%s compiles: %v with own counters, not with imported ones: %v", f, after, err)
		}
	}
	if len(files) > 0 && taken < 1000 {
		t.Errorf("only %d of %d modules are taken", taken, len(files))
	}
}

func compiles(r wazero.Runtime, code []byte) bool {
	c, err := r.CompileModule(context.Background(), code)
	if err == nil {
		c.Close(context.Background())
	}
	return err == nil
}

// command is a line of a script of the specification.
type command struct {
	Type, Filename string
	Action         struct {
		Type, Field, Module string
		Args                []struct {
			Type  string
			Value any
		}
	}
}

// arguments are the call's, if they are plain numbers.
func (c command) arguments() (args []uint64, ok bool) {
	for _, a := range c.Action.Args {
		s, plain := a.Value.(string)
		if !plain || a.Type == "v128" || strings.HasPrefix(s, "nan") {
			return nil, false
		}
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			n = 0 // a null reference
		}
		args = append(args, n)
	}
	return args, true
}

// TestSpecificationCalls: every call of the specification's scripts answers the same with and
// without the rewrite, and leaves the depth as it was.
func TestSpecificationCalls(t *testing.T) {
	scripts, _ := filepath.Glob(filepath.Join(engineDir(t), "spectest", "v2", "testdata", "*.json"))
	engines(t, func(t *testing.T, r wazero.Runtime) {
		calls := 0
		for _, script := range scripts {
			calls += runScript(t, r, script)
		}
		if len(scripts) > 0 && calls < 10_000 {
			t.Errorf("only %d calls were made", calls)
		}
	})
}

func runScript(t *testing.T, r wazero.Runtime, script string) (calls int) {
	text, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct{ Commands []command }
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	var plain, counted api.Module
	for _, c := range doc.Commands {
		if c.Type == "module" {
			plain, counted = twins(t, r, filepath.Join(filepath.Dir(script), c.Filename))
			continue
		}
		args, ok := c.arguments()
		if !ok || plain == nil || c.Action.Type != "invoke" || c.Action.Module != "" {
			continue
		}
		calls++
		compareCall(t, plain, counted, c.Action.Field, args)
	}
	return calls
}

// twins instantiates a module without imports and start function as it is and rewritten.
func twins(t *testing.T, r wazero.Runtime, file string) (plain, counted api.Module) {
	code, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	out, err := Rewrite(code, DefaultLimits())
	if err != nil || out.HasStart || len(out.Imports) > 0 {
		return nil, nil
	}
	config := wazero.NewModuleConfig().WithName("")
	plain, err1 := r.InstantiateWithConfig(context.Background(), code, config)
	counted, err2 := r.InstantiateWithConfig(context.Background(), out.Code, config)
	if (err1 == nil) != (err2 == nil) {
		t.Errorf("%s: %v before, %v after", file, err1, err2)
	}
	if err1 != nil || err2 != nil {
		return nil, nil
	}
	return plain, counted
}

func compareCall(t *testing.T, plain, counted api.Module, name string, args []uint64) {
	b := newBounded(t, counted, counted)
	b.arm(SliceMax, 1<<60, 1000)
	f := plain.ExportedFunction(name)
	want, err1 := f.Call(context.Background(), args...)
	got, err2 := counted.ExportedFunction(name).Call(context.Background(), args...)
	if (err1 == nil) != (err2 == nil) {
		t.Errorf("%s: %v before, %v after", name, err1, err2)
		return
	}
	types := f.Definition().ResultTypes()
	if slices.Contains(types, asmFuncRef) { // addresses differ
		return
	}
	if _, depth := b.left(); !slices.Equal(want, got) || err1 == nil && depth != 1000 {
		t.Errorf("%s%v = %v, depth %d, want %v", name, args, got, depth, want)
	}
}

const asmFuncRef = 0x70
