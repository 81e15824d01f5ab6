package gate

import (
	"container/heap"
	"container/list"
	"io"
	"net"
	"net/netip"
	"sync"
)

// sourceBits is how much of an IPv6 address counts as one source: what one customer is given.
const sourceBits = 64

// lobby knows the connections of one listener that wait before they are enrolled, and from where
// they come. It is entered and left, never waited at. Who finds it full gets the place of one who
// waits: the oldest of the source that has most, so that no few sources keep out the others. Who is
// of such a source is turned away.
type lobby struct {
	mu      sync.Mutex
	waiting int // places taken
	ousted  int // those who lost theirs and are not gone yet
	turns   uint64
	from    map[netip.Prefix]*crowd
	order   crowds
}

// seat is the place of one arrival. The lobby's lock guards it.
type seat struct {
	socket  io.Closer
	source  netip.Prefix // invalid for a unix socket
	crowd   *crowd       // nil: it waits no more, or lost the place
	at      *list.Element
	turn    uint64
	claimed bool // it counts for what its source may have
	lost    bool // the place is another's
}

// crowd is those of one source, the oldest first. It is not empty.
type crowd struct {
	source  netip.Prefix
	seats   list.List // of *seat
	claimed int
	index   int // in lobby.order
}

func (c *crowd) oldest() *seat { return c.seats.Front().Value.(*seat) }

// enter takes a place of max for s. False: it is full, and nobody has to go. Else loser is who lost
// the place or nil, and its socket is for the caller to close.
func (l *lobby) enter(s *seat, max int) (loser *seat, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting >= max {
		own := 0
		if c := l.from[s.source]; c != nil {
			own = c.seats.Len()
		}
		if len(l.order) == 0 || l.ousted >= max || own >= l.order[0].seats.Len() {
			return nil, false
		}
		loser = l.order[0].oldest()
		l.standLocked(loser)
		loser.lost = true
		l.waiting--
		l.ousted++
	}
	l.waiting++
	l.turns++
	s.turn = l.turns
	l.sitLocked(s)
	return loser, true
}

// leave gives the place back, once.
func (l *lobby) leave(s *seat) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.standLocked(s)
	if s.lost {
		l.ousted--
		return
	}
	l.waiting--
}

// claim counts s, by now known to be of source, unless max of that are counted. A source without an
// address (a unix socket) has no limit.
func (l *lobby) claim(s *seat, source netip.Prefix, max int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.lost {
		return true // it will see
	}
	if c := l.from[source]; source.IsValid() && c != nil && c.claimed >= max {
		return false
	}
	if s.source != source {
		l.standLocked(s)
		s.source = source
		l.sitLocked(s)
	}
	s.claimed = true
	s.crowd.claimed++
	return true
}

// settle says that s waits for its peer no more: nobody takes the place from it now. False:
// somebody did.
func (l *lobby) settle(s *seat) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.standLocked(s)
	return !s.lost
}

// deprived is true if the place of s is another's.
func (l *lobby) deprived(s *seat) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return s.lost
}

func (l *lobby) sitLocked(s *seat) {
	c := l.from[s.source]
	if c == nil {
		if l.from == nil {
			l.from = make(map[netip.Prefix]*crowd)
		}
		c = &crowd{source: s.source}
		l.from[s.source] = c
		s.at = c.seats.PushBack(s)
		heap.Push(&l.order, c)
	} else {
		s.at = c.seats.PushBack(s)
		heap.Fix(&l.order, c.index)
	}
	s.crowd = c
}

func (l *lobby) standLocked(s *seat) {
	c := s.crowd
	if c == nil {
		return
	}
	if s.claimed {
		c.claimed--
	}
	if c.seats.Len() == 1 {
		heap.Remove(&l.order, c.index)
		delete(l.from, c.source)
	}
	c.seats.Remove(s.at)
	if c.seats.Len() > 0 {
		heap.Fix(&l.order, c.index)
	}
	s.crowd, s.at, s.claimed = nil, nil, false
}

// crowds is a heap: the largest first, of those the one that has waited longest.
type crowds []*crowd

func (h crowds) Len() int { return len(h) }

func (h crowds) Less(i, j int) bool {
	a, b := h[i], h[j]
	if a.seats.Len() != b.seats.Len() {
		return a.seats.Len() > b.seats.Len()
	}
	return a.oldest().turn < b.oldest().turn
}

func (h crowds) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push is heap.Interface.
func (h *crowds) Push(x any) {
	c := x.(*crowd)
	c.index = len(*h)
	*h = append(*h, c)
}

// Pop is heap.Interface.
func (h *crowds) Pop() any {
	last := len(*h) - 1
	c := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return c
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
