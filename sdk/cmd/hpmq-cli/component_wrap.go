package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/contracts"
	"github.com/hpmq/hpmq/sdk/section"
	"github.com/hpmq/hpmq/sdk/wasmtools"
)

// wrap is the command component wrap.
type wrap struct {
	*settings
	world, wit, encoding, out string
	adapt                     map[string]string
}

func newComponentWrap(s *settings) *cobra.Command {
	k := &wrap{settings: s}
	c := &cobra.Command{
		Use:   "wrap CORE.wasm --world WORLD",
		Short: "Make a component of a core module",
		Long: `wrap makes a Component Model binary of a core module that speaks the canonical ABI of
a world, as "wasm-tools component embed" and "component new" do: hpmq-cli carries wasm-tools.

The WIT is that of the broker unless --wit names another folder. A module that imports WASI preview
1 needs an adapter for it, or stays a core module, which the broker links as well. A manifest
(hpmq:manifest) in the module is the component's too.`,
		Example: `  hpmq-cli component wrap core.wasm --world transformer-component -o policy.wasm
  hpmq-cli component wrap as.wasm --world authorizer-component --encoding utf16 -o policy.wasm
  hpmq-cli component wrap core.wasm --world w --wit ./wit --adapt wasi_snapshot_preview1=a.wasm`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: wasmFiles,
		RunE:              func(c *cobra.Command, args []string) error { return k.run(c, args[0]) },
	}
	f := c.Flags()
	f.StringVar(&k.world, "world", "", "the world of the WIT that the module is for; to be left "+
		"out only if the module says it itself, as one of Rust's bindings does")
	f.StringVar(&k.wit, "wit", "", "folder with other WIT than the broker's")
	f.StringVar(&k.encoding, "encoding", "", "of strings: utf8 or utf16")
	f.StringToStringVar(&k.adapt, "adapt", nil, "NAME=FILE.wasm: a module that serves imports NAME")
	f.StringVarP(&k.out, "output", "o", "", "the file to write (default: the name of the module "+
		"with .component.wasm)")
	return c
}

func (k *wrap) run(cmd *cobra.Command, file string) error {
	core, err := readFile(file, wasmBytesMax)
	if err != nil {
		return usageError{err}
	}
	w := wasmtools.Wrapping{
		Encoding: k.encoding, Adapters: map[string][]byte{}, Keep: []string{section.Manifest},
	}
	if k.world != "" {
		w.WIT = witFiles(k.wit, k.world)
	}
	for name, from := range k.adapt {
		if w.Adapters[name], err = readFile(from, wasmBytesMax); err != nil {
			return usageError{err}
		}
	}
	made, err := k.wrapped(cmd, core, w)
	if err != nil {
		return err
	}
	out := k.out
	if out == "" {
		out = file[:len(file)-len(filepath.Ext(file))] + ".component.wasm"
	}
	if err := os.WriteFile(out, made, 0o644); err != nil {
		return usageError{err}
	}
	if k.json {
		return k.printJSON(map[string]any{"file": out, "size": len(made)})
	}
	return k.printf("%s: %s", out, bytesText(len(made)))
}

// worlds are those of the broker's WIT that components are made for.
func worlds() (names []string) {
	var wit struct {
		Worlds []struct {
			Name string `json:"name"`
		} `json:"worlds"`
	}
	_ = json.Unmarshal(contracts.JSON(), &wit) // what is embedded is whole
	for _, w := range wit.Worlds {
		if strings.HasSuffix(w.Name, "-component") {
			names = append(names, w.Name)
		}
	}
	return names
}

// preview1 is the module that programs for WASI preview 1 import.
const preview1 = "wasi_snapshot_preview1"

// wrapped wraps, and tells if wasm-tools has to be compiled first.
func (s *settings) wrapped(
	cmd *cobra.Command, core []byte, w wasmtools.Wrapping,
) ([]byte, error) {
	if w.Files == nil && !section.SaysWorld(core) {
		// wasm-tools would make a component of it that exports nothing.
		return nil, usageError{fmt.Errorf("wrap: the module does not say which world it is for: "+
			"name it by --world, of %s, or of other WIT by --wit too",
			strings.Join(worlds(), ", "))}
	}
	tools, err := wasmtools.Open(cacheDir("tools"))
	if err != nil {
		return nil, err
	}
	end := s.busy("wrapping (the first time compiles wasm-tools)")
	defer end()
	made, err := tools.Wrap(cmd.Context(), core, w)
	_, adapted := w.Adapters[preview1]
	if err != nil && !adapted && bytes.Contains(core, []byte(preview1)) {
		err = fmt.Errorf("%w\nit imports WASI preview 1: pass --adapt %s=preview1.wasm; the "+
			"adapter is in sdk/guest/preview1 of the project", err, preview1)
	}
	if err != nil {
		return nil, fmt.Errorf("wrap: %w", err)
	}
	return made, nil
}
