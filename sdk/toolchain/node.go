package toolchain

import (
	"path/filepath"

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
	tool, err := m.first("HPMQ_NODE", "node")
	if err != nil {
		return "", nil, missing
	}
	if m.Exists(filepath.Join(p.Dir, "node_modules", module)) {
		return tool, nil, nil
	}
	npm, err := m.first("HPMQ_NPM", "npm")
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
	return &Plan{Made: made, Encoding: "utf16", Steps: append(steps, Step{
		What: "compiling with asc", Dir: p.Dir,
		Args: []string{tool, "node_modules/assemblyscript/bin/asc.js", "assembly/index.ts", "-O3",
			"--transform", "./sdk/hpmq.mjs", "-o", made},
	})}, nil
}

func planJS(p *project.Project, m Machine) (*Plan, error) {
	tool, steps, err := node(p, m, "componentize-qjs")
	if err != nil {
		return nil, err
	}
	made := build(p, "made.wasm")
	return &Plan{Made: made, Component: true, Steps: append(steps, Step{
		What: "putting the script into QuickJS", Dir: p.Dir,
		Args: []string{tool, "node_modules/componentize-qjs/bin/componentize-qjs", "--wit", "wit",
			"--world", p.World(), "--js", "policy.js", "--sync", "--stub-wasi", "--opt-size",
			"--minify", "--output", made},
	})}, nil
}
