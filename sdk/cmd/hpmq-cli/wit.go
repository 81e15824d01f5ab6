package main

import (
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/contracts"
	"github.com/hpmq/hpmq/sdk/wasmtools"
	"github.com/hpmq/hpmq/sdk/wit"
)

func newWIT(s *settings) *cobra.Command {
	c := &cobra.Command{
		Use:   "wit",
		Short: "Read the contracts, and make bindings of them",
		Long: `wit is about contracts in WIT: those of the broker, which hpmq-cli carries, or those
of a folder.

It needs no other tool: hpmq-cli carries wasm-tools, and compiles it the first time.`,
		Example: `  hpmq-cli wit json ./wit
  hpmq-cli wit bind --lang c --world transformer-component --out bindings
  hpmq-cli wit targets policy.wasm --world transformer-component`,
	}
	c.AddCommand(newWITJSON(s), newWITTargets(s), newWITBind(s))
	return c
}

// witFiles is a folder of WIT, that of the broker without one.
func witFiles(dir, world string) wasmtools.WIT {
	var files fs.FS = contracts.WIT()
	if dir != "" {
		files = os.DirFS(dir)
	}
	return wasmtools.WIT{Files: files, World: world}
}

// witJSON is the WIT of a folder, resolved.
func (s *settings) witJSON(cmd *cobra.Command, dir string) ([]byte, error) {
	if dir == "" {
		return contracts.JSON(), nil
	}
	if info, err := os.Stat(dir); err != nil {
		return nil, usageError{err}
	} else if !info.IsDir() {
		return nil, usageError{fmt.Errorf("%s is no folder with WIT", dir)}
	}
	tools, err := wasmtools.Open(cacheDir("tools"))
	if err != nil {
		return nil, err
	}
	end := s.busy("reading WIT (the first time compiles wasm-tools)")
	defer end()
	text, err := tools.JSON(cmd.Context(), witFiles(dir, ""))
	if err != nil {
		return nil, fmt.Errorf("wit: %w", err)
	}
	return text, nil
}

func newWITJSON(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "json [WIT-DIR]",
		Short: "Print contracts as JSON, resolved",
		Long: `json prints what wasm-tools makes of a folder of WIT: worlds, interfaces and types by
number, with their comments. Without a folder it is the WIT of the broker.`,
		Example: "  hpmq-cli wit json\n  hpmq-cli wit json ./wit",
		Args:    cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) (
			[]string, cobra.ShellCompDirective,
		) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(c *cobra.Command, args []string) error {
			text, err := s.witJSON(c, append(args, "")[0])
			if err != nil {
				return err
			}
			_, err = s.out.Write(text)
			return err
		},
	}
}

func newWITTargets(s *settings) *cobra.Command {
	var world, dir string
	c := &cobra.Command{
		Use:   "targets FILE.wasm --world WORLD",
		Short: "Say whether a component fits a world",
		Long: `targets checks a Component Model binary against a world, imports and exports with
their types, and says of which version of the contracts the world is. One of another version is
named in full: hpmq:broker/transformer-component@0.1.0. A core module has no types to check:
hpmq-cli component check looks at its names.`,
		Example: `  hpmq-cli wit targets policy.wasm --world transformer-component
  hpmq-cli wit targets policy.wasm --world w --wit ./wit`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: wasmFiles,
		RunE: func(c *cobra.Command, args []string) error {
			return s.failing(s.witTargets(c, args[0], dir, world))
		},
	}
	c.Flags().StringVar(&world, "world", "", "the world")
	c.Flags().StringVar(&dir, "wit", "", "folder with other WIT than the broker's")
	mustHave(c, "world")
	return c
}

func (s *settings) witTargets(cmd *cobra.Command, file, dir, world string) error {
	code, err := readFile(file, wasmBytesMax)
	if err != nil {
		return usageError{err}
	}
	switch b := (&subject{code: code}); {
	case len(code) < 8 || string(code[:4]) != "\x00asm":
		return usageError{fmt.Errorf("%s is no WebAssembly", file)}
	case b.form() == "core module":
		return usageError{fmt.Errorf("%s is a core module, which has no types to check; its names "+
			"are looked at by: hpmq-cli component check %s", file, quoted(file))}
	}
	of, err := s.targets(cmd, code, dir, world)
	if of == "" {
		return err
	}
	if err != nil {
		return fmt.Errorf("%s: it does not fit world %s of %s: %w", file, world, of, err)
	}
	if s.json {
		return s.printJSON(map[string]any{
			"file": file, "world": world, "package": of, "fits": true,
		})
	}
	return s.printf("%s fits world %s of %s", file, world, of)
}

// targets says of which package the world is, and what code lacks of it.
func (s *settings) targets(
	cmd *cobra.Command, code []byte, dir, world string,
) (of string, err error) {
	text, err := s.witJSON(cmd, dir)
	if err != nil {
		return "", err
	}
	if of, err = wit.PackageOf(text, world); err != nil {
		return "", usageError{err}
	}
	tools, err := wasmtools.Open(cacheDir("tools"))
	if err != nil {
		return "", err
	}
	end := s.busy("checking (the first time compiles wasm-tools)")
	defer end()
	return of, tools.Targets(cmd.Context(), code, witFiles(dir, world))
}
