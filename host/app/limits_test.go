package app

import (
	"testing"

	"github.com/hpmq/hpmq/configs"
)

// TestLimitsFollowTheMemory holds that a device has room for what it takes in, and that what is
// configured comes first.
func TestLimitsFollowTheMemory(t *testing.T) {
	for _, x := range []struct {
		memory   configs.Size
		sessions int
		pending  int64
		free     int64
	}{
		{64 * configs.MiB, 10_000, 2 << 20, 8 << 20},
		{128 * configs.MiB, 50_000, 8 << 20, 64 << 20},
		{1024 * configs.MiB, 1_000_000, 64 << 20, 256 << 20},
	} {
		c := configs.Default()
		c.Store.Memory = x.memory
		d := diskConfig(&c, "x")
		if sessionsMax(&c) != x.sessions || d.PendingBytesMax != x.pending ||
			d.FreeBytesMin != x.free {
			t.Error(x.memory, sessionsMax(&c), d.PendingBytesMax, d.FreeBytesMin)
		}
		c.SessionsMax, c.Store.PendingBytesMax, c.Store.FreeBytesMin = 77, 3<<20, 5<<20
		d = diskConfig(&c, "x")
		if sessionsMax(&c) != 77 || d.PendingBytesMax != 3<<20 || d.FreeBytesMin != 5<<20 {
			t.Error(x.memory, sessionsMax(&c), d.PendingBytesMax, d.FreeBytesMin)
		}
		if c.SessionsMax, c.DataDir = 1_000_000, configs.Memory; sessionsMax(&c) != 1_000_000 {
			t.Error("sessions in memory follow the store")
		}
	}
}
