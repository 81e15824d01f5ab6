// Package toolchain knows which programs make WebAssembly of a component's folder, in each
// language, and how a person gets them. It plans; who runs the plan is somebody else.
package toolchain

import (
	_ "embed"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/hpmq/hpmq/sdk/project"
)

// Step is one program to run.
type Step struct {
	// What it does, for people: "compiling".
	What string
	// Args are the program and its arguments; Env is added to the environment.
	Args, Env []string
	// Dir is where it runs.
	Dir string
}

// Plan is how a folder is built.
type Plan struct {
	// Files are written before the first step.
	Files map[string][]byte
	Steps []Step
	// Made is what the last step leaves; Component says that it is a component already.
	Made      string
	Component bool
	// Encoding of strings in Made, "" for UTF-8.
	Encoding string
}

// Machine is what a plan looks at, and what is wished of it.
type Machine struct {
	// Names has functions keep their names, for backtraces; the .wasm is larger for it.
	Names bool
	// Look finds a program, as exec.LookPath.
	Look func(name string) (string, error)
	// Exists says whether a file or folder is there.
	Exists func(path string) bool
	// Ask runs a program and answers what it prints.
	Ask func(args ...string) (string, error)
	// Env is an environment variable.
	Env func(name string) string
	// Sources are the files of a folder that match a pattern.
	Sources func(pattern string) ([]string, error)

	missed *error // what a variable names and is not there
}

// MissingError is a program that is not there.
type MissingError struct {
	// Tool is what is missing, Get how to get it, a line a system.
	Tool string
	Get  []string
}

// Error says what to do.
func (e *MissingError) Error() string {
	return "toolchain: " + e.Tool + " is not there; get it with\n  " + strings.Join(e.Get, "\n  ")
}

// Of is the plan for a folder. What is not there is a *MissingError.
func Of(p *project.Project, m Machine) (*Plan, error) {
	planners := map[string]func(*project.Project, Machine) (*Plan, error){
		"c": planC, "rust": planRust, "go": planGo, "tinygo": planTinyGo,
		"assemblyscript": planAS, "javascript": planJS,
	}
	plan := planners[p.Language]
	if m.Names && p.Language == "javascript" {
		return nil, errors.New("toolchain: the functions of a script are none of WebAssembly, " +
			"which has those of the engine alone: build it without --names")
	}
	if plan == nil {
		return nil, fmt.Errorf("toolchain: components in %q are built by their own tools; then "+
			"hpmq-cli component wrap makes a component of them", p.Language)
	}
	var missed error
	m.missed = &missed
	made, err := plan(p, m)
	if err != nil && missed != nil {
		return nil, missed
	}
	return made, err
}

// build is the folder for what is made on the way.
func build(p *project.Project, name string) string {
	abs, err := filepath.Abs(filepath.Join(p.Dir, "build", name))
	if err != nil {
		return filepath.Join(p.Dir, "build", name)
	}
	return abs
}

// EnvPrefix begins the variables that name a program: HPMQ_CLI_CLANG. A broker takes what begins
// with HPMQ_ alone for a setting.
const EnvPrefix = "HPMQ_CLI_"

// first is the first of the programs that is there, or what the variable of the tool names.
func (m Machine) first(tool string, names ...string) (string, error) {
	if named := m.Env(EnvPrefix + tool); named != "" {
		found, err := m.Look(named)
		if err != nil && m.missed != nil {
			*m.missed = fmt.Errorf("toolchain: %s%s=%s names no program that is there: %w",
				EnvPrefix, tool, named, err)
		}
		return found, err
	}
	for _, name := range names {
		if found, err := m.Look(name); err == nil {
			return found, nil
		}
	}
	return "", errors.New(names[0] + " is not there")
}

func planGo(p *project.Project, m Machine) (*Plan, error) {
	tool, err := m.first("GO", "go")
	if err != nil {
		return nil, &MissingError{"go", []string{
			"Debian, Ubuntu, Fedora, macOS, Windows: https://go.dev/dl, 1.26 or newer",
		}}
	}
	made, link := build(p, "core.wasm"), "-ldflags=-s -w"
	if m.Names {
		link = "-ldflags=-w"
	}
	return &Plan{Made: made, Steps: []Step{{
		What: "compiling with Go (the first time takes a minute)", Dir: p.Dir,
		Args: []string{tool, "build", "-buildmode=c-shared", link, "-trimpath", "-o", made, "."},
		Env:  []string{"GOOS=wasip1", "GOARCH=wasm", "GOWORK=off", "GOFLAGS=-mod=mod"},
	}}}, nil
}

// tinygoTarget is for a TinyGo that lacks its own C library: it takes Debian's.
//
//go:embed tinygo-wasip1.json
var tinygoTarget []byte

// debianLibc is where Debian has a C library for WASI.
const debianLibc = "/usr/lib/wasm32-wasi/libc.a"

func planTinyGo(p *project.Project, m Machine) (*Plan, error) {
	missing := &MissingError{"tinygo", []string{
		"Debian, Ubuntu: the .deb of https://github.com/tinygo-org/tinygo/releases, 0.41 or newer",
		"macOS: brew install tinygo-org/tools/tinygo",
		"Windows: scoop install tinygo",
	}}
	tool, err := m.first("TINYGO", "tinygo")
	if err != nil {
		return nil, missing
	}
	root, err := m.Ask(tool, "env", "TINYGOROOT")
	if err != nil {
		return nil, fmt.Errorf("toolchain: %s: %w", tool, err)
	}
	plan := &Plan{Made: build(p, "core.wasm")}
	target := "wasip1"
	if !m.Exists(filepath.Join(strings.TrimSpace(root), "lib", "wasi-libc")) {
		if !m.Exists(debianLibc) {
			return nil, missing
		}
		target = build(p, "tinygo-wasip1.json")
		plan.Files = map[string][]byte{target: tinygoTarget}
	}
	args := []string{tool, "build", "-target=" + target, "-buildmode=c-shared",
		"-scheduler=none", "-opt=2"}
	if !m.Names {
		args = append(args, "-no-debug")
	}
	plan.Steps = []Step{{
		What: "compiling with TinyGo (some seconds)", Dir: p.Dir,
		Args: append(args, "-o", plan.Made, "."), Env: []string{"GOWORK=off"},
	}}
	return plan, nil
}
