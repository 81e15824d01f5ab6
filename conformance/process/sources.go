package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Sources looks at the folders of all that the programs are built from. go test keeps the result of
// a test until a folder or file that it has opened is another: a test that runs a binary knows none
// of its packages, and would be told "(cached)" about a broker that nobody runs any more.
func Sources() error {
	root, err := module()
	if err != nil {
		return err
	}
	look := func(_ string, _ fs.DirEntry, err error) error { return err }
	for _, room := range []string{"lite", "host", "sdk", "configs", "components"} {
		err := filepath.WalkDir(filepath.Join(root, room), look)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("process: sources: %w", err)
		}
	}
	if _, err := os.Stat(filepath.Join(root, "go.sum")); err != nil {
		return fmt.Errorf("process: sources: %w", err)
	}
	return nil
}

// module is the folder of go.mod: the working folder of a test is that of its package.
func module() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("process: sources: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("process: no go.mod above: run it inside the project")
		}
		dir = up
	}
}
