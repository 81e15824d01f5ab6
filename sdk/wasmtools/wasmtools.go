// Package wasmtools runs wasm-tools, which it carries as wasm: WIT to JSON, core module to
// component. It knows the command lines of wasm-tools, and no guest, role or broker.
package wasmtools

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/sdk/section"
)

//go:embed wasm-tools.wasm.gz
var packed []byte

// unpackedBytesMax is above what is in packed, 3.7 MB.
const unpackedBytesMax = 16 << 20

// Tools runs wasm-tools. Compiling it takes some seconds, the first time and for each call that
// finds no cache; from the cache, 0.2 s.
type Tools struct {
	cacheDir string
	code     []byte
}

// Open unpacks wasm-tools. cacheDir keeps compiled code, "" keeps none; see wasm.Command.
func Open(cacheDir string) (*Tools, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("wasmtools: unpack: %w", err)
	}
	code, err := io.ReadAll(io.LimitReader(z, unpackedBytesMax))
	if err != nil {
		return nil, fmt.Errorf("wasmtools: unpack: %w", err)
	}
	return &Tools{cacheDir: cacheDir, code: code}, nil
}

// Error is what wasm-tools says when it refuses.
type Error struct {
	// Verb is its command: "component embed".
	Verb string
	Text string
}

func (e *Error) Error() string { return "wasm-tools " + e.Verb + ": " + e.Text }

// Run runs one command line and answers what it prints. seen is what it can read, stdin may be
// nil. It blocks. What wasm-tools refuses is an *Error.
func (t *Tools) Run(
	ctx context.Context, seen fs.FS, stdin io.Reader, args ...string,
) ([]byte, error) {
	var out, errs bytes.Buffer
	err := wasm.RunCommand(ctx, t.code, wasm.Command{
		Name: "wasm-tools", Args: args, Files: seen,
		Stdin: stdin, Stdout: &out, Stderr: &errs, CacheDir: t.cacheDir,
	})
	var exit *wasm.ExitError
	switch {
	case errors.As(err, &exit):
		verb := strings.Join(args[:min(2, len(args))], " ")
		text := strings.TrimPrefix(strings.TrimSpace(errs.String()), "error: ")
		return nil, &Error{Verb: verb, Text: text}
	case err != nil:
		return nil, fmt.Errorf("wasmtools: %w", err)
	}
	return out.Bytes(), nil
}

// WIT names a folder of WIT and a world in it; World may be empty if there is only one.
type WIT struct {
	Files fs.FS
	World string
}

// JSON is the WIT resolved, as JSON; see package wit for how it reads.
func (t *Tools) JSON(ctx context.Context, w WIT) ([]byte, error) {
	return t.Run(ctx, files{wit: w.Files}, nil, "component", "wit", "--json", "wit")
}

// Wrapping says how a core module becomes a component.
type Wrapping struct {
	WIT
	// Encoding of strings: "" for utf8, or utf16 (AssemblyScript).
	Encoding string
	// Adapters are modules that serve imports of another kind, by the name of the import.
	Adapters map[string][]byte
	// Keep names custom sections of the module that the component is to have too: else they are
	// only in the module inside, where nobody looks.
	Keep []string
}

// Embed writes a world into a core module that speaks its canonical ABI. core is borrowed.
func (t *Tools) Embed(ctx context.Context, core []byte, w WIT, encoding string) ([]byte, error) {
	args := []string{"component", "embed", "wit"}
	if w.World != "" {
		args = append(args, "--world", w.World)
	}
	if encoding != "" {
		args = append(args, "--encoding", encoding)
	}
	return t.Run(ctx, files{wit: w.Files}, bytes.NewReader(core), args...)
}

// Wrap makes a component of a core module that speaks the canonical ABI of a world. core is
// borrowed. A module without a world named has embedded one itself.
func (t *Tools) Wrap(ctx context.Context, core []byte, w Wrapping) ([]byte, error) {
	module := core
	if w.Files != nil {
		var err error
		if core, err = t.Embed(ctx, core, w.WIT, w.Encoding); err != nil {
			return nil, err
		}
	}
	beside, args := map[string][]byte{}, []string{"component", "new"}
	for name, code := range w.Adapters {
		beside[name+".wasm"] = code
		args = append(args, "--adapt", name+"="+name+".wasm")
	}
	made, err := t.Run(ctx, files{beside: beside}, bytes.NewReader(core), args...)
	if err != nil {
		return nil, err
	}
	for _, name := range w.Keep {
		data, err := section.Custom(module, name)
		if err != nil {
			return nil, fmt.Errorf("wasmtools: wrap: %s: %w", name, err)
		}
		if has, err := section.Custom(made, name); data != nil && has == nil && err == nil {
			made = section.WithCustom(made, name, data)
		}
	}
	return made, nil
}

// Targets says what a component lacks of a world, as an *Error.
func (t *Tools) Targets(ctx context.Context, component []byte, w WIT) error {
	seen := files{wit: w.Files, beside: map[string][]byte{"component.wasm": component}}
	args := []string{"component", "targets", "wit", "component.wasm"}
	if w.World != "" {
		args = append(args, "--world", w.World)
	}
	_, err := t.Run(ctx, seen, nil, args...)
	return err
}
