package cross

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	files["go.mod"] = "module example.test/m\n\ngo 1.24\n"
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func check(t *testing.T, dir, target string) (Count, error) {
	t.Helper()
	tg, err := ParseTarget(target)
	if err != nil {
		t.Fatal(err)
	}
	return Check(t.Context(), dir, tg, "./...")
}

func TestFindsWhatOnlyOneTargetHas(t *testing.T) {
	for name, c := range map[string]struct {
		files     map[string]string
		good, bad string
		says      string
	}{
		"a constant too large for 32 bits": {map[string]string{
			"m.go": "package m\n\nimport \"fmt\"\n\nvar X = fmt.Sprint(int(1 << 40))\n",
		}, "linux/amd64", "linux/arm", "overflow"},
		"a file of one system": {map[string]string{
			"m.go":      "package m\n\nvar X = only()\n",
			"m_unix.go": "//go:build unix\n\npackage m\n\nfunc only() int { return 1 }\n",
		}, "linux/arm64", "windows/amd64", "undefined: only"},
		"a call of one system": {map[string]string{
			"m.go":   "package m\n\nimport \"example.test/m/n\"\n\nfunc F() { n.N() }\n",
			"n/n.go": "package n\n\nimport \"syscall\"\n\nfunc N() { syscall.Sync() }\n",
		}, "linux/riscv64", "windows/amd64", "undefined: syscall.Sync"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := write(t, c.files)
			if n, err := check(t, dir, c.good); err != nil || n.Packages == 0 {
				t.Errorf("%s: %d packages, %v", c.good, n.Packages, err)
			}
			_, err := check(t, dir, c.bad)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v, want %q", c.bad, err, c.says)
			}
		})
	}
}

func TestSaysWhatItCannotFind(t *testing.T) {
	dir := write(t, map[string]string{"m.go": "package m\n\nimport _ \"example.test/m/gone\"\n"})
	if _, err := check(t, dir, "linux/amd64"); err == nil {
		t.Error("a missing package was not found")
	}
	for _, bad := range []string{"linux", "linux/pdp11", ""} {
		if _, err := ParseTarget(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
