//go:build unix

package gate

import (
	"io/fs"
	"syscall"
)

// narrow gives a unix socket its mode before it has a name, where the system takes one then (Linux
// does), so that nobody gets in between bind and chmod. Elsewhere chmod alone has to do.
func narrow(mode fs.FileMode) func(_, _ string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = syscall.Fchmod(int(fd), uint32(mode.Perm())) })
	}
}
