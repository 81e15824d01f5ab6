//go:build unix

package file

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"
)

func TestPipeIsNotAwaited(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{Check(path), second(Read(path, 1))} {
		if !errors.Is(err, ErrNotRegular) {
			t.Errorf("err: %v", err)
		}
	}
	if _, err := Read("/dev/zero", 1); !errors.Is(err, ErrNotRegular) {
		t.Errorf("device: %v", err)
	}
}
