// Command componentize makes a component of a core module, for the scripts that build guests:
//
//	componentize [-wit DIR -world NAME] [-encoding utf16] [-adapt NAME=FILE] CORE COMPONENT
//	componentize -embed -wit DIR -world NAME CORE MODULE
//
// Without -wit the module has its world embedded, as bindings of wit-bindgen do. -embed does that,
// no more: for an adapter.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hpmq/hpmq/sdk/wasmtools"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "componentize:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("componentize", flag.ContinueOnError)
	wit := flags.String("wit", "", "folder of WIT")
	embed := flags.Bool("embed", false, "only write the world into the module")
	w := wasmtools.Wrapping{Adapters: map[string][]byte{}}
	flags.StringVar(&w.World, "world", "", "world in it")
	flags.StringVar(&w.Encoding, "encoding", "", "of strings: utf8 or utf16")
	flags.Func("adapt", "NAME=FILE of an adapter", func(s string) error {
		name, file, _ := strings.Cut(s, "=")
		code, err := os.ReadFile(file)
		w.Adapters[name] = code
		return err
	})
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 2 {
		return errors.New("needs two files: the core module, the one to write")
	}
	if *wit != "" {
		w.Files = os.DirFS(*wit)
	}
	return write(flags.Arg(0), flags.Arg(1), w, *embed)
}

func write(from, to string, w wasmtools.Wrapping, embed bool) error {
	core, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	tools, err := wasmtools.Open(cacheDir())
	if err != nil {
		return err
	}
	var made []byte
	if embed {
		made, err = tools.Embed(context.Background(), core, w.WIT, w.Encoding)
	} else {
		made, err = tools.Wrap(context.Background(), core, w)
	}
	if err != nil {
		return err
	}
	return os.WriteFile(to, made, 0o644)
}

// cacheDir keeps wasm-tools compiled, "" where there is no place for that.
func cacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "hpmq")
}
