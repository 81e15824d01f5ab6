package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"
)

// The exit codes.
const (
	exitOK = iota
	// exitFailed: the broker could not start, or did not end well.
	exitFailed
	// exitUsage: the command line makes no sense.
	exitUsage
)

// system is what the program has of the machine.
type system struct {
	out, err io.Writer
	signals  <-chan os.Signal
}

const usage = `
hpmq-lite is an MQTT broker (3.1, 3.1.1, 5.0) for small devices, with WebAssembly as policy.

Told nothing, it listens on tcp://127.0.0.1:1883 with the default components and keeps retained
messages in ./hpmq-lite-data. Sessions and queues live as long as the process.

  hpmq-lite
  hpmq-lite --listen tcp://:1883 --data /var/lib/hpmq --link link.json
  hpmq-lite --listen unix:///run/hpmq.sock --data memory --link none
  hpmq-lite --config hpmq-lite.json

A link names the components of each role; a role it does not name has the default one, an empty
list has none. --link none links no component at all. link.json, to let devices say only what is
theirs:

  {"authorizer": [{"use": "authorizer-rules", "config": {"default": "deny", "rules": [
    {"effect": "allow", "topics": ["dev/%c/#"]}]}}],
   "transformer": []}

hpmq-lite.json has the same, by listener:

  {"data": "/var/lib/hpmq", "listeners": [
    {"name": "plant", "bind": "tcp://:1883", "limits": {"connections_max": 200}, "link": {}}]}

SIGHUP reads the files again and links the components anew: all of them, or nothing changes.
SIGTERM and SIGINT let clients take their last packets; a second one ends at once.

Flags:
`

// options are what the command line says.
type options struct {
	config, link, data, sync, logLevel string
	listen                             binds
	interpreter, version               bool
}

// binds is a flag that may be repeated.
type binds []string

// String is flag.Value.
func (b *binds) String() string { return strings.Join(*b, " ") }

// Set is flag.Value.
func (b *binds) Set(bind string) error {
	*b = append(*b, bind)
	return nil
}

// run runs one command line and answers its exit code.
func run(ctx context.Context, args []string, sys system) int {
	o, err := parse(args, sys.err)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		return exitUsage // flag has said it
	case o.version:
		_, _ = fmt.Fprintln(sys.out, "hpmq-lite", buildVersion())
		return exitOK
	}
	if err := serve(ctx, o, sys); err != nil {
		_, _ = fmt.Fprintln(sys.err, "hpmq-lite:", err)
		return exitFailed
	}
	return exitOK
}

// parse reads the command line.
func parse(args []string, complaints io.Writer) (*options, error) {
	var o options
	fs := flag.NewFlagSet("hpmq-lite", flag.ContinueOnError)
	fs.SetOutput(complaints)
	fs.Usage = func() {
		_, _ = io.WriteString(complaints, strings.TrimLeft(usage, "\n"))
		fs.PrintDefaults()
	}
	fs.StringVar(&o.config, "config", "", "JSON `file` of listeners and their links")
	fs.Var(&o.listen, "listen", "`URL`, tcp://host:port or unix:///path; may be repeated; takes "+
		"the place of the listeners of --config")
	fs.StringVar(&o.link, "link", "",
		"JSON `file` of the link of listeners that have none, or none")
	fs.StringVar(&o.data, "data", "", "`folder`, or memory (default ./hpmq-lite-data)")
	fs.StringVar(&o.sync, "sync", "", "commit: retained messages are acknowledged when the device "+
		"has them; none: at once (default commit)")
	fs.StringVar(&o.logLevel, "log-level", "", "debug, info, warn or error (default warn)")
	fs.BoolVar(&o.interpreter, "interpreter", false, "interpret components: slower, starts sooner")
	fs.BoolVar(&o.version, "version", false, "print the version")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if fs.NArg() > 0 {
		err := fmt.Errorf("hpmq-lite has no argument %q; see hpmq-lite --help", fs.Arg(0))
		_, _ = fmt.Fprintln(complaints, err)
		return nil, err
	}
	return &o, nil
}

// drainTimeout is how long clients may take for their last packets.
const drainTimeout = 10 * time.Second

// errNow ends the program without waiting.
var errNow = errors.New("ended at once")

// serve runs a broker until a signal or ctx ends it.
func serve(ctx context.Context, o *options, sys system) error {
	cfg, err := load(o)
	if err != nil {
		return err
	}
	n, err := openNode(ctx, cfg, sys.err)
	if err != nil {
		return err
	}
	n.greet(sys.out)
	for {
		select {
		case <-ctx.Done():
			return stop(n, sys.signals)
		case s := <-sys.signals:
			if s != syscall.SIGHUP {
				return stop(n, sys.signals)
			}
			reload(ctx, n, o, sys)
		}
	}
}

// reload reads the files again. What is wrong is said and changes nothing.
func reload(ctx context.Context, n *node, o *options, sys system) {
	cfg, err := load(o)
	if err == nil {
		err = n.relink(ctx, cfg)
	}
	if err != nil {
		_, _ = fmt.Fprintln(sys.err, "hpmq-lite: not reloaded:", err)
		return
	}
	_, _ = fmt.Fprintln(sys.out, "hpmq-lite: reloaded")
}

// stop closes n, or returns at the next signal.
func stop(n *node, signals <-chan os.Signal) error {
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	closed := make(chan error, 1)
	go func() { closed <- n.close(ctx) }()
	for {
		select {
		case err := <-closed:
			return err
		case s := <-signals:
			if s != syscall.SIGHUP {
				return errNow
			}
		}
	}
}
