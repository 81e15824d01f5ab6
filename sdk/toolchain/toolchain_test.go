package toolchain

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/sdk/project"
)

// machine has some programs and files, and answers what rustc and tinygo are asked.
func machine(has ...string) Machine {
	return Machine{
		Look: func(name string) (string, error) {
			if slices.Contains(has, name) {
				return "/bin/" + name, nil
			}
			return "", os.ErrNotExist
		},
		Exists: func(path string) bool { return slices.Contains(has, filepath.ToSlash(path)) },
		Ask:    func(...string) (string, error) { return "/root\n", nil },
		Env: func(name string) string {
			for _, h := range has {
				if value, ok := strings.CutPrefix(h, name+"="); ok {
					return value
				}
			}
			return ""
		},
		Sources: func(pattern string) ([]string, error) {
			return []string{strings.Replace(pattern, "*", "x", 1)}, nil
		},
	}
}

// said is a plan as text: its programs and what is told of them.
func said(p *Plan) string {
	var all []string
	for _, s := range p.Steps {
		all = append(all, strings.Join(append(slices.Clone(s.Env), s.Args...), " "))
	}
	return strings.Join(all, "\n")
}

func TestPlans(t *testing.T) {
	const std = "/root/lib/rustlib/wasm32-unknown-unknown"
	for _, c := range []struct {
		language string
		has      []string
		says     []string
	}{
		{"c", []string{"clang", "clang-17", "wasm-ld-17"}, []string{
			"/bin/clang-17 --target=wasm32", "/bin/wasm-ld-17 --no-entry", "bindings/x.c",
		}},
		{"c", []string{"HPMQ_CLI_CLANG=mine", "mine", "wasm-ld"}, []string{"/bin/mine --target"}},
		{"go", []string{"go"}, []string{"GOOS=wasip1", "-buildmode=c-shared"}},
		{"tinygo", []string{"tinygo", "/root/lib/wasi-libc"}, []string{"-target=wasip1 "}},
		{"tinygo", []string{"tinygo", debianLibc}, []string{"tinygo-wasip1.json"}},
		{"rust", []string{"cargo", std}, []string{"cargo build --quiet --release --target"}},
		{"rust", []string{"cargo", debianRust, debianStd, "wasm-ld-19"},
			[]string{"-Zbuild-std", "RUSTC=/usr/bin/rustc", "LINKER=/bin/wasm-ld-19"}},
		{"assemblyscript", []string{"node", "npm"}, []string{"npm install", "asc.js assembly"}},
		{"assemblyscript", []string{"node", "here/node_modules/assemblyscript"},
			[]string{"/bin/node node_modules"}},
		{"javascript", []string{"node", "npm"}, []string{"--world this-component"}},
	} {
		p := &project.Project{Name: "x", Language: c.language, Role: "router", Dir: "here"}
		plan, err := Of(p, machine(c.has...))
		if err != nil {
			t.Errorf("%s with %v: %v", c.language, c.has, err)
			continue
		}
		for _, want := range c.says {
			if !strings.Contains(filepath.ToSlash(said(plan)), want) {
				t.Errorf("%s with %v:\n%s\nwant %s", c.language, c.has, said(plan), want)
			}
		}
		if plan.Made == "" || (plan.Encoding != "") != (c.language == "assemblyscript") ||
			plan.Component != (c.language == "javascript") {
			t.Errorf("%s: %+v", c.language, plan)
		}
	}
}

// TestNamesAreKeptIfThatIsWished, and else the plan is the one without.
func TestNamesAreKeptIfThatIsWished(t *testing.T) {
	const std = "/root/lib/rustlib/wasm32-unknown-unknown"
	has := []string{"clang", "wasm-ld", "go", "tinygo", "/root/lib/wasi-libc", "cargo", std, "node",
		"here/node_modules/assemblyscript", "npm"}
	for language, c := range map[string]struct{ without, with string }{
		"c":              {"--strip-all", "--strip-debug"},
		"go":             {"-ldflags=-s -w ", "-ldflags=-w "},
		"tinygo":         {"-opt=2 -no-debug -o", "-opt=2 -o"},
		"rust":           {"/bin/cargo build", "CARGO_PROFILE_RELEASE_STRIP=debuginfo"},
		"assemblyscript": {"core.wasm", "core.wasm --debug"},
	} {
		p := &project.Project{Name: "x", Language: language, Role: "router", Dir: "here"}
		m := machine(has...)
		plain, err := Of(p, m)
		m.Names = true
		named, err2 := Of(p, m)
		if err != nil || err2 != nil {
			t.Errorf("%s: %v, %v", language, err, err2)
			continue
		}
		without, with := filepath.ToSlash(said(plain)), filepath.ToSlash(said(named))
		if !strings.Contains(with, c.with) || strings.Contains(without, c.with) ||
			!strings.Contains(without, c.without) {
			t.Errorf("%s:\n%s\nwith names:\n%s", language, without, with)
		}
	}
	m := machine(has...)
	m.Names = true
	p := &project.Project{Name: "x", Language: "javascript", Role: "router", Dir: "here"}
	if _, err := Of(p, m); err == nil || !strings.Contains(err.Error(), "without --names") {
		t.Errorf("a script: %v", err)
	}
}

// TestAScriptImportsWhatItNames, and no more: see worldFiles.
func TestAScriptImportsWhatItNames(t *testing.T) {
	p := &project.Project{Name: "x", Language: "javascript", Role: "router", Dir: "here",
		Capabilities: []project.Capability{{Name: "kv"}, {Name: "log"}}}
	plan, err := Of(p, machine("node", "npm"))
	if err != nil {
		t.Fatal(err)
	}
	world := string(plan.Files[build(p, filepath.Join("wit", "this.wit"))])
	if !strings.Contains(world, "import kv;\n  export lifecycle;\n  export router;") ||
		strings.Count(world, "import log;") != 1 || len(plan.Files) < 9 {
		t.Errorf("%d files, %s", len(plan.Files), world)
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	for _, c := range []struct {
		language string
		has      []string
		tool     string
	}{
		{"c", nil, "clang"}, {"c", []string{"clang-19"}, "wasm-ld-19"}, {"go", nil, "go"},
		{"tinygo", nil, "tinygo"}, {"tinygo", []string{"tinygo"}, "tinygo"},
		{"rust", nil, "cargo"}, {"rust", []string{"cargo"}, "wasm32-unknown-unknown"},
		{"rust", []string{"cargo", debianRust, debianStd}, "wasm-ld"},
		{"assemblyscript", nil, "node"}, {"javascript", []string{"node"}, "npm"},
	} {
		p := &project.Project{Name: "x", Language: c.language, Role: "router", Dir: "here"}
		_, err := Of(p, machine(c.has...))
		var missing *MissingError
		if !errors.As(err, &missing) || !strings.Contains(missing.Tool, c.tool) ||
			len(missing.Get) == 0 || !strings.Contains(err.Error(), missing.Get[0]) {
			t.Errorf("%s with %v: %v", c.language, c.has, err)
		}
	}
	p := &project.Project{Name: "x", Language: "zig", Dir: "here"}
	if _, err := Of(p, machine()); err == nil || !strings.Contains(err.Error(), "component wrap") {
		t.Errorf("a language without a plan: %v", err)
	}
}

// TestEveryLanguageHasAPlan: what there are templates for can be built.
func TestEveryLanguageHasAPlan(t *testing.T) {
	for _, name := range project.Names() {
		p := &project.Project{Name: "x", Language: name, Role: "router", Dir: "here"}
		var missing *MissingError
		if _, err := Of(p, machine()); !errors.As(err, &missing) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheTargetIsThatOfTools(t *testing.T) {
	want, err := os.ReadFile("../../tools/wasip1.json")
	if err != nil || !bytes.Equal(want, tinygoTarget) {
		t.Errorf("%v, or it differs: cp tools/wasip1.json sdk/toolchain/tinygo-wasip1.json", err)
	}
}

// TestVariablesAreNoSettings: a broker takes HPMQ_ for its own, all but HPMQ_CLI_.
func TestVariablesAreNoSettings(t *testing.T) {
	asked := map[string]bool{}
	for _, name := range project.Names() {
		for _, has := range [][]string{nil, {"clang", "node", "cargo", debianRust, debianStd}} {
			m := machine(has...)
			m.Env = func(name string) string { asked[name] = true; return "" }
			p := &project.Project{Name: "x", Language: name, Role: "router", Dir: "here"}
			if _, err := Of(p, m); err == nil {
				t.Errorf("%s needs nothing", name)
			}
		}
	}
	for name := range asked {
		if !strings.HasPrefix(name, "HPMQ_CLI_") {
			t.Errorf("%s would be a setting of a broker", name)
		}
	}
	if len(asked) != 7 {
		t.Errorf("asked for %v", asked)
	}
}
