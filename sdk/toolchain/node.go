package toolchain

import (
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/hpmq/hpmq/sdk/contracts"
	"github.com/hpmq/hpmq/sdk/project"
)

// node finds node, and answers the step that installs what package.json names if that is not done.
func node(p *project.Project, m Machine, module string) (string, []Step, error) {
	missing := &MissingError{"node with npm", []string{
		"Debian, Ubuntu: apt-get install nodejs npm, or https://nodejs.org, 20 or newer",
		"Fedora: dnf install nodejs",
		"macOS: brew install node",
		"Windows: winget install OpenJS.NodeJS.LTS",
	}}
	tool, err := m.first("NODE", "node")
	if err != nil {
		return "", nil, missing
	}
	if m.Exists(filepath.Join(p.Dir, "node_modules", module)) {
		return tool, nil, nil
	}
	npm, err := m.first("NPM", "npm")
	if err != nil {
		return "", nil, missing
	}
	return tool, []Step{{
		What: "installing " + module + " with npm (once)", Dir: p.Dir,
		Args: []string{npm, "install", "--no-audit", "--no-fund", "--ignore-scripts",
			"--loglevel=error"},
	}}, nil
}

func planAS(p *project.Project, m Machine) (*Plan, error) {
	tool, steps, err := node(p, m, "assemblyscript")
	if err != nil {
		return nil, err
	}
	made := build(p, "core.wasm")
	args := []string{tool, "node_modules/assemblyscript/bin/asc.js", "assembly/index.ts", "-O3",
		"--transform", "./sdk/hpmq.mjs", "-o", made}
	if m.Names {
		args = append(args, "--debug")
	}
	return &Plan{Made: made, Encoding: "utf16", Steps: append(steps, Step{
		What: "compiling with asc", Dir: p.Dir, Args: args,
	})}, nil
}

func planJS(p *project.Project, m Machine) (*Plan, error) {
	tool, steps, err := node(p, m, "componentize-qjs")
	if err != nil {
		return nil, err
	}
	made, files, err := build(p, "made.wasm"), map[string][]byte{}, error(nil)
	if err = worldFiles(p, files); err != nil {
		return nil, fmt.Errorf("toolchain: %w", err)
	}
	return &Plan{Made: made, Component: true, Files: files, Steps: append(steps, Step{
		What: "putting the script into QuickJS", Dir: p.Dir,
		Args: []string{tool, "node_modules/componentize-qjs/cli.mjs", "--wit",
			build(p, "wit"), "--world", "this-component", "--js", "policy.js", "--sync",
			"--stub-wasi", "--minify",
			"--output", made},
	})}, nil
}

// worldFiles adds the contracts with a world of this component alone: a script engine imports all
// that its world has, and would have to be granted all.
func worldFiles(p *project.Project, files map[string][]byte) error {
	world := "package hpmq:broker@0.1.0;\n\nworld this-component {\n" +
		"  import log;\n  import config;\n"
	for _, c := range p.Capabilities {
		if c.Name != "log" && c.Name != "config" {
			world += "  import " + c.Name + ";\n"
		}
	}
	world += "  export lifecycle;\n  export " + p.Role + ";\n}\n"
	files[build(p, filepath.Join("wit", "this.wit"))] = []byte(world)
	all := contracts.WIT()
	return fs.WalkDir(all, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(all, name)
		files[build(p, filepath.Join("wit", filepath.FromSlash(name)))] = text
		return err
	})
}
