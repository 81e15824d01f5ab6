package gate

import (
	"fmt"
	"math/rand"
	"net/netip"
	"slices"
	"testing"
	"time"
)

func sourceNumber(n int) netip.Prefix {
	return sourceOf(netip.AddrFrom4([4]byte{192, 0, 2, byte(n)}))
}

// A lobby counts what a source may have, and knows it by what it learns last.
func TestLobbyClaims(t *testing.T) {
	var l lobby
	var s [5]seat
	for i := range s {
		s[i].source = sourceNumber(9) // a proxy
		if _, ok := l.enter(&s[i], 5); !ok {
			t.Fatal("no place")
		}
	}
	a, b := sourceNumber(1), sourceNumber(2)
	for i, want := range []bool{true, false, true} {
		if l.claim(&s[i], []netip.Prefix{a, a, b}[i], 1) != want {
			t.Errorf("claim %d: %v", i, !want)
		}
	}
	if !l.claim(&s[3], netip.Prefix{}, 0) || !l.claim(&s[4], netip.Prefix{}, 0) {
		t.Error("who has no address is counted")
	}
	l.leave(&s[0])
	if !l.claim(&s[1], a, 1) {
		t.Error("the place of a source is lost")
	}
	for i := range s[1:] {
		l.settle(&s[i+1])
		l.leave(&s[i+1])
	}
	if l.size() != 0 || len(l.from)+len(l.order) != 0 {
		t.Errorf("%d wait, sources are kept: %v", l.size(), l.from)
	}
}

// Whoever comes and goes, the places are never more than allowed, who loses one is the oldest of a
// largest crowd that is not the newcomer's, and nothing is left in the end.
func TestLobbyByChance(t *testing.T) {
	seed := time.Now().UnixNano()
	p := &party{r: rand.New(rand.NewSource(seed))}
	for i := range 5000 {
		if what := p.step(); what != "" {
			t.Fatalf("seed %d, step %d: %s", seed, i, what)
		}
	}
	for _, s := range append(p.here, p.lost...) {
		p.l.leave(s)
	}
	if p.l.size() != 0 || p.l.ousted != 0 || len(p.l.from)+len(p.l.order) != 0 {
		t.Errorf("seed %d: something is left", seed)
	}
}

const places = 8

// party is who should be in a lobby.
type party struct {
	r          *rand.Rand
	l          lobby
	here, lost []*seat // here in the order they came
}

// step does one thing and answers what is wrong then.
func (p *party) step() (wrong string) {
	k := p.r.Intn(10)
	switch {
	case k < 6:
		wrong = p.come()
	case k < 7 && len(p.here) > 0:
		p.l.settle(p.here[p.r.Intn(len(p.here))])
	case k < 9 && len(p.here) > 0:
		s := p.here[p.r.Intn(len(p.here))]
		p.here = without(p.here, s)
		p.l.leave(s)
	case len(p.lost) > 0:
		if p.l.settle(p.lost[0]) || !p.l.deprived(p.lost[0]) {
			return "who lost its place has it"
		}
		p.l.leave(p.lost[0])
		p.lost = p.lost[1:]
	}
	if p.l.size() != len(p.here) || len(p.here) > places || p.l.ousted != len(p.lost) {
		return fmt.Sprintf("%d wait, %d ousted", p.l.size(), p.l.ousted)
	}
	return wrong
}

func (p *party) come() (wrong string) {
	s := &seat{source: sourceNumber(p.r.Intn(5))}
	full := len(p.here) == places
	crowd, oldest := map[netip.Prefix]int{}, map[netip.Prefix]*seat{}
	most := 0
	for _, o := range p.here {
		if o.crowd == nil {
			continue
		}
		if crowd[o.source]++; crowd[o.source] == 1 {
			oldest[o.source] = o
		}
		most = max(most, crowd[o.source])
	}
	own, room := crowd[s.source], len(p.lost) < places
	loser, ok := p.l.enter(s, places)
	if ok {
		p.here = append(p.here, s)
	}
	if loser != nil {
		p.here, p.lost = without(p.here, loser), append(p.lost, loser)
	}
	switch {
	case !full && (!ok || loser != nil):
		return "no place where there was one"
	case full && (ok != (own < most && room) || ok != (loser != nil)):
		return fmt.Sprintf("entered: %v, with %d of %d", ok, own, most)
	case loser != nil && (crowd[loser.source] < most || oldest[loser.source] != loser):
		return "not the oldest of a largest crowd"
	case loser != nil && own >= most:
		return "the newcomer's crowd is the largest"
	}
	return ""
}

func without(list []*seat, s *seat) []*seat {
	return slices.DeleteFunc(slices.Clone(list), func(o *seat) bool { return o == s })
}
