package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/app"
	"github.com/hpmq/hpmq/host/file"
)

// The exit codes.
const (
	exitOK = iota
	// exitFailed: the broker could not start, or the configuration is no good.
	exitFailed
	// exitUsage: the command line makes no sense.
	exitUsage
)

// system is what the program has of the machine.
type system struct {
	out, err io.Writer
	environ  []string
	signals  <-chan os.Signal
	// restoring is app.Options.Restoring.
	restoring func(on bool)
	// limit is told how much memory the machine has, by the configuration.
	limit func(bytes int64)
	// room is called when the loops have started.
	room func()
}

// failure is an error of what was asked for; any other is one of the command line.
type failure struct{ error }

// run runs one command line and answers its exit code.
func run(ctx context.Context, args []string, sys system) int {
	root := newRoot(&sys)
	root.SetArgs(args)
	root.SetOut(sys.out)
	root.SetErr(sys.err)
	err := root.ExecuteContext(ctx)
	var f failure
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &f):
		_, _ = fmt.Fprintf(sys.err, "hpmq: %v\n", f.error)
		return exitFailed
	}
	_, _ = fmt.Fprintf(sys.err, "hpmq: %v; see hpmq --help\n", err)
	return exitUsage
}

// flags are what the command line says over file and environment.
type flags struct {
	config, data, admin, logLevel string
	listen                        []string
}

func newRoot(sys *system) *cobra.Command {
	var f flags
	root := &cobra.Command{
		Use:   "hpmq",
		Short: "An MQTT broker whose policy is WebAssembly, swapped while messages flow",
		Long: `hpmq is an MQTT broker (3.1, 3.1.1, 5.0) whose policy is WebAssembly.

Told nothing, it listens on tcp://127.0.0.1:1883 with the default components, has its admin API
on 127.0.0.1:18083 and keeps its data in ./hpmq-data. A file, the environment (HPMQ_…) and flags
tell it otherwise, each over the one before; configs/hpmq.yaml shows all there is.

SIGTERM and SIGINT let clients take their last packets, a second one ends at once. SIGHUP reads the
file again: all of it takes effect, or nothing.`,
		Example: `  hpmq
  hpmq --listen tcp://:1883 --data /var/lib/hpmq
  hpmq --listen unix:///run/hpmq.sock --listen 'tcp://[::1]:1883' --listen ws://:8080
  hpmq --config configs/tls.yaml
  hpmq --config hpmq.yaml
  hpmq check --config hpmq.yaml`,
		Args:          noArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(c *cobra.Command, _ []string) error {
			return serve(c.Context(), sys, f.sources(sys.environ, c.Flags().Changed))
		},
	}
	fs := root.Flags()
	fs.StringVar(&f.config, "config", "", "configuration file")
	fs.StringArrayVar(&f.listen, "listen", nil,
		"where to listen, tcp://host:port, ws://host:port or unix:///path; may be repeated; "+
			"takes the place of all other listeners")
	fs.StringVar(&f.data, "data", "", "data folder, or memory (default ./hpmq-data)")
	fs.StringVar(&f.admin, "admin", "",
		"address of the admin API, or off (default 127.0.0.1:18083)")
	fs.StringVar(&f.logLevel, "log-level", "", "debug, info, warn or error (default info)")
	root.AddCommand(newCheck(sys), newVersion(sys))
	return root
}

func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s has no command %q", c.CommandPath(), args[0])
	}
	return nil
}

// sources says where the configuration comes from.
func (f *flags) sources(environ []string, given func(flag string) bool) configs.Sources {
	s := configs.Sources{
		File: f.config, Environ: environ,
		Flags: make(map[string]any), FlagNames: make(map[string]string),
	}
	for flag, set := range map[string]struct{ path, value string }{
		"--data":      {"data_dir", f.data},
		"--admin":     {"admin.bind", f.admin},
		"--log-level": {"log.level", f.logLevel},
	} {
		if given(strings.TrimPrefix(flag, "--")) {
			s.Flags[set.path], s.FlagNames[set.path] = set.value, flag
		}
	}
	if len(f.listen) > 0 {
		s.Flags["listeners"], s.FlagNames["listeners"] = listeners(f.listen), "--listen"
	}
	return s
}

// listeners are those of --listen, named mqtt, mqtt-2, mqtt-3 and so on.
func listeners(binds []string) []any {
	out := make([]any, len(binds))
	for i, bind := range binds {
		name := "mqtt"
		if i > 0 {
			name = fmt.Sprintf("mqtt-%d", i+1)
		}
		out[i] = map[string]any{"name": name, "bind": bind}
	}
	return out
}

// load reads the configuration; its error lists every fault.
func load(s configs.Sources) (configs.Config, error) {
	if s.File != "" {
		if err := file.Check(s.File); err != nil {
			return configs.Config{}, failure{fmt.Errorf("read the configuration: %w", err)}
		}
	}
	c, err := configs.Load(s)
	var problems configs.Problems
	if errors.As(err, &problems) {
		text := "the configuration is no good"
		if len(problems) > 1 {
			text = fmt.Sprintf("the configuration has %d faults", len(problems))
		}
		list := strings.ReplaceAll("\n"+err.Error(), "\n", "\n  ")
		return c, failure{errors.New(text + ":" + list)}
	}
	if err != nil {
		return c, failure{err}
	}
	return c, nil
}

func newVersion(sys *system) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Example: "  hpmq version", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(sys.out, "hpmq", app.Version())
			return err
		},
	}
}
