package store

import (
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/hpmq/hpmq/host/journal"
	"github.com/hpmq/hpmq/lite/broker"
)

// DiskConfig is what a Disk is told once.
type DiskConfig struct {
	// Dir is the folder of the store; it is made with mode 0700.
	Dir string
	// RetainedMax bounds how many retained messages are kept, RetainedBytesMax the sum of their
	// topics and values.
	RetainedMax      int64
	RetainedBytesMax int64
	// PendingBytesMax bounds what waits for the device; a write above it is refused with ErrBusy.
	PendingBytesMax int64
	// InlineBytesMax is the largest message of several queues that stands in each of them.
	InlineBytesMax int
	// SegmentBytes is the size at which the journal goes on in a new file. What is in the old one
	// is brought to the database then.
	SegmentBytes int64
	// Interval is the longest that what was answered Relaxed may be unsafe from a power cut.
	Interval time.Duration
	// GroupTimeout ends the wait for the parts of a group; it is only ever reached by a fault.
	GroupTimeout time.Duration
	// FreeBytesMin is how much of the file system must be free for anything new to be kept; once it
	// was not, a quarter more. It is the room for what was kept before and is on its way: the
	// presets have what Reserve answers.
	FreeBytesMin int64
	// Readers is how many goroutines read.
	Readers int
	// Cache and MemTable, bytes, are what the database takes of memory: the cache once, up to
	// MemTables of the others. Files bounds its open files.
	CacheBytes    int64
	MemTableBytes uint64
	MemTables     int
	FilesMax      int
	// Now is the kernel's clock, for what expires.
	Now func() broker.Time
	// Trouble hears of errors of the device, on a goroutine of the store; nil ignores them.
	Trouble func(error)

	// Space is how many bytes are free for this process where dir is; it is asked by several
	// goroutines.
	Space func(dir string) (int64, error)

	// Create makes a file of the journal; nil makes those of the file system.
	Create func(path string) (journal.File, error)

	// Salvage goes on behind damage of the journal, which is an error otherwise: for who saves what
	// is left, not for a broker.
	Salvage bool

	fs        vfs.FS // of the database
	steps     []migration
	roomEvery time.Duration // how often a store without room looks for room of its own
}

// DefaultDisk suits a server. Set Dir.
func DefaultDisk() DiskConfig {
	return DiskConfig{
		RetainedMax:      10_000_000,
		RetainedBytesMax: 16 << 30,
		PendingBytesMax:  64 << 20,
		InlineBytesMax:   1024, // below it a reference costs more than the copy
		SegmentBytes:     64 << 20,
		Interval:         50 * time.Millisecond,
		GroupTimeout:     10 * time.Second,
		FreeBytesMin:     256 << 20, // Reserve
		Readers:          2,
		CacheBytes:       64 << 20,
		MemTableBytes:    16 << 20,
		MemTables:        4,
		FilesMax:         1000,
		Now:              func() broker.Time { return broker.Time(time.Now().UnixMilli()) },
		fs:               vfs.Default,
		Space:            freeBytes,
		steps:            migrations(),
		roomEvery:        5 * time.Second,
	}
}

// Reserve is what the store may still write once nothing new is kept: the segment of the journal in
// use and the one that waits for the database, and each memory table twice, as it is brought to the
// device and as that is merged.
func (c *DiskConfig) Reserve() int64 {
	return 2*c.SegmentBytes + 2*int64(c.MemTables)*int64(c.MemTableBytes)
}

// ForMemory is DefaultDisk for a machine with so many bytes of memory: what the store takes of it
// is a fifth at most.
func ForMemory(bytes int64) DiskConfig {
	c := DefaultDisk()
	switch {
	case bytes <= 96<<20: // a device of 64 MiB: measured 24 to 30 MB for the whole process
		c.CacheBytes, c.MemTableBytes, c.MemTables, c.FilesMax = 1<<20, 512<<10, 4, 64
		c.SegmentBytes, c.PendingBytesMax = 2<<20, 2<<20
		c.RetainedMax, c.RetainedBytesMax, c.Readers = 100_000, 64<<20, 1
	case bytes <= 256<<20: // 128 MiB: measured 42 MB
		c.CacheBytes, c.MemTableBytes, c.FilesMax = 8<<20, 4<<20, 128
		c.SegmentBytes, c.PendingBytesMax = 16<<20, 8<<20
		c.RetainedMax, c.RetainedBytesMax, c.Readers = 1_000_000, 1<<30, 1
	}
	c.FreeBytesMin = c.Reserve()
	return c
}

// Validate says what is wrong with c.
func (c *DiskConfig) Validate() error {
	switch {
	case c.Dir == "":
		return errors.New("store: config: no folder")
	case c.RetainedMax < 0 || c.RetainedBytesMax < 0 || c.FreeBytesMin < 0:
		return errors.New("store: config: limits: not below 0")
	case c.PendingBytesMax < 1 || c.SegmentBytes < 1 || c.InlineBytesMax < 0:
		return errors.New("store: config: something must fit")
	case c.Interval <= 0 || c.GroupTimeout <= 0:
		return errors.New("store: config: interval and group timeout: above 0")
	case c.Readers < 1 || c.MemTables < 2 || c.FilesMax < 16:
		return errors.New("store: config: at least 1 reader, 2 memory tables, 16 files")
	case c.CacheBytes < 0 || c.MemTableBytes < 64<<10:
		return errors.New("store: config: memory tables of at least 64 KiB")
	case c.Now == nil || c.fs == nil || c.Space == nil:
		return errors.New("store: config: start from DefaultDisk")
	}
	return nil
}
