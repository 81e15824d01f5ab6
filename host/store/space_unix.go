//go:build darwin || dragonfly || freebsd || linux || openbsd

package store

import "syscall"

// freeBytes is how much of the file system of dir is free for this process.
func freeBytes(dir string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return availableOf(&st), nil
}
