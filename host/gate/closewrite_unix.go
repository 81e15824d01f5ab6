//go:build unix

package gate

import (
	"syscall"

	"github.com/panjf2000/gnet/v2"
)

// closeWrite sends our end; the peer's may still come.
func closeWrite(gc gnet.Conn) error {
	return syscall.Shutdown(gc.Fd(), syscall.SHUT_WR)
}
