package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/project"
	"github.com/hpmq/hpmq/sdk/section"
	"github.com/hpmq/hpmq/sdk/toolchain"
	"github.com/hpmq/hpmq/sdk/wasmtools"
)

// built is the command component build.
type built struct {
	*settings
	core, names, verbose bool
}

func newComponentBuild(s *settings) *cobra.Command {
	k := &built{settings: s}
	c := &cobra.Command{
		Use:   "build [DIR]",
		Short: "Build the component of a folder",
		Long: `build runs the compiler of the component's language, makes a component of the module
that comes out (hpmq-cli carries what that needs), writes the manifest into it and leaves NAME.wasm
in the folder. If a program is missing it says how to get it.

With --names functions keep their names: the backtraces of link doctor and component test say which
functions a component was in, and not their numbers. It makes the .wasm larger, and nothing else of
it other. Scripts have none.

Components in Go and TinyGo stay core modules, which the broker links as well. Programs are looked
for on PATH. HPMQ_CLI_CLANG, HPMQ_CLI_WASM_LD, HPMQ_CLI_CARGO, HPMQ_CLI_GO, HPMQ_CLI_TINYGO,
HPMQ_CLI_NODE and HPMQ_CLI_NPM name others.`,
		Example: `  hpmq-cli component build
  hpmq-cli component build ./vendor --verbose
  hpmq-cli component build --names
  HPMQ_CLI_CLANG=clang-18 hpmq-cli component build`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) (
			[]string, cobra.ShellCompDirective,
		) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(c *cobra.Command, args []string) error { return k.failing(k.run(c, args)) },
	}
	c.Flags().BoolVar(&k.core, "core", false, "leave it a core module")
	c.Flags().BoolVar(&k.names, "names", false, "keep the names of functions, for backtraces")
	c.Flags().BoolVarP(&k.verbose, "verbose", "v", false, "print what the programs print")
	return c
}

func (k *built) run(cmd *cobra.Command, args []string) error {
	p, err := projectOf(args)
	if err != nil {
		return err
	}
	m := machine(cmd.Context())
	m.Names = k.names
	plan, err := toolchain.Of(p, m)
	if err != nil {
		return usageError{err}
	}
	began := time.Now()
	if err := k.make(cmd.Context(), p, plan); err != nil {
		return err
	}
	code, form, err := k.finish(cmd, p, plan)
	if err != nil {
		return err
	}
	if err := os.WriteFile(p.Wasm(), code, 0o644); err != nil {
		return usageError{err}
	}
	took := time.Since(began)
	if k.json {
		return k.printJSON(map[string]any{
			"file": p.Wasm(), "form": form, "size": len(code), "seconds": took.Seconds(),
		})
	}
	return k.printf("%s: %s, %s, in %.1f s", p.Wasm(), form, bytesText(len(code)), took.Seconds())
}

// machine is the one that the command runs on.
func machine(ctx context.Context) toolchain.Machine {
	return toolchain.Machine{
		Look: exec.LookPath, Env: os.Getenv, Sources: filepath.Glob,
		Exists: func(path string) bool {
			_, err := os.Stat(path)
			return err == nil
		},
		Ask: func(args ...string) (string, error) {
			out, err := exec.CommandContext(ctx, args[0], args[1:]...).Output()
			return string(out), err
		},
	}
}

// errTool says that a program failed; what it printed is told.
var errTool = errors.New("it failed")

// make runs the steps of a plan.
func (k *built) make(ctx context.Context, p *project.Project, plan *toolchain.Plan) error {
	if err := os.MkdirAll(filepath.Join(p.Dir, "build"), 0o755); err != nil {
		return usageError{err}
	}
	for name, text := range plan.Files {
		err := os.MkdirAll(filepath.Dir(name), 0o755)
		if err == nil {
			err = os.WriteFile(name, text, 0o644)
		}
		if err != nil {
			return usageError{err}
		}
	}
	for _, step := range plan.Steps {
		if err := k.step(ctx, step); err != nil {
			return err
		}
	}
	return nil
}

// step runs one program. What it prints is told when it fails, or at once if that is wanted.
func (k *built) step(ctx context.Context, step toolchain.Step) error {
	if k.verbose {
		_, _ = fmt.Fprintf(k.err, "%s: %s\n", step.What, strings.Join(step.Args, " "))
	} else {
		defer k.busy(step.What)()
	}
	c := exec.CommandContext(ctx, step.Args[0], step.Args[1:]...)
	c.Dir, c.Env = step.Dir, append(os.Environ(), step.Env...)
	var said bytes.Buffer
	c.Stdout = &said
	if k.verbose {
		c.Stdout = io.MultiWriter(&said, k.err)
	}
	c.Stderr = c.Stdout
	err := c.Run()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", step.What, ctx.Err())
	case k.verbose:
		said.Reset() // it stands there already
	}
	return fmt.Errorf("%s: %w (%s: %w)\n%s", step.What, errTool, filepath.Base(step.Args[0]), err,
		strings.TrimSpace(said.String()))
}

// finish makes a component of what was made, and writes the manifest into it.
func (k *built) finish(
	cmd *cobra.Command, p *project.Project, plan *toolchain.Plan,
) (code []byte, form string, err error) {
	if code, err = readFile(plan.Made, wasmBytesMax); err != nil {
		return nil, "", err
	}
	if k.names && !plan.Component {
		code = section.WithoutDWARF(code) // TinyGo has no names without it
	}
	form = "component"
	switch {
	case plan.Component:
	case p.Core || k.core:
		form = "core module"
	default:
		w := wasmtools.Wrapping{Encoding: plan.Encoding}
		if p.Language != "rust" { // its bindings leave the world in the module
			w.WIT = witFiles("", p.World())
		}
		if code, err = k.wrapped(cmd, code, w); err != nil {
			return nil, "", err
		}
	}
	text, err := json.Marshal(manifest(p))
	return section.WithCustom(code, section.Manifest, text), form, err
}

// manifest is what stands there; see components/README.md.
func manifest(p *project.Project) map[string]any {
	m := map[string]any{
		"name": p.Name, "version": p.Version, "role": p.Role, "contract": "hpmq:broker@0.1.0",
		"capabilities": append([]project.Capability{}, p.Capabilities...),
	}
	if p.State != nil {
		m["state"] = p.State
	}
	return m
}
