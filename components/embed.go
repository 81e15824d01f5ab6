// Package components carries the default components as they are built: .wasm bytes by name. It
// knows no role and runs nothing.
package components

import (
	"bytes"
	"compress/gzip"
	"embed"
	"io"

	"github.com/hpmq/hpmq/sdk/delta"
)

// Each component is packed: as its difference from Base, which stands whole, compressed. So they
// take 250 KB of the binary instead of 860, of which small devices have little.
//
//go:embed */*.wasm.pack
var files embed.FS

// Base is the component that the others are packed as differences from.
const Base = "router-rules"

// bytesMax is far above what a default component measures.
const bytesMax = 4 << 20

// Default is the .wasm of a default component; the bytes are the caller's. It takes some
// milliseconds.
func Default(name string) ([]byte, bool) {
	// What is embedded is whole: a test compares it with the .wasm beside it.
	diff, err := read(name)
	if err != nil {
		return nil, false
	}
	var base []byte
	if name != Base {
		if base, _ = Default(Base); base == nil {
			return nil, false
		}
	}
	code, err := delta.Apply(base, diff, bytesMax)
	return code, err == nil
}

// read answers the difference, uncompressed.
func read(name string) ([]byte, error) {
	f, err := files.Open(name + "/" + name + ".wasm.pack")
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// Pack is what is embedded for a component with that code; base is the code of Base.
func Pack(name string, base, code []byte) ([]byte, error) {
	if name == Base {
		base = nil
	}
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(delta.Append(nil, base, code)); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Names are the default components, in the order a client and its messages meet them.
func Names() []string {
	return []string{
		"authenticator-file", "authorizer-rules", "transformer-json", "deduplicator-window",
		"router-rules",
	}
}

// Further are those that come with the broker as well and are linked only where a link says so.
func Further() []string { return []string{"codec-lines"} }
