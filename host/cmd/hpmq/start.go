package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/app"
)

// starting is a broker, or why there is none.
type starting struct {
	app *app.App
	err error
}

// open starts a broker beside who takes the signals: a registry may not answer, and SIGTERM must be
// heard all the same. It answers none, without an error, if a signal ended the start; hup says that
// a reload was asked for meanwhile.
func open(ctx context.Context, sys *system, cfg configs.Config) (a *app.App, hup bool, err error) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	started := make(chan starting, 1)
	go func() {
		a, err := app.Open(ctx, cfg, app.Options{Restoring: sys.restoring})
		started <- starting{a, err}
	}()
	stopping := false
	for {
		select {
		case s := <-started:
			if stopping {
				return nil, false, s.undo()
			}
			return s.app, hup, s.err
		case s := <-sys.signals:
			switch {
			case s == syscall.SIGHUP:
				hup = true
			case stopping:
				return nil, false, errNow
			default:
				stopping = true
				_, _ = fmt.Fprintln(sys.out, "hpmq: stopping; again to end at once")
				end()
			}
		}
	}
}

// undo ends what a signal came too late for.
func (s *starting) undo() error {
	switch {
	case s.err == nil:
		return s.app.Close()
	case errors.Is(s.err, context.Canceled):
		return nil
	}
	return s.err
}
