package wasm

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
)

// cache is the folder with compiled code. It is a help and never a need: what is wrong with it is
// logged, and the engine compiles.
//
// The engine below writes an entry a module and checks little of what it reads, of the code only a
// sum; an entry that is damaged elsewhere would end the process. So each file has a line in an
// index, and what does not agree with its line is removed before the engine can see it.
//
//	DIR/index                       CRC-32C in hexadecimal, space, path below DIR; a line an entry
//	DIR/wazero-VERSION-…/KEY        an entry
//	DIR/wazero-VERSION-…/KEY.*.tmp  one that was being written when the process ended
//
// Only the goroutine that opens the engine, and then the one that compiles, use it.
type cache struct {
	dir      string
	bytesMax uint64
	log      *slog.Logger
	wazero   wazero.CompilationCache
	sums     map[string]uint32 // by path below dir
	warned   bool              // of an entry that could not be written
}

const indexFile = "index"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// openCache is nil if the folder cannot be used. It reads all of it, once.
func openCache(cfg Config) *cache {
	c := &cache{dir: cfg.CacheDir, bytesMax: cfg.CacheBytesMax, log: cfg.Log}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if err := c.open(); err != nil {
		c.log.Warn("wasm: compiled code is not kept, every start compiles anew",
			"cache", c.dir, "reason", err.Error())
		return nil
	}
	return c
}

func (c *cache) open() error {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	info, err := os.Stat(c.dir)
	if err != nil {
		return err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("others can write to it (mode %v), and what is there is run: "+
			"chmod go-w it", info.Mode().Perm())
	}
	if c.wazero, err = wazero.NewCompilationCacheWithDir(c.dir); err != nil {
		return err
	}
	had := c.readIndex()
	c.sums = map[string]uint32{}
	for _, f := range c.files() {
		want, ok := had[f.path]
		if sum, err := c.sum(f.path); !ok || err != nil || sum != want {
			if err := os.Remove(filepath.Join(c.dir, f.path)); err != nil {
				return fmt.Errorf("%s is damaged and stays: %w", f.path, err)
			}
			continue
		}
		c.sums[f.path] = want
	}
	c.prune()
	if len(c.sums) != len(had) {
		c.writeIndex() // a folder that cannot be written to can still be read
	}
	return nil
}

// cached is an entry, or what is left of one.
type cached struct {
	path string // below dir
	size int64
	at   time.Time
}

// files lists what is in the folders of the engine's versions, the oldest first.
func (c *cache) files() []cached {
	var out []cached
	folders, _ := os.ReadDir(c.dir) // what cannot be read has nothing; Glob is 5 KB of hpmq-lite
	for _, folder := range folders {
		if !strings.HasPrefix(folder.Name(), "wazero-") {
			continue
		}
		entries, _ := os.ReadDir(filepath.Join(c.dir, folder.Name()))
		for _, e := range entries {
			if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
				path := filepath.Join(folder.Name(), e.Name())
				out = append(out, cached{path, info.Size(), info.ModTime()})
			}
		}
	}
	// Package sort, as all sorting here: each use of slices.SortFunc is 10 KB of hpmq-lite.
	sort.SliceStable(out, func(i, j int) bool { return out[i].at.Before(out[j].at) })
	return out
}

// tend takes note of what the engine wrote.
func (c *cache) tend() {
	changed := false
	for _, f := range c.files() {
		if _, ok := c.sums[f.path]; ok || strings.HasSuffix(f.path, ".tmp") {
			continue
		}
		if sum, err := c.sum(f.path); err == nil {
			c.sums[f.path] = sum
			changed = true
		}
	}
	if changed {
		c.prune()
		c.writeIndex()
	}
}

// prune removes the oldest entries until the rest is small enough. The code of those that are in
// use is in memory.
func (c *cache) prune() {
	files := c.files()
	total := uint64(0)
	for _, f := range files {
		total += uint64(f.size)
	}
	for _, f := range files {
		if total <= c.bytesMax {
			return
		}
		if err := os.Remove(filepath.Join(c.dir, f.path)); err == nil {
			delete(c.sums, f.path)
			total -= uint64(f.size)
		}
	}
}

func (c *cache) sum(path string) (uint32, error) {
	f, err := os.Open(filepath.Join(c.dir, path))
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }()
	h := crc32.New(castagnoli)
	_, err = io.Copy(h, f)
	return h.Sum32(), err
}

// readIndex is empty if there is none. A line that makes no sense is left out: its entry goes.
func (c *cache) readIndex() map[string]uint32 {
	sums := map[string]uint32{}
	f, err := os.Open(filepath.Join(c.dir, indexFile))
	if err != nil {
		return sums
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var sum uint32
		var path string
		if n, _ := fmt.Sscanf(lines.Text(), "%x %s", &sum, &path); n == 2 {
			sums[path] = sum
		}
	}
	return sums
}

// writeIndex replaces the index as a whole. Entries that are not in it are compiled anew.
func (c *cache) writeIndex() {
	var b strings.Builder
	for _, path := range slices.Sorted(maps.Keys(c.sums)) {
		fmt.Fprintf(&b, "%08x %s\n", c.sums[path], path)
	}
	name := filepath.Join(c.dir, indexFile)
	err := os.WriteFile(name+".tmp", []byte(b.String()), 0o600)
	if err == nil {
		err = os.Rename(name+".tmp", name)
	}
	if err != nil {
		c.warn(err)
	}
}

// warn says once that nothing new is kept: a disk that is full stays so for a while.
func (c *cache) warn(err error) {
	if !c.warned {
		c.log.Warn("wasm: newly compiled code is not kept", "cache", c.dir, "reason", err.Error())
	}
	c.warned = true
}

// compile compiles by once, which is the engine's, and gets round the faults of the cache.
func (c *cache) compile(
	ctx context.Context, once func() (wazero.CompiledModule, error),
) (wazero.CompiledModule, error) {
	m, err := once()
	switch {
	case err == nil:
		c.tend()
		return m, nil
	case !unwritten(err):
		return nil, err
	}
	c.warn(err)
	// It was compiled and is in memory under one reference that nobody has; the next one is ours.
	m, err = once()
	if err != nil {
		return nil, err
	}
	return m, m.Close(ctx)
}

// unwritten tells an error about an entry on its way to the disk from all others.
func unwritten(err error) bool {
	var path *fs.PathError
	var link *os.LinkError
	return errors.As(err, &path) && strings.HasSuffix(path.Path, ".tmp") ||
		errors.As(err, &link) && strings.HasSuffix(link.Old, ".tmp")
}
