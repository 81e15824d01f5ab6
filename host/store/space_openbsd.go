package store

import "syscall"

func availableOf(st *syscall.Statfs_t) int64 { return st.F_bavail * int64(st.F_bsize) }
