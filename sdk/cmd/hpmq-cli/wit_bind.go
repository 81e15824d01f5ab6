package main

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/bind"
	"github.com/hpmq/hpmq/sdk/wit"
)

// witBind is the command wit bind.
type witBind struct {
	*settings
	lang, world, out string
}

func newWITBind(s *settings) *cobra.Command {
	k := &witBind{settings: s}
	c := &cobra.Command{
		Use:   "bind --lang LANGUAGE --world WORLD [WIT-DIR]",
		Short: "Write bindings of a world for a language",
		Long: `bind writes what an author imports, with the comments of the contracts, and the glue
below it that speaks the canonical ABI. Each file says in its first line that it is generated.

  c               a header and a C file, without any library; C++, D and Nim take the header too
  assemblyscript  a module to import, one that exports, and a transform for asc

Worlds with resources are refused: those by handle (transformer-by-handle-component and the like).
The SDKs for C and Go have payloads by handle.

For Rust, JavaScript, TypeScript and Python the generators of the Bytecode Alliance do it from the
same contracts (wit-bindgen, componentize-js, componentize-py); sdk/guest/go is the one for Go.`,
		Example: `  hpmq-cli wit bind --lang c --world transformer-component --out bindings
  hpmq-cli wit bind --lang assemblyscript --world router-component --out assembly
  hpmq-cli wit bind --lang c --world my-world --out src ./wit`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) (
			[]string, cobra.ShellCompDirective,
		) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(c *cobra.Command, args []string) error { return k.run(c, args) },
	}
	f := c.Flags()
	f.StringVar(&k.lang, "lang", "", "the language")
	f.StringVar(&k.world, "world", "", "the world")
	f.StringVar(&k.out, "out", ".", "the folder to write to")
	// The only error is a flag that is not there, a bug.
	_ = c.RegisterFlagCompletionFunc("lang", cobra.FixedCompletions(bind.Languages(),
		cobra.ShellCompDirectiveNoFileComp))
	mustHave(c, "lang", "world")
	return c
}

func (k *witBind) run(cmd *cobra.Command, args []string) error {
	text, err := k.witJSON(cmd, append(args, "")[0])
	if err != nil {
		return err
	}
	world, err := wit.Parse(text, k.world)
	if err != nil {
		return usageError{err}
	}
	files, err := bind.World(k.lang, world, bind.Options{Note: "hpmq-cli wit bind"})
	if err != nil {
		return usageError{err}
	}
	names := []string{}
	for _, f := range files {
		name := filepath.Join(k.out, f.Name)
		err := os.MkdirAll(filepath.Dir(name), 0o755)
		if err == nil {
			err = os.WriteFile(name, []byte(f.Text), 0o644)
		}
		if err != nil {
			return usageError{err}
		}
		names = append(names, name)
	}
	if k.json {
		return k.printJSON(map[string]any{"world": world.Name, "files": names})
	}
	for _, name := range names {
		if err := k.printf("%s", name); err != nil {
			return err
		}
	}
	return nil
}
