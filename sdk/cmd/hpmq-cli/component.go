package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/sdk/project"
	"github.com/hpmq/hpmq/sdk/trial"
)

func newComponent(s *settings) *cobra.Command {
	c := &cobra.Command{
		Use:   "component",
		Short: "Make, build, check, test, measure and try components",
		Long: `component is the way of a component from an empty folder to a live link.

What runs here runs on the engine of the broker and by its links: what passes here is linked there.
Where a command takes a FILE.wasm it may be left out in a folder that "component new" made.

Compiled code is kept in the user's cache folder, or in HPMQ_CLI_CACHE if that is set.`,
		Example: `  hpmq-cli component new --lang c --role transformer vendor && cd vendor
  hpmq-cli component build && hpmq-cli component check && hpmq-cli component test
  hpmq-cli component run --filter 'dev/#'
  hpmq-cli link swap --listener mqtt --role transformer --use ./vendor.wasm`,
	}
	c.AddCommand(newComponentNew(s), newComponentBuild(s), newComponentCheck(s),
		newComponentTest(s), newComponentBench(s), newComponentRun(s), newComponentWrap(s))
	return c
}

// cacheDir is where compiled code of that kind is kept, "" for nowhere.
func cacheDir(kind string) string {
	base := os.Getenv("HPMQ_CLI_CACHE")
	if base == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return ""
		}
		base = filepath.Join(user, "hpmq")
	}
	return filepath.Join(base, kind)
}

// subject is the component that a command is about.
type subject struct {
	file    string
	code    []byte
	project *project.Project // nil outside of a folder of a component
}

// subject reads the component that the arguments name, or that of this folder.
func (s *settings) subject(args []string) (*subject, error) {
	dir, file := ".", ""
	if len(args) > 0 {
		dir, file = filepath.Dir(args[0]), args[0]
		if info, err := os.Stat(file); err == nil && info.IsDir() {
			dir, file = file, ""
		}
	}
	p, err := project.Load(dir)
	switch {
	case errors.Is(err, project.ErrNone) && file == "":
		return nil, usageError{fmt.Errorf("%w; name a FILE.wasm, or make a component with: "+
			"hpmq-cli component new", err)}
	case errors.Is(err, project.ErrNone):
		p = nil
	case err != nil:
		return nil, usageError{err}
	case file == "":
		file = p.Wasm()
	}
	code, err := readFile(file, wasmBytesMax)
	if errors.Is(err, os.ErrNotExist) && p != nil &&
		filepath.Base(file) == filepath.Base(p.Wasm()) {
		err = fmt.Errorf("%w; build it with: hpmq-cli component build %s", err, quoted(dir))
	}
	if err != nil {
		return nil, usageError{err}
	}
	return &subject{file: file, code: code, project: p}, nil
}

// name is what the component is called where it does not name itself.
func (b *subject) name() string { return strings.TrimSuffix(filepath.Base(b.file), ".wasm") }

// form is what the bytes are.
func (b *subject) form() string {
	if len(b.code) > 8 && b.code[6] == 1 {
		return "component"
	}
	return "core module"
}

// trying is the flags of commands that run a component.
type trying struct {
	config  string
	grants  []string
	verbose bool
}

func (f *trying) register(c *cobra.Command) {
	fs := c.Flags()
	fs.StringVar(&f.config, "config", "", "JSON file with the component's configuration")
	fs.BoolVarP(&f.verbose, "verbose", "v", false, "print what the component logs")
}

// open starts an engine.
func (s *settings) openTrial(f *trying, live, interpreter bool) (*trial.Trial, error) {
	cfg := trial.Config{CacheDir: cacheDir("engine"), Live: live, Interpreter: interpreter}
	if f.verbose {
		cfg.Log = slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{
			Level: slog.LevelDebug, ReplaceAttr: untimed,
		}))
	}
	return trial.Open(cfg)
}

// untimed leaves the time out of a line.
func untimed(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

// ref is how a trial links the component, with all that can be granted unless grants are named.
func (f *trying) ref(b *subject) (link.Ref, error) {
	ref := link.Ref{Use: b.name(), Code: b.code, Grants: f.grants}
	if f.grants == nil {
		ref.Grants = trial.Grantable()
	}
	if f.config != "" {
		text, err := readFile(f.config, configBytesMax)
		if err != nil {
			return ref, usageError{err}
		}
		ref.Config = text
	}
	return ref, nil
}

// inspect says what the component is. It may compile for seconds.
func (s *settings) inspect(
	cmd *cobra.Command, t *trial.Trial, b *subject,
) (link.Inspection, error) {
	end := s.busy(fmt.Sprintf("compiling %s (%s)", filepath.Base(b.file), bytesText(len(b.code))))
	defer end()
	return t.Inspect(cmd.Context(), b.code)
}
