package link

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/hpmq/hpmq/lite/broker"
)

// NamesMax is how many clients, tenants or filters a Selector may name.
const NamesMax = 4096

// Selector says who is served by the candidate of a canary: who one of its criteria holds for, or
// all of them. What is left zero is no criterion.
type Selector struct {
	// Percent of the clients, 0 to 100, in steps of a hundredth. Who they are follows from the
	// client id and the plan's: more percent are those and more.
	Percent float64
	// Clients are client ids.
	Clients []string
	// Tenants are those that an authenticator gave.
	Tenants []string
	// Filters are of topics, as the question has them. A subscription is selected if a topic that
	// it stands for is.
	Filters []string
	// All asks for all criteria, not for one.
	All bool
}

// parts is what a hundred percent are.
const parts = 100 * 100

// Validate says what is wrong with s.
func (s *Selector) Validate() error {
	switch {
	case !(s.Percent >= 0 && s.Percent <= 100):
		return fmt.Errorf("%v %% of the clients: say 0 to 100", s.Percent)
	case s.Percent > 0 && s.share() == 0:
		return fmt.Errorf("%v %% of the clients are nobody: say 0.01 or more", s.Percent)
	case s.count() == 0:
		return errors.New("nobody is selected: name a percentage, clients, tenants or filters")
	case max(len(s.Clients), len(s.Tenants), len(s.Filters)) > NamesMax:
		return fmt.Errorf("more than %d clients, tenants or filters", NamesMax)
	}
	return nil
}

// share is the percentage as a number of parts.
func (s *Selector) share() uint32 { return uint32(math.Round(s.Percent * 100)) }

// count is how many criteria s has.
func (s *Selector) count() (n int) {
	for _, has := range []bool{
		s.Percent > 0, len(s.Clients) > 0, len(s.Tenants) > 0, len(s.Filters) > 0,
	} {
		if has {
			n++
		}
	}
	return n
}

// String is s for people: "5 % of the clients or client a, b".
func (s *Selector) String() string {
	var all []string
	if s.Percent > 0 {
		all = append(all, fmt.Sprintf("%v %% of the clients", s.Percent))
	}
	for what, names := range map[string][]string{
		"client": s.Clients, "tenant": s.Tenants, "filter": s.Filters,
	} {
		if len(names) > 0 {
			all = append(all, what+" "+strings.Join(names, ", "))
		}
	}
	slices.Sort(all)
	if s.All {
		return strings.Join(all, " and ")
	}
	return strings.Join(all, " or ")
}

// covers says whether who other selects is selected by s, as far as that can be seen from what they
// name.
func (s *Selector) covers(other *Selector) bool {
	if s.Percent == 100 && !s.All {
		return true
	}
	mine, theirs := s.count(), other.count()
	if mine > 1 && theirs > 1 && s.All != other.All {
		return false
	}
	all := mine > 1 && s.All || mine <= 1 && theirs > 1 && other.All
	for _, c := range []struct{ named, had, covered bool }{
		{s.Percent > 0, other.Percent > 0, s.share() >= other.share()},
		{len(s.Clients) > 0, len(other.Clients) > 0, within(other.Clients, s.Clients, same)},
		{len(s.Tenants) > 0, len(other.Tenants) > 0, within(other.Tenants, s.Tenants, same)},
		{len(s.Filters) > 0, len(other.Filters) > 0, within(other.Filters, s.Filters, above)},
	} {
		// One of several criteria must cover each of theirs; where all must hold, each of mine one
		// of theirs.
		if all && c.named && !(c.had && c.covered) || !all && c.had && !(c.named && c.covered) {
			return false
		}
	}
	return true
}

// within says whether each of few has its like in many.
func within(few, many []string, like func(b, a string) bool) bool {
	return !slices.ContainsFunc(few, func(a string) bool {
		return !slices.ContainsFunc(many, func(b string) bool { return like(b, a) })
	})
}

func same(b, a string) bool { return a == b }

// above says whether filter b matches whatever filter a does.
func above(b, a string) bool {
	if b != "#" && wild(b) && strings.HasPrefix(a, "$") {
		return false // [MQTT-4.7.2-1]
	}
	for {
		lb, rb, moreB := strings.Cut(b, "/")
		la, ra, moreA := strings.Cut(a, "/")
		switch {
		case lb == "#":
			return true
		case la == "#" || lb != "+" && la != lb:
			return false
		case !moreA && !moreB:
			return true
		case !moreA:
			return rb == "#"
		case !moreB:
			return false
		}
		a, b = ra, rb
	}
}

// selection is a Selector made ready to be asked. It never changes.
type selection struct {
	share            uint32
	salt             uint32
	clients, tenants map[string]struct{} // nil for no criterion
	filters          interest
	all              bool
}

func (s *Selector) ready(id string) (*selection, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	filters, err := newInterest(s.Filters, NamesMax)
	if err != nil {
		return nil, err
	}
	return &selection{
		share: s.share(), salt: hash(hashBasis, id), all: s.All, filters: filters,
		clients: setOf(s.Clients), tenants: setOf(s.Tenants),
	}, nil
}

// setOf is nil for no names.
func setOf(names []string) map[string]struct{} {
	var set map[string]struct{}
	for i, n := range names {
		if i == 0 {
			set = make(map[string]struct{}, len(names))
		}
		set[n] = struct{}{}
	}
	return set
}

// has says whether a question is for the candidate. Without topic there is no filter that holds.
func (s *selection) has(who *broker.Identity, name []byte, subscription bool) bool {
	if s.share > 0 {
		if got := s.bucket(who.ClientID) < s.share; got != s.all {
			return got
		}
	}
	if s.clients != nil {
		if _, got := s.clients[who.ClientID]; got != s.all {
			return got
		}
	}
	if s.tenants != nil {
		if _, got := s.tenants[who.Tenant]; got != s.all {
			return got
		}
	}
	if s.filters.some {
		if got := s.filtered(name, subscription); got != s.all {
			return got
		}
	}
	return s.all
}

func (s *selection) filtered(name []byte, subscription bool) bool {
	switch {
	case name == nil:
		return false
	case subscription:
		return s.filters.overlaps(name)
	}
	return s.filters.has(name)
}

// hashBasis and hashPrime are of FNV-1a.
const hashBasis, hashPrime = 2166136261, 16777619

func hash(h uint32, text string) uint32 {
	for i := range len(text) {
		h = (h ^ uint32(text[i])) * hashPrime
	}
	return h
}

// hashedMax is how much of a client id counts from each end, so that a long one costs no more.
const hashedMax = 128

// bucket is where a client stands, 0 to parts-1.
func (s *selection) bucket(client string) uint32 {
	h := s.salt
	if n := len(client); n > 2*hashedMax {
		h = hash(hash(h, client[:hashedMax]), client[n-hashedMax:])
	} else {
		h = hash(h, client)
	}
	// The last bytes must reach all bits: the finaliser of MurmurHash3.
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	h ^= h >> 16
	return h % parts
}
