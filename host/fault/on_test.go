//go:build faults

package fault

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestRules(t *testing.T) {
	all := parse("journal.sync:2:kill,db.*:1+1s:full,x:1:slow=20ms")
	now := time.Now()
	for i, c := range []struct {
		point, action string
		after         time.Duration
	}{
		{"journal.sync", "", 0}, {"journal.sync", "kill", 0}, {"journal.sync", "", 0},
		{"db.write", "full", 0}, {"db.sync", "full", 900 * time.Millisecond},
		{"db.sync", "", 2 * time.Second}, {"x", "slow", 0},
	} {
		got := ""
		if r, _ := all.pass(c.point, now.Add(c.after)); r != nil {
			got = r.action
		}
		if got != c.action {
			t.Errorf("%d: %q at %s, want %q", i, got, c.point, c.action)
		}
	}
	for _, bad := range []string{"x", "x:y:kill", "x:1:jump", "x:1:slow", "x:1+y:kill"} {
		if _, err := parseRule(bad); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
}

func TestAPowerCutLeavesWhatIsSafe(t *testing.T) {
	dir := t.TempDir()
	size := func(n int) (int64, bool) {
		path := filepath.Join(dir, "f")
		if err := os.WriteFile(path, make([]byte, 100), 0o600); err != nil {
			t.Fatal(err)
		}
		d := newFiles()
		d.created(path)
		d.written(path, 60)
		d.synced(path, 60)
		d.written(path, 100)
		if n > 10 {
			d.dirSynced(dir)
		}
		d.cut(n)
		info, err := os.Stat(path)
		if err != nil {
			return 0, false
		}
		return info.Size(), true
	}
	for n, want := range map[int]int64{12: 60, 13: 80, 14: 100, 3: 60} {
		if got, ok := size(n); !ok || got != want {
			t.Errorf("%d: %d bytes, want %d", n, got, want)
		}
	}
	if _, ok := size(2); ok {
		t.Error("a file without a name is there")
	}
}

// A folder is after a power cut what it was once: a name is not lost and what it replaced gone.
func TestAPowerCutKeepsTheOrderOfNames(t *testing.T) {
	for n, want := range map[int]string{2: "old", 3: "new"} {
		dir := t.TempDir()
		old, next := filepath.Join(dir, "old"), filepath.Join(dir, "new")
		d := newFiles()
		if err := os.WriteFile(old, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		d.created(next)
		if err := os.WriteFile(next, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		d.removed(old)
		if err := os.Remove(old); err != nil {
			t.Fatal(err)
		}
		d.cut(n)
		names, err := os.ReadDir(dir)
		if err != nil || len(names) != 1 || names[0].Name() != want {
			t.Errorf("%d: %v, %v, want %s", n, names, err, want)
		}
	}
}
