// Package file knows how a file that a setting names is read: all of it or an error, and soon. It
// does not know what is in it.
package file

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Why Read refuses.
var (
	// ErrNotRegular is for what has no end, or whose end somebody else decides about.
	ErrNotRegular = errors.New("is no regular file")
	ErrTooLarge   = errors.New("is too large")
)

// Read answers what is in a regular file, or in that to which a link leads, of at most bytesMax
// bytes. Opening a pipe waits for whoever writes into it, so that one is refused, not awaited: who
// reads a file may hold a lock.
func Read(path string, bytesMax int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := regular(path, info); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, bytesMax+1))
	if err != nil {
		return nil, err
	}
	if int64(len(text)) > bytesMax {
		return nil, fmt.Errorf("%s %w: it has more than %d bytes", path, ErrTooLarge, bytesMax)
	}
	return text, nil
}

// Check is the error of what Read would refuse without a look into it.
func Check(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return regular(path, info)
}

func regular(path string, info fs.FileInfo) error {
	what := ""
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		what = "a folder"
	case mode&fs.ModeNamedPipe != 0:
		what = "a pipe"
	case mode&fs.ModeSocket != 0:
		what = "a socket"
	default:
		what = "a device"
	}
	return fmt.Errorf("%s %w but %s: name a file", path, ErrNotRegular, what)
}
