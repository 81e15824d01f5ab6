//go:build !windows

package clone

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Sync makes the names in a folder safe on the device.
func Sync(dir string) error {
	d, err := os.Open(filepath.Clean(dir))
	if err != nil {
		return fmt.Errorf("clone: %w", err)
	}
	err = d.Sync()
	if err = errors.Join(err, d.Close()); err != nil {
		return fmt.Errorf("clone: %w", err)
	}
	return nil
}
