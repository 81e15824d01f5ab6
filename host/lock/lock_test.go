package lock

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
)

// A folder is one process's; the next is told whose, and gets it when that one is done.
func TestOneAtATime(t *testing.T) {
	dir := t.TempDir()
	first, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(dir)
	if who := fmt.Sprintf("(process %d)", os.Getpid()); runtime.GOOS != "plan9" &&
		(!errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), who)) {
		t.Errorf("no %s in %v", who, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}
