//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package flash

import (
	"io"
	"os"
	"syscall"
)

// lockFile keeps another process out until it is closed, or until this process ends.
func lockFile(path string) (io.Closer, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
