// Package rules is what the component authorizer-rules decides by: an ordered list of rules, the
// first that fits wins. It knows clients, addresses, actions and topic filters; it does not know
// how a question reaches it (package authorizer of the guest SDK) nor how long an answer is kept
// (the host).
package rules

import (
	"net/netip"

	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/authorizer"
	"github.com/tidwall/match"
)

// Rules is the authorizer. The zero value has no rules and allows everything.
type Rules struct {
	rules []rule
	// fallback is the answer for publish, subscribe and will where no rule fits. A delivery that no
	// rule fits is allowed: its subscription was judged.
	fallback authorizer.Answer
}

// rule is one line of the list. An empty condition fits everything.
type rule struct {
	answer authorizer.Answer
	// actions has the bit 1<<action for each action the rule is about.
	actions   uint8
	clients   []string
	users     []string
	tenants   []string
	addresses []netip.Prefix
	topics    []filter
}

// Authorize finds the first rule that fits. The answer holds for any topic if no filter was
// looked at on the way to it, else for this topic.
func (r *Rules) Authorize(who *guest.Identity, a authorizer.Action, topic string,
	_ guest.QoS) authorizer.Answer {
	scope := authorizer.AnyTopic
	for i := range r.rules {
		rule := &r.rules[i]
		if !rule.about(who, a) {
			continue
		}
		if len(rule.topics) == 0 {
			return rule.answer.For(scope, 0)
		}
		scope = authorizer.Topic
		if rule.fits(who, a, topic) {
			return rule.answer.For(scope, 0)
		}
	}
	if a == authorizer.Deliver {
		return authorizer.Allow.For(scope, 0)
	}
	return r.fallback.For(scope, 0)
}

// about reports whether the rule speaks of this action of this client.
func (r *rule) about(who *guest.Identity, a authorizer.Action) bool {
	return r.actions&(1<<a) != 0 &&
		anyMatch(r.clients, who.ClientID) &&
		anyMatch(r.users, who.Username) &&
		anyMatch(r.tenants, who.Tenant) &&
		r.from(who.Address)
}

func (r *rule) from(address string) bool {
	if len(r.addresses) == 0 {
		return true
	}
	a, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	a = a.Unmap().WithZone("")
	for _, p := range r.addresses {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// fits reports whether the rule speaks of this topic or filter. A subscription is allowed only by a
// filter that covers all of it, and denied by a filter that shares any topic with it: either
// way nobody gets more than the rules say.
func (r *rule) fits(who *guest.Identity, a authorizer.Action, topic string) bool {
	for i := range r.topics {
		f := &r.topics[i]
		if a != authorizer.Subscribe || r.answer == authorizer.Allow {
			if f.covers(who, topic) {
				return true
			}
		} else if f.meets(who, topic) {
			return true
		}
	}
	return false
}

func anyMatch(globs []string, s string) bool {
	for _, g := range globs {
		if match.Match(s, g) {
			return true
		}
	}
	return len(globs) == 0
}
