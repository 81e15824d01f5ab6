package app

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/configs"
)

// TestOneNodeOneFolder: a second node is told who has the folder, before it does anything else.
func TestOneNodeOneFolder(t *testing.T) {
	cfg := testConfig("l")
	cfg.DataDir, cfg.Admin.Bind = filepath.Join(t.TempDir(), "data"), configs.Off
	quiet := Options{Log: slog.New(slog.DiscardHandler)}
	first, err := Open(t.Context(), cfg, quiet)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), cfg, quiet)
	who := fmt.Sprintf("(process %d)", os.Getpid())
	for _, word := range []string{who, "--data"} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("no %s in %v", word, err)
		}
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(t.Context(), cfg, quiet)
	if err != nil {
		t.Fatal(err)
	}
	_ = again.Close()
}
