// Package proxy knows the header of the PROXY protocol, versions 1 and 2, by which a proxy tells
// from whom a connection comes.
//
// It does not know sockets, nor which proxy may be believed.
package proxy

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"net"
	"net/netip"

	"github.com/pires/go-proxyproto"
)

const (
	// LineBytesMax bounds a header of version 1, as its standard does.
	LineBytesMax = 107
	// HeaderBytesMax bounds a header of version 2. Clouds send some 100 bytes beside the addresses,
	// a proxy that ends TLS some 300.
	HeaderBytesMax = 2048
)

const (
	lineStart  = "PROXY "
	lineMin    = len("PROXY UNKNOWN\r\n")
	line4Min   = len("PROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\n")
	line6Min   = len("PROXY TCP6 :: :: 1 1\r\n")
	blockStart = "\r\n\r\n\x00\r\nQUIT\n"
	blockMin   = 16
	versionTwo = 2
	local      = 0 // command: the proxy speaks for itself

	checksum      = 0x03 // the type of the TLV with a CRC32c of the header
	checksumBytes = 4
)

var (
	errStart    = errors.New("proxy: parse: no PROXY header")
	errLine     = errors.New("proxy: parse: malformed line of version 1")
	errLong     = errors.New("proxy: parse: header too long")
	errVersion  = errors.New("proxy: parse: unknown version or command")
	errFamily   = errors.New("proxy: parse: not a stream of IPv4, IPv6 or unix")
	errExtra    = errors.New("proxy: parse: malformed additional information")
	errChecksum = errors.New("proxy: parse: the checksum does not match")
)

// Header is what a proxy says of a connection.
type Header struct {
	// Local says that the proxy speaks for itself, a health check say, or knows no address: the
	// address of the socket stands.
	Local bool
	// Source is who connected to the proxy. It is not valid if Local is set, or if that was a unix
	// socket.
	Source netip.AddrPort
}

// Address is the source without its port, "unix" for a unix socket, empty if Local.
func (h Header) Address() string {
	switch {
	case h.Local:
		return ""
	case h.Source.IsValid():
		return h.Source.Addr().String()
	}
	return "unix"
}

// Parse reads the header that buf, borrowed until return, begins with. n is how long it is; 0
// without an error means that its end has not come. What cannot become a header is an error at the
// first byte that shows it.
func Parse(buf []byte) (h Header, n int, err error) {
	if n, err = size(buf); n == 0 || err != nil {
		return Header{}, 0, err
	}
	buf = buf[:n]
	if buf[0] == lineStart[0] {
		h, err = parseLine(buf)
	} else {
		h, err = parseBlock(buf)
	}
	if err != nil {
		return Header{}, 0, err
	}
	return h, n, nil
}

// Missing is how many bytes after buf belong to the header for certain: who reads no more than
// that leaves the bytes after the header to others. At least 1; ask only while Parse wants more.
func Missing(buf []byte) int {
	want := lineMin
	switch {
	case bytes.HasPrefix(buf, []byte(blockStart)) && len(buf) >= blockMin:
		want = blockMin + int(binary.BigEndian.Uint16(buf[14:]))
	case len(buf) > 0 && buf[0] == blockStart[0]:
		want = blockMin
	case bytes.HasPrefix(buf, []byte("PROXY TCP4 ")):
		want = line4Min
	case bytes.HasPrefix(buf, []byte("PROXY TCP6 ")):
		want = line6Min
	}
	return max(1, want-len(buf))
}

// size is how long the header is, 0 if its end has not come.
func size(buf []byte) (int, error) {
	start := lineStart
	if len(buf) > 0 && buf[0] == blockStart[0] {
		start = blockStart
	}
	k := min(len(buf), len(start))
	if string(buf[:k]) != start[:k] {
		return 0, errStart
	}
	if start == lineStart {
		return lineSize(buf)
	}
	return blockSize(buf)
}

func lineSize(buf []byte) (int, error) {
	i := bytes.IndexByte(buf[:min(len(buf), LineBytesMax)], '\n')
	if i < 0 && len(buf) >= LineBytesMax {
		return 0, errLong
	}
	return i + 1, nil
}

func blockSize(buf []byte) (int, error) {
	if len(buf) > 12 && (buf[12]>>4 != versionTwo || buf[12]&0x0F > 1) {
		return 0, errVersion
	}
	if len(buf) < blockMin {
		return 0, nil
	}
	n := blockMin + int(binary.BigEndian.Uint16(buf[14:]))
	if n > HeaderBytesMax {
		return 0, errLong
	}
	if len(buf) < n {
		return 0, nil
	}
	return n, nil
}

// parseLine reads a whole line of version 1. The library takes signs, zones and further words, the
// standard does not.
func parseLine(line []byte) (Header, error) {
	if !bytes.HasPrefix(line, []byte("PROXY UNKNOWN")) {
		if bytes.Count(line, []byte{' '}) != 5 || len(line) < lineMin {
			return Header{}, errLine
		}
		for _, b := range line[len("PROXY TCP4") : len(line)-2] {
			if !bytes.ContainsRune([]byte("0123456789abcdefABCDEF:. "), rune(b)) {
				return Header{}, errLine
			}
		}
	}
	return parse(line)
}

// parseBlock reads a whole header of version 2.
func parseBlock(b []byte) (Header, error) {
	if b[12]&0x0F == local {
		return Header{Local: true}, nil // whatever follows is to be skipped
	}
	addresses := 0
	switch b[13] {
	case 0x11: // TCP over IPv4
		addresses = 12
	case 0x21: // TCP over IPv6
		addresses = 36
	case 0x31: // unix stream
		addresses = 216
	default:
		return Header{}, errFamily
	}
	if len(b) < blockMin+addresses {
		return Header{}, errFamily
	}
	if err := checkExtra(b, blockMin+addresses); err != nil {
		return Header{}, err
	}
	return parse(b)
}

// checkExtra walks the TLVs of the header b from at on. Of all, the checksum alone is looked at.
func checkExtra(b []byte, at int) error {
	for at < len(b) {
		if len(b)-at < 3 {
			return errExtra
		}
		kind, n := b[at], int(binary.BigEndian.Uint16(b[at+1:]))
		at += 3
		if len(b)-at < n {
			return errExtra
		}
		if kind == checksum {
			if n != checksumBytes {
				return errExtra
			}
			if sumWithout(b, at) != binary.BigEndian.Uint32(b[at:]) {
				return errChecksum
			}
		}
		at += n
	}
	return nil
}

// sumWithout is the CRC32c of b with the checksum at at taken as 0.
func sumWithout(b []byte, at int) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli) // the standard library keeps it
	sum := crc32.Update(0, table, b[:at])
	sum = crc32.Update(sum, table, make([]byte, checksumBytes))
	return crc32.Update(sum, table, b[at+checksumBytes:])
}

// parse reads a whole header. The library reads from a stream and waits there, so it is only given
// what is whole.
func parse(b []byte) (Header, error) {
	p, err := proxyproto.Read(bufio.NewReaderSize(bytes.NewReader(b), len(b)))
	if err != nil {
		return Header{}, fmt.Errorf("proxy: parse: %w", err)
	}
	if p.Command.IsLocal() {
		return Header{Local: true}, nil
	}
	switch a := p.SourceAddr.(type) {
	case *net.TCPAddr:
		ap := a.AddrPort()
		return Header{Source: netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())}, nil
	case *net.UnixAddr:
		return Header{}, nil
	}
	return Header{}, errFamily
}
