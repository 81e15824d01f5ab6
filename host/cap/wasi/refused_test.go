package wasi_test

import (
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/cap/wasi/contract"
)

func TestNoDirectoryIsOpen(t *testing.T) {
	g, _ := newGuest(t)
	g.Put(0, strings.Repeat("\xff", 8))
	if g.Do("filesystem/preopens#get-directories", 0); g.Uint32(4) != 0 {
		t.Error("there is one")
	}
}

// Functions of resources that nobody makes trap for their handle, not by a bug of the host.
func TestWhatNobodyMakesHasNoFunctions(t *testing.T) {
	n, h := 0, newWorld().house(t)
	for _, in := range contract.All() {
		for _, f := range in.Functions {
			if ofUnmade(f.Name) {
				name := strings.TrimPrefix(in.Name, "wasi:") + "#" + f.Name
				trapsIn(t, h, "handle", name, make([]uint64, len(f.Params))...)
				n++
			}
		}
	}
	if n < 90 {
		t.Errorf("only %d functions", n)
	}
}

// ofUnmade tells if a function takes a handle first that nobody has.
func ofUnmade(function string) bool {
	for _, r := range []string{
		"descriptor", "directory-entry-stream", "tcp-socket", "udp-socket",
		"incoming-datagram-stream", "outgoing-datagram-stream", "resolve-address-stream",
		"incoming-request", "incoming-response", "incoming-body", "future-trailers",
		"future-incoming-response", "response-outparam", "error",
	} {
		if strings.Contains(function, "]"+r+".") {
			return true
		}
	}
	return strings.HasSuffix(function, "-error-code")
}

func TestTheNetworkRefuses(t *testing.T) {
	g, _ := newGuest(t)
	const accessDenied = "\x01"
	denied := func(name string, args ...uint64) {
		t.Helper()
		g.Put(0, strings.Repeat("\xff", 8))
		g.Do("sockets/"+name, args...)
		if g.Bytes(0, 1) != errCase || g.Bytes(4, 1) != accessDenied {
			t.Errorf("%s: %q", name, g.Bytes(0, 8))
		}
	}
	for family := range uint64(2) {
		denied("tcp-create-socket#create-tcp-socket", family, 0)
		denied("udp-create-socket#create-udp-socket", family, 0)
	}
	n := g.Do("sockets/instance-network#instance-network")
	ptr, size := g.Put(100, "example.com")
	denied("ip-name-lookup#resolve-addresses", n, ptr, size, 0)
	g.Do("sockets/network#[resource-drop]network", n)
	traps(t, "case 2 of 2", "sockets/tcp-create-socket#create-tcp-socket", 2, 0)
}
