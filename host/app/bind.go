package app

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

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
	flag := "bind (at the start also with --listen tcp://HOST:PORT)"
	if e.Who == whoAdmin {
		flag = "admin.bind (or with --admin HOST:PORT or --admin off)"
	}
	if strings.HasPrefix(e.Bind, configs.Unix+"://") {
		return e.adviceUnix()
	}
	switch {
	case errors.Is(e.Err, syscall.EADDRINUSE):
		return "another program has it; end that, or take another address in " + flag
	case errors.Is(e.Err, syscall.EACCES):
		return "ports below 1024 need a privilege; take a higher one in " + flag
	case errors.Is(e.Err, syscall.EADDRNOTAVAIL):
		return "it is no address of this machine; take one that is in " + flag
	}
	return "take another address in " + flag
}

func (e *BindError) adviceUnix() string {
	switch {
	case errors.Is(e.Err, errNoSocket):
		return "remove it, or name another path"
	case errors.Is(e.Err, syscall.EADDRINUSE):
		return "another program serves it; end that, or name another path"
	case errors.Is(e.Err, fs.ErrNotExist):
		return "make its folder first"
	}
	return "name a path that can be written"
}

const whoAdmin = "admin"

// errNoSocket: the path of a unix socket has something else.
var errNoSocket = errors.New("there is a file that is no socket")

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
	try := func(who, bind string, b configs.Bind) {
		if err := probeOne(b); err != nil {
			errs = append(errs, &BindError{Who: who, Bind: bind, Err: err})
		}
	}
	for i := range c.Listeners {
		l := &c.Listeners[i]
		b, err := configs.ParseBind(l.Bind)
		if err != nil {
			return fmt.Errorf("app: listener %s: %w", l.Name, err)
		}
		try("listener "+l.Name, l.Bind, b)
	}
	if c.Admin.Bind != configs.Off {
		if b, err := configs.ParseBind("tcp://" + c.Admin.Bind); err == nil {
			try(whoAdmin, c.Admin.Bind, b)
		}
	}
	return errors.Join(errs...)
}

// probeOne binds b for a moment. A unix socket that is there is free if nobody serves it.
func probeOne(b configs.Bind) error {
	if b.Scheme == configs.Unix {
		switch info, err := os.Lstat(b.Path); {
		case err != nil: // bind knows best what is wrong with the path
		case info.Mode().Type() != fs.ModeSocket:
			return errNoSocket
		default:
			return probeSocket(b.Path)
		}
	}
	l, err := net.Listen(b.Network(), b.Address())
	if err != nil {
		return err
	}
	return l.Close()
}

// probeNext is probeOne for a listener whose unix socket is to be made again: what stands in its
// place is found before the old is let go.
func probeNext(l *configs.Listener) error {
	b, err := configs.ParseBind(l.Bind)
	if err == nil && b.Scheme == configs.Unix {
		err = probeOne(b)
	}
	if errors.Is(err, fs.ErrNotExist) || err == nil {
		return nil
	}
	return &BindError{Who: "listener " + l.Name, Bind: l.Bind, Err: err}
}

// socketFile is the unix socket that bind names, nil if there is none.
func socketFile(bind string) fs.FileInfo {
	b, err := configs.ParseBind(bind)
	if err != nil || b.Scheme != configs.Unix {
		return nil
	}
	info, err := os.Lstat(b.Path)
	if err != nil {
		return nil
	}
	return info
}

// lost is true if the unix socket of d was removed, or another stands in its place.
func (d *door) lost() bool {
	if d.file == nil || d.socket == "" {
		return false
	}
	now := socketFile(d.bind)
	return now == nil || !os.SameFile(now, d.file) || !now.ModTime().Equal(d.file.ModTime())
}

func probeSocket(path string) error {
	c, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		_ = c.Close()
		return syscall.EADDRINUSE
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return nil // a broker that was killed left it
	}
	return err
}
