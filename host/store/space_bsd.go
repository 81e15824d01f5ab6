//go:build darwin || dragonfly || freebsd

package store

import "syscall"

func availableOf(st *syscall.Statfs_t) int64 { return int64(st.Bavail) * int64(st.Bsize) }
