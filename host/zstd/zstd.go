// Package zstd knows how a stream is compressed with Zstandard, in the memory that a small machine
// can spare. It does not know what is in the stream.
package zstd

import (
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// windowBytesMax bounds what a stream that somebody else wrote can make a Reader take.
const windowBytesMax = 64 << 20

// NewWriter compresses into w. Close ends the stream; w stays open.
func NewWriter(w io.Writer) (io.WriteCloser, error) {
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true),
		zstd.WithWindowSize(1<<20))
	if err != nil {
		return nil, fmt.Errorf("zstd: %w", err)
	}
	return z, nil
}

// NewReader answers what was compressed into r. Close lets go of its memory; r stays open.
func NewReader(r io.Reader) (io.ReadCloser, error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(windowBytesMax))
	if err != nil {
		return nil, fmt.Errorf("zstd: %w", err)
	}
	return z.IOReadCloser(), nil
}
