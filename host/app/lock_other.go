//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package app

import "os"

// lockFile only opens path: this system has no lock to be had without another vendor. Whoever
// starts two brokers in one folder is not stopped here.
func lockFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
}
