package wasm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

// Command is a program that was built for WASI preview 1: it runs once, reads some files and is no
// guest. Nothing of the box of a guest stands around it, so it must be code that is trusted.
type Command struct {
	// Name is what the program is told it is called.
	Name string
	Args []string
	// Files are what the program sees below its root, for reading; nil for none.
	Files fs.FS
	// Stdin, Stdout and Stderr may be nil.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// CacheDir keeps compiled code, see Config.CacheDir. Not that of an engine: each keeps account
	// of all that is in its folder.
	CacheDir string
	// MemoryBytesMax bounds the memory of the program; 0 for 1 GiB.
	MemoryBytesMax uint32
	// Log takes what is wrong with the cache; may be nil.
	Log *slog.Logger
}

// ExitError is a program that ended with a code other than 0.
type ExitError struct {
	Name string
	Code uint32
}

func (e *ExitError) Error() string {
	return fmt.Sprintf("wasm: run: %s ended with code %d", e.Name, e.Code)
}

const (
	commandMemoryMax = 1 << 30
	// commandCacheMax is room for the code of some versions of some programs.
	commandCacheMax = 64 << 20
)

// RunCommand compiles and runs code, which is borrowed. It blocks until the program has ended or
// ctx has. An end with another code than 0 is an *ExitError.
func RunCommand(ctx context.Context, code []byte, c Command) error {
	if c.MemoryBytesMax == 0 {
		c.MemoryBytesMax = commandMemoryMax
	}
	rc := wazero.NewRuntimeConfig().
		WithMemoryLimitPages(c.MemoryBytesMax / pageBytes).
		WithCloseOnContextDone(true)
	var kept *cache
	if c.CacheDir != "" {
		kept = openCache(Config{
			CacheDir: c.CacheDir, CacheBytesMax: commandCacheMax, Log: c.Log,
		})
	}
	if kept != nil {
		rc = rc.WithCompilationCache(kept.wazero)
		defer func() { _ = kept.wazero.Close(ctx) }() // memory alone
	}
	r := wazero.NewRuntimeWithConfig(ctx, rc)
	defer func() { _ = r.Close(ctx) }() // memory alone
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, r); err != nil {
		return fmt.Errorf("wasm: run: %w", err)
	}
	once := func() (wazero.CompiledModule, error) { return r.CompileModule(ctx, code) }
	compile := once
	if kept != nil {
		compile = func() (wazero.CompiledModule, error) { return kept.compile(ctx, once) }
	}
	compiled, err := compile()
	if err != nil {
		return fmt.Errorf("wasm: run: %w", err)
	}
	_, err = r.InstantiateModule(ctx, compiled, c.config())
	return c.ended(ctx, err)
}

func (c *Command) config() wazero.ModuleConfig {
	m := wazero.NewModuleConfig().WithName("").
		WithArgs(append([]string{c.Name}, c.Args...)...).
		WithSysWalltime().WithSysNanotime()
	if c.Stdin != nil {
		m = m.WithStdin(c.Stdin)
	}
	if c.Stdout != nil {
		m = m.WithStdout(c.Stdout)
	}
	if c.Stderr != nil {
		m = m.WithStderr(c.Stderr)
	}
	if c.Files != nil {
		m = m.WithFSConfig(wazero.NewFSConfig().WithFSMount(c.Files, "/"))
	}
	return m
}

// ended makes of how the program ended what its caller wants to know.
func (c *Command) ended(ctx context.Context, err error) error {
	var exit *sys.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("wasm: run: %s: %w", c.Name, ctx.Err())
	case !errors.As(err, &exit):
		return fmt.Errorf("wasm: run: %s: %w", c.Name, err)
	case exit.ExitCode() == 0:
		return nil
	}
	return &ExitError{Name: c.Name, Code: exit.ExitCode()}
}
