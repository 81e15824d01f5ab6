package app

import (
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/hpmq/hpmq/configs"
)

// BindError says which address cannot be listened on, and what to do.
type BindError struct {
	// Who is "listener NAME" or "admin".
	Who, Bind string
	Err       error
}

// Error says it on one line.
func (e *BindError) Error() string {
	text := fmt.Sprintf("%s cannot listen on %s: %v", e.Who, e.Bind, cause(e.Err))
	return text + ": " + e.advice()
}

// Unwrap is the reason.
func (e *BindError) Unwrap() error { return e.Err }

func (e *BindError) advice() string {
	flag := "--listen tcp://HOST:PORT"
	if e.Who == whoAdmin {
		flag = "--admin HOST:PORT or --admin off"
	}
	switch {
	case errors.Is(e.Err, syscall.EADDRINUSE):
		return "another program has it; end that, or take another address with " + flag
	case errors.Is(e.Err, syscall.EACCES):
		return "ports below 1024 need a privilege; take a higher one with " + flag
	case errors.Is(e.Err, syscall.EADDRNOTAVAIL):
		return "it is no address of this machine; take one that is with " + flag
	}
	return "take another address with " + flag
}

const whoAdmin = "admin"

// cause is err without the words that BindError says itself.
func cause(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	var no syscall.Errno
	if errors.As(err, &no) {
		return no
	}
	return err
}

// probe binds every address for a moment. What is taken is found before components are compiled,
// which takes seconds the first time; between then and the real bind it can still be lost.
func probe(c *configs.Config) error {
	var errs []error
	try := func(who, bind, address string) {
		l, err := net.Listen("tcp", address)
		if err != nil {
			errs = append(errs, &BindError{Who: who, Bind: bind, Err: err})
			return
		}
		_ = l.Close()
	}
	for i := range c.Listeners {
		l := &c.Listeners[i]
		b, err := configs.ParseBind(l.Bind)
		if err != nil {
			return fmt.Errorf("app: listener %s: %w", l.Name, err)
		}
		try("listener "+l.Name, l.Bind, b.Address())
	}
	if c.Admin.Bind != configs.Off {
		try(whoAdmin, c.Admin.Bind, c.Admin.Bind)
	}
	return errors.Join(errs...)
}
