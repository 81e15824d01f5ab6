package demo

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/hpmq/hpmq/conformance/process"
)

//go:embed testdata/hpmq.yaml
var configFile []byte

//go:embed testdata/v1.json
var v1Config []byte

//go:embed testdata/v2.json
var v2Config []byte

// Options say what to run.
type Options struct {
	Hpmq, Cli string // binaries
	Guests    string // the folder with hostile-loop.wasm and hostile-trap.wasm
	Rate      int    // messages a second
	Each      int    // messages to be seen between two steps
	Out       io.Writer
}

// Report is what came of it.
type Report struct {
	Sent, Received int
	Shapes         []string
	Faults         []string // messages lost, doubled or out of order, connections ended
}

// story is a run under way.
type story struct {
	o      Options
	dir    string
	broker *process.Broker
	t      *traffic
}

// Run tells the story. An error is a step that did not end as told; faults are in the report.
func Run(ctx context.Context, o Options) (Report, error) {
	dir, err := os.MkdirTemp("", "hpmq-demo-")
	if err != nil {
		return Report{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	s := &story{o: o, dir: dir}
	if err := s.open(ctx); err != nil {
		return Report{}, err
	}
	return s.tell(ctx, s.steps)
}

// tell runs the steps while the device publishes, then ends the broker.
func (s *story) tell(ctx context.Context, steps func(context.Context) error) (Report, error) {
	defer s.broker.Stop()
	defer s.t.close()
	load, stop := context.WithCancel(ctx)
	published := make(chan error, 1)
	go func() { published <- s.t.publish(load, s.o.Rate) }()
	err := steps(ctx)
	stop()
	err = errors.Join(err, <-published)
	if err == nil {
		err = s.t.caughtUp(ctx)
	}
	r := s.report()
	if err != nil {
		err = fmt.Errorf("%w\nthe broker's log:\n%s", err, s.broker.Log())
	}
	return r, err
}

func (s *story) open(ctx context.Context) error {
	return s.start(ctx, vendor(), map[string][]byte{
		"hpmq.yaml": configFile, "v1.json": v1Config, "v2.json": v2Config,
		"notwasm.wasm": []byte("MZ: this is not WebAssembly\n"),
	})
}

// start writes the files, runs the broker on hpmq.yaml of them and connects the two clients.
func (s *story) start(ctx context.Context, play scene, files map[string][]byte) error {
	for name, body := range files {
		if err := os.WriteFile(filepath.Join(s.dir, name), body, 0o600); err != nil {
			return err
		}
	}
	var err error
	args := []string{"--config", filepath.Join(s.dir, "hpmq.yaml"),
		"--data", filepath.Join(s.dir, "data"), "--admin", "127.0.0.1:0"}
	if s.broker, err = process.Start(ctx, s.o.Hpmq, args...); err != nil {
		return err
	}
	if s.t, err = open(s.broker.MQTT, play); err != nil {
		s.broker.Stop()
	}
	return err
}

// steps is the story itself.
func (s *story) steps(ctx context.Context) error {
	s.say("A device publishes vendor JSON, %d messages a second; transformer-json reads it as v1.",
		s.o.Rate)
	if err := s.t.until(ctx, v1, s.o.Each); err != nil {
		return err
	}
	for i, next := range []shape{v2, v1, v2, v1, v2} {
		s.say("Swap %d of 5: transformer-json %s.", i+1, next)
		config := filepath.Join(s.dir, string(next)+".json")
		if err := s.swap(ctx, "transformer", "transformer-json", "--config", config); err != nil {
			return err
		}
		if err := s.t.until(ctx, next, s.o.Each); err != nil {
			return err
		}
	}
	for _, bad := range []string{"hostile-loop", "hostile-trap"} {
		if err := s.hostile(ctx, bad); err != nil {
			return err
		}
	}
	return s.refused(ctx)
}

// hostile swaps in a component that links and then misbehaves at every call. The transformer
// fails open: messages go by unchanged until the operator rolls back.
func (s *story) hostile(ctx context.Context, name string) error {
	s.say("Swap in %s, which misbehaves at every call: contained, messages go by unchanged.", name)
	if err := s.swap(ctx, "transformer", filepath.Join(s.o.Guests, name+".wasm")); err != nil {
		return err
	}
	if err := s.t.until(ctx, raw, s.o.Each); err != nil {
		return err
	}
	out, err := s.cli(ctx, "link", "show")
	if err != nil {
		return fmt.Errorf("demo: link show: %w", err)
	}
	s.quote(out)
	s.say("Roll back.")
	out, err = s.cli(ctx, "link", "rollback", "--listener", "demo", "--role", "transformer")
	s.quote(out)
	if err != nil {
		return fmt.Errorf("demo: rollback: %w: %s", err, out)
	}
	return s.t.until(ctx, v2, s.o.Each)
}

// refused tries what is not WebAssembly at all.
func (s *story) refused(ctx context.Context) error {
	s.say("Swap in a file that is not WebAssembly: refused, nothing changes.")
	bad := filepath.Join(s.dir, "notwasm.wasm")
	out, err := s.cli(ctx, "link", "swap", "--listener", "demo", "--role", "transformer",
		"--use", bad)
	s.quote(out)
	if err == nil {
		return errors.New("demo: a file that is not WebAssembly was linked")
	}
	if !strings.Contains(strings.ToLower(out), "not webassembly") {
		return fmt.Errorf("demo: the refusal does not say why: %s", out)
	}
	return s.t.until(ctx, v2, s.o.Each)
}

func (s *story) swap(ctx context.Context, role, use string, more ...string) error {
	args := []string{"link", "swap", "--listener", "demo", "--role", role, "--use", use}
	out, err := s.cli(ctx, append(args, more...)...)
	s.quote(out)
	if err != nil {
		return fmt.Errorf("demo: swap to %s: %w: %s", use, err, out)
	}
	return nil
}

// cli runs hpmq-cli against the broker and answers all it wrote.
func (s *story) cli(ctx context.Context, args ...string) (string, error) {
	args = append([]string{"--server", "http://" + s.broker.Admin}, args...)
	cmd := exec.CommandContext(ctx, s.o.Cli, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

func (s *story) say(format string, args ...any) {
	fmt.Fprintf(s.o.Out, "\n"+format+"\n", args...)
}

func (s *story) quote(out string) {
	for line := range strings.Lines(strings.TrimSpace(out)) {
		fmt.Fprintf(s.o.Out, "    %s\n", strings.TrimRight(line, "\n"))
	}
}

func (s *story) report() Report {
	t := s.t
	t.mu.Lock()
	defer t.mu.Unlock()
	r := Report{Sent: t.sent, Received: t.got}
	for _, x := range t.shapes {
		r.Shapes = append(r.Shapes, string(x))
	}
	r.Faults = append(append(r.Faults, t.faults...), t.lost...)
	return r
}
