package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/app"
)

// listen brings the signals that serve understands.
func listen() <-chan os.Signal {
	c := make(chan os.Signal, 4)
	signal.Notify(c, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	return c
}

// errNow ends the program without waiting.
var errNow = errors.New("ended at once")

// serve runs a broker until a signal or ctx ends it.
func serve(ctx context.Context, sys *system, from configs.Sources) error {
	cfg, err := load(from)
	if err != nil {
		return err
	}
	if sys.limit != nil {
		sys.limit(int64(cfg.Store.Memory))
	}
	a, hup, err := open(ctx, sys, cfg)
	if err != nil {
		return failure{err}
	}
	if a == nil {
		return nil
	}
	if sys.room != nil {
		sys.room()
	}
	if err := greet(sys.out, a, &cfg); err != nil {
		return failure{errors.Join(err, a.Close())}
	}
	r := newReloader(func(ctx, early context.Context) {
		tell(sys, reload(ctx, early, a, from))
	})
	if hup {
		r.ask()
	}
	closeAll := func() error {
		if err := r.close(); err != nil {
			return err
		}
		return a.Close()
	}
	for {
		select {
		case <-ctx.Done():
			return stop(closeAll, sys.signals)
		case s := <-sys.signals:
			if s != syscall.SIGHUP {
				_, _ = fmt.Fprintln(sys.out, "hpmq: stopping; again to end at once")
				return stop(closeAll, sys.signals)
			}
			r.ask()
		}
	}
}

// stop closes, or returns at the next signal, so that the process ends with what is left undone.
func stop(closeAll func() error, signals <-chan os.Signal) error {
	closed := make(chan error, 1)
	go func() { closed <- closeAll() }()
	for {
		select {
		case err := <-closed:
			if err != nil {
				return failure{err}
			}
			return nil
		case s := <-signals:
			if s != syscall.SIGHUP {
				return failure{errNow}
			}
		}
	}
}

// errAgain is for a reload that ended before it changed anything, since another was asked for.
var errAgain = errors.New("asked for again while it waited for a registry: it begins anew, with " +
	"the configuration as it is now")

// reload reads the sources again. What is wrong changes nothing. early bounds the waiting for
// registries.
func reload(ctx, early context.Context, a *app.App, from configs.Sources) error {
	cfg, err := load(from)
	if err != nil {
		return err
	}
	if err := a.Bring(early, cfg); err != nil {
		if early.Err() != nil && ctx.Err() == nil {
			return errAgain
		}
		return err
	}
	return a.Reload(ctx, cfg)
}

// tell says what became of a reload.
func tell(sys *system, err error) {
	if err != nil {
		_, _ = fmt.Fprintf(sys.err, "hpmq: not reloaded: %s\n", plain(err))
		return
	}
	_, _ = fmt.Fprintln(sys.out, "hpmq: reloaded")
}

// plain leaves out what "not reloaded" says already.
func plain(err error) string {
	text := strings.TrimPrefix(err.Error(), "app: reload: ")
	text = strings.TrimPrefix(text, "nothing has changed: ")
	return strings.TrimPrefix(text, "app: ")
}

// greet says what runs, and what to try. Scripts wait for it.
func greet(w io.Writer, a *app.App, cfg *configs.Config) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(t, "hpmq %s\n", app.Version())
	for _, l := range a.Listening() {
		_, _ = fmt.Fprintf(t, "  listener %s\t%s\n", l.Name, l.Bind)
	}
	admin := "off"
	if url := a.AdminURL(); url != "" {
		if admin = url; a.TokenFile() != "" {
			admin += " (token in " + a.TokenFile() + ")"
		}
	}
	_, _ = fmt.Fprintf(t, "  admin API\t%s\n  data\t%s\n", admin, cfg.DataDir)
	for _, l := range a.Linked() {
		_, _ = fmt.Fprintf(t, "  linked to %s\t%s\n", l.Listener, strings.Join(l.Components, ", "))
	}
	_, _ = fmt.Fprint(t, try(a))
	return t.Flush()
}

// try is commands that work as they stand, by the listener that needs the fewest words.
func try(a *app.App) string {
	ls := a.Listening()
	for _, scheme := range []string{configs.TCP, configs.Unix, configs.TLS} {
		for _, l := range ls {
			if b, err := configs.ParseBind(l.Bind); err == nil && b.Scheme == scheme {
				return fmt.Sprintf("try\n  mosquitto_sub %[1]s -t 'hello/#' -v &\n"+
					"  mosquitto_pub %[1]s -t hello/world -m hi\n", target(b, l.Address))
			}
		}
	}
	return ""
}

// target is b in the words of mosquitto's clients.
func target(b configs.Bind, address string) string {
	host, port := app.Reach(address)
	switch b.Scheme {
	case configs.Unix:
		return "--unix " + b.Path
	case configs.TLS:
		return fmt.Sprintf("-h %s -p %s --cafile ca.pem", host, port)
	}
	return fmt.Sprintf("-h %s -p %s", host, port)
}
