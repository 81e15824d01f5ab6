//go:build unix

package gate

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"

	"github.com/panjf2000/gnet/v2"
)

// direct: a connection with a meter writes to its descriptor itself.
const direct = true

// parked answers a descriptor of the socket that outlives gc.
func parked(gc gnet.Conn) (int, error) { return gc.Dup() }

// drop closes a parked socket; reset: the system forgets what it has not sent.
func drop(fd int, reset bool) {
	if reset {
		_ = syscall.SetsockoptLinger(fd, syscall.SOL_SOCKET, syscall.SO_LINGER,
			&syscall.Linger{Onoff: 1})
	}
	_ = syscall.Close(fd)
}

// socketError answers what happened to a socket that nobody reads.
func socketError(fd int) error {
	n, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_ERROR)
	if err == nil && n != 0 {
		err = syscall.Errno(n)
	}
	return err
}

// remoteOf answers the address of the peer of a socket, without its port.
func remoteOf(fd int) string {
	sa, err := syscall.Getpeername(fd)
	if err != nil {
		return ""
	}
	switch a := sa.(type) {
	case *syscall.SockaddrInet4:
		return netip.AddrFrom4(a.Addr).String()
	case *syscall.SockaddrInet6:
		return netip.AddrFrom16(a.Addr).Unmap().String()
	}
	return ""
}

// writeSome writes what the socket takes now.
func writeSome(fd int, b []byte) (int, error) {
	sent := 0
	for sent < len(b) {
		n, err := syscall.Write(fd, b[sent:])
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EAGAIN):
			return sent, nil
		case err != nil:
			return sent, os.NewSyscallError("write", err)
		default:
			sent += n
		}
	}
	return sent, nil
}

// enrolAgain gives a parked socket to gnet, and waits for the loop. Never called by a loop.
func (l *loop) enrolAgain(h homing) error {
	f := os.NewFile(uintptr(h.fd), "parked")
	nc, err := net.FileConn(f)
	_ = f.Close()
	if err != nil {
		return err
	}
	if nc.RemoteAddr() == nil { // gnet needs one; a peer that is gone has none
		_ = nc.Close()
		return syscall.ECONNRESET
	}
	if t, ok := nc.(*net.TCPConn); ok { // FileConn set its own
		_ = t.SetKeepAliveConfig(net.KeepAliveConfig{
			Enable: l.g.cfg.KeepAlive > 0, Idle: l.g.cfg.KeepAlive,
		})
	}
	_, err = l.client.EnrollContext(nc, h.conn)
	return err
}
