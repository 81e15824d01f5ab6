package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestMain gives all tests one folder of compiled code: compiling wasm-tools takes seconds, under
// the race detector minutes. With TEST_CACHE_HPMQ the folder outlives the run.
func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir := filepath.Join(os.Getenv("TEST_CACHE_HPMQ"), "hpmq-cli")
		if os.Getenv("TEST_CACHE_HPMQ") == "" {
			var err error
			if dir, err = os.MkdirTemp("", "hpmq-cli"); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
			defer func() { _ = os.RemoveAll(dir) }()
		}
		if err := os.Setenv("HPMQ_CLI_CACHE", dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}
