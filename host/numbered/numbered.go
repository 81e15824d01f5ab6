// Package numbered knows how the numbered files that a log is made of are named and found in their
// folder. It does not know what is in them.
package numbered

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Path is the file with a number. suffix has its dot.
func Path(dir string, number uint64, suffix string) string {
	return filepath.Join(dir, fmt.Sprintf("%012d%s", number, suffix))
}

// Numbers are those of the files of dir that Path names, ascending; other files are passed over.
func Numbers(dir, suffix string) ([]uint64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var list []uint64
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(name, 10, 64)
		if err == nil && Path("", n, suffix) == e.Name() {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return list, nil
}
