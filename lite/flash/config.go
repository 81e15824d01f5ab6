package flash

import (
	"errors"
	"time"

	"github.com/hpmq/hpmq/lite/broker"
)

// Sync says when a write is answered.
type Sync uint8

const (
	// SyncCommit answers when the device has it.
	SyncCommit Sync = iota
	// SyncNone answers at once. A kill of the process loses little, a power cut more.
	SyncNone
)

// Config of a store.
type Config struct {
	// Dir is the folder of the file; it is made with mode 0700. Memory keeps everything in memory
	// alone, within the same limits, and needs no Sync.
	Dir  string
	Sync Sync
	// EntriesMax bounds how many messages are retained, BytesMax the sum of their topics and
	// values. Both are memory as well as flash.
	EntriesMax int
	BytesMax   int64
	// PendingBytesMax bounds what waits for the device; a write above it is refused with ErrBusy.
	PendingBytesMax int64
	// GarbagePercent of the file, and GarbageBytesMin, are what is reached before it is written
	// anew.
	GarbagePercent  int
	GarbageBytesMin int64
	// RetryPause is how long a file that failed is left alone before it is written anew.
	RetryPause time.Duration
	// Now is the kernel's clock, for what expires.
	Now func() broker.Time
	// Trouble hears of errors of the device, on the goroutine of the store; nil ignores them. Those
	// of SyncCommit reach the kernel as well.
	Trouble func(error)

	// create opens a new file for writing; tests put failing devices here.
	create func(path string) (file, error)
}

// Memory as Config.Dir.
const Memory = "memory"

// Default suits a device with some megabytes to spare. Set Dir.
func Default() Config {
	return Config{
		EntriesMax:      10_000,
		BytesMax:        4 << 20, // memory too: a quarter of what the process may have
		PendingBytesMax: 1 << 20,
		GarbagePercent:  50,        // the file is at most twice what it keeps
		GarbageBytesMin: 256 << 10, // a small file is not worth the wear
		RetryPause:      time.Second,
		Now:             func() broker.Time { return broker.Time(time.Now().UnixMilli()) },
		create:          createFile,
	}
}

// Validate says what is wrong with c.
func (c *Config) Validate() error {
	switch {
	case c.Dir == "":
		return errors.New("flash: config: no folder")
	case c.Sync > SyncNone:
		return errors.New("flash: config: no such sync policy")
	case c.EntriesMax < 0 || c.BytesMax < 0 || c.PendingBytesMax < 1:
		return errors.New("flash: config: limits: not below 0, and something must fit")
	case c.GarbagePercent < 1 || c.GarbagePercent > 99 || c.GarbageBytesMin < 0:
		return errors.New("flash: config: garbage: 1 to 99 percent")
	case c.Now == nil || c.create == nil:
		return errors.New("flash: config: start from Default")
	}
	return nil
}
