package gate

import (
	"net"
	"net/netip"
	"sync"
)

// sourceBits is how much of an IPv6 address counts as one source: what one customer is given.
const sourceBits = 64

// lobby counts the connections of one listener that wait before they are enrolled. It is entered
// and left, never waited at: who finds it full is turned away, so that who is slow holds up nobody.
type lobby struct {
	mu      sync.Mutex
	waiting int
	from    map[netip.Prefix]int
}

// enter takes a place unless max have one.
func (l *lobby) enter(max int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting >= max {
		return false
	}
	l.waiting++
	return true
}

// leave gives the place back.
func (l *lobby) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting--
}

// claim takes a place of a source unless it has max of them. A source without an address (a unix
// socket) is not counted.
func (l *lobby) claim(source netip.Prefix, max int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !source.IsValid() {
		return true
	}
	if l.from[source] >= max {
		return false
	}
	if l.from == nil {
		l.from = make(map[netip.Prefix]int)
	}
	l.from[source]++
	return true
}

// quit gives the place of a source back.
func (l *lobby) quit(source netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !source.IsValid() {
		return
	}
	if l.from[source]--; l.from[source] == 0 {
		delete(l.from, source)
	}
}

// size is how many wait.
func (l *lobby) size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waiting
}

// sourceOf is what an address counts as.
func sourceOf(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := a.BitLen()
	if a.Is6() {
		bits = sourceBits
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// addrOf is the address of a peer, invalid for a unix socket.
func addrOf(a net.Addr) netip.Addr {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return t.AddrPort().Addr()
}
