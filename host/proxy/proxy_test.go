package proxy

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"net"
	"strings"
	"testing"

	"github.com/pires/go-proxyproto"
)

// block is a header of version 2: command, family, then what follows the length.
func block(command, family byte, body []byte) []byte {
	b := append([]byte(blockStart), 0x20|command, family)
	return append(binary.BigEndian.AppendUint16(b, uint16(len(body))), body...)
}

func tlv(kind byte, value []byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{kind}, uint16(len(value))), value...)
}

var addresses4 = []byte{192, 0, 2, 7, 198, 51, 100, 1, 0x30, 0x39, 0x07, 0x5B}

// signed is an IPv4 header with a note, and its checksum at the end.
func signed() []byte {
	body := append(bytes.Clone(addresses4), tlv(0xE0, []byte("note"))...)
	b := block(1, 0x11, append(body, tlv(checksum, make([]byte, 4))...))
	sum := crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
	binary.BigEndian.PutUint32(b[len(b)-4:], sum)
	return b
}

func TestHeadersThatAreGood(t *testing.T) {
	unix := make([]byte, 216)
	copy(unix, "/run/a")
	v6 := append(net.ParseIP("2001:db8::7").To16(), net.ParseIP("2001:db8::1").To16()...)
	v6 = append(v6, 0, 9, 0, 8)
	for name, c := range map[string]struct {
		header []byte
		want   string
	}{
		"v1 TCP4":              {[]byte("PROXY TCP4 192.0.2.7 192.0.2.8 12345 1\r\n"), "192.0.2.7"},
		"v1 TCP6":              {[]byte("PROXY TCP6 2001:db8::7 ::1 1 2\r\n"), "2001:db8::7"},
		"v1 shortest":          {[]byte("PROXY TCP6 :: :: 1 1\r\n"), "::"},
		"v1 mapped":            {[]byte("PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n"), "192.0.2.7"},
		"v1 UNKNOWN":           {[]byte("PROXY UNKNOWN\r\n"), ""},
		"v1 UNKNOWN with more": {[]byte("PROXY UNKNOWN ffff::1 ::2 65535 65535\r\n"), ""},
		"v2 TCP4":              {block(1, 0x11, addresses4), "192.0.2.7"},
		"v2 TCP6":              {block(1, 0x21, v6), "2001:db8::7"},
		"v2 unix":              {block(1, 0x31, unix), "unix"},
		"v2 LOCAL":             {block(0, 0, nil), ""},
		"v2 LOCAL with more":   {block(0, 0x11, []byte("whatever")), ""},
		"v2 checksum":          {signed(), "192.0.2.7"},
	} {
		rest := []byte("\x10\x00")
		h, n, err := Parse(append(bytes.Clone(c.header), rest...))
		if err != nil || n != len(c.header) || h.Address() != c.want {
			t.Errorf("%s: %q, %d of %d bytes, %v", name, h.Address(), n, len(c.header), err)
		}
		// A reader that asks for what is missing reads the header and not a byte more.
		var buf []byte
		for n := 0; n == 0; {
			k := Missing(buf)
			if len(buf)+k > len(c.header) {
				t.Fatalf("%s: reads over the end of the header", name)
			}
			buf = c.header[:len(buf)+k]
			if _, n, err = Parse(buf); err != nil {
				t.Fatalf("%s: in parts: %v", name, err)
			}
		}
	}
}

func TestTheLibrarysOwnHeaders(t *testing.T) {
	from := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 1}
	to := &net.TCPAddr{IP: net.IPv4(198, 51, 100, 1), Port: 2}
	for version := byte(1); version <= 2; version++ {
		b, err := proxyproto.HeaderProxyFromAddrs(version, from, to).Format()
		if err != nil {
			t.Fatal(err)
		}
		h, n, err := Parse(b)
		if err != nil || n != len(b) || h.Source.String() != "192.0.2.7:1" {
			t.Errorf("version %d: %v, %d, %v", version, h, n, err)
		}
	}
}

func TestHeadersThatAreNot(t *testing.T) {
	broken := signed()
	broken[20] ^= 1
	long := make([]byte, HeaderBytesMax)
	for name, b := range map[string][]byte{
		"MQTT":                   {0x10, 0x0C},
		"TLS":                    {0x16, 3, 1},
		"v1 wrong word":          []byte("PROXZ"),
		"v1 lower case":          []byte("proxy TCP4"),
		"v1 too long":            []byte("PROXY UNKNOWN " + strings.Repeat("x", 100)),
		"v1 without CR":          []byte("PROXY TCP4 192.0.2.7 192.0.2.8 1 2 \n"),
		"v1 too few words":       []byte("PROXY TCP4 192.0.2.7 192.0.2.8 1\r\n"),
		"v1 too many words":      []byte("PROXY TCP4 192.0.2.7 192.0.2.8 1 2 3\r\n"),
		"v1 wrong family":        []byte("PROXY TCP4 ::1 ::2 1 2\r\n"),
		"v1 UDP":                 []byte("PROXY UDP4 192.0.2.7 192.0.2.8 1 2\r\n"),
		"v1 port":                []byte("PROXY TCP4 192.0.2.7 192.0.2.8 65536 2\r\n"),
		"v1 port with a sign":    []byte("PROXY TCP4 192.0.2.7 192.0.2.8 +1 2\r\n"),
		"v1 zone":                []byte("PROXY TCP6 fe80::1%a ::2 1 2\r\n"),
		"v2 version":             append([]byte(blockStart), 0x31),
		"v2 command":             append([]byte(blockStart), 0x22),
		"v2 UDP":                 block(1, 0x12, addresses4),
		"v2 unknown family":      block(1, 0x41, addresses4),
		"v2 PROXY of UNSPEC":     block(1, 0, nil),
		"v2 half an address":     block(1, 0x11, addresses4[:11]),
		"v2 half a TLV head":     block(1, 0x11, append(bytes.Clone(addresses4), 1, 0)),
		"v2 half a TLV":          block(1, 0x11, append(bytes.Clone(addresses4), 1, 0, 2, 0)),
		"v2 checksum of 3 bytes": block(1, 0x11, append(bytes.Clone(addresses4), 3, 0, 3, 0, 0, 0)),
		"v2 wrong checksum":      broken,
		"v2 too long":            block(1, 0x11, long),
	} {
		if h, n, err := Parse(b); err == nil {
			t.Errorf("%s: taken: %v, %d bytes", name, h, n)
		}
	}
}

// FuzzParse: the answer does not depend on how a header is cut, what is taken is within its limits,
// and nothing panics.
func FuzzParse(f *testing.F) {
	f.Add([]byte("PROXY TCP4 192.0.2.7 198.51.100.1 12345 1883\r\n\x10"))
	f.Add([]byte("PROXY UNKNOWN\r\n"))
	f.Add(signed())
	f.Add(block(0, 0, nil))
	f.Add(block(1, 0x31, make([]byte, 216)))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n, err := Parse(b)
		if n < 0 || n > len(b) || n > HeaderBytesMax || err != nil && n != 0 {
			t.Fatalf("%d of %d bytes, %v", n, len(b), err)
		}
		for cut := range b {
			hc, nc, errc := Parse(b[:cut])
			if nc > 0 && (nc != n || hc != h) || errc != nil && err == nil {
				t.Fatalf("cut at %d: %v %d %v; whole: %v %d %v", cut, hc, nc, errc, h, n, err)
			}
			if nc == 0 && errc == nil && n > 0 && cut+Missing(b[:cut]) > n {
				t.Fatalf("cut at %d of %d: %d are missing", cut, n, Missing(b[:cut]))
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for name, header := range map[string][]byte{
		"v1": []byte("PROXY TCP4 192.0.2.7 198.51.100.1 12345 1883\r\n"), "v2": signed(),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(header)))
			for b.Loop() {
				if _, n, err := Parse(header); n == 0 || err != nil {
					b.Fatal(n, err)
				}
			}
		})
	}
}
