package demo

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

//go:embed testdata/newcomer.yaml
var newcomerFile []byte

// wrapped is a message that a newcomer's first component changed: {"value": what came}.
const wrapped shape = "wrapped"

// readings is a scene for the transformer that component new writes.
func readings() scene {
	return scene{
		device: "dev-7", watch: "dev-7/#",
		says: func(seq int) (topic, payload string) {
			return "dev-7/reading/raw", fmt.Sprintf(`{"seq":%d}`, seq)
		},
		shape: func(topic string, r *reading) shape {
			if topic != "dev-7/reading" || r.Value == nil {
				return raw
			}
			return wrapped
		},
	}
}

// Newcomer goes the way of somebody who writes a first component in each of the languages: new,
// build, check, test, and into a running broker, with the commands that the folder's README names.
func Newcomer(ctx context.Context, o Options, languages []string) (Report, error) {
	dir, err := os.MkdirTemp("", "hpmq-demo-")
	if err != nil {
		return Report{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	s := &story{o: o, dir: dir}
	if err := s.start(ctx, readings(), map[string][]byte{"hpmq.yaml": newcomerFile}); err != nil {
		return Report{}, err
	}
	return s.tell(ctx, func(ctx context.Context) error {
		s.say("A device publishes, %d messages a second; no component changes them.", o.Rate)
		if err := s.t.until(ctx, raw, o.Each); err != nil {
			return err
		}
		for _, l := range languages {
			if err := s.first(ctx, l); err != nil {
				return fmt.Errorf("demo: newcomer in %s: %w", l, err)
			}
		}
		return nil
	})
}

// first is the way in one language.
func (s *story) first(ctx context.Context, language string) error {
	name := "first-" + language
	home := filepath.Join(s.dir, name)
	s.say("A newcomer, %s.", language)
	begin := time.Now()
	for _, step := range []struct {
		dir  string
		args []string
	}{
		{s.dir, []string{"component", "new", "--lang", language, "--role", "transformer", name}},
		{home, []string{"component", "build"}},
		{home, []string{"component", "check"}},
		{home, []string{"component", "test"}},
		{home, []string{"link", "swap", "--listener", "demo", "--role", "transformer",
			"--use", "./" + name + ".wasm"}},
	} {
		if err := s.step(ctx, step.dir, step.args); err != nil {
			return err
		}
	}
	if err := s.t.until(ctx, wrapped, 1); err != nil {
		return err
	}
	s.say("%s: %.1f s from nothing to a message changed.", language, time.Since(begin).Seconds())
	if err := s.t.until(ctx, wrapped, s.o.Each); err != nil {
		return err
	}
	code, err := os.ReadFile(filepath.Join(home, name+".wasm"))
	if err != nil {
		return err
	}
	return s.serves(ctx, code, "transformer")
}

// step runs hpmq-cli in a folder, as typed there, and says how long it took.
func (s *story) step(ctx context.Context, dir string, args []string) error {
	cmd := exec.CommandContext(ctx, s.o.Cli, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HPMQ_CLI_SERVER=http://"+s.broker.Admin)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	begin := time.Now()
	err := cmd.Run()
	fmt.Fprintf(s.o.Out, "  %6.1f s  hpmq-cli", time.Since(begin).Seconds())
	for _, a := range args {
		fmt.Fprintf(s.o.Out, " %s", a)
	}
	fmt.Fprintln(s.o.Out)
	if err != nil {
		return fmt.Errorf("%s: %w: %s", args, err, out.String())
	}
	return nil
}
