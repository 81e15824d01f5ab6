package wasm

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/wasm/asm"
)

// cachedIn is a configuration with a cache and what it logs.
func cachedIn(t *testing.T, dir string) (Config, *bytes.Buffer) {
	t.Helper()
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("nothing is compiled here")
	}
	var log bytes.Buffer
	c := Default()
	c.CacheDir, c.Log = dir, slog.New(slog.NewTextHandler(&log, nil))
	return c, &log
}

// answers compiles a module that answers n, on an engine of its own, and checks that it does.
func answers(t *testing.T, c Config, numbers ...int32) {
	t.Helper()
	e, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	for _, n := range numbers {
		m, err := e.Compile(context.Background(), answering(n).Bytes())
		if err != nil {
			t.Fatal(err)
		}
		expect(t, m, n)
		if err := m.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

func answering(n int32) *asm.Module {
	m := asm.New()
	m.ExportFunc("f", m.Func(none, i32, none, asm.I32Const(n)))
	return m
}

func expect(t *testing.T, m *Module, n int32) {
	t.Helper()
	g, err := m.Instantiate(context.Background(), nil, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	f, err := g.Func("f")
	if err != nil {
		t.Fatal(err)
	}
	stack := make([]uint64, 1)
	if err := g.Call(f, stack); err != nil || int32(stack[0]) != n {
		t.Errorf("answers %d, not %d: %v", stack[0], n, err)
	}
}

// entries are the files in the folders of versions.
func entries(t *testing.T, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "wazero-*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestCacheIsUsed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "cache")
	c, log := cachedIn(t, dir)
	answers(t, c, 1, 2)
	files := entries(t, dir)
	if len(files) != 2 {
		t.Fatalf("entries %v", files)
	}
	old := time.Unix(1_000_000_000, 0)
	for _, f := range files {
		if err := os.Chtimes(f, old, old); err != nil {
			t.Fatal(err)
		}
	}
	answers(t, c, 1, 2)
	for _, f := range entries(t, dir) {
		if info, err := os.Stat(f); err != nil || !info.ModTime().Equal(old) {
			t.Errorf("%s is written again: %v", f, err)
		}
	}
	if log.Len() > 0 {
		t.Errorf("logged: %s", log)
	}
}

// TestADamagedCacheIsNotRun: the engine would run what the damaged numbers lead to.
func TestADamagedCacheIsNotRun(t *testing.T) {
	for name, damage := range map[string]func(b []byte) []byte{
		"an offset":   func(b []byte) []byte { b[30] ^= 0xff; return b },
		"a count":     func(b []byte) []byte { copy(b[14:], "\xff\xff\xff\xff"); return b },
		"the code":    func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"cut off":     func(b []byte) []byte { return b[:len(b)/2] },
		"empty":       func([]byte) []byte { return nil },
		"other bytes": func([]byte) []byte { return []byte("#!/bin/sh\n") },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c, log := cachedIn(t, dir)
			answers(t, c, 7)
			file := entries(t, dir)[0]
			good, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			bad := damage(bytes.Clone(good))
			if err := os.WriteFile(file, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			answers(t, c, 7)
			if now, err := os.ReadFile(file); err != nil || bytes.Equal(now, bad) {
				t.Errorf("the damage stays: %v", err)
			}
			if log.Len() > 0 {
				t.Errorf("logged: %s", log)
			}
		})
	}
}

func TestLeftoversAndAForeignIndexGo(t *testing.T) {
	dir := t.TempDir()
	c, _ := cachedIn(t, dir)
	answers(t, c, 1)
	entry := entries(t, dir)[0]
	for name, text := range map[string]string{
		entry + ".1.tmp": "half", filepath.Join(filepath.Dir(entry), "stranger"): "?",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	answers(t, c, 1)
	if got := entries(t, dir); len(got) != 1 || got[0] != entry {
		t.Errorf("entries %v", got)
	}
	index := filepath.Join(dir, indexFile)
	if err := os.WriteFile(index, []byte("zz\n00 ../../etc/passwd\n\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	answers(t, c, 1)
	if text, err := os.ReadFile(index); err != nil || !strings.Contains(string(text), "wazero-") ||
		strings.Contains(string(text), "passwd") {
		t.Errorf("index %q, %v", text, err)
	}
}

func TestCacheIsPruned(t *testing.T) {
	dir := t.TempDir()
	c, log := cachedIn(t, dir)
	answers(t, c, 1, 2, 3)
	files := entries(t, dir)
	info, err := os.Stat(files[1])
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range files {
		at := time.Unix(int64(1_000_000_000+i), 0)
		if err := os.Chtimes(f, at, at); err != nil {
			t.Fatal(err)
		}
	}
	c.CacheBytesMax = 2 * uint64(info.Size())
	answers(t, c) // at the start
	if got := entries(t, dir); len(got) != 2 || got[0] != files[1] {
		t.Errorf("left at the start: %v of %v", got, files)
	}
	answers(t, c, 1, 2, 3, 4, 5, 6) // and while it runs
	if got := entries(t, dir); len(got) > 2 {
		t.Errorf("left while it runs: %v", got)
	}
	if log.Len() > 0 {
		t.Errorf("logged: %s", log)
	}
}

func TestACacheThatCannotBeUsed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	open := filepath.Join(t.TempDir(), "open")
	if err := os.Mkdir(open, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{
		"is a file": file, "is below a file": filepath.Join(file, "x"), "is open to all": open,
	} {
		if name == "is open to all" && runtime.GOOS == "windows" {
			continue
		}
		c, log := cachedIn(t, dir)
		answers(t, c, 1, 2)
		if !strings.Contains(log.String(), "compiled code is not kept") {
			t.Errorf("%s: logged %q", name, log)
		}
		if dir == open && len(entries(t, dir)) > 0 {
			t.Error("it is used")
		}
	}
}

// TestAFullCacheStillCompiles: the folder is gone, which to the engine is as good as a disk that is
// full or read-only. The code in memory goes with its module all the same.
func TestAFullCacheStillCompiles(t *testing.T) {
	dir := t.TempDir()
	c, log := cachedIn(t, dir)
	e := open(t, c)
	folders, err := filepath.Glob(filepath.Join(dir, "wazero-*"))
	if err != nil || len(folders) != 1 {
		t.Fatalf("%v, %v", folders, err)
	}
	if err := os.Remove(folders[0]); err != nil {
		t.Fatal(err)
	}
	for n := range int32(3) {
		m, err := e.Compile(context.Background(), answering(n).Bytes())
		if err != nil {
			t.Fatal(err)
		}
		expect(t, m, n)
		if err := m.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Instantiate(context.Background(), nil, Limits{}); err == nil {
			t.Error("the code of a closed module is still held")
		}
	}
	if n := strings.Count(log.String(), "newly compiled code is not kept"); n != 1 {
		t.Errorf("warned %d times: %s", n, log)
	}
}
