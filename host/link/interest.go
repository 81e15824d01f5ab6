package link

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hpmq/hpmq/sdk/topic"
)

// interest is a set of topic filters. It never changes once it stands in a table, so that many
// loops may look into it. The zero value wants nothing.
type interest struct {
	// some is false when there is no filter: the compare that ends most looks.
	some bool
	// all is true when "#" is among the filters: every topic, those that start with $ too.
	all     bool
	tree    topic.Tree[struct{}]
	filters []string
}

// errInterest is wrapped by the error of a guest that names too many filters.
var errInterest = errors.New("too many filters of interest")

func tooMuchInterest(n, most int) error {
	return fmt.Errorf("%w: %d, at most %d are taken", errInterest, n, most)
}

// newInterest checks the filters that a guest named.
func newInterest(filters []string, most int) (interest, error) {
	var in interest
	if len(filters) > most {
		return in, tooMuchInterest(len(filters), most)
	}
	for _, f := range filters {
		if !topic.ValidFilter([]byte(f)) {
			return in, fmt.Errorf("%q is not a topic filter", f)
		}
		in.add(f)
	}
	return in, nil
}

func (in *interest) add(filter string) {
	if _, had := in.tree.Get(filter); had {
		return
	}
	in.some = true
	in.all = in.all || filter == "#"
	in.tree.Put(filter, struct{}{})
	in.filters = append(in.filters, filter)
}

func (in *interest) merge(other *interest) {
	for _, f := range other.filters {
		in.add(f)
	}
}

// has says whether a message of that topic is wanted. It allocates nothing: the values are empty.
func (in *interest) has(name []byte) bool {
	if !in.some {
		return false
	}
	if in.all {
		return true // "#" is every topic here, also those that start with $ (wit/lifecycle.wit)
	}
	return len(in.tree.AppendMatches(nil, name)) > 0
}

// overlaps says whether some topic matches both the filter of a subscription, as the client sent
// it, and a filter of the set: then who wants those topics must be asked about the subscription.
func (in *interest) overlaps(filter []byte) bool {
	if in.all || !in.some {
		return in.all
	}
	_, rest, _, ok := topic.SplitShare(string(filter))
	if !ok {
		return true // nothing the kernel lets through; be asked rather than passed by
	}
	for _, f := range in.filters {
		if overlap(f, rest) {
			return true
		}
	}
	return false
}

// overlap says whether some topic name matches both filters.
func overlap(a, b string) bool {
	if wild(a) && strings.HasPrefix(b, "$") || wild(b) && strings.HasPrefix(a, "$") {
		return false // [MQTT-4.7.2-1]
	}
	for {
		la, ra, moreA := strings.Cut(a, "/")
		lb, rb, moreB := strings.Cut(b, "/")
		switch {
		case la == "#" || lb == "#":
			return true
		case la != lb && la != "+" && lb != "+":
			return false
		case !moreA && !moreB:
			return true
		case !moreA:
			return rb == "#" // "a" and "a/#" share "a"
		case !moreB:
			return ra == "#"
		}
		a, b = ra, rb
	}
}

// wild says whether a filter starts with a wildcard.
func wild(filter string) bool { return filter[0] == '+' || filter[0] == '#' }
