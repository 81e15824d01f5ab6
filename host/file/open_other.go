//go:build !unix

package file

// nonblock: where there are no pipes among the files.
const nonblock = 0
