//go:build unix

package app

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestAPipeInTheFolder is refused: the watcher does not wait for whoever writes into it.
func TestAPipeInTheFolder(t *testing.T) {
	k := key(t, "ours")
	d := watching(t, "dedup*", versioned(t, &k, "1.0.0"), nil)
	if err := syscall.Mkfifo(filepath.Join(d.dir, "pipe.tar"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.looks()
	c := newest(t, d.App)
	if c.State != "refused" || c.Of != "read" || !strings.Contains(c.Why, "but a pipe") {
		t.Errorf("%s is %s at %s: %s", c.ID, c.State, c.Of, c.Why)
	}
	d.drop("good.tar", versioned(t, &k, "2.0.0"))
	if c := d.reaches(newest(t, d.App).ID, "done"); c.Places[0].New.Version != "2.0.0" {
		t.Errorf("behind it: %+v", c)
	}
}
