//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package flash

import (
	"io"
	"os"
)

// lockFile opens the file alone: there is no lock to be had without another vendor. Whoever starts
// two processes in one folder is not stopped here.
func lockFile(path string) (io.Closer, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
}
